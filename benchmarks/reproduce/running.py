"""Run an experiment's cases and seeds through any executor, and store each as it ends."""

from __future__ import annotations

import datetime as dt
import hashlib
import importlib
import json
import platform
import re
import sys
import time
from concurrent.futures import Executor, as_completed
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from pruneviz import progress
from pruneviz.files.writing import whole

if TYPE_CHECKING:
    from collections.abc import Sequence

RESULTS = Path(__file__).resolve().parents[2] / "lessons" / "results"
_PARTS = {"__init__", "__main__", "running", "fitting", "tfmot_arms", "rule"}
EXPERIMENTS = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in _PARTS)
_PACKAGES = ("torch", "torchvision", "tensorflow", "tf-keras", "tensorflow-model-optimization", "numpy")
_Result = dict[str, Any]


class Experiment(Protocol):
    """What a module of an experiment has."""

    ARTICLE: dict[str, Any]  # its figures as they are printed, and whose they are
    SETTINGS: dict[str, Any]
    SEEDS: tuple[int, ...]
    CASES: tuple[str, ...]  # its networks; an empty name where there is only one

    def run(self, case: str, seed: int, settings: dict[str, Any], folder: Path) -> _Result:
        """Train and measure; right answers are pairs, of the validation and of the test images."""


def experiment(name: str) -> Experiment:
    """Load an experiment by its name."""
    return cast("Experiment", importlib.import_module(f"{__package__}.{name}"))


def reproduce(
    name: str,
    pool: Executor,
    *,
    seeds: Sequence[int],
    cases: Sequence[str],
    settings: dict[str, Any],
    folder: Path,
    out: Path,
) -> _Result:
    """Make the runs that the stored result lacks; a failed one is raised when the others are stored.

    Raises
    ------
    ValueError
        If the stored result has other settings.
    """
    result = _begun(name, settings, out)
    done = {(run["case"], run["seed"]) for run in result["runs"]}
    missing = [(case, seed) for case in cases for seed in seeds if (case, seed) not in done]
    futures = [pool.submit(_timed, name, case, seed, settings, folder) for case, seed in missing]
    with progress.bar(name, "run", len(futures)) as bar:
        for future in as_completed(futures):
            if not future.exception():
                result["runs"].append(future.result())
                result["runs"].sort(key=lambda run: (cases.index(run["case"]), run["seed"]))
                _store(result, out)
            bar.update()
    for future in futures:
        future.result()
    return result


def _begun(name: str, settings: dict[str, Any], out: Path) -> _Result:
    if not out.exists():
        article = experiment(name).ARTICLE
        return {
            "made_by": f"python -m benchmarks.reproduce {name}",
            "article": article,
            "settings": settings,
            "runs": [],
        }
    result: _Result = json.loads(out.read_text(encoding="utf-8"))
    if result["settings"] != settings:
        raise ValueError(
            f"{out.name} holds runs of other settings, {result['settings']}: choose another --out"
        )
    return result


def _timed(name: str, case: str, seed: int, settings: dict[str, Any], folder: Path) -> _Result:
    started = time.perf_counter()
    of_settings = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:8]
    found = experiment(name).run(
        case, seed, settings, folder / name / of_settings / f"{case or 'run'}_{seed}"
    )
    return {
        "case": case,
        "seed": seed,
        "seconds": round(time.perf_counter() - started),
        "date": dt.datetime.now(tz=dt.UTC).date().isoformat(),
        "processor": _processor(),
        "versions": _versions(),
        "found": found,
    }


def _processor() -> str:
    torch = sys.modules.get("torch")  # a run of TensorFlow has none
    if torch and torch.cuda.is_available():
        return str(torch.cuda.get_device_name())
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def _versions() -> dict[str, str]:
    installed = {
        distribution.metadata["Name"]: distribution.version for distribution in metadata.distributions()
    }
    return {"python": platform.python_version()} | {
        name: version for name, version in sorted(installed.items()) if name.replace("_", "-") in _PACKAGES
    }


def _store(result: _Result, out: Path) -> None:
    with whole(out) as file:
        file.write(_compact(result).encode())


def _compact(result: _Result) -> str:
    """Write JSON with the numbers of a row on one line."""
    text = json.dumps(result, indent=1, ensure_ascii=False)
    return re.sub(r"\[[-.,\de\s]+\]", lambda row: f"[{' '.join(row[0][1:-1].split())}]", text) + "\n"
