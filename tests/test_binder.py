"""Binder installs by hand what the package would bring: nothing may be missing there."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent


def names(lines):
    return {
        re.split(r"[<>=\[]", line)[0].strip() for line in lines if line and not line.startswith(("#", "-"))
    }


def test_binder_has_every_dependency_of_the_lessons():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    lines = [line for extra in ("torch", "tensorflow", "export", "lessons") for line in extras[extra]]
    needed = names([*project["dependencies"], *lines])
    listed = names((ROOT / "binder" / "requirements.txt").read_text(encoding="utf-8").splitlines())
    script = (ROOT / "binder" / "postBuild").read_text(encoding="utf-8")
    by_hand = {
        name for line in re.findall(r"^pip .*--no-deps (.+)$", script, re.MULTILINE) for name in line.split()
    }
    stand_ins = {"tensorflow": "tensorflow-cpu"}
    assert {stand_ins.get(name, name) for name in needed - {"pruneviz"}} <= listed | by_hand
