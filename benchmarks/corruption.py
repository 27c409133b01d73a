"""Measure what a test count hides: networks that read clean digits alike, on digits that are not clean.

    python benchmarks/corruption.py FOLDER     # a quarter of an hour on one core; goes on where it stopped

LeNet-5 from three seeds, as it came and fine-tuned for two epochs: dense, without a share of its weights
(magnitude, global), or without a share of the filters of each convolution (L1, removed). "Plain" fine-tuning
shifts the digits by a pixel at most, as the training did. "Augmented" also turns, shifts, pales and spoils
them by noise: all kinds of corruption that are tested, but blur. Each arm has two learning rates, of which
the clean validation digits choose one, by the network of seed 0. Every second test digit, 5,000 of them, is
counted clean and under five kinds of corruption of three strengths each. What is pruned and not trained is
counted on the 5,000 validation digits, for the picture that learners move. The folder keeps the networks,
which ``benchmarks/confidence.py`` reads; the result goes to ``lessons/results/corruption.json``.

L. Liebenwein, C. Baykal, B. Carter, D. Gifford and D. Rus, "Lost in Pruning: The Effects of Pruning Neural
Networks beyond Test Accuracy", Proceedings of Machine Learning and Systems, 2021.
"""

from __future__ import annotations

import argparse
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from shared import RESULTS, compact, descend, network
from torch.nn import functional as F  # noqa: N812
from training.mnist import shifted

import pruneviz as pv
from pruneviz.teaching.corruptions import CORRUPTIONS, corrupt

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

    from pruneviz.datasets import Split

RESULT = RESULTS / "corruption.json"
SEEDS, RATES, EPOCHS, BATCH = (0, 1, 2), (1e-3, 4e-3), 2, 128
DENSE = ("weights", 0.0)
PLAIN = (
    DENSE,
    *[("weights", share) for share in (0.5, 0.8, 0.9)],
    ("filters", 0.5),
)
AUGMENTED = (DENSE, ("weights", 0.8), ("filters", 0.5))
ONE_SHOT = (0.0, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9)


def main() -> None:
    """Train what the folder lacks, count, and store the table."""
    parser = argparse.ArgumentParser(description="Count right answers under corruption.")
    parser.add_argument("folder", type=Path, help="where trained networks are kept")
    folder = parser.parse_args().folder
    torch.set_num_threads(1)
    table = {
        "made_by": f"benchmarks/{Path(__file__).name}",
        "seeds": SEEDS,
        "images": len(part("test")[1]),
        "validation_images": len(part("validation")[1]),
        "corruptions": CORRUPTIONS,
        "one_shot": {f"{share:g}": one_shot(share, folder) for share in ONE_SHOT},
        "as_trained": [counts(network("lenet_5", seed, folder), "test") for seed in SEEDS],
        "rates": RATES,
        "fine_tuned": {
            f"{name_of(*cut)}, {recipe}": arm(cut, recipe, folder)
            for recipe, cuts in (("plain", PLAIN), ("augmented", AUGMENTED))
            for cut in cuts
        },
    }
    RESULT.write_text(compact(table), encoding="utf-8")
    print(f"written: {RESULT.name}")


def name_of(kind: str, share: float) -> str:
    """Name what is cut, as tables do."""
    return f"{kind} {share:.0%}" if share else "dense"


def one_shot(share: float, folder: Path) -> list[list[int]]:
    """Count what each seed's network still knows right after pruning weights."""
    return [counts(pruned(("weights", share), seed, folder)[0], "validation") for seed in SEEDS]


def arm(cut: tuple[str, float], recipe: str, folder: Path) -> dict[str, object]:
    """Choose a rate by seed 0, fine-tune every seed at it, and count."""
    first = [fine_tuned(cut, recipe, SEEDS[0], rate, folder) for rate in RATES]
    validation = [right(net, part("validation")) for net in first]
    rate = RATES[int(np.argmax(validation))]
    nets = [fine_tuned(cut, recipe, seed, rate, folder) for seed in SEEDS]
    found = {
        "rate": rate,
        "validation_at_each_rate": validation,
        "validation": [right(net, part("validation")) for net in nets],
        "right": [counts(net, "test") for net in nets],
    }
    print(name_of(*cut), recipe, found, flush=True)
    return found


