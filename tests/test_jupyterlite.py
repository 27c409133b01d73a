"""Lesson 00 needs nothing that a browser does not have: docs/jupyterlite.md."""

import json
import os
import subprocess
import sys
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LESSON = ROOT / "lessons" / "00_start_here.ipynb"
PYODIDE = json.loads((ROOT / "tests" / "pyodide.json").read_text(encoding="utf-8"))
# Compiled where it is installed, and published as a pure wheel too.
PURE_TOO = {"psygnal", "charset-normalizer"}

# Frameworks, and what joblib only tries, cannot be imported.
RUN = """
import json, sys
from importlib.metadata import packages_distributions

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "tensorflow", "keras", "tf_keras", "psutil"):
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Missing())
from IPython.core.interactiveshell import InteractiveShell

shell = InteractiveShell.instance()
for cell in json.load(open(sys.argv[1], encoding="utf-8"))["cells"]:
    if cell["cell_type"] == "code":
        shell.run_cell("".join(cell["source"]), silent=True).raise_error()
homes = packages_distributions()
print(json.dumps(sorted({d for m in list(sys.modules) for d in homes.get(m.partition(".")[0], ())})))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The slim wheel, as the recipe builds it."""
    folder = tmp_path_factory.mktemp("slim")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, env={**os.environ, "PRUNEVIZ_SLIM": "1"}, check=True, capture_output=True)
    (file,) = folder.glob("*-py3-none-any.whl")
    return file


@pytest.fixture(scope="module")
def imported(wheel, tmp_path_factory):
    """Run lesson 00 on the slim wheel, without a framework, and list the distributions that it imports."""
    home = tmp_path_factory.mktemp("browser")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(home)
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(LESSON)],
        cwd=home,
        env={**os.environ, "PYTHONPATH": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def test_the_slim_wheel_is_slim(wheel):
    assert wheel.stat().st_size < 3e6


def test_lesson_00_imports_only_what_is_pure_or_built_for_the_browser(imported):
    built = {name.replace("_", "-").lower() for name in PYODIDE["packages"]}
    assert {"numpy", "matplotlib", "anywidget", "scikit-learn"} <= set(imported)
    compiled = {
        name.replace("_", "-").lower()
        for name in imported
        if "Root-Is-Purelib: true" not in (distribution(name).read_text("WHEEL") or "")
    }
    assert compiled <= built | PURE_TOO, f"Pyodide {PYODIDE['pyodide']} does not have them"
