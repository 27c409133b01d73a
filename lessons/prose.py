"""Find the numbers that a lesson tells and nothing in it shows: ``python lessons/prose.py 07a``.

A number is *told* in the prose, or in a text that a cell prints as somebody wrote it: a label, the words of a
figure. It is *shown* where a cell prints it because it was computed, with the same digits and the same unit,
or where it stands in code: as what is set, as what an exercise asks for, as what its check demands; or among
the settings of a result file that the lesson reads. There a share shows its percentage (0.9 and 90%), bytes
their kB. How many digits there are is known.

Not looked at: code, formulas, links, names ("LeNet-300-100", "2:4", "95% interval"), the numbers of lessons,
exercises, questions, references and list entries, years, the questions of others that are quoted, announced
minutes, what a cell is said to take ("about 20 s"), and the reading list.
"""

from __future__ import annotations

import ast
import json
import re
from typing import TYPE_CHECKING, NamedTuple

import build
import nbformat

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nbformat import NotebookNode

# What one of each is in code.
UNITS = {"%": 0.01, "points": 0.01, "kB": 1e3, "MB": 1e6, "GB": 1e9, "ms": 1e-3} | dict.fromkeys(
    ("bytes", "bits", "s", "seconds"), 1.0
)
SPLITS = (55_000.0, 5_000.0, 10_000.0)  # of MNIST: to train, to choose by, to report
_UNIT = "|".join(unit if unit == "%" else rf"{unit}\b" for unit in UNITS)
_NUMBER = re.compile(
    r"(?<![\w.,:])(?<!\w-)(?P<value>\d+(?:,\d{3})*(?:\.\d+)?)(?!(?!x\b)[\w:]|-\d|[.,]\d)"
    rf"(?:[ \n]?(?P<unit>{_UNIT}))?"
)
_AND = re.compile(r"\s?(?:,|,? (?:to|and|or|of))(?: on)?\s")
_TEENS = ("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_ONES = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_WORDS = {
    **{word: 13 + i for i, word in enumerate(_TEENS)},
    **{word: 20 + 10 * i for i, word in enumerate(_TENS)},
    **{f"{ten}-{one}": 21 + 10 * i + j for i, ten in enumerate(_TENS) for j, one in enumerate(_ONES)},
}
_WORD = re.compile(rf"\b(?:{'|'.join(sorted(_WORDS, key=len, reverse=True))})\b", re.IGNORECASE)
_APART = [
    re.compile(pattern, re.MULTILINE)
    for pattern in (
        r"^## Further reading\n[\s\S]*",
        r"```[\s\S]*?```|`[^`]*`|\$\$[\s\S]*?\$\$|\$[^$\n]+\$",
        r"!?\[[^\]]*\]\([^)]*\.svg\)|\]\([^)]*\)|https?://\S+|<[^>]+>",
        r"^#+ (?:Exercise|Suspect) \d|^\*\*Time\..*$|^\*\*\d\. |^\*\*(?:Question|Trap) \d|\[\d\]",
        r"\b(?:19|20)\d\d(?=[),;])|\b[Tt]hread\s\d+|\b[Ii]ssue\s\d+|\b0\d[a-z]?\b",
        r"^\*[^*]+\*(?= \(\[)",
        r"\b[Aa]bout\s(?:\d+|\w+)\s(?:s|seconds|minutes)\b",
    )
]
_INTERVAL = re.compile(r"\b95% interval|\(95%:")


class Number(NamedTuple):
    """A number as it is written, its unit, and the words round it."""

    value: str
    unit: str
    words: str


def numbers(text: str) -> list[Number]:
    """Find the numbers in a text; of those in words, the ones from thirteen to ninety-nine.

    In "from 90 to 95%" both are percentages.
    """
    text = _WORD.sub(lambda m: str(_WORDS[m[0].lower()]), text).replace(" per cent", "%")
    found, unit, start = [], "", len(text)
    for match in reversed(list(_NUMBER.finditer(_INTERVAL.sub("interval", text)))):
        follows = _AND.fullmatch(match.string[match.end() : start])
        unit = match["unit"] or (unit if follows else "")
        start = match.start()
        words = " ".join(match.string[max(0, start - 40) : match.end() + 30].split())
        found.append(Number(match["value"].replace(",", ""), unit, words))
    return found[::-1]


