"""Why did the article's ResNet collapse at 50%? Muheeb's Table 2, asked again of ResNet-20.

    python benchmarks/collapse.py FOLDER      # ten minutes on two idle cores; stopped, it can go on

The article prunes each layer but the last by L1, without training on: 88.6% of ResNet-18's answers are
right at 25%, 17.4% at 50%. Here the zoo's ResNet-20 is pruned in the same way, then in ways that differ
in one thing each. Everything is counted on the 10,000 test images, in bfloat16, as the network
was trained: in float32 an image or two more or less is right. BatchNorm's statistics are estimated anew from
the first 4,000 training images, without their labels.

FOLDER holds what has been counted so far. Prints the table, and writes ``lessons/results/collapse.json``,
which lesson 04a reads.
"""

from __future__ import annotations

import argparse
import copy
import functools
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from shared import RESULTS, compact, keep
from torch import nn
from torch.fx.experimental.optimization import fuse
from torch.nn.utils import prune
from training.resnet import Recipe, Training

import pruneviz as pv

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np

RESULT = RESULTS / "collapse.json"
SPARSITIES = (0.25, 0.5, 0.6, 0.7, 0.8, 0.9)
LAST, FIRST = ["fc"], ["conv1"]
WIDER = ["block4.conv1", "block4.shortcut", "block7.conv1", "block7.shortcut"]  # where the sides are halved
SPARED = {"first layer": FIRST, "downsampling": WIDER, "both": [*FIRST, *WIDER]}
SPARED_AT = (0.6, 0.7)
CALLS = (0.25, 0.5, 0.6)
MENDED_AT = (0.7, 0.8, 0.9)
# Test accuracy in per cent at these sparsities and at 0, as printed in the article.
ARTICLE = {
    "sparsities": (0, *SPARSITIES),
    "resnet_18": (89.36, 88.59, 17.39, 9.02, 10.00, 10.00, 10.00),
    "resnet_50": (89.90, 89.31, 19.42, 10.00, 10.00, 10.00, 10.00),
}
LENETS = {"lenet_300_100": ["fc3"], "lenet_5": ["fc3"], "lenet_5_bn": ["fc3"]}
UNLABELLED = 4_000
FINE_TUNED = (0.8, 0)
RECIPE = Recipe(epochs=1, cooldown=1, rate=0.05)
FILTERS = (0.1, 0.3)
BATCH = 50  # in such parts a processor's caches hold what a layer makes
BLOCKS = (1, 2, 3, 5, 6, 8, 9)  # those whose shortcut passes on what it gets


def main() -> None:
    """Count what is missing, print and store the table."""
    parser = argparse.ArgumentParser(description="Ask why a residual network collapses.")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="what has been counted; made if missing")
    parser.add_argument("--weights", type=Path, help="a training's checkpoint, instead of the zoo's weights")
    parser.add_argument("--few", action="store_true", help="100 images, to try the script; writes nothing")
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    study = Study(loaded(chosen.weights), chosen.folder, 100 if chosen.few else 10_000)
    text = compact(study.table())
    print(text)
    if not chosen.few:
        RESULT.write_text(text, encoding="utf-8")
        print(f"written: {RESULT.name}")


def loaded(weights: Path | None) -> nn.Module:
    """Take the zoo's network, or the state of a training that is still running."""
    model = pv.zoo.resnet_20("torch", pretrained=weights is None)
    if weights is not None:
        model.load_state_dict(torch.load(weights, weights_only=True)["model"])
    return model


