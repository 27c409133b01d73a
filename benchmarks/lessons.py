"""How long each lesson runs and how much memory its kernel takes, as a table.

python benchmarks/lessons.py [NAME…]        # names as in `python lessons/build.py`
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

LESSONS = Path(__file__).resolve().parent.parent / "lessons"


def main(names: list[str]) -> None:
    """Print the table."""
    print(f"{'lesson':<52}{'seconds':>9}{'slowest cell':>14}{'peak MB':>9}{'file kB':>9}")
    for path in sorted(LESSONS.glob("**/*.ipynb")):
        if ".ipynb_checkpoints" in path.parts or (names and not path.name.startswith(tuple(names))):
            continue
        seconds, slowest, peak = measured(path)
        name = str(path.relative_to(LESSONS).with_suffix(""))
        print(f"{name:<52}{seconds:>9.1f}{slowest:>14.1f}{peak:>9.0f}{path.stat().st_size / 1000:>9.0f}")


def measured(path: Path) -> tuple[float, float, float]:
    """Run a notebook in a fresh kernel: seconds in all, of the slowest cell, and the peak memory in MB."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(path.parent)}})
    cells = []
    with client.setup_kernel():
        process = Path("/proc", str(client.km.provisioner.process.pid), "status")
        for index, cell in enumerate(notebook.cells):
            start = time.perf_counter()
            client.execute_cell(cell, index)
            cells.append(time.perf_counter() - start)
        status = dict(line.split(":", 1) for line in process.read_text().splitlines())
    return sum(cells), max(cells), int(status["VmHWM"].split()[0]) / 1000


if __name__ == "__main__":
    main(sys.argv[1:])
