"""Copies of Keras models and layers, attribute by attribute, with variables of their own.

Keras copies by configuration, and loses what none says: the statistics of an adapted Normalization, an
attribute that was set later, a Python function. Here a copy has a copy of every attribute. Only the wires
between the layers of a functional model are drawn anew, by Keras itself.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import threading
import types
import weakref
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from pruneviz.frameworks import read_by
from pruneviz.frameworks.keras.calls import ends_of, graph_of, nodes_of, parts_of, source_of
from pruneviz.frameworks.keras.layouts import home_of, walk

if TYPE_CHECKING:
    from collections.abc import Iterator

_WIRES = ("_inbound_nodes", "_outbound_nodes", "_inbound_nodes_value", "_outbound_nodes_value")
_COMPILED = (  # noqa: SIM905
    "optimizer _optimizer loss compiled compiled_loss compiled_metrics history _compile_config _compile_loss "
    "_compile_metrics _compiled_trainable_state _is_compiled _loss_tracker train_function train_tf_function "
    "test_function predict_function"
).split()
_FIXED = (type(None), str, bytes, int, float, complex, type, tf.Tensor, types.ModuleType)
_FUNCTIONS = (types.FunctionType, types.BuiltinFunctionType)
_Lock = type(threading.Lock())


def copied(model: Any) -> Any:
    """Copy a model onto the devices that it is on."""
    with devices_of(model):
        return Copier(model)(model)


def devices_of(model: Any) -> contextlib.AbstractContextManager[object]:
    """Let variables be made for the devices of a model, unless the caller has named others."""
    return contextlib.nullcontext() if tf.distribute.has_strategy() else model.distribute_strategy.scope()


class Copier:
    """Copies models and layers; what two of them share, their copies share too.

    A copied model is not compiled, and a copied layer is wired to nothing. A function that holds a layer or a
    weight of the model is refused.
    """

    def __init__(self, model: Any) -> None:
        self._twins: dict[int, tuple[Any, Any]] = {}  # beside the originals: an id is theirs while they live
        parts = [part for part in (model, *(layer for _, layer in walk(model))) if part.weights]
        self._own = {id(held) for part in parts for held in (part, *part.weights)}

    def __call__(self, value: Any) -> Any:
        """Copy a layer, or whatever an attribute of one holds."""
        if isinstance(value, (*_FIXED, *_FUNCTIONS)):
            return value
        if id(value) not in self._twins:
            self._note(value, self._copied(value))
        return self._twins[id(value)][1]

    def _note(self, value: Any, twin: Any) -> Any:
        self._twins[id(value)] = value, twin
        return twin

    def _copied(self, value: Any) -> Any:  # noqa: PLR0911
        kind = type(value)
        if isinstance(value, types.MethodType):
            return types.MethodType(value.__func__, self(value.__self__))
        if isinstance(value, functools.partial):
            return kind(self(value.func), *map(self, value.args), **self(value.keywords))
        if isinstance(value, (list, tuple, dict, set, frozenset)):
            return self._collection(value)
        if isinstance(value, tf.Variable) and not hasattr(value, "_variable"):  # one that casts wraps another
            return copy.deepcopy(value)
        if isinstance(value, (threading.local, _Lock)):
            return threading.Lock() if isinstance(value, _Lock) else kind()
        if kind.__module__.startswith("tensorflow."):
            return value
        if graph_of(value) is not None:
            return self._graph(value)
        plain = not hasattr(kind, "__deepcopy__") and getattr(kind, "__reduce__", None) is object.__reduce__
        if home_of(value) or plain:
            return self._object(value)
        try:
            return copy.deepcopy(value)
        except TypeError:  # a generator, a lock: copies go on with the same
            return value

    def _fill(self, twin: Any, state: dict[str, Any], kind: type) -> None:
        for name, item in state.items():
            if not name.startswith(("_self_", "_adapt_function")) and self._own & set(map(id, _read(item))):
                raise ValueError(
                    f"{kind.__name__}.{name} is a function that holds layers or weights of the model; a copy "
                    "would go on using those: make it a method that asks self for them"
                )
            vars(twin)[name] = self(item)

    def _collection(self, value: Any) -> Any:
        kind = type(value)
        items: Any = [self(item) for item in value]
        if isinstance(value, dict):
            items = dict(zip(items, map(self, value.values()), strict=True))
        if hasattr(kind, "_fields"):
            return kind(*items)
        twin = kind(items)
        if hasattr(value, "tracker"):  # it tells its layer of what is added to it
            twin.tracker = self(value.tracker)
        return twin

    def _object(self, value: Any) -> Any:
        kind, home = type(value), home_of(value)
        create: Any = kind.__new__ if home else object.__new__
        twin = self._note(value, create(kind))
        own = {name for name, item in vars(twin).items() if callable(item)}  # methods that Keras wraps
        model = home is not None and isinstance(value, home.Model)
        state = {name: item for name, item in vars(value).items() if name not in own}
        if home:
            state.pop("_obj_reference_counts_dict", None)
            state |= {name: [] for name in _WIRES if name in state}
        if model:
            blank = vars(home.Model())
            state = {name: item for name, item in state.items() if name not in _COMPILED}
            vars(twin).update({name: blank[name] for name in _COMPILED if name in blank})
            if "_checkpoint" in state:
                state["_checkpoint"] = tf.train.Checkpoint(root=weakref.ref(twin))
        self._fill(twin, state, kind)
        if kind.__name__ == "Tracker":
            stores = {name: store for name, (_, store) in twin.config.items()}
            twin.stored_ids = {name: {id(item) for item in store} for name, store in stores.items()}
        return twin

    def _graph(self, model: Any) -> Any:
        """Wire copies of the layers as those of a functional or sequential model are wired."""
        home, graph = home_of(model), graph_of(model)
        tensors = {id(tensor): _input_like(home, tensor) for tensor in tf.nest.flatten(graph.inputs)}
        if isinstance(model, home.Sequential):
            twin = home.Sequential([*tensors.values(), *map(self, model.layers)], name=model.name)
        else:

            def wired(structure: Any) -> Any:
                return tf.nest.map_structure(lambda leaf: tensors.get(id(leaf), leaf), structure)

            for node in nodes_of(graph):
                layer, args, kwargs, outputs = parts_of(node)
                made = self(layer)(*wired(args), **wired(kwargs))
                flat = zip(tf.nest.flatten(outputs), tf.nest.flatten(made), strict=True)
                tensors |= {id(tensor): other for tensor, other in flat}
            twin = home.Model(*map(wired, ends_of(graph)), name=model.name)
        self._note(model, twin)
        own = {name: item for name, item in vars(model).items() if name not in {*vars(twin), *_COMPILED}}
        self._fill(twin, own, type(model))
        twin._trainable = model._trainable  # noqa: SLF001
        twin.__class__ = type(model)
        return twin


def _read(value: Any, inside: bool = False, depth: int = 5) -> Iterator[Any]:
    """Find what functions among the attributes read from outside, and what holds that."""
    if hasattr(value, "python_function"):  # a tf.function, which no copy is made of
        value, inside = value.python_function, True
    parts: Any = value if isinstance(value, (list, tuple)) else ()
    if isinstance(value, types.FunctionType):
        inside, parts = True, read_by(value)
    elif isinstance(value, functools.partial):  # what it is given is copied, if it is an attribute
        parts = [value.func, *(value.args if inside else ())]
    elif isinstance(value, (types.MethodType, dict)):
        parts = value.values() if isinstance(value, dict) else [value.__self__][:inside]
    for part in parts if depth else ():
        yield from [part][:inside]
        yield from _read(part, inside, depth - 1)


def _input_like(home: Any, tensor: Any) -> Any:
    layer = source_of(tensor)
    if isinstance(layer, home.layers.InputLayer):
        return type(layer).from_config(layer.get_config()).output
    return home.Input(batch_shape=tuple(tensor.shape), dtype=tensor.dtype)
