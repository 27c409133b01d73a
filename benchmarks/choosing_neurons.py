"""Which neurons of fc1 can go? What lesson 02a measures on one LeNet-300-100, on three.

    python benchmarks/choosing_neurons.py FOLDER      # about five minutes on one core

Seed 0 is the zoo's network; FOLDER holds the others, which are trained if missing. Everything is counted on
the 5,000 validation images. Half of fc1 is cut by several scores, with nothing left behind, with its average,
and the other way round: all neurons stay, and only the sums of fc2 are shifted by what the cut would take
away on average. Then the neurons that change the fewest answers go together, beside what their single changes
of the outputs add up to; and several ways to choose one after the other. Writes
``lessons/results/choosing_neurons.json``, which lesson 02a reads.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from shared import RESULTS, compact, network

import pruneviz as pv

RESULT = RESULTS / "choosing_neurons.json"
SEEDS, DRAWS, COUNTS = (0, 1, 2), 10, (50, 100, 150, 200)
SCORED_ON, FEW, MANY = 10_000, 300, 5_000


def main() -> None:
    """Measure three networks, and store the table."""
    parser = argparse.ArgumentParser(description="Cut neurons of fc1, and leave something behind.")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="holds the seeds; made if missing")
    folder = parser.parse_args().folder
    torch.set_num_threads(1)
    mnist = pv.datasets.mnist()
    table = {
        "made_by": f"benchmarks/{Path(__file__).name}",
        "images": len(mnist.validation[1]),
        "ones": int(np.sum(mnist.validation[1] == 1)),
        "counts": COUNTS,
        "seeds": {str(seed): Study(network("lenet_300_100", seed, folder), mnist).table() for seed in SEEDS},
    }
    RESULT.write_text(compact(table), encoding="utf-8")
    print(f"written: {RESULT.name}")


class Study:
    """One network, computed in NumPy from what fc1 sends on."""

    def __init__(self, model: torch.nn.Module, mnist: pv.datasets.Dataset) -> None:
        arrays = {layer.name: (layer.weight, layer.bias) for layer in pv.network(model).layers}
        (self.first, self.first_bias), (self.into, self.bias), (self.out, self.out_bias) = arrays.values()
        self.sent, self.labels = self.hidden(mnist.validation[0]), mnist.validation[1]
        self.train = self.hidden(mnist.train[0][:SCORED_ON])
        self.train_labels = mnist.train[1]
        self.outputs = self.finish(self.sums(self.sent))

    def table(self) -> dict[str, object]:
        """Measure everything."""
        found = {
            "dense": self.right(self.outputs),
            "left_behind": self.left_behind(),
            "together": self.together(),
            "one_after_the_other": self.one_after_the_other(),
        }
        print(found, flush=True)
        return found

    def hidden(self, images: np.ndarray) -> np.ndarray:
        """Compute what fc1 sends on: (images, neurons)."""
        pixels = images.reshape(len(images), -1) / np.float32(255)
        return np.maximum(pixels @ self.first.T + self.first_bias, 0)

    def sums(self, sent: np.ndarray) -> np.ndarray:
        """Compute what arrives in fc2."""
        arriving: np.ndarray = sent @ self.into.T + self.bias
        return arriving

    def finish(self, sums: np.ndarray) -> np.ndarray:
        """Compute the outputs from the sums of fc2."""
        return np.maximum(sums, 0) @ self.out.T + self.out_bias

    def right(self, outputs: np.ndarray) -> int:
        """Count right answers."""
        return int(np.sum(outputs.argmax(axis=1) == self.labels))

    def left_behind(self) -> dict[str, dict[str, list[int]]]:
        """Cut half of fc1 by each score: right answers, and right ones among the images of a 1."""
        scores = {
            "density": np.mean(self.train > 0, axis=0),
            "mean activity": self.train.mean(axis=0),
            "L1 norm": np.abs(self.first).sum(axis=1),
            **{f"random {n}": np.random.default_rng(n).random(300) for n in range(DRAWS)},
        }
        found: dict[str, dict[str, list[int]]] = {}
        for name, score in scores.items():
            gone = np.isin(np.arange(300), np.argsort(score, kind="stable")[:150])
            shift = self.into[:, gone] @ self.train[:, gone].mean(axis=0)
            cut = self.sums(np.where(gone, 0, self.sent))
            arms = {"nothing": cut, "average": cut + shift, "shift alone": self.sums(self.sent) - shift}
            found[name] = {}
            for arm, sums in arms.items():
                answers = self.finish(sums).argmax(axis=1)
                ones = np.sum((answers == 1) & (self.labels == 1))
                found[name][arm] = [int(np.sum(answers == self.labels)), int(ones)]
        return found

    def together(self) -> list[dict[str, int]]:
        """Silence the most harmless together, and add up their single changes of the outputs."""
        changes = self.changes(self.sent)
        answers = self.outputs.argmax(axis=1)
        alone = [np.sum((self.outputs + change).argmax(axis=1) != answers) for change in changes]
        order = np.argsort(alone, kind="stable")
        rows = []
        for count in COUNTS:
            left = np.where(np.isin(np.arange(300), order[:count]), 0, self.sent)
            real = self.finish(self.sums(left))
            added = self.outputs + changes[order[:count]].sum(axis=0)
            rows.append(
                {
                    "each at most": int(alone[order[count - 1]]),
                    "changed": int(np.sum(real.argmax(axis=1) != answers)),
                    "lost": self.right(self.outputs) - self.right(real),
                    "lost, added up": self.right(self.outputs) - self.right(added),
                }
            )
        return rows

    def changes(self, sent: np.ndarray) -> np.ndarray:
        """Silence each neuron alone: how the outputs change, (neurons, images, 10)."""
        sums = self.sums(sent)
        whole = self.finish(sums)
        without = (self.finish(sums - np.outer(sent[:, i], self.into[:, i])) for i in range(300))
        return np.stack([outputs - whole for outputs in without])

    def one_after_the_other(self) -> dict[str, list[int]]:
        """Choose by the loss, re-scored, added up, or ranked once; and by L1 norm: right at each count."""
        few, many = (self.loss_of_each(n) for n in (FEW, MANY))
        heard = self.train.mean(axis=0) * np.abs(self.into).sum(axis=0)
        ways = {
            "greedy": self.greedy(),
            "greedy, added up": self.added_up(),
            "ranked once, 300 images": list(np.argsort(few, kind="stable")),
            "ranked once, 5,000 images": list(np.argsort(many, kind="stable")),
            "L1 norm": list(np.argsort(np.abs(self.first).sum(axis=1), kind="stable")),
            "activity times weights": list(np.argsort(heard, kind="stable")),
        }
        return {name: [self.without(order[:count]) for count in COUNTS] for name, order in ways.items()}

    def without(self, gone: list[int]) -> int:
        """Count right answers when some neurons are silent."""
        left = np.where(np.isin(np.arange(300), gone), 0, self.sent)
        return self.right(self.finish(self.sums(left)))

    def loss(self, outputs: np.ndarray) -> np.ndarray:
        """Average the loss over the first training images; any axes may stand before (images, 10)."""
        count = outputs.shape[-2]
        top = outputs.max(axis=-1, keepdims=True)
        total = np.log(np.exp(outputs - top).sum(axis=-1)) + top[..., 0]
        of_truth = outputs[..., np.arange(count), self.train_labels[:count]]
        return np.asarray(np.mean(total - of_truth, axis=-1))

    def loss_of_each(self, count: int) -> np.ndarray:
        """Silence each neuron alone: the loss on the first training images."""
        sent = self.train[:count]
        sums = self.sums(sent)
        without = (sums - np.outer(sent[:, i], self.into[:, i]) for i in range(300))
        return np.array([self.loss(self.finish(each)) for each in without])

    def greedy(self) -> list[int]:
        """Silence the least harmful one, measure the others again, and so on."""
        sent, left, gone = self.train[:FEW], list(range(300)), list[int]()
        sums = self.sums(sent)
        while len(gone) < max(COUNTS):
            losses = [self.loss(self.finish(sums - np.outer(sent[:, i], self.into[:, i]))) for i in left]
            least = left.pop(int(np.argmin(losses)))
            sums = sums - np.outer(sent[:, least], self.into[:, least])
            gone.append(least)
        return gone

    def added_up(self) -> list[int]:
        """Do the same, but never measure again: add the single changes of the outputs up."""
        sent, left, gone = self.train[:FEW], list(range(300)), list[int]()
        changes, outputs = self.changes(sent), self.finish(self.sums(sent))
        while len(gone) < max(COUNTS):
            least = left.pop(int(np.argmin(self.loss(outputs + changes[left]))))
            outputs = outputs + changes[least]
            gone.append(least)
        return gone


if __name__ == "__main__":
    main()
