"""Follows a module's forward with torch.fx, while the sizes of all tensors are known.

Every operation is also carried out on an example, so that a forward may assert, branch and loop over sizes.
A size goes on standing for what was asked: where it becomes an argument again, as in
``x.view(x.size(0), -1)``, the operation that reads it does.
"""

from __future__ import annotations

import copy
import inspect
import operator
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import torch
from torch import fx, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.overrides import TorchFunctionMode

from pruneviz.frameworks.torch.layouts import is_prunable, name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Values: TypeAlias = dict[fx.Node, Any]


@dataclass(frozen=True)
class Trace:
    """What a module does: the copy that was traced, its operations, and what each gives, as empty tensors."""

    module: nn.Module
    graph: fx.Graph
    values: Values


def inputs_of(model: nn.Module) -> list[str]:
    """Name the arguments that a model's forward cannot do without."""
    parameters = inspect.signature(model.forward).parameters.values()
    kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [p.name for p in parameters if p.default is p.empty and p.kind not in kinds]


def traced(model: nn.Module, batch: torch.Tensor) -> Trace:
    """Trace a copy of a module in eval mode on a batch of two images.

    Raises
    ------
    ValueError
        If the batch does not fit, or torch.fx cannot follow what the module does.
    """
    twin = copy.deepcopy(model).eval()
    if is_prunable(twin):
        twin = nn.Sequential(OrderedDict({name_of("", twin): twin}))
    return _trace(twin, batch, type(model).__name__)


def traced_in_training(trace: Trace, batch: torch.Tensor, name: str) -> Trace:
    """Trace a module anew, in training mode; it is carried out anew only where it does something else."""
    devices = [batch.device] if batch.is_cuda else []
    with torch.random.fork_rng(devices):  # what tracing draws is not drawn from the learner's numbers
        try:
            return _trace(trace.module.train(), batch, name, trace)
        except _OtherwiseError:
            return _trace(copy.deepcopy(trace.module), batch, name)
        finally:
            trace.module.eval()


def alike(trace: Trace, training: Trace) -> bool:
    """Tell whether two traces do the same, dropout apart."""
    one, other = list(trace.graph.nodes), list(training.graph.nodes)
    return len(one) == len(other) and all(map(_same, one, other))


def is_dropout(node: fx.Node) -> bool:
    """Tell whether a node calls a function that drops out."""
    return node.op == "call_function" and "dropout" in getattr(node.target, "__name__", "")


def _same(one: fx.Node, other: fx.Node) -> bool:
    """Tell whether two nodes of graphs that are alike so far do the same, dropout on or off."""
    return _form(one) == _form(other)


def _form(node: fx.Node) -> object:
    def plain(value: Any) -> Any:
        return bool if is_dropout(node) and isinstance(value, bool) else getattr(value, "name", value)

    return node.name, node.op, str(node.target), str(fx.node.map_aggregate((node.args, node.kwargs), plain))


def sizes_of(node: fx.Node) -> list[Any]:
    """List the sizes that a call of view, reshape or unflatten spells out; empty for other nodes."""
    name = str(getattr(node.target, "__name__", node.target))
    if name not in ("view", "reshape", "unflatten") or node.op == "call_module":
        return []
    named = [node.kwargs[key] for key in ("shape", "size", "sizes") if key in node.kwargs]
    sizes = named or list(node.args[2 if name == "unflatten" and "dim" not in node.kwargs else 1 :])
    return list(sizes[0]) if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)) else sizes


def spell_anew(node: fx.Node, ndim: int, sizes: Sequence[Any]) -> None:
    """Give other sizes to a call that `sizes_of` lists some for; `ndim` is that of what it reads."""
    name, source = str(getattr(node.target, "__name__", node.target)), node.all_input_nodes[0]
    if name == "unflatten":
        node.args = (source, first_unflattened(node, ndim), tuple(sizes))
    else:
        node.args = (source, *sizes) if node.op == "call_method" else (source, tuple(sizes))
    node.kwargs = {}


def first_unflattened(node: fx.Node, ndim: int) -> int:
    """Give the axis that a call of unflatten takes apart; 0 for view and reshape, which spell all sizes."""
    if "unflatten" not in str(getattr(node.target, "__name__", node.target)):
        return 0
    dim: Any = node.kwargs["dim"] if "dim" in node.kwargs else node.args[1]
    return int(dim) % ndim


def _trace(twin: nn.Module, batch: torch.Tensor, name: str, known: Trace | None = None) -> Trace:
    tracer = _Tracer(batch, known)
    try:
        with torch.no_grad(), _Sizing(tracer):
            graph = tracer.trace(twin)
    except _OtherwiseError:
        raise
    except _UnfitError as error:
        raise ValueError(f"{name} does not take the example: {error}") from None
    except Exception as error:
        mode = " in training mode" if twin.training else ""
        raise ValueError(
            f"torch.fx cannot trace {name}{mode}: {error}; write its forward without branches on "
            "values, or prune the part that can be traced"
        ) from error
    values = {node: _outline(value) for node, value in tracer.values.items()}
    for node in graph.nodes:  # a size of the batch that became a plain number, as in x.view(len(x), -1)
        sizes = sizes_of(node)
        if sizes and sizes[0] == len(batch) == len(values[node]) and not first_unflattened(node, 2):
            spell_anew(node, 0, [-1, *values[node].shape[1:]])
    return Trace(twin, graph, values)


