"""Follows a module's forward with torch.fx, while the sizes of all tensors are known.

Every operation is also carried out on an example, so that a forward may assert, branch and loop over sizes.
A size goes on standing for what was asked: where it becomes an argument again, as in
``x.view(x.size(0), -1)``, the operation that reads it does.
"""

from __future__ import annotations

import inspect
import operator
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, TypeAlias
from unittest.mock import patch

import torch
from torch import fx, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_map_only

from pruneviz.frameworks import refuse_number
from pruneviz.frameworks.torch.layouts import copied, is_prunable, name_of
from pruneviz.frameworks.torch.moves import called

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Inputs: TypeAlias = tuple[torch.Tensor, ...]  # one for each argument of a forward
Values: TypeAlias = dict[fx.Node, Any]

# What reads types and sizes alone; and what a TransformerEncoder asks, and goes the same way whatever it is.
_OF_NO_VALUE = ("size", "numel", "is_floating_point", "is_complex", "_nested_tensor_from_mask_left_aligned")

_CONSTANT = "_tensor_constant"  # how torch.fx begins the name of a tensor that a forward makes


@dataclass(frozen=True)
class Trace:
    """What a module does: the copy that was traced, its operations, and what each gives, as empty tensors."""

    module: nn.Module
    graph: fx.Graph
    values: Values


def refuse_other_number(model: nn.Module, given: int) -> None:
    """Raise a ValueError unless a model's forward takes this number of arrays."""
    known = inspect.signature(model.forward)
    try:
        known.bind(*range(given))
    except TypeError:
        asked = [p for p in known.parameters.values() if p.default is p.empty and "VAR" not in p.kind.name]
        refuse_number([p.name for p in asked], given)


def traced(model: nn.Module, batch: Inputs) -> Trace:
    """Trace a copy of a module in eval mode on two images; what fx cannot follow is refused."""
    for path, part in model.named_modules():
        if hasattr(part, "_orig_mod") or isinstance(part, torch.jit.ScriptModule):
            what = f"layer {path!r}, which is compiled," if path else "a compiled model"
            own = f"{path or 'model'}._orig_mod" if hasattr(part, "_orig_mod") else "what it was made of"
            raise ValueError(f"{what} cannot be followed: give {own}, and compile the result")
    twin = copied(model).eval()
    if is_prunable(twin):
        twin = nn.Sequential(OrderedDict({name_of("", twin): twin}))
    return _trace(twin, batch, type(model).__name__)


def traced_in_training(trace: Trace, batch: Inputs, name: str) -> Trace:
    """Trace a module anew, in training mode; what that draws is not drawn from the learner's numbers."""
    twin = copied(trace.module).train()
    for constant in [own for own in vars(twin) if own.startswith(_CONSTANT)]:
        delattr(twin, constant)  # it is found anew, and named as before
    with torch.random.fork_rng([part.device for part in batch if part.is_cuda]):
        return _trace(twin, batch, name)


def alike(trace: Trace, training: Trace) -> bool:
    """Tell whether two traces do the same, dropout apart."""
    one, other = ([_form(node, one.module) for node in one.graph.nodes] for one in (trace, training))
    return one == other


def is_dropout(node: fx.Node) -> bool:
    """Tell whether a node calls a function that drops out."""
    return node.op == "call_function" and "dropout" in called(node)


def _form(node: fx.Node, root: nn.Module) -> object:
    """Write down what a node does, dropout on or off, to compare it with one of another trace."""

    def plain(value: Any) -> Any:
        return bool if is_dropout(node) and isinstance(value, bool) else getattr(value, "name", value)

    target, given = str(node.target), str(fx.node.map_aggregate((node.args, node.kwargs), plain))
    constant = getattr(root, target).tolist() if target.startswith(_CONSTANT) else None
    return node.name, node.op, target, given, constant


def sizes_of(node: fx.Node) -> list[Any]:
    """List the sizes that a call of view or reshape spells out; empty for other nodes."""
    if called(node) not in ("view", "reshape"):
        return []
    sizes = [*node.args[1:], *node.kwargs.values()]
    return list(sizes[0]) if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)) else sizes