def unshown(lesson: build.Lesson, notebook: NotebookNode, about: str = "") -> list[Number]:
    """List the numbers that a lesson, or a text about it, tells and its notebook, as run, does not show."""
    prose = about or "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    for pattern in _APART:
        prose = pattern.sub(" ", prose)
    told, shown = numbers(prose), set()
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for cell in cells:
        written = {number[:2] for text in _strings(cell.source) for number in numbers(text)}
        for number, units in _printed(cell):
            if number[:2] not in written:
                shown |= {(number.value, unit) for unit in units}
            elif not about:
                told.append(number)
    values = set(_settings(lesson, cells))
    return [n for n in told if (n.value, n.unit) not in shown and not _is_set(n, values)]


def _is_set(number: Number, values: set[float]) -> bool:
    """Say whether code sets a number; of shares, those up to one."""
    value = float(number.value) * UNITS.get(number.unit, 1)
    small = number.unit != "%" or value <= 1
    return small and any(abs(value - other) <= 1e-12 * value for other in values)


def _settings(lesson: build.Lesson, cells: list[NotebookNode]) -> Iterator[float]:
    """Give what code sets: the lesson's, its exercises solved, their checks, and the files it reads."""
    solved = [cell for cell in build.compose(lesson, solved=True).cells if cell.cell_type == "code"]
    folder = lesson.source.parent.parent
    checks = folder / "checks" / f"lesson_{lesson.source.name.split('_')[0]}.py"
    sources = [cell.source for cell in (*cells, *solved)] + [checks.read_text(encoding="utf-8")]
    names = {name for source in sources for name in re.findall(r'results\("(\w+)"\)', source)}
    yield from SPLITS
    for source in sources:
        yield from _literals(source)
    for name in names:
        yield from _stored(folder / "results" / f"{name}.json")


def _printed(cell: NotebookNode) -> Iterator[tuple[Number, set[str]]]:
    """Give each printed number with its units: its own, or those of its row and column in a table."""
    for output in cell.outputs:
        head: list[str] = []
        for line in (output.get("text", "") + output.get("data", {}).get("text/plain", "")).splitlines():
            parts = re.split(r"\s{2,}", line.strip())
            if len(parts) > 1 and not any(re.match(r"[\d.,]+$", part) for part in parts):
                head = parts
            for place, part in enumerate(reversed(parts), 1):
                labels = f"{parts[0]} {head[-place] if place <= len(head) else ''}"
                around = {"", *re.findall(rf"(?<!\w)(?:{_UNIT})", labels)}
                for number in numbers(part):
                    yield number, {number.unit} if number.unit else around


def _tree(source: str) -> ast.AST:
    return compile(source, "cell", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def _literals(source: str) -> Iterator[float]:
    for node in ast.walk(_tree(source)):
        if isinstance(node, ast.Constant) and type(node.value) in (int, float):
            yield float(node.value)


def _strings(source: str) -> Iterator[str]:
    """Give the texts in code, without the formats of its f-strings."""
    nodes = list(ast.walk(_tree(source)))
    specs = [node.format_spec for node in nodes if isinstance(node, ast.FormattedValue) and node.format_spec]
    formats = {id(part) for spec in specs for part in ast.walk(spec)}
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in formats:
            yield node.value


def _stored(path: Path) -> Iterator[float]:
    """Give what a result file is about: its keys, and the numbers at its top."""
    content = json.loads(path.read_text(encoding="utf-8"))
    for key in _keys(content):
        yield from (float(number.value) * UNITS.get(number.unit, 1) for number in numbers(key))
    for value in content.values():
        for number in value if isinstance(value, list) else [value]:
            if type(number) in (int, float):
                yield float(number)
            elif isinstance(number, str):
                yield from (float(found.value) for found in numbers(number))


def _keys(content: object) -> Iterator[str]:
    if isinstance(content, dict):
        for key, value in content.items():
            yield key
            yield from _keys(value)


def main(names: list[str]) -> None:
    """Print what is told and not shown."""
    for lesson in build.find_lessons(names):
        for number in unshown(lesson, nbformat.read(lesson.path, as_version=4)):
            print(f"{lesson.title}: {number.value}{number.unit} in “{number.words}”")


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
