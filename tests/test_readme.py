"""The README's commands are those that continuous integration runs, and its links lead somewhere."""

import json
import re
from pathlib import Path

from PIL import Image

from benchmarks.rows import HEADER

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
OPEN = 'pip install -e ".[lessons]" && jupyter lab lessons/00_start_here.ipynb'
TEST = 'pip install -e ".[test]" && pytest'


def test_two_commands_do_all_the_set_up():
    commands = re.findall(r"^ {4}(pip .*)$", README, re.MULTILINE)
    assert commands == [OPEN, TEST]
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert 'pip install -q -e ".[test]" && pytest' in script


def test_the_picture_moves_is_light_and_is_told_in_words():
    ((words, path),) = re.findall(r"!\[(WeightExplorer[^]]+)\]\(([^)]+)\)", README)
    assert len(words) > 200
    assert (ROOT / path).stat().st_size <= 600_000
    with Image.open(ROOT / path) as picture:
        assert picture.n_frames >= 10
        assert picture.width >= 800


def test_what_the_installs_take_is_quoted():
    found = json.loads((ROOT / "docs" / "install.json").read_text(encoding="utf-8"))
    assert found.keys() == {"lessons", "torch", "tensorflow"}
    assert f"That installs {found['lessons']['GB']} GB" in README
    assert f"{found['lessons']['seconds'] / 60:.0f} minutes where the wheels lie near" in README
    for track in ("torch", "tensorflow"):
        assert re.search(rf'`"\.\[{track}\]"`\s\({found[track]["GB"]} GB\)', README)


def test_links_lead_somewhere():
    for target in re.findall(r"\]\((?!https?://)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_what_it_costs_is_quoted_from_the_table():
    found = json.loads((ROOT / "docs" / "benchmarks.json").read_text(encoding="utf-8"))
    _, _, table = README.partition(f"| {' | '.join(HEADER)} |\n")
    quoted = table.partition("\n\n")[0].splitlines()[1:]
    rows = {f"| {' | '.join(cells)} |": part for part in found for cells in found[part]["rows"]}
    assert len(quoted) >= 5
    assert set(quoted) <= rows.keys()
    for part in {rows[line] for line in quoted}:
        assert f"{found[part]['date']}, {found[part]['processor']}" in README


def test_every_lesson_is_listed():
    for path in (ROOT / "lessons").glob("**/[0-9]*.ipynb"):
        if ".ipynb_checkpoints" not in path.parts:
            assert str(path.relative_to(ROOT)) in README