def spell_anew(node: fx.Node, sizes: Sequence[Any]) -> None:
    """Make a node reshape what it reads to other sizes."""
    node.op, node.target = "call_method", "reshape"
    node.args, node.kwargs = (node.all_input_nodes[0], *sizes), {}


def _trace(twin: nn.Module, batch: Inputs, name: str) -> Trace:
    tracer = _Tracer(batch)
    try:
        # A TransformerEncoder asks whether its mask is a tensor: let it take one that is traced.
        asked = patch.object(functional, "_none_or_dtype", lambda m: getattr(m, "dtype", None), create=True)
        with torch.no_grad(), _Sizing(tracer), asked:
            graph = tracer.trace(twin)
    except _UnfitError as error:
        raise ValueError(f"{name} does not take the example: {error}") from None
    except Exception as error:
        mode = " in training mode" if twin.training else ""
        raise ValueError(
            f"torch.fx cannot trace {name}{mode}: {error}; write its forward without branches on "
            "values, or prune the part that can be traced"
        ) from error
    values = tree_map_only(torch.Tensor, lambda t: torch.empty_like(t, device="meta"), tracer.values)
    # One way to write them; and the batch's size is no number, as in x.view(len(x), -1).
    for node in graph.nodes:
        if called(node) == "unflatten" or sizes_of(node)[:1] == [len(batch[0])]:
            spell_anew(node, [-1, *values[node].shape[1:]])
    return Trace(twin, graph, values)


class _UnfitError(Exception):
    """An operation cannot be carried out on the example."""


class _Size(int):
    """A whole number that was read from a tensor's shape; `source` is the operation that reads it anew."""

    source: tuple[str, Any, tuple[Any, ...]]

    def __new__(cls, value: int, *source: Any) -> Self:
        size = super().__new__(cls, value)
        size.source = source
        return size

    def __fx_create_arg__(self, tracer: fx.Tracer) -> fx.Node:
        return tracer.create_proxy(*self.source, {}).node

    def __reduce__(self) -> tuple[type[int], tuple[int]]:
        return int, (int(self),)


def _sized(name: str, *, swapped: bool = False) -> Callable[..., Any]:
    """Make an operator of whole numbers that remembers how a size came about."""
    call = getattr(operator, name)

    def method(self: _Size, other: Any) -> Any:
        if isinstance(other, fx.Proxy) or not isinstance(other, int):
            return NotImplemented
        pair = (other, self) if swapped else (self, other)
        return _Size(call(*map(int, pair)), "call_function", call, pair)

    return method


for _name in ("add", "sub", "mul", "floordiv"):
    setattr(_Size, f"__{_name}__", _sized(_name))
    setattr(_Size, f"__r{_name}__", _sized(_name, swapped=True))


class _Known(fx.Proxy):
    """A value whose sizes are known."""

    tracer: _Tracer

    def _value(self) -> Any:
        return self.tracer.values[self.node]

    def size(self, dim: int | None = None) -> Any:
        shape = self._value().shape
        if dim is not None:
            return _Size(shape[dim], "call_method", "size", (self, dim % len(shape)))
        return torch.Size([self.size(place) for place in range(len(shape))])

    def numel(self) -> _Size:
        return _Size(self._value().numel(), "call_method", "numel", (self,))

    def dim(self) -> int:
        return int(self._value().ndim)

    nelement, ndimension = numel, dim

    def __len__(self) -> int:
        return len(self._value())

    def __getattr__(self, name: str) -> Any:
        value = self.__dict__["tracer"].values.get(self.__dict__["node"])
        if isinstance(value, torch.Tensor):
            if name == "shape":
                return self.size()
            if name in ("ndim", "dtype", "device", "is_cuda", "is_nested", "layout"):
                return getattr(value, name)
            if not hasattr(value, name):
                raise AttributeError(name)
        return super().__getattr__(name)


