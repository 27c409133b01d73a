"""The example of "How to do pruning so you don't cry later": what its bare call does, beside a dense network.

As printed it stops: the import and the callback that tfmot asks for are missing. They are added here, and
tf_keras, the only Keras that tfmot takes. The article prints no figure. An arm at 90% stands beside, because
the article's text is about small networks, and half of the weights is little.
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
    "who": "How to do pruning so you don't cry later",
    "claim": "lighter and faster, without losing quality",
}
SETTINGS: dict[str, Any] = {
    "epochs": 5,
    "more_epochs": 3,
    "batch": 32,
    "rate": 1e-3,
    "rates": [1e-3, 2.5e-4],
    "sparser": 0.9,
}
SEEDS: tuple[int, ...] = (0, 1, 2)
CASES: tuple[str, ...] = ("",)


def run(_case: str, seed: int, settings: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Train, then train on: by the bare call, at 90%, and dense."""
    prune, plan = tfmot_arms.tools.prune_low_magnitude, tfmot_arms.tools.ConstantSparsity
    arms = {
        "bare call": prune,
        "sparser": lambda model: prune(model, pruning_schedule=plan(settings["sparser"], 0)),
        "dense": lambda model: model,
    }
    return tfmot_arms.follow(partial(network, seed), arms, seed, settings, folder)


def network(seed: int) -> tf_keras.Model:
    """Build the article's network; its input is flattened here."""
    tf_keras.utils.set_random_seed(seed)
    layers = tf_keras.layers
    return tf_keras.Sequential(
        [
            layers.InputLayer((28, 28, 1)),
            layers.Flatten(),
            layers.Dense(128, activation="relu", name="fc1"),
            layers.Dense(64, activation="relu", name="fc2"),
            layers.Dense(10, activation="softmax", name="fc3"),
        ]
    )
