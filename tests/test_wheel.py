"""A wheel stands alone: it brings the lessons, which run where there is no checkout."""

import email
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell

from pruneviz import lessons, teaching
from pruneviz.__main__ import main

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build the wheel, and unpack it as pip does."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (file,) = folder.glob("*.whl")
    with zipfile.ZipFile(file) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


@pytest.fixture(scope="module")
def alone(wheel):
    """The environment of somebody who has the wheel, and no checkout."""
    return {**os.environ, "PYTHONPATH": str(wheel), "OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1"}


@pytest.fixture(scope="module")
def course(alone, tmp_path_factory):
    """An empty folder, and what the command copies into it."""
    folder = tmp_path_factory.mktemp("somewhere else")
    command = [sys.executable, "-m", "pruneviz", "lessons", "my course", "--outputs"]
    done = subprocess.run(command, cwd=folder, env=alone, capture_output=True, text=True, check=True)
    assert "\n    jupyter lab 'my course/00_start_here.ipynb'\n" in done.stdout
    return folder / "my course"


def test_the_command_brings_what_a_course_needs(course):
    found = {path.relative_to(course).as_posix() for path in course.rglob("*") if path.is_file()}
    notebooks = [
        path for path in (ROOT / "lessons").rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts
    ]
    wanted = {path.relative_to(ROOT / "lessons").as_posix() for path in notebooks}
    wanted |= {f"map/{path.name}" for path in (ROOT / "lessons/map").iterdir()}
    assert found == wanted | {"GLOSSARY.md", "INSTRUCTOR.md", "LICENSE", "YOUR_OWN_NETWORK.md"}
    for name in found:
        assert (course / name).read_bytes() == (ROOT / "lessons" / name).read_bytes()


def test_nothing_of_the_lessons_is_missing_in_the_wheel_or_lies_beside_the_package(wheel):
    assert {path.name.partition("-")[0] for path in wheel.iterdir()} == {"pruneviz"}
    for pattern in ("results/*.json", "checks/*.py"):
        here = sorted(path.name for path in (ROOT / "lessons").glob(pattern))
        there = sorted(path.name for path in (wheel / "pruneviz/lessons").glob(pattern))
        assert [name for name in there if name != "__init__.py"] == here != []


@pytest.mark.parametrize("name", ["00_*", "pytorch/05_*", "tensorflow/05_*"])
def test_the_first_and_the_last_lesson_run_there(course, alone, wheel, name):
    (path,) = course.glob(name)
    notebook = nbformat.read(path, as_version=4)
    found = "import pruneviz.lessons\nprint(pruneviz.__file__, pruneviz.lessons.HOME)"
    notebook.cells.append(new_code_cell(found))
    client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(path.parent)}})
    client.execute(env=alone)
    assert notebook.cells[-1].outputs[0].text.count(str(wheel)) == 2


def test_no_link_of_the_description_needs_a_checkout(wheel):
    (file,) = wheel.glob("*.dist-info/METADATA")
    text = email.message_from_bytes(file.read_bytes()).get_payload()
    links = re.findall(r"\]\(([^)]*)\)", text)
    assert len(links) == len(re.findall(r"\]\(([^)]*)\)", (ROOT / "README.md").read_text(encoding="utf-8")))
    assert [link for link in links if not link.startswith("https://")] == []
    assert "https://github.com/pruneviz/pruneviz/raw/HEAD/docs/explorer.webp" in links
    assert "https://github.com/pruneviz/pruneviz/blob/HEAD/lessons/INSTRUCTOR.md" in links


def test_the_licences_of_code_lessons_weights_and_data_are_told(wheel):
    (file,) = wheel.glob("*.dist-info/METADATA")
    told = email.message_from_bytes(file.read_bytes())
    assert told["License-Expression"] == "MIT AND CC-BY-4.0 AND CC-BY-SA-3.0"
    texts = [
        (file.parent / "licenses" / name).read_text(encoding="utf-8") for name in told.get_all("License-File")
    ]
    for words in ("MIT License", "Attribution 4.0", "CC BY-SA 3.0", "2017 Zalando SE"):
        assert any(words in text for text in texts), words


def test_the_images_are_in_it_with_their_notice(wheel):
    data = {path.name for path in (wheel / "pruneviz/datasets/data").iterdir()}
    assert data == {"mnist.npz", "clothes.npz", "NOTICE.md"}


def test_a_changed_lesson_is_left_alone_and_named(tmp_path, capsys):
    assert main(["lessons", str(tmp_path)]) == 0
    assert "Left alone" not in capsys.readouterr().out
    mine, gone = tmp_path / "pytorch" / "05_iterative_pruning.ipynb", tmp_path / "INSTRUCTOR.md"
    mine.write_text("mine")
    gone.unlink()
    assert main(["lessons", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert told.count(".ipynb") == 2
    assert f"    {mine}\n" in told
    assert mine.read_text() == "mine"
    assert gone.exists()


def test_answers_are_not_copied_unless_asked_for(tmp_path):
    name = "pytorch/05_iterative_pruning.ipynb"
    course = json.loads((lessons.HOME / name).read_text(encoding="utf-8"))
    for options, hidden in (([], True), (["--outputs"], False)):
        folder = tmp_path / f"{hidden}"
        assert main(["lessons", str(folder), *options]) == 0
        copied = json.loads((folder / name).read_text(encoding="utf-8"))
        assert (copied == course) is not hidden
        assert [cell["source"] for cell in copied["cells"]] == [cell["source"] for cell in course["cells"]]
        assert any(cell.get("outputs") for cell in copied["cells"]) is not hidden


@pytest.mark.parametrize("there", ["file", "file/below", "folder"])
def test_a_folder_that_cannot_be_used_is_told_in_a_sentence(tmp_path, capsys, there):
    (tmp_path / "file").touch()
    (tmp_path / "folder" / "LICENSE").mkdir(parents=True)
    assert main(["lessons", str(tmp_path / there)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: cannot copy the lessons to {tmp_path / there} (")
    assert line.endswith("; name another folder")


@pytest.mark.parametrize("arguments", [[], ["lesson"], ["lessons", "a", "b"]])
def test_other_words_are_refused(arguments, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert "error: " in capsys.readouterr().err


def test_results_are_read_from_wherever_the_lessons_are():
    stored = json.loads((lessons.HOME / "results" / "han.json").read_text(encoding="utf-8"))
    assert teaching.results("han") == stored
    for name in ("hahn", "../results/han", "han.json", ""):
        with pytest.raises(ValueError, match=r"no stored result is called .*choose one of .*channels, .*han"):
            teaching.results(name)
