"""Train ResNet-20 on the first 45,000 training images of CIFAR-10.

    python -m benchmarks.training.resnet                           # into the package
    python -m benchmarks.training.resnet --checkpoint FILE         # the same; FILE holds the state

The state is stored after every epoch: a run that was ended goes on where it was, and since every epoch draws
its images from a generator of its own, it goes on as if nothing had happened. While the rate is constant, it
may also go on with another number of epochs. The weights after the last epoch are those that are stored; no
epoch is chosen. Test images are counted once, afterwards, for the model card. With OMP_NUM_THREADS=2 an epoch
takes about a minute on two idle cores; on busy ones a single thread is faster.
"""

from __future__ import annotations

import argparse
import csv
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors.numpy import load_file, save_file
from torch import Tensor, nn

from pruneviz import datasets, zoo
from pruneviz.zoo.modelcards import Card
from pruneviz.zoo.torch import build

from .mnist import correct, stored

_NAME = "resnet_20"
_HOME = Path(zoo.__file__).parent
_PADDING = 4


@dataclass(frozen=True)
class Recipe:
    """How to train: the rate rises during two epochs, stays, and falls to zero during the last `cooldown`."""

    epochs: int = 32
    cooldown: int = 14
    rate: float = 0.1
    batch: int = 128
    decay: float = 5e-4
    seed: int = 0

    def rate_after(self, epochs: float) -> float:
        """Return the learning rate when that many epochs are done."""
        return self.rate * min(1, (epochs + 0.1) / 2, (self.epochs - epochs) / self.cooldown)

    def __str__(self) -> str:
        """Put the recipe in words, for the model card."""
        return (
            f"SGD with Nesterov momentum 0.9, learning rate rising to {self.rate:g} during 2 epochs and "
            f"falling linearly to 0 during the last {self.cooldown} of {self.epochs}, batches of "
            f"{self.batch}, cross-entropy, weight decay {self.decay:g}, random crops from images "
            f"with {_PADDING} px of black around, random flips, bfloat16 autocast"
        )


