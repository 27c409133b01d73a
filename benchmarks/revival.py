"""Count the pruned weights that come back while a network trains on, for each optimiser.

    python benchmarks/revival.py            # PyTorch and Keras, half a minute on one core

LeNet-300-100 loses 90% of its weights, then takes ten steps of training. Counted are the pruned weights that
are not zero afterwards, for five optimisers and five ways to train on:

unmasked
    Nothing is done about the zeros.
masked_new
    The gradient of pruned weights is set to zero; the optimiser is new.
masked_history
    The same, but the optimiser has taken five steps before the cut, and remembers them.
decay_alone
    Every gradient is zero, and there is weight decay.
keep_pruned
    `pruneviz.keep_pruned`, with an optimiser that remembers.

The result goes to ``lessons/results/revival.json``.
"""

from __future__ import annotations

import contextlib
import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch._dynamo  # before TensorFlow, or both abort when an optimizer is made
from shared import RESULTS, keep

import pruneviz as pv
from pruneviz import frameworks
from pruneviz.engine import pruning
from pruneviz.engine.model import Seen

if TYPE_CHECKING:
    from pruneviz.core.arrays import Array

RESULT = RESULTS / "revival.json"
SPARSITY, HISTORY, STEPS, BATCH, DECAY = 0.9, 5, 10, 512, 0.1
OPTIMIZERS = ("SGD", "SGD, momentum", "Adam", "AdamW", "RMSprop")
WAYS = ("unmasked", "masked_new", "masked_history", "decay_alone", "keep_pruned")


class Torch:
    """A network in PyTorch, and what trains it."""

    def __init__(self, kind: str, decay: float) -> None:
        self.model = pv.zoo.lenet_300_100("torch")
        name, _, momentum = kind.partition(", ")
        rate = 0.1 if name == "SGD" else 1e-3
        options = {"momentum": 0.9} if momentum else {}
        make = getattr(torch.optim, name)
        self.optimizer = make(self.model.parameters(), lr=rate, weight_decay=decay, **options)

    def step(self, images: Array, labels: Array, mask: pv.Mask | None, slopes: float) -> None:
        """Take a step; a mask silences the gradient of what it prunes, and slopes 0 silences all."""
        self.optimizer.zero_grad()
        outputs = self.model(torch.tensor(images.transpose(0, 3, 1, 2)))
        torch.nn.functional.cross_entropy(outputs, torch.tensor(labels)).backward()
        for name, kept in (mask or {}).items():
            self.model.get_submodule(name).weight.grad *= torch.tensor(kept)
        for weight in self.model.parameters():
            weight.grad *= slopes
        self.optimizer.step()


class Keras:
    """The same in Keras."""

    def __init__(self, kind: str, decay: float) -> None:
        self.keras, self.tf = importlib.import_module("keras"), importlib.import_module("tensorflow")
        self.model = pv.zoo.lenet_300_100("keras")
        name, _, momentum = kind.partition(", ")
        rate = 0.1 if name == "SGD" else 1e-3
        options = {"momentum": 0.9} if momentum else {}
        self.optimizer = getattr(self.keras.optimizers, name)(rate, weight_decay=decay, **options)
        self.optimizer.build(self.model.trainable_variables)
        self.loss = self.keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def step(self, images: Array, labels: Array, mask: pv.Mask | None, slopes: float) -> None:
        """Take a step as PyTorch's does."""
        with self.tf.GradientTape() as tape:
            loss = self.loss(labels, self.model(images))
        weights = self.model.trainable_variables
        gradients = [gradient * slopes for gradient in tape.gradient(loss, weights)]
        for place, kept in enumerate((mask or {}).values()):
            gradients[2 * place] *= kept.T.astype(np.float32)  # kernels and biases take turns
        self.optimizer.apply_gradients(zip(gradients, weights, strict=True))


def main() -> None:
    """Count, and write the table."""
    torch.set_num_threads(1)
    table: dict[str, Any] = {
        "made_by": f"benchmarks/{Path(__file__).name}",
        "sparsity": SPARSITY,
        "steps": STEPS,
        "steps_before": HISTORY,
        "decay": DECAY,
        "revived": {},
    }
    for framework, home in (("torch", Torch), ("keras", Keras)):
        mask = pv.prune(pv.zoo.lenet_300_100(framework), SPARSITY)
        table["pruned"] = mask.pruned
        rows = table["revived"][framework] = {}
        for kind in OPTIMIZERS:
            rows[kind] = {way: revived(home, kind, way, mask) for way in WAYS}
            print(framework, kind, rows[kind], flush=True)
    keep(RESULT, table)


def revived(home: type[Torch | Keras], kind: str, way: str, mask: pv.Mask) -> int:
    """Cut a network, train it on in one way, and count the zeros that are back."""
    images, labels = (array[: (HISTORY + STEPS) * BATCH] for array in pv.datasets.mnist().train)
    parts = (np.split(array, HISTORY + STEPS) for array in (images / np.float32(255), labels))
    batches = list(zip(*parts, strict=True))
    student = home(kind, DECAY if way == "decay_alone" else 0.0)
    if way in ("masked_history", "keep_pruned"):
        for batch in batches[:HISTORY]:
            student.step(*batch, None, 1.0)
    gone = pruning.zeros(Seen(student.model), mask)
    frameworks.adapter(student.model).zeroing(gone)()
    silenced = mask if way.startswith("masked") else None
    keeping = pv.keep_pruned(student.model, mask) if way == "keep_pruned" else contextlib.nullcontext()
    with keeping:
        for batch in batches[HISTORY:]:
            student.step(*batch, silenced, 0.0 if way == "decay_alone" else 1.0)
    layers = pv.network(student.model)
    return sum(int(np.count_nonzero(layers[name].weight[~kept])) for name, kept in mask.items())


if __name__ == "__main__":
    main()
