"""Run an experiment of one of the five articles again, and store what comes out.

    python -m benchmarks.reproduce kezmann_torch
    python -m benchmarks.reproduce muheeb_2 --cases resnet18 --seeds 0 --set epochs=30
    python -m benchmarks.reproduce tram_ho --workers 3              # seeds side by side
    python -m benchmarks.reproduce tram_ho --cluster tcp://…        # on a Dask cluster

Every run has a process of its own, on a GPU if there is one. A finished run is stored at once in
``lessons/results/NAME.json`` and not made again; a long one goes on from the folder of checkpoints where it
was ended. A result of other settings is not mixed in: name another file.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from .running import EXPERIMENTS, RESULTS, experiment, reproduce

if TYPE_CHECKING:
    from concurrent.futures import Executor


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description="Run an experiment of one of the five articles again.")
    parser.add_argument("name", choices=EXPERIMENTS)
    parser.add_argument("--seeds", nargs="+", type=int)
    parser.add_argument("--cases", nargs="+", help="which of its networks")
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE", help="settings to change")
    parser.add_argument("--folder", type=Path, default=Path("runs"), help="checkpoints of long runs")
    parser.add_argument("--out", type=Path, help="default: lessons/results/NAME.json")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--workers", type=int, default=1, help="runs side by side")
    where.add_argument("--cluster", metavar="ADDRESS", help="a Dask scheduler, to run there")
    chosen = parser.parse_args()
    found = experiment(chosen.name)
    settings = found.SETTINGS | {key: json.loads(value) for key, value in (s.split("=") for s in chosen.set)}
    with executor(chosen.workers, chosen.cluster) as pool:
        reproduce(
            chosen.name,
            pool,
            seeds=chosen.seeds or found.SEEDS,
            cases=chosen.cases or found.CASES,
            settings=settings,
            folder=chosen.folder.resolve(),
            out=chosen.out or RESULTS / f"{chosen.name}.json",
        )


def executor(workers: int, cluster: str | None) -> Executor:
    """Open a pool of processes, one a run, or that of a Dask cluster."""
    if cluster:
        from dask.distributed import Client  # noqa: PLC0415  # an extra, for clusters alone

        return Client(cluster).get_executor()
    spawn = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, mp_context=spawn, max_tasks_per_child=1)


if __name__ == "__main__":
    sys.exit(main())
