"""Every number that a lesson tells is shown by the lesson; lessons/prose.py says what that means."""

import re
from copy import deepcopy

import build
import nbformat
import prose
import pytest

LESSONS = build.find_lessons()
IDS = [lesson.title for lesson in LESSONS]
# Numbers that nothing can show. The list may only become shorter.
WAIVED = {("05", "40%")}  # a wrong answer of the quiz
MOST_WAIVED = 1

REMEDY = """
Each of these is told in {title} and shown by nothing in it. For each, in source/{source}:
- let a cell print it, computed, with the same digits and unit (a column of a table, an f-string in alt=…),
  and build the lesson again;
- or write what is printed: 85.9% where 85.9% is printed, not 86%;
- or leave the number out: "hundreds of ways", "most of what is left".
A number typed into a string that a cell prints is prose too: compute it there. A setting may stand in the
code, or at the top of the result file. See `python lessons/prose.py {name}`, and do not add to WAIVED.
{found}"""

# Where, what stands there, and the slip: a digit, two digits changed round, another unit, another rounding, a
# factor of ten, another lesson's number, words.
PLANTED = [
    ("00", "costs 0.0450", "costs 0.0540"),
    ("00", "0.1175 and 0.1250", "0.1175 and 0.1255"),
    ("00", "fewer than 475 of the 500", "fewer than 457 of the 500"),
    ("01a", "This network has 266,200 weights", "This network has 266,610 weights"),
    ("01a", "each of the 784 pixels", "each of the 748 pixels"),
    ("01a", "97.94% before pruning", "97.9% before pruning"),
    ("01a", "It was 4,928", "It was 4,982"),
    ("01b", "leaves 2,946 digits", "leaves 2,964 digits"),
    ("01b", "what 211,680 cost", "what 21,168 cost"),
    ("01b", "leaves 4,740", "leaves 4,740%"),
    ("01c", "magnitude, 58.9% of the digits", "magnitude, 58.8% of the digits"),
    ("01c", "takes 1,067 kB", "takes 1,067 MB"),
    ("01c", "the whole file is 32 kB", "the whole file is thirty-four kB"),
    ("02a", "The shift alone costs 73 answers", "The shift alone costs 79 answers"),
    ("02a", "as well as greedy did with 40,100", "as well as greedy did with 41,000"),
    ("02a", "they lose 152 right ones", "they lose 152 per cent right ones"),
    ("02b", "With 99,450 parameters", "With 99,540 parameters"),
    ("02b", "9,816 of 10,000 are right", "98.17% of 10,000 are right"),
    ("02b", "Neurons keep 3,177", "Neurons keep 3,777"),
    ("03", "of the 4,970 right answers", "of the 4,790 right answers"),
    ("03", "do 85.9% of the MACs", "do 86% of the MACs"),
    ("03", "and 3,208 digits", "and 3,280 digits"),
    ("04a", "17.4% of ResNet-18's answers", "17.40% of ResNet-18's answers"),
    ("04a", "70% recalibration takes 161 to 817", "70% recalibration takes 161 to 871"),
    ("04b", "Of the 226 units", "Of the 262 units"),
    ("05", "it stops at 28.9%", "it stops at 28.9 kB"),
    ("05", "At 3.5% of the weights", "At 0.35% of the weights"),
    ("06a", "which is from 66.7% on", "which is from 66.6% on"),
    ("06a", "breaks even at 3.1%", "breaks even at 3.13%"),
    ("06b", "ends with 4,881 of 5,000", "ends with 4,818 of 5,000"),
]


INSTRUCTOR = (build.LESSONS / "INSTRUCTOR.md").read_text(encoding="utf-8")


def name_of(lesson):
    return lesson.source.name.split("_")[0]


def found(lesson, notebook):
    numbers = prose.unshown(lesson, notebook)
    return [number for number in numbers if (name_of(lesson), number.value + number.unit) not in WAIVED]


@pytest.mark.parametrize("lesson", LESSONS, ids=IDS)
def test_every_number_that_is_told_is_shown(lesson):
    numbers = found(lesson, nbformat.read(lesson.path, as_version=4))
    lines = "\n".join(f"  {number.value}{number.unit} in “{number.words}”" for number in numbers)
    words = {"title": lesson.title, "source": lesson.source.name, "name": name_of(lesson)}
    assert not numbers, REMEDY.format(**words, found=lines)


@pytest.mark.parametrize(("name", "right", "wrong"), PLANTED)
def test_a_planted_error_is_caught(name, right, wrong):
    lesson = build.find_lessons([name])[0]
    notebook = deepcopy(nbformat.read(lesson.path, as_version=4))
    cells = [cell for cell in notebook.cells if cell.cell_type == "markdown" and right in cell.source]
    assert cells, f"{name} no longer says {right!r}: plant another error in it"
    cells[0].source = cells[0].source.replace(right, wrong, 1)
    assert len(found(lesson, notebook)) == 1


def expected_of(name):
    """Give what the instructor is told to expect of a lesson: rows of a table, and a paragraph."""
    rows = re.findall(rf"^\| {name}, (.+) \|$", INSTRUCTOR, re.MULTILINE)
    _, _, plan = INSTRUCTOR.partition(f"## Lesson {name}, minute by minute")
    paragraph = re.search(
        r"^\*\*Numbers to expect\*\*.*?(?=\n\n|\Z)", plan.partition("\n## ")[0], re.MULTILINE | re.DOTALL
    )
    text = "\n".join([*rows, paragraph[0] if paragraph else ""])
    return re.sub(r"\b[Aa]bout [\d,.]+%?", "", text)


def unexpected(name, text):
    """List the numbers of a text that neither track of a lesson shows."""
    tracks = [lesson for lesson in LESSONS if name_of(lesson) == name]
    notebooks = [nbformat.read(lesson.path, as_version=4) for lesson in tracks]
    lists = [prose.unshown(*both, text) for both in zip(tracks, notebooks, strict=True)]
    return set.intersection(*({number[:2] for number in numbers} for numbers in lists))


@pytest.mark.parametrize("name", sorted({name_of(lesson) for lesson in LESSONS}))
def test_every_number_that_the_instructor_expects_is_shown(name):
    text = expected_of(name)
    assert len(prose.numbers(text)) > 1
    assert unexpected(name, f"{text} 987,654") == {("987654", "")}


def test_thirty_errors_are_planted_in_every_lesson_of_the_first_six():
    assert len({wrong for *_, wrong in PLANTED}) >= 30
    assert {name for name, *_ in PLANTED} >= {name_of(x) for x in LESSONS if name_of(x) < "07"}


def test_the_list_of_what_is_waived_only_becomes_shorter():
    assert len(WAIVED) <= MOST_WAIVED
    for name, number in WAIVED:
        lesson = build.find_lessons([name])[0]
        told = prose.unshown(lesson, nbformat.read(lesson.path, as_version=4))
        assert number in {one.value + one.unit for one in told}, f"{number} in {name} need not be waived"


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("from 90 to 95% of 1,000", [("90", "%"), ("95", "%"), ("1000", "")]),
        ("LeNet-300-100 and fc1, 2:4, 784-10-10", []),
        ("2.7x, 32 kB\nand twenty-five per cent", [("2.7", ""), ("32", "kB"), ("25", "%")]),
        ("98.2%; 95% interval 97.9% to 98.4%", [("98.2", "%"), ("97.9", "%"), ("98.4", "%")]),
        ("0.5, 3 and 12.", [("0.5", ""), ("3", ""), ("12", "")]),
    ],
)
def test_numbers_are_read_with_their_units(text, read):
    assert [number[:2] for number in prose.numbers(text)] == read
