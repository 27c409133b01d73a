"""Prune at once, or little by little: the same epochs and the same plan of learning rates for all.

    python benchmarks/iterative.py                    # an hour on one core; goes on where it stopped
    python benchmarks/iterative.py torch keras --networks lenet_300_100 --seeds-in FOLDER

Every network trains for six epochs in all, and loses weights in one of several ways. Most decay the learning
rate once, by a cosine. "rounds" prunes before each epoch and begins the decay, and the optimizer, anew each
time; "epochs" makes the same cuts and decays once. "…, constant" holds the rate at the mean of the decay.
Weights by magnitude, global scope, three networks trained from different seeds, counted on the 10,000 test
images. The result goes to ``lessons/results/iterative.json``, where it grows by one count at a time.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import itertools
from pathlib import Path
from typing import Any

import torch._dynamo  # before TensorFlow, or both abort when an optimizer is made
from shared import RESULTS, begun, descend, keep, network

import pruneviz as pv

RESULT = RESULTS / "iterative.json"
EPOCHS, RAMP, BATCH, RATE = 6, 4, 512, 8e-3  # the largest rate that the networks were trained with
SPARSITIES, SEEDS = (0.8, 0.9, 0.95, 0.98), (0, 1, 2)
STEPS = -(-55_000 // BATCH)  # 108 an epoch, of which every twelfth prunes
NETWORKS = ("lenet_300_100", "lenet_5")
WAYS = ("one_shot", "linear", "cubic", "article", "rounds", "epochs")
CONSTANT = ", constant"


def schedule(way: str, sparsity: float) -> pv.schedules.Schedule:
    """Say when each way prunes: nine times an epoch for the first four epochs, or all at the first step."""
    way = way.removesuffix(CONSTANT)
    ramp = {"begin": 0, "end": RAMP * STEPS, "frequency": STEPS // 9}
    if way == "one_shot":
        return pv.schedules.one_shot(sparsity)
    if way == "rounds":
        return pv.schedules.linear(0, sparsity, begin=0, end=EPOCHS)
    if way == "epochs":
        return pv.schedules.linear(sparsity / EPOCHS, sparsity, 1, (EPOCHS - 1) * STEPS + 1, frequency=STEPS)
    if way == "article":  # (S_e - S_0) * progress ** alpha, as one of the articles prints it
        return pv.schedules.custom(lambda progress: sparsity * progress**3, **ramp)
    return pv.schedules.polynomial(0, sparsity, power={"linear": 1, "cubic": 3}[way], **ramp)


def main() -> None:
    """Fill in what the table lacks."""
    parser = argparse.ArgumentParser(description="Compare one-shot and gradual pruning at equal training.")
    parser.add_argument("frameworks", nargs="*", default=["torch"], help="torch, keras")
    parser.add_argument("--networks", nargs="+", default=NETWORKS)
    parser.add_argument("--sparsities", nargs="+", type=float, default=SPARSITIES)
    parser.add_argument("--ways", nargs="+", default=WAYS)
    parser.add_argument("--seeds-in", type=Path, default=Path("seeds"), help="trained seeds; made if missing")
    parser.add_argument("--out", type=Path, default=RESULT)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    test = pv.datasets.mnist().test
    table = begun(
        chosen.out,
        made_by=f"benchmarks/{Path(__file__).name}",
        images=len(test[1]),
        epochs=EPOCHS,
        epochs_of_the_ramp=RAMP,
        batch=BATCH,
        largest_rate=RATE,
        seeds=SEEDS,
        correct={},
    )
    deepest_first = reversed(chosen.sparsities)  # there the ways differ most
    rows = itertools.product(chosen.frameworks, chosen.networks, deepest_first, chosen.ways)
    for framework, name, sparsity, way in rows:
        row = table["correct"].setdefault(framework, {}).setdefault(name, {}).setdefault(way, {})
        counts = row.setdefault(f"{sparsity}", [])
        for seed in SEEDS[len(counts) :]:
            model = network(name, seed, chosen.seeds_in, framework)
            card = pv.scorecard(pruned(model, way, sparsity, seed), test)
            if abs(card.sparsity - sparsity) > 1e-4:  # a ramp that ends between two cuts falls short
                raise RuntimeError(f"{way} ends at {card.sparsity:.2%}, not at {sparsity:.0%}")
            counts.append(card.correct)
            print(framework, name, way, sparsity, counts, flush=True)
            keep(chosen.out, table)


def pruned(model: Any, way: str, sparsity: float, seed: int) -> Any:  # noqa: ANN401
    """Prune and train one network in one of the ways."""
    plan = schedule(way, sparsity)
    if way != "rounds":
        fit(model, EPOCHS, seed, plan, constant=way.endswith(CONSTANT))
        return model
    few_images = tuple(array[:100] for array in pv.datasets.mnist().validation)
    *_, last = pv.iterate(
        model, plan, lambda thin, _, seed: fit(thin, 1, seed), few_images, seed=seed, progress=False
    )
    return last.model


def fit(
    model: Any,  # noqa: ANN401
    epochs: int,
    seed: int,
    plan: pv.schedules.Schedule | None = None,
    rate: float = RATE,
    *,
    constant: bool = False,
) -> None:
    """Train in place with Adam and one cosine decay of the rate, or its mean; prune if there is a plan."""
    if not isinstance(model, torch.nn.Module):
        fit_keras(model, epochs, seed, plan, rate, constant=constant)
        return
    torch.manual_seed(seed)
    optimizer = torch.optim.Adam(model.parameters(), rate / 2 if constant else rate, fused=True)
    decay = None if constant else torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * STEPS)
    with pv.prune_while_training(model, plan, optimizer) if plan else contextlib.nullcontext():
        descend(model, optimizer, epochs, BATCH, decay)


def fit_keras(
    model: Any,  # noqa: ANN401
    epochs: int,
    seed: int,
    plan: pv.schedules.Schedule | None,
    rate: float,
    *,
    constant: bool,
) -> None:
    """Do the same in Keras."""
    keras = importlib.import_module("keras")
    keras.utils.set_random_seed(seed)
    images, labels = pv.datasets.mnist().train
    decay = rate / 2 if constant else keras.optimizers.schedules.CosineDecay(rate, epochs * STEPS)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(decay), loss)
    with pv.prune_while_training(model, plan) if plan else contextlib.nullcontext() as pruning:
        callbacks = [pruning.callback] if pruning else []
        model.fit(
            images.astype("float32") / 255,
            labels,
            batch_size=BATCH,
            epochs=epochs,
            verbose=0,
            callbacks=callbacks,
        )


if __name__ == "__main__":
    main()
