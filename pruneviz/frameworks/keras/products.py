"""Where a Keras model multiplies matrices."""

from __future__ import annotations

import functools
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import tensorflow as tf
from tensorflow.python.framework import op_callbacks  # the one way to be told what runs

from pruneviz.frameworks.keras.calls import calling
from pruneviz.frameworks.keras.layouts import kernels_of, walk

if TYPE_CHECKING:
    from collections.abc import Callable

_PRODUCTS = re.compile("MatMul|Einsum|Conv|RNN|PartitionedCall|^__")  # the last two may: compiled functions


def products(model: Any, run: Callable[[], object]) -> Counter[str]:
    """Count the products of matrices in each layer; in a prunable one, those beside its own."""
    found: Counter[str] = Counter()
    inside = [type(model).__name__]

    def watch(path: str, own: int, call: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(call)
        def watched(*args: Any, **options: Any) -> Any:
            inside.append(path)
            outputs = call(*args, **options)
            found[inside.pop()] -= own
            return outputs

        return watched

    def ran(op: Any, *_: Any, graph: Any = None, **_named: Any) -> None:
        found[inside[-1]] += graph is None and bool(_PRODUCTS.search(tf.compat.as_str(op)))

    layers = {id(layer): (path, layer) for path, layer in reversed([*walk(model)])}.values()
    op_callbacks.add_op_callback(ran)
    try:
        with calling((x, functools.partial(watch, path, len([*kernels_of(path, x)]))) for path, x in layers):
            run()
    finally:
        op_callbacks.remove_op_callback(ran)
    return found
