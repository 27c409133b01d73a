"""Jan Marcel Kezmann's TensorFlow example: 80% of a small network on MNIST, beside one that only trains on.

The article trains on 60,000 images; here 5,000 of them choose the rate of each arm. All else is as printed:
the network, Adam, batches of 32, 20 epochs, tfmot's schedule, and 20 more epochs.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import tf_keras

from . import tfmot_arms

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ARTICLE: dict[str, Any] = {
    "who": "Kezmann, Optimizing Deep Learning Models with Pruning: A Practical Guide",
    "test_percent": {"dense": 98.2, "pruned": 97.0},
    "sparsity": 0.8,
    "smaller_percent": 80,
}
SETTINGS: dict[str, Any] = {
    "epochs": 20,
    "more_epochs": 20,
    "batch": 32,
    "rate": 1e-3,
    "rates": [1e-3, 2.5e-4],
    "schedule": {"initial_sparsity": 0.50, "final_sparsity": 0.80, "begin_step": 2000, "end_step": 4000},
}
SEEDS: tuple[int, ...] = (0, 1, 2)
CASES: tuple[str, ...] = ("",)


def run(_case: str, seed: int, settings: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Train, then train on: along tfmot's schedule, and dense."""

    def pruned(model: tf_keras.Model) -> tf_keras.Model:
        plan = tfmot_arms.tools.PolynomialDecay(**settings["schedule"])
        return tfmot_arms.tools.prune_low_magnitude(model, pruning_schedule=plan)

    arms = {"pruned": pruned, "dense": lambda model: model}
    return tfmot_arms.follow(partial(network, seed), arms, seed, settings, folder)


def network(seed: int) -> tf_keras.Model:
    """Build the article's network."""
    tf_keras.utils.set_random_seed(seed)
    layers = tf_keras.layers
    return tf_keras.Sequential(
        [
            layers.InputLayer((28, 28, 1)),
            layers.Conv2D(12, 3, activation="relu", name="conv"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(10, activation="softmax", name="dense"),
        ]
    )
