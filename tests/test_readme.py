"""The README's commands are those that continuous integration runs, and its links lead somewhere."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
OPEN = 'pip install -e ".[lessons]" && jupyter lab lessons/00_start_here.ipynb'
TEST = 'pip install -e ".[test]" && pytest'


def test_two_commands_do_all_the_set_up():
    commands = re.findall(r"^ {4}(pip .*)$", README, re.MULTILINE)
    assert commands == [OPEN, TEST]
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert 'pip install -q -e ".[test]" && pytest' in script


def test_links_lead_somewhere():
    for target in re.findall(r"\]\((?!https?://)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_every_lesson_is_listed():
    for path in (ROOT / "lessons").glob("**/[0-9]*.ipynb"):
        if ".ipynb_checkpoints" not in path.parts:
            assert str(path.relative_to(ROOT)) in README
