"""Kill iterative runs with SIGKILL at random moments; each must go on to what an uninterrupted run gives.

python benchmarks/resume.py            # PyTorch and Keras, 20 kills each
python benchmarks/resume.py torch --kills 3
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import multiprocessing
import os
import random
import signal
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

import pruneviz as pv
from pruneviz.files.storage import arrays_of

ROUNDS, IMAGES, EPOCHS = 6, 1000, 1
# Each run has a process of its own, so that it can be killed. Forking is safe because the parent only imports
# the framework and never computes with it; what it has imported, its children need not.
PARENT_IMPORTS = {"torch": "torch._dynamo", "keras": "keras"}
FORK = multiprocessing.get_context("fork")


def main() -> int:
    """Kill, go on, compare; return 1 if a run differs."""
    parser = argparse.ArgumentParser(description="Kill iterative runs at random moments, and let them go on.")
    parser.add_argument("frameworks", nargs="*", default=list(PARENT_IMPORTS))
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0, help="decides the moments")
    chosen = parser.parse_args()
    os.environ |= {"TQDM_DISABLE": "1", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    random.seed(chosen.seed)
    pv.datasets.mnist()
    passed = True
    for framework in chosen.frameworks:
        importlib.import_module(PARENT_IMPORTS[framework])
        passed &= killed(framework, chosen.kills)
    return 0 if passed else 1


def killed(framework: str, kills: int) -> bool:
    """Try it for one framework."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        whole = finished(framework, Path(folder) / "whole")
        seconds = time.perf_counter() - started
        print(f"{framework}: {ROUNDS} rounds take {seconds:.1f} s")
        equal = 0
        for kill in range(kills):
            place = Path(folder) / str(kill)
            while not cut_off(framework, place, random.uniform(0, seconds)):  # noqa: S311
                place = place.with_suffix(".again")
            rounds = len(list(place.glob("round-*")))
            equal += (same := finished(framework, place) == whole)
            print(f"  killed after {rounds} rounds: {'equal' if same else 'DIFFERENT'}", flush=True)
    print(f"{framework}: {equal} of {kills} killed runs went on and equal the uninterrupted one")
    return equal == kills


def cut_off(framework: str, folder: Path, seconds: float) -> bool:
    """Start a run and kill it; tell whether it was still running."""
    process = FORK.Process(target=run, args=(framework, folder))
    process.start()
    process.join(seconds)
    if process.is_alive():
        os.kill(process.pid, signal.SIGKILL)
    process.join()
    return process.exitcode == -signal.SIGKILL


def finished(framework: str, folder: Path) -> str:
    """Let a run come to its end in a process of its own, and digest all that it gave."""
    queue = FORK.SimpleQueue()
    process = FORK.Process(target=run, args=(framework, folder, queue))
    process.start()
    process.join()
    return "" if process.exitcode else queue.get()


def run(framework: str, folder: Path, queue: Any = None) -> None:  # noqa: ANN401  (its class depends on the context)
    """Iterate on LeNet-300-100, and put a digest of masks, arrays and predictions into the queue."""
    if framework == "torch":
        importlib.import_module("torch").set_num_threads(1)
    model = pv.zoo.lenet_300_100(framework)
    mnist = pv.datasets.mnist()
    digest = hashlib.sha256()
    schedule = pv.schedules.exponential(0, 0.95, begin=0, end=ROUNDS)
    for done in pv.iterate(model, schedule, fine_tune, mnist.validation, resume=folder):
        arrays = {**arrays_of(done.model), **done.mask, "predictions": done.card.predictions}
        for name, array in arrays.items():
            digest.update(name.encode() + np.ascontiguousarray(array).tobytes())
    if queue is not None:
        queue.put(digest.hexdigest())


def fine_tune(model: Any, mask: pv.Mask, seed: int) -> None:  # noqa: ANN401  (a model of either framework)
    """Train on a few images, in an order that the seed decides."""
    del mask
    images, labels = (array[:IMAGES] for array in pv.datasets.mnist().train)
    order = np.random.default_rng(seed).permutation(np.tile(np.arange(IMAGES), EPOCHS)).reshape(-1, 100)
    if hasattr(model, "fit"):
        keras = importlib.import_module("keras")
        model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        model.fit(images[order.ravel()] / np.float32(255), labels[order.ravel()], batch_size=100, verbose=0)
        return
    torch = importlib.import_module("torch")
    x = torch.tensor(images.transpose(0, 3, 1, 2) / np.float32(255))
    y, optimizer = torch.tensor(labels), torch.optim.Adam(model.parameters())
    model.train()
    for batch in order:
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(x[batch]), y[batch]).backward()
        optimizer.step()


if __name__ == "__main__":
    raise SystemExit(main())