class Training:
    """One training run, whose whole state is `state`."""

    def __init__(self, recipe: Recipe, data: datasets.Dataset) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe, self.data = recipe, data
        self.model: nn.Module = build(_NAME, None).to(memory_format=torch.channels_last)
        for module in self.model.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        self.optimizer = torch.optim.SGD(
            self.model.parameters(), recipe.rate, momentum=0.9, weight_decay=recipe.decay, nesterov=True
        )
        self.log: list[dict[str, float]] = []
        x, y = data.train
        self.x = nn.functional.pad(torch.tensor(x), [0, 0, *[_PADDING] * 4])  # (n, 40, 40, 3), uint8
        self.y = torch.tensor(y)

    @property
    def state(self) -> dict[str, Any]:
        """What a checkpoint holds."""
        parts = {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict()}
        return {**parts, "log": self.log, "recipe": asdict(self.recipe)}

    def resume(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint; the plan may have changed for what is still to come."""
        before, done = Recipe(**state["recipe"]), len(state["log"])
        same = replace(before, epochs=self.recipe.epochs, cooldown=self.recipe.cooldown) == self.recipe
        constant = all(done <= plan.epochs - plan.cooldown for plan in (before, self.recipe))
        if before != self.recipe and not (same and constant):
            raise ValueError(f"the checkpoint has {done} epochs of another recipe: {before}")
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.log = state["log"]

    def epoch(self) -> None:
        """See every training image once, and note how it went."""
        started, losses = time.perf_counter(), 0.0
        draw = torch.Generator().manual_seed(1000 * self.recipe.seed + len(self.log))
        self.model.train()
        batches = torch.split(torch.randperm(len(self.y), generator=draw), self.recipe.batch)
        for i, batch in enumerate(batches):
            self.optimizer.param_groups[0]["lr"] = self.recipe.rate_after(len(self.log) + i / len(batches))
            with torch.autocast("cpu", torch.bfloat16):
                loss = nn.functional.cross_entropy(self.model(self._images(batch, draw)), self.y[batch])
            self.optimizer.zero_grad()
            torch.autograd.backward(loss)
            self.optimizer.step()
            losses += loss.item() * len(batch)
        self.model.eval()
        with torch.autocast("cpu", torch.bfloat16):
            right = correct(self.model, self.data.validation)
        self.log.append(
            {
                "epoch": len(self.log) + 1,
                "rate": self.optimizer.param_groups[0]["lr"],
                "loss": losses / len(self.y),
                "validation_correct": right,
                "seconds": time.perf_counter() - started,
            }
        )

    def _images(self, batch: Tensor, draw: torch.Generator) -> Tensor:
        """Crop the images somewhere and turn every second one round, as (n, 3, 32, 32) in [0, 1]."""
        size = self.x.shape[1] - 2 * _PADDING
        top, left = torch.randint(2 * _PADDING + 1, (2, len(batch), 1), generator=draw)
        rows, columns = torch.arange(size) + top, torch.arange(size) + left
        flipped = torch.randint(2, (len(batch), 1), generator=draw, dtype=torch.bool)
        columns = torch.where(flipped, columns.flip(1), columns)
        images = self.x[batch[:, None, None], rows[:, :, None], columns[:, None, :]]
        return images.permute(0, 3, 1, 2) / 255


def train(recipe: Recipe, data: datasets.Dataset, checkpoint: Path) -> Training:
    """Train until the recipe's last epoch, from the checkpoint on if there is one.

    Parameters
    ----------
    recipe : Recipe
        How.
    data : Dataset
        What to learn from.
    checkpoint : Path
        The file that holds the state after each epoch.

    Returns
    -------
    Training
        The finished run.

    Raises
    ------
    ValueError
        If the checkpoint was made with another recipe.
    """
    run = Training(recipe, data)
    if checkpoint.exists():
        run.resume(torch.load(checkpoint, weights_only=True))
    while len(run.log) < recipe.epochs:
        run.epoch()
        unfinished = checkpoint.with_suffix(".new")
        torch.save(run.state, unfinished)
        unfinished.replace(checkpoint)
        print(*(f"{key} {value:.4g}" for key, value in run.log[-1].items()), flush=True)
    return run


def write(run: Training, weights: Path, cards: Path) -> Card:
    """Store the weights, the log and the model card, whose counts are those of the weights as stored."""
    file = weights / f"{_NAME}.safetensors"
    save_file(stored(run.model), file)
    arrays = load_file(file)
    model = build(_NAME, arrays)
    card = Card(
        name=_NAME,
        data=f"CIFAR-10, the first {len(run.y):,} training images, pixels in [0, 1]",
        recipe=str(run.recipe),
        seed=run.recipe.seed,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        precision=str(next(iter(arrays.values())).dtype),
        validation_correct=correct(model, run.data.validation),
        validation_images=len(run.data.validation[1]),
        test_correct=correct(model, run.data.test),
        test_images=len(run.data.test[1]),
    )
    with (cards / f"{_NAME}.csv").open("w", newline="", encoding="utf-8") as log:
        table = csv.writer(log, lineterminator="\n")
        table.writerow(run.log[0])
        table.writerows([f"{value:.6g}" for value in row.values()] for row in run.log)
    card.write(cards)
    return card


def main() -> None:
    """Train as the command line asks."""
    parser = argparse.ArgumentParser(description="Train ResNet-20 on CIFAR-10.")
    for name, default in asdict(Recipe()).items():
        parser.add_argument(f"--{name}", type=type(default), default=default)
    parser.add_argument("--checkpoint", type=Path, default=Path("resnet_20.pt"), help="state, to go on from")
    parser.add_argument("--out", type=Path, help="folder for weights, log and card; default: the package")
    chosen = vars(parser.parse_args())
    checkpoint, out = chosen.pop("checkpoint"), chosen.pop("out")
    run = train(Recipe(**chosen), datasets.cifar10(), checkpoint)
    print(write(run, out or _HOME / "weights", out or _HOME / "cards"))


if __name__ == "__main__":
    main()
