"""A network of tf_keras, trained on along several arms: pruned by tfmot, or dense, at several rates.

Every arm begins with the weights at which the first training ended, with a fresh Adam, unless it keeps the
old one, and sees the same images in the same order. What an arm found is kept in the folder, so a run that
was ended goes on at the next arm.
"""

from __future__ import annotations

import gzip
import json
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import tensorflow_model_optimization as tfmot
import tf_keras

import pruneviz as pv
from pruneviz.files.writing import whole

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Found = dict[str, Any]
    Pair = list[int]

tools = tfmot.sparsity.keras
AT_ONCE = 191  # steps in one call of TensorFlow: 9 x 191 are the 1,719 of an epoch in batches of 32


class Data(NamedTuple):
    """Training images in [0, 1], their labels, and the two sets on which right answers are counted."""

    x: np.ndarray
    y: np.ndarray
    sets: tuple[tuple[np.ndarray, np.ndarray], ...]


class Counts(tf_keras.callbacks.Callback):
    """After each epoch, note the right answers of 5,000 and 10,000, and how sparse the weights are."""

    def __init__(self, data: Data) -> None:
        super().__init__()
        self.data = data
        self.found: Found = {"right": [], "sparsity": [], "loss": []}

    def on_epoch_end(self, _epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Count."""
        self.found["right"].append(right(self.model, self.data))
        layers = zeros(self.model).values()
        share = sum(gone for gone, _ in layers) / sum(weights for _, weights in layers)
        self.found["sparsity"].append(round(share, 4))
        self.found["loss"].append(float(f"{(logs or {})['loss']:.4g}"))


def mnist() -> Data:
    """Load the digits."""
    digits = pv.datasets.mnist()
    (x, y), *sets = [
        (images.astype(np.float32) / 255, labels)
        for images, labels in (digits.train, digits.validation, digits.test)
    ]
    return Data(x, y, tuple(sets))


def right(model: tf_keras.Model, data: Data) -> Pair:
    """Count right answers on validation and test images."""
    return [int((model.predict(x, batch_size=5_000, verbose=0).argmax(1) == y).sum()) for x, y in data.sets]


def zeros(model: tf_keras.Model) -> dict[str, Pair]:
    """Count the zeros, and all weights, of each layer's kernel."""
    kernels = {
        layer.name.removeprefix("prune_low_magnitude_"): layer.kernel.numpy()
        for layer in (getattr(layer, "layer", layer) for layer in model.layers)
        if hasattr(layer, "kernel")
    }
    return {name: [int((kernel == 0).sum()), kernel.size] for name, kernel in kernels.items()}


def follow(
    build: Callable[[], tf_keras.Model],
    arms: Mapping[str, Callable[[tf_keras.Model], tf_keras.Model]],
    seed: int,
    settings: Mapping[str, Any],
    folder: Path,
) -> Found:
    """Give what was found after each epoch: of the first training, and arm by arm of what follows."""
    data = mnist()
    folder.mkdir(parents=True, exist_ok=True)
    first = folder / "start.weights.h5"

    def beginning() -> Found:
        model = build()
        counts = fit(model, data, seed, settings["epochs"], settings["rate"], settings["batch"])
        model.save_weights(first)
        return counts

    def arm(prepare: Callable[[tf_keras.Model], tf_keras.Model], rate: float) -> Found:
        model = build()
        model.load_weights(first)
        model = prepare(model)
        counts = fit(model, data, seed, settings["more_epochs"], rate, settings["batch"])
        bare = tools.strip_pruning(model)
        return {**counts, "zeros": zeros(bare), "bytes": sizes(model, bare)}

    found: Found = {"dense": kept(folder / "start.json", beginning)["right"], "arms": {}}
    for name, prepare in arms.items():
        for rate in settings["rates"]:
            told = kept(folder / f"{name} {rate:g}.json", partial(arm, prepare, rate))
            found["arms"][f"{name}, {rate:g}"] = told.pop("right")
            for what, value in told.items():
                found.setdefault(what, {})[f"{name}, {rate:g}"] = value
    return found


def fit(model: tf_keras.Model, data: Data, seed: int, epochs: int, rate: float, batch: int) -> Found:
    """Train in place with a fresh Adam, in an order of the images that the seed decides."""
    tf_keras.utils.set_random_seed(seed)
    model.compile(
        tf_keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", steps_per_execution=AT_ONCE
    )
    counts = Counts(data)
    calls = [tools.UpdatePruningStep(), counts]
    model.fit(data.x, data.y, batch_size=batch, epochs=epochs, verbose=0, callbacks=calls)
    return counts.found


def kept(path: Path, make: Callable[[], Found]) -> Found:
    """Read what an earlier run has found; else find it, and keep it."""
    if not path.exists():
        found = make()
        with whole(path) as file:
            file.write(json.dumps(found).encode())
    return dict(json.loads(path.read_text(encoding="utf-8")))


def sizes(wrapped: tf_keras.Model, bare: tf_keras.Model) -> dict[str, Pair | int]:
    """Write files, plain and gzipped, of the model as it was trained and stripped, and one of pruneviz."""
    written: dict[str, Pair | int] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, model in {"with its masks": wrapped, "stripped": bare}.items():
            path = Path(folder) / "model.h5"
            with pv.teaching.quietly():  # it would rather write another format
                model.save(path, include_optimizer=False)
            plain = path.read_bytes()
            written[name] = [len(plain), len(gzip.compress(plain, mtime=0))]
        pv.save(bare, Path(folder) / "model.pv")
        written["pv.save"] = (Path(folder) / "model.pv").stat().st_size
    return written
