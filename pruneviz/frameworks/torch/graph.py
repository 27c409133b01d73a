"""Exports a module's graph with torch.fx, and reads what flows through it."""

from __future__ import annotations

import copy
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import torch
from torch import fx, nn
from torch.nn.modules.batchnorm import _BatchNorm

from pruneviz.core.graph import Graph, Node
from pruneviz.frameworks.torch.layouts import is_prunable, kind_of, name_of, to_numpy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pruneviz.core.arrays import Array

Values: TypeAlias = dict[fx.Node, Any]

_MAPS = (  # noqa: SIM905
    "relu relu6 leaky_relu leakyrelu elu selu celu gelu silu mish softplus softsign sigmoid logsigmoid tanh "
    "hardsigmoid hardswish hardtanh tanhshrink softshrink hardshrink threshold clamp abs neg exp sqrt square "
    "add sub mul truediv div pow"
).split()
_PASSES = (  # noqa: SIM905
    "identity dropout dropout1d dropout2d dropout3d alphadropout featurealphadropout alpha_dropout "
    "stochasticdepth stochastic_depth contiguous clone detach"
).split()
_POOLS = [f"{kind}pool{n}d" for kind in ("max", "avg", "adaptivemax", "adaptiveavg") for n in (1, 2, 3)]
_POOLS += ["upsample", "upsamplingnearest2d", "upsamplingbilinear2d", "interpolate"]
_RESHAPES = ("view", "reshape", "flatten", "squeeze", "unsqueeze", "unflatten")
_COMBINATIONS: dict[str, Callable[..., Array]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "maximum": np.maximum,
    "minimum": np.minimum,
}