class Study:
    """The counts; those done are kept in a file."""

    def __init__(self, model: nn.Module, folder: Path, images: int) -> None:
        self.model, self.data = model, pv.datasets.cifar10()
        self.test = tuple(part[:images] for part in self.data.test)
        self.unlabelled = self.data.train[0][: min(UNLABELLED, 40 * images)]
        bits = b"".join(array.numpy().tobytes() for array in model.state_dict().values() if array.ndim)
        self.path = folder / f"collapse_{hashlib.sha256(bits).hexdigest()[:12]}_{images}.json"
        self.known = json.loads(self.path.read_text(encoding="utf-8")) if self.path.exists() else {}

    def table(self) -> dict[str, object]:
        """Count everything, the questions of the lesson in their order."""
        layer, everywhere = ({"scope": scope, "exclude": LAST} for scope in ("layer", "global"))
        return {
            "made_by": f"benchmarks/{Path(__file__).name}",
            "images": len(self.test[1]),
            "split": "test",
            "left_alone": LAST,
            "unlabelled": len(self.unlabelled),
            "precision": "bfloat16",
            "article_percent": ARTICLE,
            "sparsities": SPARSITIES,
            "dense": self.once("dense", lambda: self.model),
            "layer": [self.pruned(share, **layer) for share in SPARSITIES],
            "compounded": self.compounded(),
            "spared": {
                "sparsities": SPARED_AT,
                "correct": {
                    name: [self.pruned(share, scope="layer", exclude=LAST + names) for share in SPARED_AT]
                    for name, names in SPARED.items()
                },
            },
            "global": [self.pruned(share, **everywhere) for share in SPARSITIES],
            "recalibrated": {
                "sparsities": MENDED_AT,
                "layer": [self.pruned(share, again=True, **layer) for share in MENDED_AT],
                "global": [self.pruned(share, again=True, **everywhere) for share in MENDED_AT],
            },
            "blocks": {str(number): self.without(number) for number in BLOCKS},
            "filters": {str(share): self.filters(share) for share in FILTERS},
            "fine_tuned": {
                "recipe": "one epoch, rate rising to 0.018 and falling to 0, otherwise as in training",
                "sparsities": FINE_TUNED,
                "correct": [self.fine_tuned(share) for share in FINE_TUNED],
            },
            "other_networks": {name: lenet(name, spare) for name, spare in LENETS.items()},
        }

    def once(self, what: str, make: Callable[[], nn.Module]) -> int:
        """Look a count up, or make the network, count and keep it; the file is replaced whole."""
        if what not in self.known:
            self.known[what] = correct(make(), *self.test)
            keep(self.path, self.known, indent=None)
            print(f"{what}: {self.known[what]:,}", flush=True)
        return self.known[what]

    def again(self, model: nn.Module) -> nn.Module:
        """Estimate BatchNorm's statistics anew."""
        return pv.recalibrate(model, self.unlabelled)

    def pruned(self, share: float, again: bool = False, **options: object) -> int:
        """Cut a share of the weights."""

        def make() -> nn.Module:
            thin = pv.apply(self.model, pv.prune(self.model, share, **options))
            return self.again(thin) if again else thin

        return self.once(f"weights {share} {options} {again}", make)

    def compounded(self) -> dict[str, list[float]]:
        """Call PyTorch's own function on a network that is pruned already, as a loop over ratios does."""
        twin = copy.deepcopy(self.model)
        layers = [twin.get_submodule(name) for name in pv.network(self.model) if name not in LAST]
        reached, counts = [], []
        for share in CALLS:
            for layer in layers:
                prune.l1_unstructured(layer, "weight", amount=share)
            zeros = sum(int((layer.weight_mask == 0).sum()) for layer in layers)
            reached.append(round(zeros / sum(layer.weight_mask.numel() for layer in layers), 4))
            counts.append(self.once(f"compounded {share}", functools.partial(permanent, twin)))
        return {"asked": CALLS, "reached": reached, "correct": counts}

    def without(self, number: int) -> int:
        """Drop an identity block."""

        def make() -> nn.Module:
            twin = copy.deepcopy(self.model)
            setattr(twin, f"block{number}", nn.Identity())
            return twin

        return self.once(f"block {number}", make)

    def filters(self, share: float) -> dict[str, int]:
        """Cut a share of the filters of each group by L1: weights only, all of a unit, statistics anew."""
        mask = functools.cache(
            lambda: pv.prune(self.model, share, granularity="filter", scope="layer", example=self.test[0][:1])
        )
        ways = {
            "weights only": lambda: weights_only(self.model, mask()),
            "BatchNorm zeroed too": lambda: pv.apply(self.model, mask()),
            "statistics re-estimated": lambda: self.again(pv.apply(self.model, mask())),
        }
        return {way: self.once(f"filters {share} {way}", make) for way, make in ways.items()}

    def fine_tuned(self, share: float) -> int:
        """Train for one epoch; what was cut stays at zero."""

        def make() -> nn.Module:
            mask = pv.prune(self.model, share, scope="layer", exclude=LAST)
            run = Training(RECIPE, self.data)
            run.model.load_state_dict(pv.apply(self.model, mask).state_dict())
            with pv.keep_pruned(run.model, mask, run.optimizer):
                run.epoch()
            return run.model.eval()

        return self.once(f"fine-tuned {share}", make)


@torch.no_grad()
def correct(model: nn.Module, x: np.ndarray, y: np.ndarray) -> int:
    """Count the images that are classified correctly."""
    quick = fuse(model.eval()).to(memory_format=torch.channels_last)
    right = 0
    with torch.autocast("cpu", torch.bfloat16):
        for start in range(0, len(x), BATCH):
            images = torch.tensor(x[start : start + BATCH]).permute(0, 3, 1, 2) / 255
            found = quick(images.contiguous(memory_format=torch.channels_last)).argmax(1)
            right += int((found == torch.tensor(y[start : start + BATCH])).sum())
    return right


def permanent(model: nn.Module) -> nn.Module:
    """Copy a network that PyTorch's functions have pruned; its masks become plain zeros."""
    plain = pv.zoo.resnet_20("torch", pretrained=False)
    state = model.state_dict()
    masked = {
        name.removesuffix("_orig"): array * state[name.replace("_orig", "_mask")]
        for name, array in state.items()
        if name.endswith("_orig")
    }
    plain.load_state_dict({name: masked.get(name, state.get(name)) for name in plain.state_dict()})
    return plain


def weights_only(model: nn.Module, mask: pv.Mask) -> nn.Module:
    """Zero the weights of the filters that a mask prunes, and nothing else of them."""
    twin = copy.deepcopy(model)
    for name, kept in mask.items():
        twin.get_submodule(name).weight.data[torch.tensor(~kept)] = 0
    return twin


def lenet(name: str, spare: Sequence[str]) -> dict[str, object]:
    """Prune a network for digits in the same way."""
    model, test = getattr(pv.zoo, name)("torch"), pv.datasets.mnist().test
    cards = pv.sweep(model, test, (0, *SPARSITIES), scope="layer", exclude=spare, progress=False)
    return {
        "images": len(test[1]),
        "sparsities": (0, *SPARSITIES),
        "correct": [card.correct for card in cards],
    }


if __name__ == "__main__":
    main()
