"""How long README's installs take, and what they weigh on the disk: fresh environments, nothing cached.

python benchmarks/install.py [WHAT ...]        # of lessons, torch, tensorflow: all; writes docs/install.json
"""

from __future__ import annotations

import datetime as dt
import json
import platform
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ONE_TRACK = ("jupyterlab", "ipywidgets", "scikit-learn")
MORE: dict[str, tuple[str, ...]] = {"lessons": (), "torch": ONE_TRACK, "tensorflow": ONE_TRACK}


def main(names: list[str]) -> None:
    """Install each, and keep what was found beside what had been found of the others."""
    path = ROOT / "docs" / "install.json"
    found = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    for name in names or MORE:
        found[name] = install(name)
        print(name, found[name])
        path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def install(name: str) -> dict[str, object]:
    """Install into a fresh environment: seconds, GB on the disk, and where that was."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder) / ("Scripts" if sys.platform == "win32" else "bin") / "python"
        command = [python, "-m", "pip", "install", "-q", "--no-cache-dir", "-e", f".[{name}]", *MORE[name]]
        start = time.perf_counter()
        subprocess.run(command, cwd=ROOT, check=True)
        seconds = time.perf_counter() - start
        weight = sum(file.lstat().st_size for file in Path(folder).rglob("*"))
    return {
        "seconds": round(seconds),
        "GB": round(weight / 1e9, 1),
        "system": f"{platform.system()}, Python {'.'.join(platform.python_version_tuple()[:2])}",
        "date": dt.datetime.now(tz=dt.UTC).date().isoformat(),
    }


if __name__ == "__main__":
    main(sys.argv[1:])