def chosen_network(cut: tuple[str, float], recipe: str, seed: int, folder: Path) -> nn.Module:
    """Give an arm's network at the rate that the stored table says."""
    rate = pv.teaching.results("corruption")["fine_tuned"][f"{name_of(*cut)}, {recipe}"]["rate"]
    return fine_tuned(cut, recipe, seed, rate, folder)


def fine_tuned(cut: tuple[str, float], recipe: str, seed: int, rate: float, folder: Path) -> nn.Module:
    """Load a network that the folder has; else prune, train and keep it."""
    path = folder / f"{name_of(*cut)}, {recipe}, {rate:g}, {seed}.pruneviz"
    net, mask = pruned(cut, seed, folder)
    if path.exists():
        return pv.load(path, net)
    torch.manual_seed(seed)
    optimizer = torch.optim.Adam(net.parameters(), rate, fused=True)
    steps = EPOCHS * -(-len(pv.datasets.mnist().train[1]) // BATCH)
    falling = torch.optim.lr_scheduler.LinearLR(optimizer, 1, 0, total_iters=steps)
    with pv.keep_pruned(net, mask, optimizer):
        descend(net, optimizer, EPOCHS, BATCH, falling, CHANGES[recipe])
    pv.save(net, path)
    return net


def pruned(cut: tuple[str, float], seed: int, folder: Path) -> tuple[nn.Module, pv.Mask]:
    """Prune without training; of what is removed, no mask is left."""
    (kind, share), net, example = cut, network("lenet_5", seed, folder), pv.datasets.mnist().train[0][:1]
    if kind == "weights":
        mask = pv.prune(net, share)
        return pv.apply(net, mask), mask
    mask = pv.prune(net, share, granularity="filter", scope="layer", example=example)
    return pv.remove(net, mask, example), pv.Mask({})


def plain(x: Tensor) -> Tensor:
    """Move each digit by a pixel at most."""
    return shifted(x, 1)


def augmented(x: Tensor) -> Tensor:
    """Turn digits by up to 30 degrees, move them by up to 3 pixels, make them paler, and add noise."""
    n, pixels = len(x), 2 / x.shape[-1]  # grid_sample's unit is half an image
    angle = torch.deg2rad(30 * (2 * torch.rand(n) - 1))
    move = 3 * pixels * (2 * torch.rand(n, 2) - 1)
    turn = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], 1).view(n, 2, 2)
    grid = F.affine_grid(torch.cat([turn, move[..., None]], 2), list(x.shape), align_corners=False)
    x = F.grid_sample(x, grid, align_corners=False)
    x = x * (0.3 + 0.7 * torch.rand(n, 1, 1, 1))
    return (x + 0.3 * torch.rand(n, 1, 1, 1) * torch.randn_like(x)).clamp(0, 1)


CHANGES: dict[str, Callable[[Tensor], Tensor]] = {"plain": plain, "augmented": augmented}


def part(name: str) -> Split:
    """Give the images that are counted, and their labels."""
    images, labels = getattr(pv.datasets.mnist(), name)
    return (images[::2], labels[::2]) if name == "test" else (images, labels)


@cache
def sets(name: str) -> list[np.ndarray]:
    """Give the images of a part: clean, then of each kind of corruption the three strengths."""
    clean = part(name)[0]
    return [clean, *(corrupt(clean, kind, s) for kind, strengths in CORRUPTIONS.items() for s in strengths)]


def counts(net: nn.Module, name: str) -> list[int]:
    """Count the right answers on each of the sixteen sets of a part."""
    return [right(net, (images, part(name)[1])) for images in sets(name)]


def right(net: nn.Module, data: Split) -> int:
    """Count the right answers."""
    return int((logits(net, data[0]).argmax(1) == data[1]).sum())


@torch.no_grad()
def logits(net: nn.Module, images: np.ndarray) -> np.ndarray:
    """Give the ten outputs before softmax, (n, 10), of uint8 images."""
    x = torch.tensor(images.transpose(0, 3, 1, 2)).float() / 255
    return torch.cat([net(part) for part in x.split(500)]).numpy()


if __name__ == "__main__":
    main()
