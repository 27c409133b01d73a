"""What `import pruneviz` promises."""

import ast
import importlib
import pkgutil
import subprocess
import sys
import types
from pathlib import Path

import pruneviz as pv

HEAVY = ("torch", "tensorflow", "keras", "tf_keras", "matplotlib", "ipywidgets", "tqdm", "numpy")
EXPORT = ("onnx", "onnxruntime", "onnxscript", "ai_edge_litert")


def test_importing_loads_no_framework():
    code = f"import sys, pruneviz; print([name for name in {HEAVY + EXPORT!r} if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert loaded.strip() == "[]"


def test_using_one_framework_does_not_load_the_other():
    code = (
        "import sys, torch, pruneviz as pv; pv.prune(torch.nn.Linear(3, 2), 0.5); "
        "print([name for name in ('tensorflow', 'keras', 'tf_keras', 'matplotlib') if name in sys.modules])"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert loaded.strip() == "[]"


def test_public_names_exist_and_no_module_shadows_a_function():
    for module in pkgutil.walk_packages(pv.__path__, "pruneviz."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for name in pv.__all__:
        assert name in dir(pv)
        is_module = isinstance(getattr(pv, name), types.ModuleType)
        assert is_module == (name in pv._MODULES), name
        assert getattr(pv, name).__doc__, name


def test_type_checkers_are_told_every_public_name_and_its_home():
    stub = ast.parse(Path(pv.__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
    told = {
        alias.asname: node.module.removeprefix("pruneviz").removeprefix(".")
        for node in stub.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert told == pv._HOME_OF | dict.fromkeys(pv._MODULES, "")


def test_mypy_accepts_a_users_script(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import pruneviz as pv\n"
        "mnist = pv.datasets.mnist()\n"
        "model = pv.zoo.lenet_5('torch')\n"
        "mask: pv.Mask = pv.prune(model, 0.9, exclude=['fc3'])\n"
        "card: pv.Scorecard = pv.scorecard(pv.apply(model, mask), mnist.test)\n"
        "low, high = pv.wilson(card.correct, card.n)\n"
        "view = pv.explore(model, mnist.validation)\n"
        "pv.prune(model, 'most')\n"
    )
    options = ["--strict", "--no-error-summary", "--follow-imports=silent", "--no-warn-unused-ignores"]
    config = Path(pv.__file__).parents[1] / "pyproject.toml"
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *options, f"--config-file={config}", script],
        capture_output=True,
        text=True,
        check=False,
        cwd=config.parent,
    )
    (line,) = done.stdout.splitlines()  # the wrong call is seen, so the right ones were looked at
    assert 'Argument 2 to "prune" has incompatible type "str"' in line, done.stdout


def test_unknown_names_are_attribute_errors():
    assert not hasattr(pv, "prun")
