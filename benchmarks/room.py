"""A room on one machine: the same lesson in many kernels at once, as a table.

python benchmarks/room.py [KERNELS [NAME]]        # 8 kernels, pytorch/01a_weight_pruning_thresholds
"""

from __future__ import annotations

import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from lessons import LESSONS, measured


def main(kernels: int = 8, name: str = "pytorch/01a_weight_pruning_thresholds") -> None:
    """Run the lesson in so many kernels, begun together, and say how long and how much memory each took."""
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"), "1")
    path, start = LESSONS / f"{name}.ipynb", time.perf_counter()
    with ProcessPoolExecutor(kernels, get_context("spawn")) as room:
        seats = list(room.map(measured, [path] * kernels))
    print(f"{name}: {kernels} kernels on {os.cpu_count()} cores, all done after", end=" ")
    print(f"{time.perf_counter() - start:.0f} s")
    print(f"{'kernel':>6}{'seconds':>9}{'slowest cell':>14}{'peak MB':>9}")
    for seat, (seconds, slowest, peak) in enumerate(seats, 1):
        print(f"{seat:>6}{seconds:>9.1f}{slowest:>14.1f}{peak:>9.0f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]), *sys.argv[2:])
