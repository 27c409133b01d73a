"""What a model costs and how well it does."""

from __future__ import annotations

import gzip
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from pruneviz import frameworks
from pruneviz.core.arrays import checked_pair, few
from pruneviz.core.layers import not_covered, outermost
from pruneviz.engine.model import looked_at
from pruneviz.files import storage
from pruneviz.measures import timing
from pruneviz.measures.inputs import divided_twice
from pruneviz.measures.intervals import wilson

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pruneviz.core.arrays import Array, Checked, Images, Pair


@dataclass(frozen=True)
class Change:
    """How the answers of one model differ from another's on the same images.

    Attributes
    ----------
    lost
        Images that were right and now are wrong.
    won
        Images that were wrong and now are right.
    changed
        Images whose prediction differs, those that are wrong in a new way included.
    """

    lost: int
    won: int
    changed: int

    def __str__(self) -> str:
        other = self.changed - self.lost - self.won
        ways = f"{self.lost:,} lost, {self.won:,} won, {other:,} wrong in a new way"
        return f"{self.changed:,} answers changed: {ways}"


@dataclass(frozen=True)
class Scorecard:
    """One model, measured.

    Attributes
    ----------
    name
        What the row is called.
    accuracy
        Share of the n images that are classified correctly.
    n
        Number of images.
    interval
        95% Wilson interval of the accuracy: it covers the choice of images, not the training.
    parameters
        Trainable numbers, as the framework counts them; shared ones once.
    buffers
        Stored numbers that are not trainable.
    nonzero
        Trainable numbers that are not 0.
    sparsity
        Share of the prunable weights that is 0.
    macs
        Multiplications an image costs: dense kernels execute these, zeros included.
    nonzero_macs
        Those of them whose weight is not 0.
    raw_bytes, gzip_bytes, compact_bytes
        Size of a safetensors file of parameters and buffers, of that under gzip at level 6, and of the
        file that `pruneviz.save` writes.
    latency_ms
        Number of images in a batch -> Latency of a forward pass, whose ``float`` is the median in
        milliseconds; empty unless asked for. It alone is noise: count again, and all else is the same.
    uncounted
        Layers that multiply more than `macs` says: attention, recurrent ones, functions with own parameters.
    uncovered
        As of a Network: layer -> how many numbers it holds, of layers that are not prunable.
    weights
        Layer -> how many of its weights are not 0, and how many it has, of those that are prunable.
    divided_twice
        Whether the model scales images from 0 to 255 itself, and was given them from 0 to 1.
    predictions
        (n,) predicted classes.
    labels
        (n,) true classes.
    """

    name: str
    accuracy: float
    n: int
    interval: tuple[float, float]
    parameters: int
    buffers: int
    nonzero: int
    sparsity: float
    macs: int
    nonzero_macs: int
    raw_bytes: int
    gzip_bytes: int
    compact_bytes: int
    predictions: Array = field(repr=False, compare=False)
    labels: Array = field(repr=False, compare=False)
    latency_ms: dict[int, timing.Latency] = field(default_factory=dict, compare=False)
    uncounted: tuple[str, ...] = ()
    uncovered: Mapping[str, int] = field(default_factory=dict)
    weights: Mapping[str, tuple[int, int]] = field(default_factory=dict, repr=False)
    divided_twice: bool = False

    @property
    def correct(self) -> int:
        """Number of images that are classified correctly."""
        return int(np.count_nonzero(self.predictions == self.labels))

    @property
    def emptied(self) -> tuple[str, ...]:
        """Prunable layers whose weights are all 0: what they give is their bias, whatever they read."""
        return tuple(name for name, (left, _) in self.weights.items() if not left)

    def versus(self, baseline: Scorecard) -> Change:
        """Compare answers, image by image.

        Parameters
        ----------
        baseline
            The card to compare with, of the same images.

        Raises
        ------
        ValueError
            If the two were measured on images with different labels.
        """
        if not np.array_equal(self.labels, baseline.labels):
            raise ValueError(f"{self.name!r} and {baseline.name!r} were measured on different images")
        right, was_right = self.predictions == self.labels, baseline.predictions == self.labels
        return Change(
            lost=int(np.count_nonzero(was_right & ~right)),
            won=int(np.count_nonzero(right & ~was_right)),
            changed=int(np.count_nonzero(self.predictions != baseline.predictions)),
        )

    def __str__(self) -> str:
        low, high = self.interval
        zeros = 1 - self.nonzero / self.parameters if self.parameters else 0.0
        beside = "".join(
            f"; {zeros:.1%} of all parameters are 0; {line}" for line in not_covered(self.uncovered)
        )
        empty = f"; nothing is left of {few(self.emptied, ', ')}" if self.emptied else ""
        others = f"; not counted: {few(self.uncounted, ', ')}" if self.uncounted else ""
        rows = {
            "accuracy": f"{self.accuracy:.2%}, {self.correct:,} of {self.n:,} (95%: {low:.2%} to {high:.2%})",
            "parameters": f"{self.parameters:,}, of them {self.nonzero:,} nonzero",
            "weights": f"{self.sparsity:.1%} pruned{empty}{beside}",
            "MACs": f"{self.macs:,} executed, {self.nonzero_macs:,} with a nonzero weight{others}",
            "bytes": f"{self.raw_bytes:,} raw, {self.gzip_bytes:,} gzip, {self.compact_bytes:,} compact",
        }
        if self.divided_twice:
            rows["images"] = "divided by 255 twice, for the model does it too: pass float32 from 0 to 255"
        if self.latency_ms:
            rows["latency"] = "; ".join(f"batch {n}: {ms:.3g} ms" for n, ms in self.latency_ms.items())
            one = next(iter(self.latency_ms.values()))
            rows["noise"] = (
                f"of the latency, in brackets: lowest and highest of {len(one.rounds)} rounds of {one.clock} "
                f"time ({one.runtime}); counts and bytes are exact"
            )
        return "\n".join([self.name, *(f"  {key:<11} {value}" for key, value in rows.items())])


