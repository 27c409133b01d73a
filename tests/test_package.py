"""What `import pruneviz` promises."""

import importlib
import pkgutil
import subprocess
import sys
import types

import pruneviz as pv

HEAVY = ("torch", "tensorflow", "keras", "tf_keras", "matplotlib", "ipywidgets", "tqdm", "numpy")


def test_importing_loads_no_framework():
    code = f"import sys, pruneviz; print([name for name in {HEAVY!r} if name in sys.modules])"
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


def test_unknown_names_are_attribute_errors():
    assert not hasattr(pv, "prun")
