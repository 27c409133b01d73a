"""Smaller models: units taken out for real, and the proof that nothing else changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

from pruneviz import frameworks
from pruneviz.core import plan as removal
from pruneviz.core.arrays import Several, checked_images, each
from pruneviz.engine.model import Seen, checked_mask, pruned_units
from pruneviz.engine.pruning import apply, masked

if TYPE_CHECKING:
    from pruneviz.core.arrays import Array, BoolArray, Given, Images
    from pruneviz.core.masks import Mask

_Model = TypeVar("_Model")
TOLERANCE = {"float64": 1e-9, "float32": 1e-5, "float16": 1e-2, "bfloat16": 5e-2}


def remove(model: _Model, mask: Mask, example: Given) -> _Model:
    """Build a smaller model that computes what the masked one does: pruned units are gone.

    Parameters
    ----------
    model
        A torch.nn.Module that torch.fx can trace, or a functional or sequential Keras model; it stays as it
        is.
    mask
        Of neurons, filters or channels.
    example
        (n, …) images like those the model takes. The result is compared with the masked model on them, and on
        noise of their shape.

    Returns
    -------
    model
        An ordinary model with smaller layers of the same names. A PyTorch model keeps its class, unless its
        forward spells out a size that changed: then it is a torch.fx.GraphModule. A Keras model is not
        compiled; nested models come out flat.

    Raises
    ------
    ValueError
        If the mask does not fit, the model cannot be traced, what is left cannot compute the same, or the
        comparison fails; the message names the layer or the reason.
    """
    example = checked_images("example", example)
    seen = Seen(model, example)
    pruned, found = taken_out(seen, mask), seen.structure
    thin = masked(seen, mask)
    layers = frameworks.adapter(thin).layers()
    what = removal.plan(found, layers, pruned)
    small = seen.adapter.rebuilt(what, example)
    difference = max(_difference(thin, small, x) for x in (example, noise(example)))
    tolerance = TOLERANCE[seen.adapter.precision()]
    if not difference <= tolerance:
        refuse_chance(thin, example, tolerance)
        raise ValueError(
            f"the smaller model differs from the masked one by {difference:.1e} of its largest output, more "
            f"than {tolerance:g}: its forward computes with something that removal changes, such as a width "
            "that it asks a layer for (layer.in_features): make that a number of its own"
        )
    return small  # type: ignore[return-value]


def taken_out(seen: Seen, mask: Mask) -> BoolArray:
    """Find the units that a mask takes out, (units,); refuse one of weights, or that does not fit."""
    checked_mask(seen.layers, mask)
    if mask.granularity == "weight":
        raise ValueError(
            "a mask of weights takes no unit out: prune neurons, filters or channels, or use pv.apply"
        )
    return pruned_units(seen.structure.units, mask)


def check_removed(model: object, mask: Mask, small: object, x: Given) -> float:
    """Compare a smaller model with the masked one.

    Parameters
    ----------
    model, mask
        What `remove` was given.
    small
        What it returned.
    x
        (n, …) images.

    Returns
    -------
    float
        max|a - b| / max|a| over all outputs, where a is what the masked model computes.

    Raises
    ------
    ValueError
        If the outputs differ in shape or dtype.
    """
    x = checked_images("x", x)
    return _difference(apply(model, mask, x), small, x)


def noise(example: Images) -> Images:
    """Draw images like those of an example; what reads integers gets none that is larger than its own."""
    rng = np.random.default_rng(0)
    drawn = [_like(array, rng) for array in each(example)]
    return Several(drawn) if isinstance(example, Several) else drawn[0]


def _like(array: Array, rng: np.random.Generator) -> Array:
    shape = (min(len(array), 8), *array.shape[1:])
    if np.issubdtype(array.dtype, np.integer):
        bytes_of_images = array.dtype == np.uint8 and array.ndim > 2
        most = 255 if bytes_of_images else max(1, array.max())
        return rng.integers(0, most, shape, array.dtype, endpoint=True)
    return rng.uniform(min(0, array.min()), max(1, array.max()), shape).astype(array.dtype)


def refuse_chance(model: object, x: Images, tolerance: float) -> None:
    """Raise a ValueError if a model answers otherwise when it is asked again."""
    if _difference(model, model, x) > tolerance:
        raise ValueError(
            "the model gives other outputs each time it runs, so nothing can be compared with it: F.dropout "
            "needs training=self.training, and what draws numbers must not draw them in evaluation mode"
        )


def _difference(thin: object, small: object, x: Images) -> float:
    both = [frameworks.adapter(model).outputs(x) for model in (thin, small)]
    forms = [", ".join(f"{array.dtype} {array.shape}" for array in outputs) for outputs in both]
    if forms[0] != forms[1]:
        raise ValueError(f"the masked model gives {forms[0]}, the smaller one {forms[1]}")
    if not any(array.size for array in both[0]):
        raise ValueError(
            f"in what {type(thin).__name__} gives is no number to compare: let it return its outputs as "
            "arrays, alone or in a tuple, list or dict"
        )
    return max(map(relative, *both))


def relative(wanted: Array, given: Array) -> float:
    """Give max|a - b| / max|a|, of what is not infinite in a; True and False are numbers."""
    if wanted.dtype.kind in "biu":
        wanted, given = wanted.astype(np.float64), given.astype(np.float64)
    largest = np.abs(wanted[np.isfinite(wanted)]).max(initial=0)
    with np.errstate(invalid="ignore"):
        difference = np.where(wanted == given, 0, np.abs(wanted - given)).max(initial=0)
    return float(difference / largest if largest > 0 else difference)
