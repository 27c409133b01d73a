"""What runs elsewhere says what is true here: Binder's images, the container, the workflows."""

import datetime as dt
import importlib.util
import json
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

import pruneviz as pv

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "course.yml").read_text(encoding="utf-8"))
STEPS = [step for job in WORKFLOW["jobs"].values() for step in job["steps"]]
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# What each track's image has of the extras; what export needs belongs to one track or to the other.
TRACKS = {
    "torch": {"onnx", "onnxruntime", "onnxscript"},
    "tensorflow": {"ai-edge-litert"},
}
HEAVY = {"torch", "tensorflow", "tensorflow-cpu"}


def names(lines):
    return {
        re.split(r"[<>=\[;]", line)[0].strip() for line in lines if line and not line.startswith(("#", "-"))
    }


@pytest.fixture(params=TRACKS)
def image(request, tmp_path):
    """A track, and the folder binder/ from which its image is made: main's, or the branch's."""
    for folder in ("binder", ".ci"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    if request.param == "tensorflow":
        git = ["git", "-c", "user.name=test", "-c", "user.email=test@localhost"]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
        for command in (
            [*git, "init", "-q"],
            [*git, "add", "-A"],
            [*git, "commit", "-qm", "-"],
            [".ci/binder"],
        ):
            subprocess.run(command, cwd=tmp_path, env=environment, check=True)
        assert not subprocess.run(
            [*git, "status", "--porcelain"], cwd=tmp_path, check=True, capture_output=True
        ).stdout
    return request.param, tmp_path / "binder"


def test_binder_has_every_dependency_of_a_track_and_one_framework(image):
    track, folder = image
    extras = EXTRAS["optional-dependencies"]
    assert set().union(*TRACKS.values()) == names(extras["export"])
    lines = [line for extra in (track, "parallel", "lessons") for line in extras[extra]]
    needed = names([*EXTRAS["dependencies"], *lines]) - {"pruneviz"} | TRACKS[track]
    listed = names((folder / "requirements.txt").read_text(encoding="utf-8").splitlines())
    script = (folder / "postBuild").read_text(encoding="utf-8")
    by_hand = {
        name for line in re.findall(r"^pip .*--no-deps (.+)$", script, re.MULTILINE) for name in line.split()
    }
    stand_ins = {"tensorflow": "tensorflow-cpu"}
    assert {stand_ins.get(name, name) for name in needed} <= listed | by_hand
    assert len(listed & HEAVY) == 1
    for name in ("postBuild", "start"):
        assert os.access(folder / name, os.X_OK)
    assert (folder / "start").read_text(encoding="utf-8").endswith('exec "$@"\n')


def test_the_workflow_runs_what_one_runs_by_hand():
    commands = [step["run"] for step in STEPS if "run" in step]
    assert sorted(set(commands)) == [
        ".ci/binder",
        ".ci/quick",
        ".ci/run",
        "git push --force origin HEAD:binder-tensorflow",
        'pip install -e ".[test]"',
        "python lessons/build.py --site site",
    ]
    for command in commands:
        if command.startswith(".ci/"):
            assert os.access(ROOT / command, os.X_OK)


def test_only_what_is_green_is_published_from_the_views_that_its_tests_left():
    jobs = WORKFLOW["jobs"]
    assert {name for name in jobs if jobs[name].get("needs") == "everything"} == {
        "pages",
        "binder-tensorflow",
    }
    kept = [step["with"] for step in STEPS if "artifact@" in step.get("uses", "") and "views" in str(step)]
    assert {(one["name"], one["path"]) for one in kept} == {("views", "lessons/.views")}
    assert len(kept) == 2


def test_every_step_of_the_workflow_names_the_version_of_what_it_uses():
    used = [step["uses"] for step in STEPS if "uses" in step]
    assert all(re.fullmatch(r"actions/[\w-]+@v\d+", name) for name in used)


def test_the_quick_tests_are_there_and_need_neither_a_browser_nor_both_frameworks_in_a_kernel():
    script = (ROOT / ".ci" / "quick").read_text(encoding="utf-8")
    files = re.findall(r"\S+\.(?:py|ipynb)", script)
    assert len(files) >= 5
    assert all((ROOT / file).exists() and "browser" not in file for file in files)


def test_the_container_installs_as_the_readme_says():
    container = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
    assert container["postCreateCommand"] == 'pip install -e ".[lessons]"'
    assert f"    {container['postCreateCommand']} && jupyter lab" in README
    assert container["image"].removeprefix("python:") >= EXTRAS["requires-python"].removeprefix(">=")


def test_the_badges_open_lesson_00_of_either_image():
    for branch in ("HEAD", "binder-tensorflow"):
        assert f"mybinder.org/v2/gh/pruneviz/pruneviz/{branch}?urlpath=lab/tree/lessons/00_" in README


def test_one_version_is_told_everywhere_and_heads_the_changes():
    version = EXTRAS["version"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert version == pv.__version__ == str(citation["version"])
    assert re.search(r"^## (\S+)", changes, re.MULTILINE)[1] == version


def test_the_citation_has_what_its_format_asks_for():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["cff-version"] == "1.2.0"
    assert citation["type"] in {"software", "dataset"}
    assert citation["message"]
    assert citation["title"]
    assert all(author.keys() & {"name", "family-names"} for author in citation["authors"])
    assert isinstance(citation["date-released"], dt.date)
    assert citation["repository-code"] == EXTRAS["urls"]["Repository"]
    assert citation["license"] in EXTRAS["license"]
    known = {
        "abstract",
        "authors",
        "cff-version",
        "date-released",
        "doi",
        "identifiers",
        "keywords",
        "license",
    }
    assert citation.keys() <= known | {"message", "repository-code", "title", "type", "url", "version"}


def test_the_picture_of_the_architecture_is_that_of_the_imports():
    path = ROOT / "docs" / "architecture.py"
    architecture = importlib.util.module_from_spec(
        spec := importlib.util.spec_from_file_location("architecture", path)
    )
    spec.loader.exec_module(architecture)
    assert architecture.page() == architecture.PAGE.read_text(encoding="utf-8"), "run docs/architecture.py"
    assert "core --> " not in architecture.page()
