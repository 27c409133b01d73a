"""Ask whether pruning cures overfitting: a thousand training digits, at equal epochs, beside an L2 penalty.

    python benchmarks/overfitting.py          # four minutes on one core; goes on where it stopped

LeNet-300-100 learns 1,000 digits for 40 epochs; then each arm trains it for 40 more, dense, with an L2
penalty, or without a share of its weights (magnitude, global). With wrong labels, every fifth label is drawn
anew from the nine others. Each arm has two learning rates, of which the 5,000 validation digits choose one
for all seeds; the 10,000 test digits are counted then. The result goes to
``lessons/results/overfitting.json``.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import torch
from shared import RESULTS, begun, compact
from torch import Tensor, nn
from training.mnist import tensors

import pruneviz as pv
from pruneviz.files.writing import whole

RESULT = RESULTS / "overfitting.json"
SEEDS = {"right labels": (0, 1, 2, 3, 4), "a fifth of the labels wrong": (0, 1, 2)}
IMAGES, EPOCHS, BATCH, RATES = 1000, 40, 50, (5e-4, 2e-3)
SHARES = (0.5, 0.8, 0.9, 0.95)
ARMS = {  # name -> what is pruned, the L2 penalty
    "dense": (0.0, 0.0),
    **{f"dense, L2 {penalty:g}": (0.0, penalty) for penalty in (1e-3, 1e-2)},
    **{f"weights {share:.0%}": (share, 0.0) for share in SHARES},
}
FIRST = "dense, the first epochs"


def main() -> None:
    """Train what the table lacks, and choose each arm's rate."""
    torch.set_num_threads(1)
    table = begun(
        RESULT,
        made_by=f"benchmarks/{Path(__file__).name}",
        images=len(pv.datasets.mnist().test[1]),
        training_images=IMAGES,
        epochs=EPOCHS,
        rates=RATES,
        correct={},
    )
    for labels, seeds in SEEDS.items():
        runs = table.setdefault("runs", {}).setdefault(labels, {})
        for seed in seeds:
            run_arms(seed, runs.setdefault(str(seed), {}), wrong=labels != "right labels")
            keep(table)
            print(labels, seed, runs[str(seed)], flush=True)
        table["correct"][labels] = {arm: chosen(arm, list(runs.values())) for arm in (FIRST, *ARMS)}
    keep(table)


def keep(table: dict[str, object]) -> None:
    """Replace the table whole."""
    with whole(RESULT) as file:
        file.write(compact(table).encode())


def chosen(arm: str, runs: list[dict[str, list[list[int]]]]) -> dict[str, object]:
    """Take the rate that validation prefers over all seeds; give each seed's counts there."""
    best = int(np.argmax(np.sum([[validation for validation, *_ in run[arm]] for run in runs], axis=0)))
    _, test, training = zip(*[run[arm][best] for run in runs], strict=True)
    rate = RATES[best - len(runs[0][arm])]  # the first epochs have the last rate alone
    return {"rate": rate, "right": test, "right_of_the_training_images": training}


def run_arms(seed: int, found: dict[str, list[list[int]]], *, wrong: bool) -> None:
    """Train from one seed the arms that are not found yet: name -> its counts at each rate."""
    if not (missing := {name: arm for name, arm in ARMS.items() if name not in found}):
        return
    x, y = few(seed, wrong=wrong)
    torch.manual_seed(seed)
    begin = pv.zoo.lenet_300_100("torch", pretrained=False)
    train(begin, pv.Mask({}), (x, y), seed, RATES[-1])
    found[FIRST] = [counts(begin, (x, y))]
    for name, (share, penalty) in missing.items():
        found[name] = []
        for rate in RATES:
            mask = pv.prune(begin, share) if share else pv.Mask({})
            net = pv.apply(begin, mask)
            train(net, mask, (x, y), seed + 1000, rate, penalty)
            found[name].append(counts(net, (x, y)))


def few(seed: int, *, wrong: bool) -> tuple[Tensor, Tensor]:
    """Draw a thousand training digits, and spoil every fifth label if asked to."""
    rng, (images, labels) = np.random.default_rng(seed), pv.datasets.mnist().train
    drawn = rng.permutation(len(labels))[:IMAGES]
    y = labels[drawn]
    if wrong:
        y[::5] = (y[::5] + rng.integers(1, 10, len(y[::5]))) % 10
    return torch.tensor(images[drawn].transpose(0, 3, 1, 2)).float() / 255, torch.tensor(y)


def train(
    net: nn.Module, mask: pv.Mask, data: tuple[Tensor, Tensor], seed: int, rate: float, penalty: float = 0
) -> None:
    """Train in place with Adam, whose rate falls to 0; what the mask prunes stays zero."""
    (x, y), order = data, torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(net.parameters(), rate, weight_decay=penalty, fused=True)
    falling = torch.optim.lr_scheduler.LinearLR(optimizer, 1, 0, total_iters=EPOCHS * len(x) // BATCH)
    with pv.keep_pruned(net, mask, optimizer):
        for _ in range(EPOCHS):
            for batch in torch.randperm(len(x), generator=order).split(BATCH):
                loss = nn.functional.cross_entropy(net(x[batch]), y[batch])
                optimizer.zero_grad()
                torch.autograd.backward(loss)
                optimizer.step()
                falling.step()


@torch.no_grad()
def counts(net: nn.Module, seen: tuple[Tensor, Tensor]) -> list[int]:
    """Count right answers: of the validation digits, the test digits and those it was trained on."""
    return [int((net(x).argmax(1) == y).sum()) for x, y in (unseen("validation"), unseen("test"), seen)]


@cache
def unseen(part: str) -> tuple[Tensor, Tensor]:
    """Give a part of the digits as tensors."""
    return tensors(getattr(pv.datasets.mnist(), part))


if __name__ == "__main__":
    main()
