"""Translates what a module does, traced by torch.fx, into the neutral graph."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, TypeAlias
from unittest.mock import patch

import numpy as np
import torch
from torch import fx, nn
from torch.nn.modules.batchnorm import _BatchNorm

from pruneviz.core.graph import Graph, Node, indexed
from pruneviz.frameworks.torch import moves
from pruneviz.frameworks.torch.layouts import copied, is_norm, is_prunable, kind_of, tensors_in, to_numpy
from pruneviz.frameworks.torch.parameters import applied
from pruneviz.frameworks.torch.tracing import Inputs, Trace, alike, carried_out, traced_in_training

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pruneviz.core.arrays import Array

_Translated: TypeAlias = tuple[str, dict[str, Any]]  # operation, options

# What classes and functions are called, in small letters and without underscores.
_MAPS = (  # noqa: SIM905
    "relu relu6 leakyrelu elu selu celu gelu silu mish softplus softsign sigmoid logsigmoid tanh hardsigmoid "
    "hardswish hardtanh tanhshrink softshrink hardshrink threshold clamp clip abs neg exp sqrt square prelu "
    "add sub mul truediv div pow sin cos tan sinh cosh atan asinh erf log1p expm1 sign floor ceil round"
).split()
_PASSES = (  # noqa: SIM905
    "identity dropout dropout1d dropout2d dropout3d alphadropout featurealphadropout stochasticdepth "
    "contiguous clone detach float double half bfloat16 to type"
).split()
_POOLS = [f"{kind}pool{n}d" for kind in ("max", "avg", "adaptivemax", "adaptiveavg") for n in (1, 2, 3)]
_POOLS += ["upsample", "upsamplingnearest2d", "upsamplingbilinear2d", "interpolate"]
_POOLS += [f"{kind}pad{n}d" for kind in ("reflection", "replication", "circular") for n in (1, 2, 3)]
_MIXES = ("softmax", "logsoftmax", "layernorm", "groupnorm", "rmsnorm")
_RESHAPES = ("view", "reshape", "flatten", "squeeze", "unsqueeze", "unflatten", "viewas", "reshapeas")
_PERMUTATIONS = ("permute", "transpose", "swapaxes", "swapdims", "movedim", "moveaxis")
_REDUCTIONS = ("mean", "sum", "amax", "amin", *moves.EXTREMES)
_JOINS = {"cat": "concat", "concat": "concat", "concatenate": "concat", "stack": "stack"}
_COMBINATIONS: dict[str, Callable[..., Array]] = {"mul": np.multiply, "div": np.divide, "truediv": np.divide}
_COMBINATIONS |= {"add": np.add, "sub": np.subtract, "max": np.maximum, "maximum": np.maximum}
_COMBINATIONS |= {"min": np.minimum, "minimum": np.minimum, "expandas": lambda array, _: array}


def export(model: nn.Module, trace: Trace, batch: Inputs) -> Graph:
    """Turn a module into a neutral graph; `batch` holds the two images it was traced on."""
    graph = _exported(model, trace)
    training = training_of(trace, batch, type(model).__name__)
    if training is None or alike(trace, training):
        return graph
    again = _exported(model, training, "training.")
    return Graph(graph.nodes, graph.outputs, graph.whole | again.whole, again)


def training_of(trace: Trace, batch: Inputs, name: str) -> Trace | None:
    """Trace what a module does in training mode; None where torch.fx cannot follow it, and need not.

    Where layers run in training alone, a module that it cannot follow is refused.
    """
    try:
        return traced_in_training(trace, batch, name)
    except ValueError:
        called = {str(node.target) for node in trace.graph.nodes if node.op == "call_module"}
        if all(path in called for path, module in trace.module.named_modules() if is_prunable(module)):
            return None
        raise


def _exported(model: nn.Module, trace: Trace, prefix: str = "") -> Graph:
    exporter = _Exporter(trace, prefix)
    flowing = [node for node in trace.graph.nodes if exporter.flows(node) and not moves.divides(node)]
    (end,) = (node for node in trace.graph.nodes if node.op == "output")
    outputs = tuple(prefix + n.name for n in exporter.leaving(end))
    if not outputs:
        raise ValueError(f"in what {type(model).__name__} gives is no tensor: let it return one, or several")
    nodes = itertools.chain.from_iterable(map(exporter.nodes, flowing))
    return Graph(tuple(nodes), outputs, _shared(model, trace.graph))


def _shared(model: nn.Module, graph: fx.Graph) -> frozenset[str]:
    """Find the layers whose parameters another module holds too, or the forward of another one reads."""
    reads = {str(node.target) for node in graph.nodes if node.op == "get_attr" and node.users}
    owners: dict[int, list[str]] = {}
    for path, module in model.named_modules():
        for name, parameter in module.named_parameters(recurse=False):
            holders = owners.setdefault(id(parameter), [])
            holders += [path] * (1 + (f"{path}.{name}" in reads))
    return frozenset(path for holders in owners.values() if len(holders) > 1 for path in holders)


def wiring(model: nn.Module) -> object:
    """Write down what decides how units run through a module: its classes, their code, and their switches."""

    def words(module: nn.Module) -> object:
        code = getattr(module.forward, "__code__", None)
        # Copies of a GraphModule forget its name; and the p of dropout is no wire.
        named = type(module).__name__ if not isinstance(module, fx.GraphModule) else ""
        numbers = {*getattr(module, "__constants__", ())} - {"p"}
        switches: dict[str, object] = {n: v for n, v in vars(module).items() if isinstance(v, (bool, str))}
        switches |= {n: v for n, v in vars(module).items() if n in numbers and isinstance(v, (int, tuple))}
        return named, code and (code.co_code, code.co_names), {**switches, "training": None}

    return {path: words(module) for path, module in model.named_modules()}


def activations(
    trace: Trace, batches: Iterator[Inputs], names: set[str], edit: Callable[[str, Array], Array] | None
) -> Iterator[dict[str, Array]]:
    """Run batch after batch and give the outputs of some nodes, edited if a function is given."""

    class Reader(fx.Interpreter):
        def run_node(self, n: fx.Node) -> Any:
            result = super().run_node(n)
            if n.name in names:
                found[n.name] = to_numpy(result).copy()
                if edit is not None:
                    found[n.name] = edit(n.name, found[n.name])
                    result = torch.from_numpy(found[n.name].copy()).to(result.dtype).to(result.device)
            return result

    for batch in batches:
        found: dict[str, Array] = {}
        run = Reader(trace.module, graph=trace.graph).run
        with torch.no_grad(), patch.object(trace.module, "forward", run):  # hooks of the model run too
            trace.module(*batch)
        yield found


class _Exporter:
    """Translates one node after the other."""

    def __init__(self, trace: Trace, prefix: str) -> None:
        self.module = trace.module
        self.values = trace.values
        self.prefix = prefix
        self.applied = applied(trace)
        self.owners: dict[int, str] = {}
        self.outside: set[fx.Node] = set()  # what does not depend on the input's values
        self.batched: set[fx.Node] = set()  # what of that has the batch's size

    def flows(self, node: fx.Node) -> bool:
        """Tell whether a node gives tensors."""
        return any(True for _ in tensors_in(self.values.get(node)))

    def leaving(self, node: fx.Node) -> Iterator[fx.Node]:
        """Find the tensors that leave; a node without a value makes a dataclass, or named tuple, of them."""
        for n in node.all_input_nodes:
            yield from [n] if self.flows(n) else () if n in self.values else self.leaving(n)

    def nodes(self, node: fx.Node) -> list[Node]:
        """Translate an operation; what is several at once becomes several nodes."""
        return moves.written_out(self._node(node), self._input(node).shape[1:])

    def _node(self, node: fx.Node) -> Node:
        name, value = self.prefix + node.name, self.values[node]
        shape = tuple(value.shape[1:]) if isinstance(value, torch.Tensor) else ()
        if node.op == "placeholder":
            return Node(name, "input", (), shape, str(node.target), {"origin": "the model's input"})
        if self._outside(node):
            return Node(name, "input", (), self._whole(node), str(node.target), self._origin(node))
        parameter, features, axis = self.applied.get(node, ("", node, 0))
        if parameter and features not in self.outside:
            along: dict[str, Any] = {"axis": axis, "scaled": True}
            return Node(name, "norm", (self.prefix + features.name,), shape, parameter, along)
        layer = str(node.target) if node.op == "call_module" else ""
        op, options = self._module(node, layer) if layer else self._function(node)
        tensors = [value, *(self.values[n] for n in self._sources(node) if n not in self.outside)]
        if op != "input" and any(isinstance(t, torch.Tensor) and t.shape[:1] != (2,) for t in tensors):
            op, options = "unknown", {"what": "an operation on the batch"}
        if op in ("map", "combine", "reduce", "unknown"):
            options = {**options, "sizes": self._widths(node)}
        repeats = op in ("concat", "combine", "stack")
        inputs = tuple(self.prefix + n.name for n in self._sources(node, repeats=repeats))
        return Node(name, op, inputs[:1] if op == "reshape" else inputs, shape, layer, options)

    def _widths(self, node: fx.Node) -> list[tuple[str, Any]]:
        """List the nodes and axes whose sizes a node computes with."""
        found, ahead = [], [n for n in node.all_input_nodes if not self.flows(n)]
        while ahead:
            size = ahead.pop()
            if moves.called(size) == "size" and len(size.args) > 1 and size.args[1]:
                found.append((f"{self.prefix}{size.args[0]}", size.args[1] - 1))  # type: ignore[operator]
            ahead += [n for n in size.all_input_nodes if not self.flows(n)]
        return found

    def _sources(self, node: fx.Node, *, repeats: bool = False) -> list[fx.Node]:
        """List the nodes whose tensors a node reads, in order; each once, unless `repeats`."""
        found: list[fx.Node] = []
        fx.node.map_arg((node.args, node.kwargs), found.append)
        found = [n.all_input_nodes[0] if moves.divides(n) else n for n in found if self.flows(n)]
        return found if repeats else list(dict.fromkeys(found))

    def _outside(self, node: fx.Node) -> bool:
        """Tell, and note, whether a node depends on parameters and sizes alone."""
        flowing, target = self._sources(node), moves.called(node)
        if node.op == "call_module" and is_prunable(self.module.get_submodule(str(node.target))):
            return False
        made = target.startswith("new_") or target.endswith("_like")
        if not made and any(n not in self.outside for n in flowing):
            return False
        sizes = any(not self.flows(n) or n in self.batched for n in node.all_input_nodes)
        sizes = sizes or made or target in ("expand", "repeat")  # a size may be a number, as len(x) is
        value = self.values[node]
        if sizes and isinstance(value, torch.Tensor) and value.ndim and len(value) == 2:
            self.batched.add(node)
        self.outside.add(node)
        return True

    def _origin(self, node: fx.Node) -> dict[str, str]:
        """Name the parameter that a node comes from, or the module that has it."""
        while node.op != "get_attr" and node.all_input_nodes:
            node = node.all_input_nodes[0]
        (*_, module) = node.meta.get("nn_module_stack") or [""]
        own = node.op == "get_attr" and not str(node.target).startswith("_tensor_constant")
        return {"origin": f"the parameter {node.target}" if own else f"numbers of {module or 'its forward'}"}

    def _whole(self, node: fx.Node) -> tuple[int, ...]:
        """Give the shape that broadcasting sees without the batch: it puts leading ones back."""
        shape = tuple(getattr(self.values[node], "shape", ()))
        return shape[1:] if node in self.batched or shape[:1] == (1,) else shape

    def _module(self, node: fx.Node, layer: str) -> _Translated:  # noqa: PLR0911
        module: Any = self.module.get_submodule(layer)
        name = type(module).__name__.lower()
        if is_prunable(module):
            owner = self.owners.setdefault(id(module.weight), layer)
            if owner != layer:
                return "unknown", {"what": f"a layer that shares its weight with {owner!r},"}
            known: Any = next(c for c in type(module).__mro__ if c.__module__.startswith("torch.nn"))
            if getattr(module.forward, "__func__", None) is not known.forward:
                return "unknown", {"what": f"a {type(module).__name__} with a forward of its own,"}
            return _kernel(module, self._input(node))
        if is_norm(module) and not (name == "groupnorm" and module.num_groups == 1):
            variance, groups = getattr(module, "running_var", None), getattr(module, "num_groups", None)
            width = np.full(self._input(node).shape[1], np.inf)  # what is the same everywhere becomes 0
            if variance is not None:
                width = np.sqrt(to_numpy(variance).astype(np.float64) + module.eps)
            elif isinstance(module, _BatchNorm):
                return "mix", {"what": "a BatchNorm without running statistics"}
            scaled = getattr(module, "weight", None) is not None
            return "norm", {"axis": 0, "spread": width, "scaled": scaled, "groups": groups or 1}
        if name == "prelu" and module.weight.numel() > 1:
            mapping = self._mapping(node, name)  # of a batch: the channels come second
            return "norm", {"axis": 0, "function": lambda values: mapping(values[None])[0]}
        if name in moves.APART:
            factor = next(vars(module)[key] for key in moves.FACTORS if key in vars(module))
            return moves.apart(name, factor, self._input(node).shape[1:])
        if name.startswith("zeropad"):
            return self._padding(node, module.padding, 0)
        own = vars(module)
        padded = np.any(own.get("padding", 0)) and own.get("count_include_pad")
        padded = bool(padded) or own.get("divisor_override") is not None
        return self._named(node, name, f"a {type(module).__name__}", padded=padded)

    def _named(self, node: fx.Node, name: str, what: str, *, padded: bool) -> _Translated:
        """Translate what layers and functions of a name do alike."""
        one = len(self._sources(node)) == 1 and self._input(node).ndim > 0
        if one and (name in _MAPS or name in _PASSES):
            return "map", {"function": self._mapping(node, name), "passes": name in _PASSES}
        if one and name in _POOLS and isinstance(self.values[node], torch.Tensor):
            return "pool", {"axis": 0, "padded": padded}
        if name in _RESHAPES and isinstance(self.values[node], torch.Tensor):
            return "reshape", {}
        return "mix" if one and name in _MIXES else "unknown", {"what": what}

    def _function(self, node: fx.Node) -> _Translated:  # noqa: PLR0911
        target = moves.called(node)
        name = target.replace("_", "")
        name = name[1:] if name in ("iadd", "imul", "isub") else name
        if name in ("getitem", "getattr"):
            return self._indexed(node)
        ndim, several = self._input(node).ndim, len(self._sources(node)) > 1
        if name in _JOINS:
            axis = self._argument(node, 1, ("dim", "axis"), 0) % (ndim + (name == "stack"))
            return (_JOINS[name], {"axis": axis - 1}) if axis else ("unknown", {"what": "a batch of batches"})
        if name in moves.APART:
            return moves.apart(name, self._argument(node, 1, moves.FACTORS, -1), self._input(node).shape[1:])
        if name in _COMBINATIONS and several and ("div" not in name or node.args[-1] in self.outside):
            alpha, function = self._argument(node, 9, ("alpha",), 1), _COMBINATIONS[name]
            scaled = function if alpha == 1 else lambda a, b: function(a, alpha * b)
            return "combine", {"function": scaled, "product": name in ("mul", "div", "truediv")}
        if name in _PERMUTATIONS and ndim:
            return self._permutation(node)
        if name in _REDUCTIONS and not several and ndim:
            dims = self._argument(node, 1, ("dim", "axis"), None)
            axes = tuple(d % ndim - 1 for d in ([dims] if isinstance(dims, int) else dims or ()))
            if not axes or -1 in axes:
                return "unknown", {"what": target}
            return "reduce", {"axes": axes, "sums": name == "sum"}
        if name == "pad" and self._argument(node, 2, ("mode",), "constant") != "constant":
            return "pool", {"axis": 0, "padded": False}
        if name == "pad":
            widths, value = (self._argument(node, i, (n,), None) for i, n in ((1, "pad"), (3, "value")))
            return self._padding(node, widths, value)
        return self._named(node, name, target, padded="avg" in name and "adaptive" not in name)

    def _input(self, node: fx.Node) -> torch.Tensor:
        tensors = [self.values[n] for n in self._sources(node) if isinstance(self.values[n], torch.Tensor)]
        return tensors[0] if tensors else torch.empty(())

    def _argument(self, node: fx.Node, place: int, names: tuple[str, ...], default: Any) -> Any:
        named = [node.kwargs[name] for name in names if name in node.kwargs]
        value = node.args[place] if len(node.args) > place else [*named, default][0]
        return fx.node.map_arg(value, lambda n: self.values[n])

    def _permutation(self, node: fx.Node) -> _Translated:
        """Find out by the sizes of an empty tensor, which all differ, where each axis goes."""
        probe = torch.empty([*range(2, 2 + self._input(node).ndim)], device="meta")
        order = [size - 2 for size in self._called(node, probe).shape]
        if order[0] != 0:
            return "unknown", {"what": "a permutation of the batch"}
        return "permute", {"axes": tuple(axis - 1 for axis in order[1:])}

    def _indexed(self, node: fx.Node) -> _Translated:
        """Translate what takes a part of a tensor, or one of the parts into which one was divided."""
        source, index = node.args
        if not isinstance(source, fx.Node) or not self.flows(source):
            return "unknown", {"what": moves.called(node)}
        if isinstance(self.values[source], torch.Tensor):
            key = indexed(fx.node.map_arg(index, lambda n: self.values[n]), self._input(node).ndim)
            found = None if key is None else {"key": key}
        elif moves.divides(source) and moves.called(source) in moves.EXTREMES:
            return self._function(source) if index in (0, "values") else ("unknown", {"what": "argmax"})
        elif moves.divides(source):
            axis = self._argument(source, 2, ("dim",), 0)
            found = moves.part(source, self.values[source], axis, int(index))  # type: ignore[arg-type]
        else:
            return "input", {}
        return ("slice", found) if found else ("unknown", {"what": moves.called(node)})

    def _padding(self, node: fx.Node, padding: Any, value: Any) -> _Translated:
        ndim = self._input(node).ndim
        if value or len(padding) > 2 * (ndim - 2) or min(padding) < 0:
            return "unknown", {"what": f"a padding{' with other values than zero' * bool(value)}"}
        widths = [(padding[i], padding[i + 1]) for i in range(0, len(padding), 2)][::-1]
        return "pad", {"widths": [(0, 0)] * (ndim - 1 - len(widths)) + widths}

    def _mapping(self, node: fx.Node, name: str) -> Callable[[Array], Array]:
        """Compute what a node does to single numbers, by the node itself; dropout is as in evaluation."""
        if name in _PASSES:
            return lambda values: values
        return lambda values: to_numpy(self._called(node, torch.from_numpy(np.array(values, np.float64))))

    def _called(self, node: fx.Node, tensor: torch.Tensor) -> torch.Tensor:
        """Carry a node out on another tensor than the one it reads."""

        def value(n: fx.Node) -> Any:
            return tensor if isinstance(self.values[n], torch.Tensor) else self.values[n]

        args, kwargs = fx.node.map_arg((node.args, node.kwargs), value)
        inside = node.op == "call_module"
        home = copied(self.module.get_submodule(str(node.target))).cpu().double() if inside else self.module
        with torch.no_grad():
            return home(*args) if inside else carried_out(home, node, args, kwargs)  # type: ignore[no-any-return]


def _kernel(module: Any, inputs: torch.Tensor) -> _Translated:
    if isinstance(module, nn.Linear):
        return "dense", {"axis": -1}
    if inputs.ndim != module.weight.ndim:
        return "unknown", {"what": "a convolution of images without a batch"}
    padded = module.padding == "same" if isinstance(module.padding, str) else any(module.padding)
    padded = module.transposed or (padded and module.padding_mode == "zeros")
    return kind_of(module), {"axis": 0, "groups": module.groups, "padded": padded}
