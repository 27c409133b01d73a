"""A functional or sequential Keras model as a flat list of calls, which can be read, run, or built anew."""

from __future__ import annotations

import contextlib
import itertools
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from pruneviz.frameworks.keras.layouts import walk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_TRAINS = ("_call_has_training_arg", "_expects_training_arg")  # in Keras 3, in tf_keras
_SWITCH = threading.RLock()  # of TensorFlow, which has one for all threads


@dataclass(frozen=True)
class Ref:
    """Stands for the output of a call."""

    name: str


@dataclass(frozen=True)
class Call:
    """One call of a layer or operation; tensors in its arguments are `Ref`s."""

    name: str  # unique: the layer's path, with a number from the second call on
    path: str  # "outer.inner" name of the layer
    layer: Any  # or operation; None for an input
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    shape: tuple[int | None, ...] | None  # of the output, without the batch; None if there are several
    dtype: str  # of the first output

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the calls whose output it reads."""
        leaves = tf.nest.flatten((self.args, self.kwargs))
        return tuple(leaf.name for leaf in leaves if isinstance(leaf, Ref))


@dataclass
class Part:
    """An operation that takes a part of what a call gives: one of several outputs, or a range of one."""

    key: Any

    def __call__(self, given: Any) -> Any:
        return given[self.key]


@dataclass(frozen=True)
class Flat:
    """The calls of a model in the order in which they can be run, inputs first."""

    calls: tuple[Call, ...]
    inputs: tuple[str, ...]
    given: Any  # `Ref`s, in the structure of the model's inputs
    made: Any  # and of its outputs

    def run(
        self,
        inputs: list[Any],
        replace: Callable[[Call], Any] | None = None,
        edit: Callable[[str, Any], Any] | None = None,
    ) -> dict[str, Any]:
        """Run all calls on tensors, real or symbolic, and give every call's output.

        `replace` names another layer for a call; `edit` another output, for what follows too.
        """
        values = dict(zip(self.inputs, inputs, strict=True))
        for call in self.calls:
            if call.layer is not None:
                layer = call.layer if replace is None else replace(call)
                args, kwargs = filled((call.args, call.kwargs), values)
                value = layer(*args, **kwargs)
                values[call.name] = value if edit is None else edit(call.name, value)
        return values

    def sized(self, batch: list[Any]) -> Flat:
        """Fill the sizes in that depend on the input, as they are for these images."""
        values = self.run(batch)
        shapes = (call.shape and tuple(values[call.name].shape[1:]) for call in self.calls)
        calls = (replace(call, shape=shape) for call, shape in zip(self.calls, shapes, strict=True))
        return replace(self, calls=tuple(calls))


def filled(structure: Any, values: dict[str, Any]) -> Any:
    """Put values in the place of the references."""
    return tf.nest.map_structure(lambda leaf: values[leaf.name] if isinstance(leaf, Ref) else leaf, structure)


def flat(model: Any) -> Flat:
    """List the calls of a model, those of nested models included; one without a graph is refused."""
    graph = graph_of(model)
    if graph is None:
        raise ValueError(
            f"{type(model).__name__} has no graph that can be followed: build it with the functional API, or "
            "as a Sequential with an Input"
        )
    paths = {id(layer): path for path, layer in reversed(list(walk(model)))}  # the first of its names
    taken: dict[str, int] = {}
    calls: list[Call] = []
    env: dict[int, Ref] = {}

    def fresh(path: str) -> str:
        taken[path] = taken.get(path, 0) + 1
        return path if taken[path] == 1 else f"{path}#{taken[path]}"

    def visit(graph: Any, env: dict[int, Ref], prefix: str, mode: dict[str, Any]) -> None:
        for node in nodes_of(graph):
            layer, args, kwargs, outputs = parts_of(node)
            if any(getattr(layer, name, False) for name in _TRAINS):
                kwargs = {**mode, **kwargs}
            args, kwargs = tf.nest.map_structure(lambda leaf, at=env: at.get(id(leaf), leaf), (args, kwargs))
            inner, path = graph_of(layer), paths.get(id(layer), f"{prefix}{layer.name}")
            tensors = tf.nest.flatten(outputs)
            if inner is not None:
                given = [leaf for leaf in tf.nest.flatten((args, kwargs)) if isinstance(leaf, Ref)]
                child = {id(own): ref for own, ref in zip(tf.nest.flatten(inner.inputs), given, strict=True)}
                inside = {"training": kwargs["training"]} if kwargs.get("training") is not None else {}
                visit(inner, child, f"{path}.", inside)
                refs = [child[id(tensor)] for tensor in tf.nest.flatten(inner.outputs)]
            else:
                shape = tuple(tensors[0].shape[1:]) if len(tensors) == 1 else None
                one = Call(fresh(path), path, layer, args, kwargs, shape, _dtype(tensors[0]))
                calls.extend(one_by_one(one, tensors))
                refs = [Ref(call.name) for call in calls[-len(tensors) :]]
            env |= {id(tensor): ref for tensor, ref in zip(tensors, refs, strict=True)}

    def one_by_one(call: Call, tensors: list[Any]) -> list[Call]:
        """Write what gives several outputs as calls that give one each; a split is that many ranges."""
        if len(tensors) == 1:
            return [call]
        cuts = _ranges(call, tensors)
        source = call.args[0] if cuts else Ref(call.name)
        parts = [
            Call(fresh(call.path), call.path, Part(key), (source,), {}, tuple(one.shape[1:]), _dtype(one))
            for key, one in zip(cuts or range(len(tensors)), tensors, strict=True)
        ]
        return parts if cuts else [call, *parts]

    for tensor in tf.nest.flatten(graph.inputs):
        name = fresh(source_of(tensor).name)
        env[id(tensor)] = Ref(name)
        calls.append(Call(name, name, None, (), {}, tuple(tensor.shape[1:]), _dtype(tensor)))
    inputs = tuple(call.name for call in calls)
    visit(graph, env, "", {})
    given, made = (tf.nest.map_structure(lambda tensor: env[id(tensor)], end) for end in ends_of(graph))
    return Flat(tuple(calls), inputs, given, made)


def graph_of(layer: Any) -> Any:
    """Find the functional graph of a model; None for other layers, and for models without one."""
    inner = getattr(layer, "_functional", None) or layer
    names = {ancestor.__name__ for ancestor in type(inner).__mro__}
    whole = hasattr(inner, "_nodes_by_depth") and names & {"Functional", "Sequential"}
    return inner if whole and type(inner).call.__module__.startswith(("keras.", "tf_keras.")) else None


def _ranges(call: Call, tensors: list[Any]) -> list[Any]:
    """List the keys by which a split cuts its input; none for another call, or unknown sizes."""
    kind = getattr(call.layer, "symbol", type(call.layer).__name__).lower()
    axis = call.kwargs.get("axis", vars(call.layer).get("axis", 0)) % len(tensors[0].shape)
    sizes = [tensor.shape[axis] for tensor in tensors]
    if "split" not in kind or not call.args or not axis or None in sizes:
        return []
    ends = list(itertools.accumulate(sizes, initial=0))
    return [(*[slice(None)] * axis, slice(*pair)) for pair in itertools.pairwise(ends)]


def _dtype(tensor: Any) -> str:
    return str(tf.as_dtype(tensor.dtype).name)


def nodes_of(graph: Any) -> list[Any]:
    """List the calls of a graph in the order in which they can be run; what makes masks alone is left out."""
    needed, found = {id(tensor) for tensor in tf.nest.flatten(graph.outputs)}, list[Any]()
    for _, nodes in sorted(graph._nodes_by_depth.items()):  # noqa: SLF001
        for node in reversed(nodes):
            _, *read, outputs = parts_of(node)
            made = {id(tensor) for tensor in tf.nest.flatten(outputs)}
            if not node.is_input and (needed & made or not hasattr(node, "operation")):
                found.append(node)
                needed |= {id(leaf) for leaf in tf.nest.flatten(read)}
    return found[::-1]


def parts_of(node: Any) -> tuple[Any, tuple[Any, ...], dict[str, Any], Any]:
    """Give a node's layer, arguments and outputs, in Keras 3 and in tf_keras.

    A mask that an argument carries is left out: Keras 3 writes it down, and hands it on by itself too.
    """
    if hasattr(node, "operation"):
        masks = {id(getattr(tensor, "_keras_mask", None)) for tensor in node.input_tensors} - {id(None)}
        kwargs = {
            key: value
            for key, value in node.arguments.kwargs.items()
            if not (key.endswith("mask") and masks & set(map(id, tf.nest.flatten(value))))
        }
        return node.operation, tuple(node.arguments.args), kwargs, list(node.outputs)
    kwargs = {key: value for key, value in node.call_kwargs.items() if value is not None}
    return node.layer, tuple(node.call_args), kwargs, node.outputs


def ends_of(graph: Any) -> tuple[Any, Any]:
    """Give a graph's symbolic inputs and outputs in the structures in which they are named."""
    graph = getattr(graph, "_functional", None) or graph
    if hasattr(graph, "_inputs_struct"):
        return graph._inputs_struct, graph._outputs_struct  # noqa: SLF001
    return graph._nested_inputs, graph._nested_outputs  # noqa: SLF001


def source_of(tensor: Any) -> Any:
    """Find the layer or operation that a symbolic tensor comes from."""
    history = tensor._keras_history  # noqa: SLF001
    return history.operation if hasattr(history, "operation") else history.layer


@contextlib.contextmanager
def calling(wrappers: Iterable[tuple[Any, Callable[..., Any]]]) -> Iterator[None]:
    """Let wrappers stand before layers: of each `call` they make the function that is called instead."""
    before = []
    try:
        for layer, wrapper in wrappers:
            before.append((layer, vars(layer).get("call")))  # operators of tf_keras have one of their own
            layer.call = wrapper(layer.call)
        yield
    finally:
        for layer, call in reversed(before):
            vars(layer).update(call=call) if call else vars(layer).pop("call", None)


@contextlib.contextmanager
def eagerly() -> Iterator[None]:
    """Let TensorFlow's functions run eagerly, for one thread at a time."""
    with _SWITCH:
        before = tf.config.functions_run_eagerly()
        tf.config.run_functions_eagerly(True)
        try:
            yield
        finally:
            tf.config.run_functions_eagerly(before)
