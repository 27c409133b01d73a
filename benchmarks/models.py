"""Which models work: every row of tests/models/unseen.py through every step, as a table.

python -m benchmarks.models [WORD…]     # the rows whose names hold a word; all without one

One model at a time; a row that stands in docs/models.json is not run again.
"""

from __future__ import annotations

import gc
import importlib
import json
import sys
import time
from pathlib import Path

from pruneviz.files.writing import whole

HOME = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(HOME / "tests" / "models"))
unseen = importlib.import_module("unseen")

FOUND = HOME / "docs" / "models.json"
ABOUT = """# Which models work

Each model is made with random weights and goes through what a learner does with it. **mask**: 30% of the
units of each layer; layers that a refusal named are left alone. **remove**: the smaller model. **equal**: on
other images it computes what the masked copy does, within 1e-5 of the largest output. **copy**: a copy, of
which nothing was pruned, computes the same, bit for bit. **file**: saved and read again, bit for bit.
**train**: one step of SGD. Written by `python -m benchmarks.models` of `tests/models/unseen.py`.

"""


def main(words: list[str]) -> None:
    """Go through the rows that are not done, and write the table after each."""
    found = json.loads(FOUND.read_text(encoding="utf-8")) if FOUND.exists() else {}
    for name, row in unseen.ROWS.items():
        if name in found or (words and not any(word in name for word in words)):
            continue
        start = time.perf_counter()
        found[name] = unseen.examine(row)
        print(f"{name:<50}{time.perf_counter() - start:>6.0f} s  {found[name]}", flush=True)
        with whole(FOUND) as file:
            file.write((json.dumps(found, indent=1, ensure_ascii=False) + "\n").encode())
        with whole(FOUND.with_suffix(".md")) as file:
            file.write((ABOUT + table(found)).encode())
        if "keras" in sys.modules:
            sys.modules["keras"].backend.clear_session()
        gc.collect()


def table(found: dict[str, dict[str, str]]) -> str:
    """Write a line a model: a tick a step, and in words what was not done."""
    lines = ["| model | units | " + " | ".join(unseen.STEPS) + " |", "|---|---|" + ":-:|" * len(unseen.STEPS)]
    notes = []
    for name in (name for name in unseen.ROWS if name in found):
        cells = []
        for step in unseen.STEPS:
            said = found[name].get(step, "")
            cells.append("✓" if said.startswith("yes") else "✗" if said else "")
            if said not in ("", "yes"):
                notes.append(f"- {name}, {step}: {said.removeprefix('yes, ')}")
        lines.append(f"| {name} | {unseen.ROWS[name].granularity}s | " + " | ".join(cells) + " |")
    waiting = [name for name in unseen.ROWS if name not in found]
    notes += [f"- not run yet: {'; '.join(waiting)}"] if waiting else []
    return "\n".join([*lines, "", *notes]) + "\n"


if __name__ == "__main__":
    main(sys.argv[1:])
