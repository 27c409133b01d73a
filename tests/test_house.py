"""The house: which room may import which, and how large rooms, files and functions are."""

import ast
import graphlib
import sys
from pathlib import Path

import pytest

import pruneviz as pv

HOME = Path(pv.__file__).parent
FILES = {path.relative_to(HOME).as_posix(): path for path in sorted(HOME.rglob("*.py"))}
# What each room may import of pruneviz; what is not named here is above, and may import all.
ROOMS = {
    "progress": set(),
    "core": {"core"},
    "frameworks": {"frameworks", "core", "progress"},
    "engine": {"engine", "frameworks", "core"},
    "files": {"files", "engine", "frameworks", "core"},
    "measures": {"measures", "files", "engine", "frameworks", "core", "progress"},
    "methods": {"methods", "measures", "files", "engine", "frameworks", "core", "progress"},
    "schedules": {"schedules", "core"},
}
FAMILIES = {
    **dict.fromkeys(("torch", "torchvision"), "torch"),
    **dict.fromkeys(("keras", "tf_keras", "tensorflow"), "keras"),
}
LOADERS = ("frameworks", "zoo")
LINES, FUNCTION, KERNEL = 400, 60, 5800


def trees():
    return {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in FILES.items()}


def room_of(name):
    return name.split("/")[0].removesuffix(".py")


def modules_of(tree):
    """List what a module imports: all of it, what is for types alone or inside a function included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports are absolute"
            for alias in node.names:
                path = f"{node.module}.{alias.name}"
                inside = path.removeprefix("pruneviz.").replace(".", "/")
                is_module = f"{inside}.py" in FILES or f"{inside}/__init__.py" in FILES
                yield path if path.startswith("pruneviz.") and is_module else node.module


def file_of(module):
    inside = module.removeprefix("pruneviz").removeprefix(".").replace(".", "/")
    return next(
        (name for name in (f"{inside}.py", f"{inside}/__init__.py".lstrip("/")) if name in FILES), None
    )


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_rooms_below(room):
    for name, tree in trees().items():
        if room_of(name) == room:
            ours = {m.split(".")[1] for m in modules_of(tree) if m.startswith("pruneviz.")}
            assert ours <= ROOMS[room], name


def test_the_core_imports_numpy_and_the_standard_library():
    for name, tree in trees().items():
        if room_of(name) == "core":
            roots = {module.split(".")[0] for module in modules_of(tree)} - {"pruneviz", "__future__"}
            assert roots - {"numpy"} <= sys.stdlib_module_names, name


def test_frameworks_are_imported_by_their_own_files_alone():
    for name, tree in trees().items():
        loaded = {FAMILIES[root] for m in modules_of(tree) if (root := m.split(".")[0]) in FAMILIES}
        if loaded:
            assert room_of(name) in LOADERS, name
            assert len(loaded) == 1, name
            others = {m.split(".")[2] for m in modules_of(tree) if m.startswith("pruneviz.frameworks.")}
            assert others.isdisjoint({"torch", "keras"} - loaded), name


def test_there_is_no_circle_also_for_types():
    needs = {
        name: {file for module in modules_of(tree) if (file := file_of(module)) and file != name}
        for name, tree in trees().items()
    }
    graphlib.TopologicalSorter(needs).prepare()


def test_core_frameworks_and_engine_are_an_afternoons_reading():
    lines = {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in FILES.items()}
    assert sum(n for name, n in lines.items() if room_of(name) in ("core", "frameworks", "engine")) <= KERNEL


def test_no_file_and_no_function_is_long():
    for path in HOME.rglob("*.js"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= LINES, path.name
    for name, tree in trees().items():
        lines = len(FILES[name].read_text(encoding="utf-8").splitlines())
        assert lines <= LINES, name
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                documented = ast.get_docstring(node) is not None
                doc = node.body[0].end_lineno - node.body[0].lineno + 1 if documented else 0
                assert node.end_lineno - node.lineno + 1 - doc <= FUNCTION, f"{name}: {node.name}"