def _outline(value: Any) -> Any:
    """Replace tensors by empty ones of their shape and type."""

    def empty(v: Any) -> Any:
        return torch.empty(v.shape, dtype=v.dtype, device="meta") if isinstance(v, torch.Tensor) else v

    return fx.node.map_aggregate(value, empty)


class _UnfitError(Exception):
    """An operation cannot be carried out on the example."""


class _OtherwiseError(Exception):
    """A module does something else than it did in another mode."""


class _Size(int):
    """A whole number that was read from a tensor's shape; `make` reads it anew in the graph."""

    make: Callable[[], fx.Proxy]

    def __new__(cls, value: int, make: Callable[[], fx.Proxy]) -> Self:
        size = super().__new__(cls, value)
        size.make = make
        return size

    def __fx_create_arg__(self, _: fx.Tracer) -> fx.Node:
        return self.make().node

    def __reduce__(self) -> tuple[type[int], tuple[int]]:
        return int, (int(self),)


def _sized(name: str, *, swapped: bool = False) -> Callable[..., Any]:
    """Make an operator of whole numbers that remembers how a size came about."""
    call = getattr(operator, name)

    def method(self: _Size, other: Any) -> Any:
        pair = (other, self) if swapped else (self, other)
        if isinstance(other, fx.Proxy) or not isinstance(other, int):
            return NotImplemented
        value = call(*map(int, pair))
        return _Size(value, lambda: self.make().tracer.create_proxy("call_function", call, pair, {}))

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
            return self._size(dim % len(shape))
        return torch.Size([self._size(i) for i in range(len(shape))])

    def _size(self, place: int) -> _Size:
        make = lambda: self.tracer.create_proxy("call_method", "size", (self, place), {})  # noqa: E731
        return _Size(self._value().shape[place], make)

    def numel(self) -> _Size:
        make = lambda: self.tracer.create_proxy("call_method", "numel", (self,), {})  # noqa: E731
        return _Size(self._value().numel(), make)

    nelement = numel

    def dim(self) -> int:
        return int(self._value().ndim)

    ndimension = dim

    def __len__(self) -> int:
        return len(self._value())

    def __iter__(self) -> Iterator[Any]:
        if isinstance(self._value(), (tuple, list)):
            return iter([operator.getitem(self, i) for i in range(len(self._value()))])
        return super().__iter__()

    def __getattr__(self, name: str) -> Any:
        value = self.__dict__["tracer"].values.get(self.__dict__["node"])
        if isinstance(value, torch.Tensor):
            if name == "shape":
                return self.size()
            if name in ("ndim", "dtype", "device", "is_cuda", "layout"):
                return getattr(value, name)
        return super().__getattr__(name)


class _Tracer(fx.Tracer):
    """Sees every layer with parameters of its own as one operation, classes of the learner included."""

    def __init__(self, batch: torch.Tensor, known: Trace | None) -> None:
        super().__init__()
        self.batch = batch
        self.values: Values = {}
        self.running = False
        # What the same operations gave in another mode, as long as they are the same.
        self.before = None if known is None else iter(known.graph.nodes)
        self.known = {} if known is None else known.values

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return is_prunable(m) or isinstance(m, _BatchNorm) or super().is_leaf_module(m, module_qualified_name)

    def create_args_for_root(
        self,
        root_fn: Callable[..., Any],
        is_module: bool,  # noqa: ARG002
        concrete_args: Any = None,  # noqa: ARG002
    ) -> tuple[Any, list[Any]]:
        """Pass the first argument alone: all others have their defaults."""
        names = [*inspect.signature(root_fn).parameters, "x"]
        return root_fn, [self.root, self.create_proxy("placeholder", names[1], (), {})]

    def proxy(self, node: fx.Node) -> fx.Proxy:
        return _Known(node, self)

    def create_proxy(self, kind: str, *args: Any, **kwargs: Any) -> fx.Proxy:
        proxy = super().create_proxy(kind, *args, **kwargs)
        self.values[proxy.node] = self._computed(proxy.node)
        return proxy

    def call_module(self, m: nn.Module, forward: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        return forward(*args, **kwargs) if self.running else super().call_module(m, forward, args, kwargs)

    def getattr(self, attr: str, attr_val: Any, parameter_proxy_cache: dict[str, Any]) -> Any:
        return attr_val if self.running else super().getattr(attr, attr_val, parameter_proxy_cache)

    def _value_of(self, node: fx.Node) -> Any:
        if node not in self.values:  # a buffer, for which torch.fx makes no proxy
            self.values[node] = _carried_out(self.root, node, (), {})
        return self.values[node]

    def _computed(self, node: fx.Node) -> Any:
        """Carry an operation out on the example, unless what it gives is known."""
        if self.before is not None:
            before = next(self.before, node)
            if before is node or not _same(before, node):
                raise _OtherwiseError
            return self.known[before]
        args, kwargs = fx.node.map_arg((node.args, node.kwargs), self._value_of)
        self.running = True
        try:
            if node.op == "placeholder":
                return self.batch
            return _carried_out(self.root, node, args, kwargs)
        except Exception as error:
            what = f"layer {node.target!r}" if node.op == "call_module" else f"its {node.name!r}"
            raise _UnfitError(f"{what} says: {str(error).splitlines()[0]}") from error
        finally:
            self.running = False


def _carried_out(root: nn.Module, node: fx.Node, args: Sequence[Any], kwargs: Any) -> Any:
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