def scorecard(
    model: object, data: Pair, name: str | None = None, *, latency: Iterable[int] = ()
) -> Scorecard:
    """Measure a model on the given images.

    Parameters
    ----------
    model
        A torch.nn.Module, keras.Model or tf_keras.Model that classifies; its outputs are (n, classes).
    data
        (x, y): uint8 or float images, integer classes.
    name
        What to call the row; the model's class if None.
    latency
        Numbers of images for which to time a forward pass, such as ``(1, 64)``. To compare models, time them
        together: `pruneviz.latency`.

    Returns
    -------
    Scorecard
        Accuracy with its interval, and what the model costs.

    Raises
    ------
    TypeError, ValueError
        If data or model are of another form, or the outputs are not (n, classes) or hold NaN.
    """
    x, y = checked_pair(data)
    sizes = timing.checked_batches("latency", latency)
    adapter = frameworks.adapter(model)
    title = name or type(model).__name__
    card = carded(adapter, (x, y), classes(adapter, (x, y), adapter.predict(x)), title)
    times = timing.latency({title: model}, x, sizes)[title]
    return replace(card, latency_ms=times, divided_twice=divided_twice(adapter, x))


def carded(adapter: frameworks.Adapter, data: Checked, predictions: Array, name: str) -> Scorecard:
    """Make the card of a model whose predictions, (n,) classes as `classes` gives them, are known."""
    x, y = data
    correct = int(np.count_nonzero(predictions == y))
    layers = looked_at(adapter)
    weights = {name: layer.weight for name, layer in layers.items()}
    times, others = uses(adapter, x), adapter.products(x)
    parameters, buffers, arrays = adapter.parameters(), adapter.buffers(), adapter.arrays()
    raw = adapter.serialised()
    entries = sum(weight.size for weight in weights.values())
    alive = {key: int(np.count_nonzero(weight)) for key, weight in weights.items()}
    return Scorecard(
        name=name,
        accuracy=correct / len(x),
        n=len(x),
        interval=wilson(correct, len(x)),
        parameters=sum(array.size for array in parameters.values()),
        buffers=sum(array.size for array in buffers.values()),
        nonzero=sum(int(np.count_nonzero(array)) for array in parameters.values()),
        sparsity=1 - sum(alive.values()) / entries if entries else 0.0,
        macs=sum(times[key] * weight.size for key, weight in weights.items()),
        nonzero_macs=sum(times[key] * alive[key] for key in weights),
        uncounted=tuple(dict.fromkeys(outermost(path, layers) for path, n in others.items() if n > 0)),
        uncovered=layers.uncovered,
        weights={key: (alive[key], weight.size) for key, weight in weights.items()},
        raw_bytes=len(raw),
        gzip_bytes=len(gzip.compress(raw, compresslevel=6, mtime=0)),
        compact_bytes=len(storage.packed(arrays)),
        predictions=predictions,
        labels=y.copy(),
    )


def classes(adapter: frameworks.Adapter, data: Checked, outputs: Array) -> Array:
    """Turn a classifier's outputs (n, classes) into (n,) predicted classes; refuse what labels do not fit.

    One output, (n,) or (n, 1), tells two classes apart: above 1/2 if it is a probability, or else above 0.
    """
    outputs = frameworks.in_columns(outputs)
    probable = frameworks.probable(adapter, data, outputs)
    if np.isnan(outputs).any():
        raise ValueError("the model's outputs are NaN for some images")
    if outputs.shape[1] == 1:
        return (outputs[:, 0] > (0.5 if probable else 0)).astype(np.int64)
    predictions: Array = outputs.argmax(axis=1)
    return predictions


def uses(adapter: frameworks.Adapter, x: Images) -> Mapping[str, int]:
    """Count how often each weight of a layer is multiplied for one image like those in x."""
    counts: Counter[str] = Counter()
    adapter.watch(x[:1], lambda name, times, _: counts.update({name: times}))
    return counts
