"""The adapter for keras.Model and tf_keras.Model."""

from __future__ import annotations

import contextlib
import functools
import itertools
import math
import os
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import safetensors.numpy
import tensorflow as tf

from pruneviz.core.arrays import Images, each
from pruneviz.core.layers import Layer
from pruneviz.frameworks import BATCH, PRECISIONS, held, in_columns, probable, refuse_number, single, taking
from pruneviz.frameworks.keras import graph as graphs
from pruneviz.frameworks.keras.calls import calling, eagerly, ends_of, flat, graph_of
from pruneviz.frameworks.keras.copies import copied, devices_of
from pruneviz.frameworks.keras.layouts import Kernel, home_of, kernels, to_numpy, variable_of, walk
from pruneviz.frameworks.keras.probing import is_scale, way_of
from pruneviz.frameworks.keras.products import products
from pruneviz.frameworks.keras.rebuild import rebuilt
from pruneviz.progress import steps

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterator, Mapping

    from pruneviz.core.arrays import Array, BoolArray, Checked
    from pruneviz.core.graph import Graph
    from pruneviz.core.plan import Plan
    from pruneviz.frameworks import Watcher

_AT_ONCE = 75_000_000  # numbers, 300 MB: what the layers of a model make of one batch


class KerasAdapter:
    """A Keras model seen by the rest of pruneviz."""

    slow_to_call = True

    def __init__(self, model: Any) -> None:
        if home_of(model).backend.backend() != "tensorflow":
            raise ValueError(
                "pruneviz reads Keras models on the backend TensorFlow: set KERAS_BACKEND=tensorflow before "
                "you import keras"
            )
        if not model.built:
            raise ValueError("the model has no weights yet: build it, or run it once on a batch")
        self.model = model
        self.name = home_of(model).__name__
        said = os.environ.get("TF_NUM_INTRAOP_THREADS") or 0
        self.threads = tf.config.threading.get_intra_op_parallelism_threads() or int(said)
        self._ways: dict[int, str] = {}
        self.kernels = {kernel.name: kernel for kernel in kernels(model)}
        self._turned = {f"{name}.weight": kernel for name, kernel in self.kernels.items()}

    def layers(self) -> list[Layer]:
        weights = {name: k.outputs_first(to_numpy(k.variable)) for name, k in self.kernels.items()}
        biases = {name: to_numpy(k.bias) for name, k in self.kernels.items() if k.bias is not None}
        return [Layer(name, k.kind, weights[name], biases.get(name)) for name, k in self.kernels.items()]

    def predict(self, x: Images, batch: int = BATCH) -> Array:
        return np.concatenate([self._run(part).numpy() for part in self._batches(x, batch)])

    def outputs(self, x: Images) -> list[Array]:
        batches = [tf.nest.flatten(self._called(part)) for part in self._batches(x)]
        return [np.concatenate([part.numpy() for part in parts]) for parts in zip(*batches, strict=True)]

    def _run(self, batch: list[tf.Tensor]) -> tf.Tensor:
        return single(self._called(batch), tf.Tensor, len(batch[0]))

    def forward(self, x: Images) -> Callable[[], object]:
        batch = [tf.concat(parts, axis=0) for parts in zip(*self._batches(x), strict=True)]
        self._run([part[:1] for part in batch])
        compiled = tf.function(self._called).get_concrete_function(batch)
        return lambda: compiled(batch).numpy()

    def gradients(self, data: Checked, loss: Callable[..., Any] | None) -> dict[str, Array]:
        x, y = data
        variables = [variable_of(kernel.variable) for kernel in self.kernels.values()]
        totals: dict[str, Array] = {}
        criterion = loss or functools.partial(self._cross_entropy, x)
        for batch in self._batches(x):
            labels, y = np.split(y, [len(batch[0])])
            with tf.GradientTape() as tape:
                tape.watch(variables)
                value = tf.convert_to_tensor(criterion(self._run(batch), labels))
            for name, slope in zip(self.kernels, tape.gradient(value, variables), strict=True):
                if slope is not None:
                    part = slope.numpy().astype(np.float64) * (len(labels) / len(x))
                    totals[name] = totals.get(name, 0) + part
        return {name: self.kernels[name].outputs_first(total) for name, total in totals.items()}

    def watch(self, x: Images, see: Watcher) -> Array:
        def watch(kernel: Kernel, call: Callable[..., Any]) -> Callable[..., Any]:
            def watched(inputs: Any, *args: Any, **options: Any) -> Any:
                outputs = call(inputs, *args, **options)
                moves = inputs if kernel.kind == "transposed" else outputs
                times = math.prod(moves.shape) // moves.shape[kernel.axis]
                end = see(kernel.name, times, lambda: self._mean_squares(kernel, inputs))
                if end is None:
                    return outputs
                activation = getattr(kernel.layer, "activation", None) or tf.identity
                return activation(tf.fill(outputs.shape, tf.cast(end, outputs.dtype)))

            return watched

        with calling((k.layer, functools.partial(watch, k)) for k in self.kernels.values()), eagerly():
            return self.predict(x)

    def products(self, x: Images) -> Counter[str]:
        return products(self.model, lambda: self.predict(x[:1]))

    def parameters(self) -> dict[str, Array]:
        return self._arrays(self.model.trainable_weights)

    def buffers(self) -> dict[str, Array]:
        return self._arrays(self.model.non_trainable_weights)

    def arrays(self) -> dict[str, Array]:
        return {**self.parameters(), **self.buffers()}

    def serialised(self) -> bytes:
        arrays = {name: np.ascontiguousarray(array) for name, array in self.arrays().items()}
        return safetensors.numpy.save(arrays)

    def precision(self) -> str:
        found = {layer.compute_dtype for layer in self.model._flatten_layers()}  # noqa: SLF001  (nested ones too)
        return next((name for name in PRECISIONS if name in found), "float32")

    def copy_with(self, arrays: Mapping[str, Array]) -> Any:
        twin = KerasAdapter(copied(self.model))
        twin.write(arrays)
        return twin.model

    def write(self, arrays: Mapping[str, Array]) -> None:
        weights = self._names()
        for name, array in arrays.items():
            weights[name].assign(self._native(name, array))

    @contextlib.contextmanager
    def keep_pruned(self, pruned: Mapping[str, BoolArray], optimizer: object) -> Iterator[None]:
        _refuse(optimizer)
        zeros = self._zeros(pruned)
        before = [weight.constraint for weight, _ in zeros]
        active = tf.Variable(True, trainable=False)  # a step that is traced here may run on afterwards
        for (weight, where), constraint in zip(zeros, before, strict=True):
            _constrain(weight, _zeroing(where, constraint, active))
        # A train function that is already traced would go on without the constraint, or keep it for good.
        self.model.train_function = None
        try:
            yield
            if any(to_numpy(weight)[where.numpy()].any() for weight, where in zeros):
                warnings.warn(
                    "pruned entries did not stay zero during the training, only at its end: a step that was "
                    "compiled before does not ask; define the tf.function inside keep_pruned",
                    stacklevel=4,
                )
        finally:
            active.assign(False)
            for (weight, _), constraint in zip(zeros, before, strict=True):
                _constrain(weight, constraint)
            self.zeroing(pruned)()
            self.model.train_function = None

    def zeroing(self, pruned: Mapping[str, BoolArray]) -> Callable[[], None]:
        zeros = self._zeros(pruned)

        def zero() -> None:
            for weight, where in zeros:
                weight.assign(tf.where(where, tf.zeros_like(weight), weight))

        return zero

    @contextlib.contextmanager
    def after_steps(self, call: Callable[[], None], optimizer: object) -> Iterator[Any]:
        _refuse(optimizer)

        def begin(_logs: object) -> None:
            if made.model is not self.model:
                raise ValueError("this callback prunes another model than the one that is being trained")
            if int(getattr(self.model, "steps_per_execution", None) or 1) != 1:
                raise ValueError("compile with steps_per_execution=1: zeros are restored after every step")

        made = home_of(self.model).callbacks.LambdaCallback(
            on_train_begin=begin,
            on_train_batch_end=lambda batch, logs: call(),  # noqa: ARG005
        )
        yield made

    def seed(self, seed: int) -> None:
        home_of(self.model).utils.set_random_seed(seed)

    def norms(self) -> dict[str, dict[str, str]]:
        parts = {"scale": "gamma", "shift": "beta", "mean": "moving_mean"}
        names = {id(weight): {"alone": name} for name, weight in self._names().items()}
        found = {path: names[id(layer.weights[0])] for path, layer in walk(self.model) if is_scale(layer)}
        return found | {name: held(name, layer, parts) for name, layer in self._norms()}

    def wiring(self) -> object:
        calls = flat(self.model).calls if graph_of(self.model) else ()
        return [(call.name, type(call.layer).__name__, call.inputs) for call in calls]

    def graph(self, example: Images | None) -> Graph:
        calls = flat(self.model)
        if example is not None and any(None in (call.shape or ()) for call in calls.calls):
            (batch,) = self._batches(example)
            with taking(self.model, batch):
                calls = calls.sized(batch)
        return graphs.export(calls)

    def activations(
        self, x: Images, nodes: set[str], edit: Callable[[str, Array], Array] | None = None
    ) -> Iterator[dict[str, Array]]:
        def edited(name: str, value: Any) -> Any:
            if edit is None or name not in nodes:
                return value
            other = tf.convert_to_tensor(edit(name, value.numpy()))
            other._keras_mask = getattr(value, "_keras_mask", None)  # noqa: SLF001  (which Keras hands on)
            return other

        calls = flat(self.model)
        for batch in self._batches(x):
            values = calls.run(batch, edit=edited)
            yield {name: np.asarray(values[name]) for name in nodes if name in values}

    def patches(self, name: str, array: Array) -> Array:
        kernel, channels = self.kernels[name], array.shape[-1]
        layer, size = kernel.layer, kernel.size
        if kernel.kind in ("dense", "transposed") or kernel.reads_inside:
            return array.reshape(-1, channels).repeat(size, axis=1)
        padding = layer.padding.upper()
        if padding == "CAUSAL":
            before = layer.dilation_rate[0] * (layer.kernel_size[0] - 1)
            array, padding = np.pad(array, [(0, 0), (before, 0), (0, 0)]), "VALID"
        images = np.moveaxis(array, -1, 1).reshape(-1, *array.shape[1:-1], 1)
        # A kernel that is one at one of its positions picks what that position meets.
        picks = np.eye(size, dtype=array.dtype).reshape(*layer.kernel_size, 1, size)
        met = tf.nn.convolution(images, picks, layer.strides, padding, dilations=layer.dilation_rate).numpy()
        columns: Array = np.moveaxis(met.reshape(len(array), channels, -1, size), 1, 2)
        return columns.reshape(-1, channels * size)

    def _mean_squares(self, kernel: Kernel, read: tf.Tensor) -> Array:
        array = np.moveaxis(tf.cast(read, tf.float64).numpy(), kernel.axis, -1)
        if kernel.reads_inside:
            first = self.kernels[kernel.name.replace(".pointwise", ".depthwise")]
            weight = first.outputs_first(to_numpy(first.variable)).reshape(array.shape[-1], -1, first.size)
            seen = self.patches(first.name, array).reshape(-1, array.shape[-1], first.size)
            array = np.einsum("pik,imk->pim", seen, weight).reshape(len(seen), -1)
        squares: Array = np.square(array).mean(axis=0, keepdims=True)
        return np.asarray(self.patches(kernel.name, squares).mean(axis=0))

    def rebuilt(self, plan: Plan, example: Images | None) -> Any:  # noqa: ARG002
        with devices_of(self.model):
            return rebuilt(self.model, flat(self.model), plan)

    def recalibrated(self, x: Images) -> Any:
        twin = KerasAdapter(copied(self.model))
        norms = [layer for _, layer in twin._norms() if hasattr(layer, "moving_mean")]
        before = [(layer.momentum, layer.trainable) for layer in norms]
        with calling((layer, _in_training) for layer in norms):
            seen = 0
            for batch in twin._batches(x):
                seen += len(batch[0])
                for layer in norms:
                    layer.momentum, layer.trainable = 1 - len(batch[0]) / seen, True
                twin._run(batch)
        for layer, (momentum, trainable) in zip(norms, before, strict=True):
            layer.momentum, layer.trainable = momentum, trainable
        return twin.model

    def _cross_entropy(self, x: Images, outputs: tf.Tensor, labels: Array) -> tf.Tensor:
        """Take what the model gives for what it looks like: probabilities, or logits.

        One output is for two classes. Log-probabilities are logits whose softmax is themselves.
        """
        outputs = in_columns(outputs)
        known = probable(self, (x, labels), outputs.numpy().astype(np.float64))
        if outputs.shape[1] == 1:
            inside = tf.clip_by_value(outputs, 1e-7, 1 - 1e-7)
            outputs = tf.concat([1 - inside, inside] if known else [tf.zeros_like(outputs), outputs], axis=1)
        if known:
            outputs = tf.math.log(tf.maximum(outputs, 1e-12))
        return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, outputs))

    def _norms(self) -> list[tuple[str, Any]]:
        found = {id(layer): (name, layer) for name, layer in reversed(list(walk(self.model)))}
        kinds = ("BatchNormalization", "SyncBatchNormalization", "GroupNormalization")
        return [pair for pair in reversed(found.values()) if type(pair[1]).__name__ in kinds]

    def _native(self, name: str, array: Array) -> Array:
        """Turn a kernel to Keras's layout."""
        return self._turned[name].native(array) if name in self._turned else array

    def _zeros(self, pruned: Mapping[str, BoolArray]) -> list[tuple[Any, tf.Tensor]]:
        """Give the weights of the named arrays, and where they become zero."""
        weights = self._names()
        return [(weights[name], tf.constant(self._native(name, where))) for name, where in pruned.items()]

    def _names(self) -> dict[str, Any]:
        names = {name: kernel.variable for name, kernel in self._turned.items()}
        names |= {f"{k.name}.bias": k.bias for k in self.kernels.values() if k.bias is not None}
        taken = {id(weight) for weight in names.values()}
        for owner, layer in [*walk(self.model), (self.model.name, self.model)]:
            inner = {id(weight) for _, part in walk(layer) for weight in part.weights}  # named by them
            for weight in layer.weights:
                if id(weight) not in taken and id(weight) not in inner and hasattr(weight, "name"):
                    taken.add(id(weight))
                    short = weight.name.rpartition("/")[2].partition(":")[0]
                    name = f"{owner}.{short}"
                    names[name if name not in names else f"{name}_{len(names)}"] = weight
        return names

    def _arrays(self, weights: list[Any]) -> dict[str, Array]:
        wanted = {id(weight) for weight in weights}
        found = {name: to_numpy(weight) for name, weight in self._names().items() if id(weight) in wanted}
        return {n: self._turned[n].outputs_first(x) if n in self._turned else x for n, x in found.items()}

    def _called(self, batch: list[tf.Tensor]) -> Any:
        """Call the model in evaluation mode, with one tensor or with several as it names them."""
        given = batch[0] if len(batch) == 1 else batch
        if inputs := getattr(self.model, "inputs", None):
            own = {id(tensor): part for tensor, part in zip(inputs, batch, strict=True)}
            given = tf.nest.map_structure(lambda tensor: own[id(tensor)], ends_of(self.model)[0])
        with taking(self.model, batch):
            return self.model(given, training=False)

    def _batches(self, x: Images, size: int = BATCH) -> Iterator[list[tf.Tensor]]:
        if inputs := getattr(self.model, "inputs", None):
            refuse_number([tensor.name for tensor in inputs], len(each(x)))
        for path, layer in walk(self.model):
            if getattr(layer, "stateful", False) and hasattr(layer, "states"):
                raise ValueError(f"layer {path!r} has a state that stays: build it with stateful=False")
        size = min(size, self._images_that_fit())
        for start in steps("running the model", "batch", range(0, len(x), size)):
            yield [self._tensor(i, part) for i, part in enumerate(each(x[start : start + size]))]

    def _tensor(self, place: int, array: Array) -> tf.Tensor:
        """Make what an input takes of images, or of whole numbers that an Embedding reads."""
        if place not in self._ways:
            self._ways[place] = way_of(self.model, place)
        way, inputs = self._ways[place], getattr(self.model, "inputs", None)
        if array.dtype.kind in "iu" and array.dtype != np.uint8 and way == "numbers" and graph_of(self.model):
            raise TypeError(
                f"x is {array.dtype}, which no Embedding reads: pass uint8 images, or floats, or build the "
                f"model with an Input of dtype={array.dtype.name!r}"
            )
        own = array.shape[1:]
        declared = tuple(inputs[place].shape[1:]) if inputs else own
        flat = len(own) != len(declared) and math.prod(size or 0 for size in declared) == math.prod(own)
        if not flat and any(size not in (None, n) for size, n in itertools.zip_longest(declared, own)):
            name = type(self.model).__name__
            raise ValueError(f"{name} does not take images of shape {own}: its input is {declared}")
        batch = tf.reshape(tf.convert_to_tensor(array), [-1, *(declared if flat else own)])
        if way == "indices":
            return batch
        batch = tf.cast(batch, self.model.compute_dtype if way in ("bytes", "numbers") else way)
        return batch / 255 if array.dtype == np.uint8 and way == "numbers" else batch

    def _images_that_fit(self) -> int:
        """Keras holds what all layers make until the last one is done: a deep model takes fewer images."""
        return max(1, _AT_ONCE // max(1, sum(_made_by(layer) for _, layer in walk(self.model))))


def _made_by(layer: Any) -> int:
    """Count the numbers that a layer makes of one image; 0 where Keras does not know."""
    try:
        shape = layer.output.shape
    except (AttributeError, ValueError):
        return 0
    return math.prod(size or 1 for size in shape[1:])


def _refuse(optimizer: object) -> None:
    if optimizer is not None:
        raise TypeError("leave optimizer out for a Keras model: its zeros are kept whatever the optimizer")


def _in_training(call: Callable[..., Any]) -> Callable[..., Any]:
    return lambda inputs, **options: call(inputs, **{**options, "training": True})


def _zeroing(
    where: tf.Tensor, constraint: Callable[[Any], Any] | None, active: tf.Variable
) -> Callable[[Any], Any]:
    def zero(weight: Any) -> Any:
        value = tf.convert_to_tensor(weight if constraint is None else constraint(weight))
        return tf.where(where & active, tf.zeros_like(value), value)

    return zero


def _constrain(weight: Any, constraint: Callable[[Any], Any] | None) -> None:
    inner = getattr(weight, "_variable", weight)  # tf_keras wraps for mixed policies,
    getattr(inner, "_primary", inner)._constraint = constraint  # noqa: SLF001  (and a strategy for its devices)