class Tracer(fx.Tracer):
    """Sees every layer with parameters of its own as one operation, classes of the learner included."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return is_prunable(m) or isinstance(m, _BatchNorm) or super().is_leaf_module(m, module_qualified_name)


class _Recorder(fx.Interpreter):
    """Runs a graph and keeps what each node gives; of tensors only an empty one of that shape."""

    def __init__(self, traced: fx.GraphModule) -> None:
        super().__init__(traced)
        self.values: Values = {}

    def run_node(self, n: fx.Node) -> Any:
        result = super().run_node(n)
        self.values[n] = (
            torch.empty(result.shape, device="meta") if isinstance(result, torch.Tensor) else result
        )
        return result


def traced(model: nn.Module) -> fx.GraphModule:
    """Trace a copy of a module in eval mode.

    Raises
    ------
    ValueError
        If torch.fx cannot follow what the module does.
    """
    twin = copy.deepcopy(model).eval()
    if is_prunable(twin):
        twin = nn.Sequential(OrderedDict({name_of("", twin): twin}))
    try:
        return fx.GraphModule(twin, Tracer().trace(twin))
    except Exception as error:
        raise ValueError(
            f"torch.fx cannot trace {type(model).__name__}: {error}; write its forward without branches on "
            "values, or prune the part that can be traced"
        ) from error


def export(model: nn.Module, batch: torch.Tensor) -> Graph:
    """Turn a module into a neutral graph; `batch` holds two images, for the shapes."""
    graph_module = traced(model)
    recorder = _Recorder(graph_module)
    with torch.no_grad():
        recorder.run(batch)
    exporter = _Exporter(graph_module, recorder.values)
    nodes = tuple(exporter.node(node) for node in graph_module.graph.nodes if exporter.flows(node))
    (end,) = (node for node in graph_module.graph.nodes if node.op == "output")
    outputs = tuple(n.name for n in end.all_input_nodes if exporter.flows(n))
    return Graph(nodes, outputs, _shared(model, graph_module))


def _shared(model: nn.Module, graph_module: fx.GraphModule) -> frozenset[str]:
    """Find the layers whose parameters another module holds too, or the forward of another one reads."""
    reads = {str(node.target) for node in graph_module.graph.nodes if node.op == "get_attr"}
    owners: dict[int, list[str]] = {}
    for path, module in model.named_modules():
        for name, parameter in module.named_parameters(recurse=False):
            holders = owners.setdefault(id(parameter), [])
            holders += [path] * (1 + (f"{path}.{name}" in reads))
    return frozenset(path for holders in owners.values() if len(holders) > 1 for path in holders)


def activations(
    graph_module: fx.GraphModule,
    batches: Iterator[torch.Tensor],
    names: set[str],
    edit: Callable[[str, Array], Array] | None,
) -> Iterator[dict[str, Array]]:
    """Run batch after batch and give the outputs of some nodes, edited if a function is given."""

    class Reader(fx.Interpreter):
        def run_node(self, n: fx.Node) -> Any:
            result = super().run_node(n)
            if n.name in names:
                found[n.name] = to_numpy(result).copy()
                if edit is not None:
                    found[n.name] = edit(n.name, found[n.name])
                    result = torch.from_numpy(found[n.name].copy()).to(result)
            return result

    for batch in batches:
        found: dict[str, Array] = {}
        with torch.no_grad():
            Reader(graph_module).run(batch)
        yield found


class _Exporter:
    """Translates one node after the other."""

    def __init__(self, graph_module: fx.GraphModule, values: Values) -> None:
        self.module = graph_module
        self.values = values
        self.owners: dict[int, str] = {}

    def flows(self, node: fx.Node) -> bool:
        """Tell whether a node gives tensors."""
        value = self.values[node]
        several = isinstance(value, (tuple, list)) and any(isinstance(part, torch.Tensor) for part in value)
        return node.op != "output" and (several or isinstance(value, torch.Tensor))

    def node(self, node: fx.Node) -> Node:
        inputs = tuple(n.name for n in node.all_input_nodes if self.flows(n))
        value = self.values[node]
        shape = tuple(value.shape[1:]) if isinstance(value, torch.Tensor) else ()
        if node.op in ("placeholder", "get_attr"):
            # Broadcasting puts the leading ones of a parameter back.
            whole = shape if node.op == "placeholder" else tuple(value.squeeze(0).shape if value.ndim else ())
            return Node(node.name, "input", (), whole, str(node.target))
        if node.op == "call_module":
            op, layer, options = self._module(node, self.module.get_submodule(str(node.target)))
        else:
            op, layer, options = self._function(node)
        if isinstance(value, torch.Tensor) and op != "input" and len(value) != 2:
            op, options = "unknown", {"what": "an operation on the batch"}
        return Node(node.name, op, inputs, shape, layer, options)

    def _module(self, node: fx.Node, module: Any) -> tuple[str, str, dict[str, Any]]:  # noqa: C901, PLR0911
        layer, name = str(node.target), type(module).__name__.lower()
        if is_prunable(module):
            owner = self.owners.setdefault(id(module.weight), layer)
            if owner != layer:
                return "unknown", layer, {"what": f"a layer that shares its weight with {owner!r},"}
            known: Any = next(c for c in type(module).__mro__ if c.__module__.startswith("torch.nn"))
            if type(module).forward is not known.forward:
                return "unknown", layer, {"what": f"a {type(module).__name__} with a forward of its own,"}
            return _kernel(module, self._input(node)), layer, _kernel_options(module)
        if isinstance(module, _BatchNorm):
            if module.running_mean is None or module.running_var is None:
                return "mix", layer, {"what": "a BatchNorm without running statistics"}
            width = np.sqrt(to_numpy(module.running_var).astype(np.float64) + module.eps)
            return "norm", layer, {"axis": 0, "spread": width, "scaled": module.affine}
        if name in _MAPS or name in _PASSES or (name == "prelu" and module.weight.numel() == 1):
            return "map", layer, {"function": self._mapping(node), "passes": name in _PASSES}
        if name in _POOLS:
            return "pool", layer, {"axis": 0, "padded": _sees_zeros(vars(module))}
        if name == "flatten":
            return "reshape", layer, {}
        if name.startswith("zeropad"):
            return self._padding(module.padding, self._input(node)), layer, self._widths(module.padding, node)
        if name in ("softmax", "layernorm", "groupnorm", "logsoftmax", "rmsnorm"):
            return "mix", layer, {"what": f"a {type(module).__name__}"}
        return "unknown", layer, {"what": f"a {type(module).__name__}"}

    def _function(self, node: fx.Node) -> tuple[str, str, dict[str, Any]]:  # noqa: C901, PLR0911
        target = node.target if isinstance(node.target, str) else getattr(node.target, "__name__", "?")
        name = (
            target.strip("_").removeprefix("i") if target in ("iadd", "imul", "isub") else target.strip("_")
        )
        flowing = [n for n in node.all_input_nodes if self.flows(n)]
        if name == "getitem" and not isinstance(self.values[flowing[0]], torch.Tensor):
            return "input", node.name, {}
        first, ndim = self._input(node), self._input(node).ndim
        if name == "cat":
            axis = self._argument(node, 1, "dim", 0) % ndim
            return (
                ("concat", "", {"axis": axis - 1})
                if axis
                else ("unknown", "", {"what": "a batch of batches"})
            )
        if name in _COMBINATIONS and len(flowing) > 1:
            return "combine", "", {"function": _COMBINATIONS[name], "product": name == "mul"}
        if len(flowing) > 1 or not first.ndim:
            return "unknown", node.name, {"what": target}
        if name in _MAPS or name in _PASSES:
            return "map", "", {"function": self._mapping(node), "passes": name in _PASSES}
        if name.replace("_", "") in _POOLS:
            return "pool", "", {"axis": 0, "padded": "avg" in name and "adaptive" not in name}
        if name in _RESHAPES:
            return "reshape", node.name, {}
        if name in ("permute", "transpose"):
            return self._permutation(node, name, ndim)
        if name == "mean" and (dims := self._argument(node, 1, "dim", None)) is not None:
            dims = [dims] if isinstance(dims, int) else dims
            return "reduce", "", {"axes": tuple(d % ndim - 1 for d in dims)}
        if name == "pad" and self._argument(node, 2, "mode", "constant") == "constant":
            padding = self._argument(node, 1, "pad", ())
            return self._padding(padding, first), "", self._widths(padding, node)
        if name in ("softmax", "log_softmax", "layer_norm", "group_norm"):
            return "mix", node.name, {"what": target}
        return "unknown", node.name, {"what": target}

    def _input(self, node: fx.Node) -> torch.Tensor:
        tensors = [self.values[n] for n in node.all_input_nodes if isinstance(self.values[n], torch.Tensor)]
        return tensors[0] if tensors else torch.empty(())

    def _argument(self, node: fx.Node, place: int, name: str, default: Any) -> Any:
        value = node.args[place] if len(node.args) > place else node.kwargs.get(name, default)
        return fx.node.map_arg(value, lambda n: self.values[n])

    def _permutation(self, node: fx.Node, name: str, ndim: int) -> tuple[str, str, dict[str, Any]]:
        dims: Any = [fx.node.map_arg(a, lambda n: self.values[n]) for a in node.args[1:]]
        order = list(range(ndim))
        if name == "permute":
            given: Any = dims or [node.kwargs["dims"]]
            given = given[0] if isinstance(given[0], (tuple, list)) else given
            order = [d % ndim for d in given]
        else:
            a, b = dims if len(dims) == 2 else (self._argument(node, 9, d, 0) for d in ("dim0", "dim1"))
            order[a], order[b] = order[b], order[a]
        if order[0] != 0:
            return "unknown", node.name, {"what": "a permutation of the batch"}
        return "permute", "", {"axes": tuple(d - 1 for d in order[1:])}

    def _padding(self, padding: Any, first: torch.Tensor) -> str:
        spatial = not isinstance(padding, int) and len(padding) <= 2 * (first.ndim - 2) and min(padding) >= 0
        return "pad" if spatial else "unknown"

    def _widths(self, padding: Any, node: fx.Node) -> dict[str, Any]:
        value = self._argument(node, 3, "value", None) if node.op == "call_function" else 0
        if isinstance(padding, int) or value:
            return {"what": "a padding with other values than zero"}
        widths = [(padding[i], padding[i + 1]) for i in range(0, len(padding), 2)][::-1]
        return {"widths": [(0, 0)] * (self._input(node).ndim - 1 - len(widths)) + widths, "what": "a padding"}

    def _mapping(self, node: fx.Node) -> Callable[[Array], Array]:
        """Compute what a node does to single numbers, by the node itself."""

        def function(values: Array) -> Array:
            tensor = torch.from_numpy(np.array(values, dtype=np.float64))

            def value(n: fx.Node) -> Any:
                return tensor if isinstance(self.values[n], torch.Tensor) else self.values[n]

            args, kwargs = fx.node.map_arg(node.args, value), fx.node.map_arg(node.kwargs, value)
            with torch.no_grad():
                if node.op == "call_module":
                    return to_numpy(
                        copy.deepcopy(self.module.get_submodule(str(node.target))).cpu().double()(*args)
                    )
                if node.op == "call_method":
                    return to_numpy(getattr(args[0], str(node.target))(*args[1:], **kwargs))
                return to_numpy(node.target(*args, **kwargs))  # type: ignore[operator]

        return function


def _kernel(module: Any, inputs: torch.Tensor) -> str:
    kind = kind_of(module)
    if kind == "dense":
        return kind
    if inputs.ndim != module.weight.ndim:
        return "unknown"
    return "depthwise" if 1 < module.groups == module.in_channels else kind


def _kernel_options(module: Any) -> dict[str, Any]:
    if isinstance(module, nn.Linear):
        return {"axis": -1}
    padded = module.padding == "same" if isinstance(module.padding, str) else any(module.padding)
    return {
        "axis": 0,
        "groups": module.groups,
        "padded": module.transposed or (padded and module.padding_mode == "zeros"),
        "what": "a convolution of images without a batch",
    }


def _sees_zeros(options: dict[str, Any]) -> bool:
    padding = options.get("padding", 0)
    padded = any(padding) if isinstance(padding, (tuple, list)) else bool(padding)
    averages = "count_include_pad" in options
    return averages and (
        (padded and options["count_include_pad"]) or options.get("divisor_override") is not None
    )