class _Tracer(fx.Tracer):
    """Sees every layer with parameters of its own as one operation, classes of the learner included."""

    def __init__(self, batch: Inputs) -> None:
        super().__init__()
        self.number, self.inputs = len(batch), iter(batch)
        self.values: Values = {}
        self.running = False

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        if isinstance(m, (nn.TransformerEncoder, nn.TransformerEncoderLayer)):
            return False
        own = is_prunable(m) or isinstance(m, _BatchNorm) or type(m).__name__ == "FrozenBatchNorm2d"
        return own or super().is_leaf_module(m, module_qualified_name)

    def create_args_for_root(self, *_: Any) -> tuple[Any, list[Any]]:
        """Pass the first arguments alone: all others have their defaults."""
        parameters = inspect.signature(self.root.forward).parameters.values()
        names = [p.name for p in parameters if p.kind is not p.VAR_POSITIONAL]
        names += [f"x{place}" for place in range(len(names), self.number)]
        inputs = [self.create_proxy("placeholder", name, (), {}) for name in names[: self.number]]
        return self.root.forward, inputs  # the model's own, where it has another one than its class

    def proxy(self, node: fx.Node) -> fx.Proxy:
        return _Known(node, self)

    def iter(self, obj: fx.Proxy) -> Iterator[Any]:
        if isinstance(self.values[obj.node], (tuple, list)):
            return iter([operator.getitem(obj, i) for i in range(len(self.values[obj.node]))])
        return super().iter(obj)

    def create_arg(self, a: Any) -> Any:
        return super().create_arg(tuple(a) if isinstance(a, torch.Size) else a)  # of sizes that are nodes

    def create_proxy(self, kind: str, *args: Any, **kwargs: Any) -> fx.Proxy:
        proxy = super().create_proxy(kind, *args, **kwargs)
        self.values[proxy.node] = self._computed(proxy.node)
        return proxy

    def to_bool(self, obj: fx.Proxy) -> bool:
        """Answer what neither an image nor a parameter decides, such as whether a mask of sizes is causal."""
        asked = [obj.node]
        while asked:
            node = asked.pop()
            if node.op == "placeholder" or isinstance(self.values[node], nn.Parameter):
                raise fx.proxy.TraceError(f"it branches on the value of its {obj.node.name!r}")
            asked += [] if called(node) in _OF_NO_VALUE else node.all_input_nodes
        return bool(self.values[obj.node])

    def call_module(self, m: nn.Module, forward: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        made_here = m not in (self.submodule_paths or {})  # as in nn.ReLU()(x)
        apart = self.running or made_here
        return forward(*args, **kwargs) if apart else super().call_module(m, forward, args, kwargs)

    def getattr(self, attr: str, attr_val: Any, parameter_proxy_cache: dict[str, Any]) -> Any:
        return attr_val if self.running else super().getattr(attr, attr_val, parameter_proxy_cache)

    def _value_of(self, node: fx.Node) -> Any:
        if node not in self.values:  # a buffer, for which torch.fx makes no proxy
            self.values[node] = carried_out(self.root, node, (), {})
        return self.values[node]

    def _computed(self, node: fx.Node) -> Any:
        """Carry an operation out on the example."""
        args, kwargs = fx.node.map_arg((node.args, node.kwargs), self._value_of)
        self.running = True
        try:
            if node.op == "placeholder":
                return next(self.inputs)
            return carried_out(self.root, node, args, kwargs)
        except Exception as error:
            what = f"layer {node.target!r}" if node.op == "call_module" else f"its {node.name!r}"
            raise _UnfitError(f"{what} says: {str(error).splitlines()[0]}") from error
        finally:
            self.running = False


def carried_out(root: nn.Module, node: fx.Node, args: Sequence[Any], kwargs: Any) -> Any:
    """Do what a node does, on other arguments than its own."""
    target: Any = node.target
    if node.op == "get_attr":
        return operator.attrgetter(target)(root)
    if node.op == "call_module":
        return root.get_submodule(target)(*args, **kwargs)
    if node.op == "call_method":
        return getattr(args[0], target)(*args[1:], **kwargs)
    return target(*args, **kwargs)


class _Sizing(TorchFunctionMode):
    """Notes functions that read sizes and no traced tensor, as in ``torch.zeros(x.shape[0], 8)``."""

    def __init__(self, tracer: _Tracer) -> None:
        super().__init__()
        self.tracer = tracer

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        found: set[type] = set()
        fx.node.map_aggregate((args, kwargs), lambda a: found.add(type(a)))
        if self.tracer.running or _Size not in found or found & {_Known, fx.proxy.Attribute}:
            return func(*args, **kwargs)
        return self.tracer.create_proxy("call_function", func, tuple(args), kwargs)
