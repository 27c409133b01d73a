"""Why a residual network collapses: Muheeb's Table 2, asked again of ResNet-20.

    python benchmarks/collapse.py FOLDER      # ten minutes on an idle core; stopped, it can go on

The article prunes each layer but the last by L1, without fine-tuning: 88.6% of ResNet-18's answers are
right at 25%, 17.4% at 50%. Here the zoo's ResNet-20 is pruned in the same way, then in ways that differ in
one thing each. All is counted on the first thousand validation images, in float32; the report on the 10,000
test images, in bfloat16, as the network was trained. BatchNorm's statistics are estimated anew from training
images without labels.

FOLDER holds what has been counted so far. Prints the table, and writes ``lessons/results/collapse.json``,
which lesson 04a reads.
"""

from __future__ import annotations

import argparse
import copy
import functools
import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from shared import RESULTS, compact, keep
from torch import nn
from torch.fx.experimental.optimization import fuse
from training.resnet import Recipe, Training

import pruneviz as pv

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

RESULT = RESULTS / "collapse.json"
IMAGES = 1_000
SPARSITIES = (0.25, 0.5, 0.6, 0.7, 0.8, 0.9)
HALVING = ("block4.conv1", "block4.shortcut", "block7.conv1", "block7.shortcut")  # where sides are halved
SPARED_AT = (0.6, 0.7)
DRAWS = 9
CALLS = (0.25, 0.5, 0.6)
REPAIRED_AT = (0.5, 0.6, 0.7, 0.8)
REPAIRS = {"means": (True, False), "variances": (False, True), "both": (True, True)}
LISTENED = 100  # images from which means and variances are taken one without the other
MENDED_AT = (0.6, 0.7, 0.8, 0.9)
UNLABELLED = 500
# Test accuracy in per cent at these sparsities and at 0, as printed in the article.
ARTICLE = {
    "sparsities": (0, *SPARSITIES),
    "resnet_18": (89.36, 88.59, 17.39, 9.02, 10.00, 10.00, 10.00),
    "resnet_50": (89.90, 89.31, 19.42, 10.00, 10.00, 10.00, 10.00),
}
RECIPE = Recipe(epochs=1, cooldown=1, rate=0.05)
FILTERS = 0.3
BATCH = 50  # in such parts a processor's caches hold what a layer makes
BLOCKS = (1, 2, 3, 5, 6, 8, 9)  # those whose shortcut passes on what it gets


def main() -> None:
    """Count what is missing, print and store the table."""
    parser = argparse.ArgumentParser(description="Ask why a residual network collapses.")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="what has been counted; made if missing")
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    text = compact(Study(folder).table())
    print(text)
    RESULT.write_text(text, encoding="utf-8")
    print(f"written: {RESULT.name}")


