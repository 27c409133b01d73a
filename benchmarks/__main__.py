"""Measure what pruneviz costs beside its peers, and write ``docs/benchmarks.md``.

    python -m benchmarks [PART…]        # engine, files, removal, widgets; some minutes of a quiet machine

Each row is measured beside its peer, turn by turn; a part that is not named keeps the rows that it had.
Ends with 1 if a limit is passed.
"""

from __future__ import annotations

import torch._dynamo  # isort: skip  # before TensorFlow, or LLVM is registered twice

import datetime as dt
import importlib
import json
import os
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent))
from rows import HEADER

from pruneviz.files.writing import whole

FOUND = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.json"
PARTS = {
    "engine": "Pruning and measuring, beside PyTorch's own tools",
    "files": "Compact files, beside 4 bytes a value and the entropy of the mask",
    "removal": "What removal leaves, beside the dense network and what Torch-Pruning leaves",
    "widgets": "Moving a slider in JupyterLab",
}
ABOUT = """# What it costs

A time with brackets is one of the processor, of one thread: the median of nine rounds in which both take
turns, and the lowest and the highest, which is noise; a ratio is taken anew in each round. A time without
them is by the clock. The limit is one of the ratio, or of ours where it has a unit. Written by
`python -m benchmarks`.
"""


def main(names: list[str]) -> int:
    """Measure the named parts, or all; return 1 if a limit is passed."""
    torch.set_num_threads(1)
    os.environ["TQDM_DISABLE"] = "1"  # a bar is no part of what is measured
    found = json.loads(FOUND.read_text(encoding="utf-8")) if FOUND.exists() else {}
    passed = False
    for part in names or PARTS:
        about = {"date": dt.datetime.now(tz=dt.UTC).date().isoformat(), "processor": _processor()}
        found[part] = {**about, "rows": []}
        for row in importlib.import_module(part).rows():
            found[part]["rows"].append(row.cells())
            print(" | ".join(row.cells()), flush=True)
            passed |= not row.within
    with whole(FOUND) as file:
        file.write((json.dumps(found, indent=1, ensure_ascii=False) + "\n").encode())
    with whole(FOUND.with_suffix(".md")) as file:
        file.write(written(found).encode())
    return int(passed)


def written(found: dict[str, dict[str, object]]) -> str:
    """Write a table a part, with its date and processor."""
    lines = [ABOUT]
    for part, title in PARTS.items():
        if part in found:
            table = found[part]
            lines += [f"## {title}\n", f"{table['date']}, {table['processor']}.\n"]
            lines += [f"| {' | '.join(HEADER)} |", "|---|--:|---|--:|--:|--:|"]
            lines += [f"| {' | '.join(cells)} |" for cells in table["rows"]] + [""]
    return "\n".join(lines)


def _processor() -> str:
    text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    return next(line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