class Study:
    """The counts; those done are kept in a file."""

    def __init__(self, folder: Path) -> None:
        self.model, self.data = pv.zoo.resnet_20("torch"), pv.datasets.cifar10()
        self.few = tuple(part[:IMAGES] for part in self.data.validation)
        self.unlabelled = self.data.train[0][:UNLABELLED]
        self.sizes = {layer.name: layer.weight.size for layer in pv.network(self.model).layers}
        del self.sizes["fc"]
        self.path = folder / "collapse.json"
        self.known = json.loads(self.path.read_text(encoding="utf-8")) if self.path.exists() else {}

    def table(self) -> dict[str, object]:
        """Count everything, the questions of the lesson in their order."""
        evenly = [self.evenly(share) for share in SPARSITIES]
        return {
            "made_by": f"benchmarks/{Path(__file__).name}",
            "images": IMAGES,
            "left_alone": ["fc"],
            "article_percent": ARTICLE,
            "sparsities": SPARSITIES,
            "dense": self.once("dense", lambda: self.model),
            "layer": [self.cut(shares) for shares in evenly],
            "compounded": self.compounded(),
            "spared": {str(share): self.spared(share) for share in SPARED_AT},
            "global": [self.globally(share) for share in SPARSITIES],
            "repaired": {
                "sparsities": REPAIRED_AT,
                "images": LISTENED,
                "correct": {what: [self.repaired(s, what) for s in REPAIRED_AT] for what in REPAIRS},
            },
            "re-estimated": {
                "sparsities": MENDED_AT,
                "images": UNLABELLED,
                "layer": [self.cut(self.evenly(share), again=True) for share in MENDED_AT],
                "global": [self.globally(share, again=True) for share in MENDED_AT],
            },
            "blocks": {str(number): self.once(f"block {number}", self.without(number)) for number in BLOCKS},
            "filters": {"share": FILTERS, **self.filters(FILTERS)},
            "report": {
                "images": len(self.data.test[1]),
                "precision": "bfloat16",
                "fine_tuning": "one epoch, rate rising to 0.018 and falling to 0, otherwise as in training",
                "correct": self.report(),
            },
        }

    def once(self, what: str, make: Callable[[], nn.Module], *, test: bool = False) -> int:
        """Look a count up, or make the network, count and keep it; the file is replaced whole."""
        key = f"test: {what}" if test else what
        if key not in self.known:
            images = self.data.test if test else self.few
            self.known[key] = correct(make(), *images, short=test)
            keep(self.path, self.known, indent=None)
            print(f"{key}: {self.known[key]:,}", flush=True)
        return self.known[key]

    def evenly(self, share: float) -> dict[str, float]:
        """Give each layer the same share."""
        return dict.fromkeys(self.sizes, share)

    def thin(self, shares: dict[str, float], again: bool = False) -> nn.Module:
        """Cut the smallest weights of each layer, layer -> share; estimate statistics anew if asked."""
        thin = pv.apply(self.model, pv.prune(self.model, scope=shares))
        return pv.recalibrate(thin, self.unlabelled) if again else thin

    def cut(self, shares: dict[str, float], again: bool = False) -> int:
        """Count the right answers of a network that has lost these shares."""
        what = f"weights {sorted(set(shares.values()))} {sorted(n for n in shares if not shares[n])} {again}"
        return self.once(what, lambda: self.thin(shares, again))

    def globally(self, share: float, again: bool = False) -> int:
        """Cut by one threshold for all layers."""

        def make() -> nn.Module:
            thin = pv.apply(self.model, pv.prune(self.model, share, scope="global", exclude=["fc"]))
            return pv.recalibrate(thin, self.unlabelled) if again else thin

        return self.once(f"global {share} {again}", make)

    def compounded(self) -> dict[str, list[float]]:
        """Cut each share of what is left, as a loop does that never goes back to the whole network."""
        reached = [round(1 - float(np.prod([1 - s for s in CALLS[: i + 1]])), 4) for i in range(len(CALLS))]
        return {"asked": CALLS, "reached": reached, "correct": [self.cut(self.evenly(s)) for s in reached]}

    def spared(self, share: float) -> dict[str, object]:
        """Spare the four layers that halve the sides: with fewer zeros, and with as many as before."""
        whole = sum(self.sizes.values())
        part = self.weight(HALVING) / whole
        fewer = {
            "nothing": self.evenly(share),
            "the four": self.sparing(HALVING, share),
            "nothing, as few zeros": self.evenly(round(share * (1 - part), 4)),
        }
        harder = round(share / (1 - part), 4)
        return {
            "zeros": round(share * (1 - part), 3),
            "correct": {title: self.cut(shares) for title, shares in fewer.items()},
            "re-estimated": {title: self.cut(shares, again=True) for title, shares in fewer.items()},
            "as_many_zeros": {
                "the four": self.cut(self.sparing(HALVING, harder)),
                "others": [
                    self.cut(self.sparing(names, round(share / (1 - self.weight(names) / whole), 4)))
                    for names in self.others()
                ],
            },
        }

    def weight(self, names: Iterable[str]) -> int:
        """Count the weights of some layers."""
        return sum(self.sizes[name] for name in names)

    def sparing(self, names: Iterable[str], share: float) -> dict[str, float]:
        """Cut all layers but some."""
        return {name: 0 if name in names else share for name in self.sizes}

    def others(self) -> list[list[str]]:
        """Draw sets of other layers that have as many weights as the four, to a tenth."""
        rng, aim, sets = np.random.default_rng(0), self.weight(HALVING), []
        while len(sets) < DRAWS:
            names, left = [], 1.1 * aim
            for name in map(str, rng.permutation([n for n in self.sizes if n not in HALVING])):
                if self.sizes[name] <= left:
                    names.append(name)
                    left -= self.sizes[name]
            if left <= 0.2 * aim and sorted(names) not in sets:
                sets.append(sorted(names))
        return sets

    def repaired(self, share: float, what: str) -> int:
        """Give each BatchNorm the means, the variances, or both, of what arrives in the cut network."""
        make = functools.partial(listened, self.data.train[0][:LISTENED], *REPAIRS[what])
        return self.once(f"repaired {share} {what}", lambda: make(self.thin(self.evenly(share))))

    def without(self, number: int) -> Callable[[], nn.Module]:
        """Drop an identity block."""

        def make() -> nn.Module:
            twin = copy.deepcopy(self.model)
            setattr(twin, f"block{number}", nn.Identity())
            return twin

        return make

    def filters(self, share: float) -> dict[str, int]:
        """Cut a share of the filters of each group by L1: weights only, all of a unit, statistics anew."""
        ways = {
            "weights only": lambda: weights_only(self.model, self.units(share)),
            "BatchNorm zeroed too": lambda: pv.apply(self.model, self.units(share)),
            "statistics re-estimated": lambda: self.fewer(share),
        }
        return {way: self.once(f"filters {share} {way}", make) for way, make in ways.items()}

    def units(self, share: float) -> pv.Mask:
        """Choose filters by L1."""
        example = self.unlabelled[:1]
        return pv.prune(self.model, share, granularity="filter", scope="layer", example=example)

    def fewer(self, share: float) -> nn.Module:
        """Cut filters, and estimate the statistics anew."""
        return pv.recalibrate(pv.apply(self.model, self.units(share)), self.unlabelled)

    def tuned(self, share: float) -> nn.Module:
        """Fine-tune for one epoch; what was cut stays at zero."""
        run, mask = Training(RECIPE, self.data), pv.prune(self.model, scope=self.evenly(share))
        run.model.load_state_dict(pv.apply(self.model, mask).state_dict())
        with pv.keep_pruned(run.model, mask, run.optimizer):
            run.epoch()
        return run.model.eval()

    def report(self) -> dict[str, int]:
        """Count on the test images."""
        makes = {
            "dense": lambda: self.model,
            "50%": lambda: self.thin(self.evenly(0.5)),
            "80%": lambda: self.thin(self.evenly(0.8)),
            "80%, re-estimated": lambda: self.thin(self.evenly(0.8), again=True),
            "80%, fine-tuned": lambda: self.tuned(0.8),
            "dense, fine-tuned": lambda: self.tuned(0),
            "30% of the channels, re-estimated": lambda: self.fewer(FILTERS),
        }
        return {what: self.once(what, make, test=True) for what, make in makes.items()}


@torch.no_grad()
def correct(model: nn.Module, x: np.ndarray, y: np.ndarray, *, short: bool) -> int:
    """Count the images that are classified correctly; with short numbers it takes half the time."""
    quick = fuse(model.eval()).to(memory_format=torch.channels_last)
    right = 0
    with torch.autocast("cpu", torch.bfloat16, enabled=short):
        for start in range(0, len(x), BATCH):
            images = torch.tensor(x[start : start + BATCH]).permute(0, 3, 1, 2) / 255
            found = quick(images.contiguous(memory_format=torch.channels_last)).argmax(1)
            right += int((found == torch.tensor(y[start : start + BATCH])).sum())
    return right


@torch.no_grad()
def listened(x: np.ndarray, means: bool, variances: bool, model: nn.Module) -> nn.Module:
    """Let each BatchNorm take over means, or variances, of what arrives in it, those in front first."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):

            def note(norm: nn.BatchNorm2d, inputs: tuple[torch.Tensor]) -> None:
                variance, mean = torch.var_mean(inputs[0], dim=(0, 2, 3))
                if means:
                    norm.running_mean.copy_(mean)
                if variances:
                    norm.running_var.copy_(variance)

            module.register_forward_pre_hook(note)
    model(torch.tensor(x.transpose(0, 3, 1, 2) / np.float32(255)))
    for module in model.modules():
        module._forward_pre_hooks.clear()  # noqa: SLF001  # they were all ours
    return model


def weights_only(model: nn.Module, mask: pv.Mask) -> nn.Module:
    """Zero the weights of the filters that a mask prunes, and nothing else of them."""
    twin = copy.deepcopy(model)
    for name, kept in mask.items():
        twin.get_submodule(name).weight.data[torch.tensor(~kept)] = 0
    return twin


if __name__ == "__main__":
    main()
