"""Draw the map of the course, once for each lesson, with what that lesson treats lit up.

    python lessons/course_map.py

Whatever is called pruning answers four questions: what goes, by what it is judged, compared with whom, and
when. A row is a question, a box an answer; its small number is the lesson that begins with it. The colours
are read on white and on black: a picture in a page does not know the theme of the page.
"""

from __future__ import annotations

from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).resolve().parent / "map"
WIDTH, LEFT, ROW, BOX, GAP = 760, 172, 42, 28, 8
LETTER, MARGIN = 7.4, 46  # of a wide font; and what a box needs besides, its number included
LIT, WHITE, QUIET = "#2f6db5", "#ffffff", "#78818c"

# Question, how it goes on, and its answers, each with the lesson that begins with it.
ROWS = [
    (
        "What",
        "goes as one?",
        {"weight": "00", "neuron": "02a", "filter": "03", "channel": "04a", "block": "04a"},
    ),
    (
        "By what",
        "is it judged?",
        {"loss": "00", "magnitude": "01a", "size × input": "01b", "gradient": "01c", "random": "01c"},
    ),
    ("", "", {"activity": "02a", "what the next layer needs": "04b", "a trained scale": "04b"}),
    (
        "Compared",
        "with whom?",
        {"the network": "00", "its layer": "01b", "its output": "01b", "what is tied to it": "04a"},
    ),
    (
        "When",
        "does it go?",
        {"one by one": "00", "at once": "01a", "in rounds": "05", "while it trains": "05"},
    ),
]
PATTERNS = {"weight": ("unstructured", "weight"), "neuron": ("structured", "block")}  # first: name, last
LESSONS = {
    "00": "weight, loss, the network, one by one",
    "01a": "weight, magnitude, the network, at once",
    "01b": "weight, magnitude, size × input, the network, its layer, its output, at once",
    "01c": "weight, magnitude, size × input, gradient, random, the network, at once",
    "02a": "neuron, loss, magnitude, gradient, random, activity, its layer, one by one, at once",
    "02b": "weight, neuron, magnitude, random, the network, its layer, at once",
    "03": "filter, magnitude, gradient, random, activity, its layer, at once",
    "04a": "weight, channel, block, magnitude, the network, its layer, what is tied to it, at once",
    "04b": "channel, magnitude, random, what the next layer needs, a trained scale, its layer, at once",
    "05": "weight, magnitude, the network, at once, in rounds, while it trains",
    "06a": "weight, filter, magnitude, the network, its layer, at once",
    "06b": "weight, neuron, magnitude, the network, its layer, at once",
    "07a": "weight, filter, magnitude, the network, its layer, at once",
    "07b": "weight, neuron, filter, magnitude, random, activity, the network, its layer, at once, in rounds",
    "08": "weight, filter, magnitude, size × input, gradient, random, the network, its layer, its output, "
    "at once, in rounds, while it trains",
}


class Box(NamedTuple):
    """An answer, the lesson that begins with it, and where it is drawn."""

    answer: str
    lesson: str
    left: float
    width: float


def boxes(answers: dict[str, str]) -> list[Box]:
    """Put the answers of a row side by side."""
    widths = [round(LETTER * len(answer) + MARGIN) for answer in answers]
    lefts = accumulate((width + GAP for width in widths[:-1]), initial=LEFT)
    return [Box(*pair, x, w) for pair, x, w in zip(answers.items(), lefts, widths, strict=True)]


def draw(here: str) -> str:
    """Draw the map as SVG, with the answers of one lesson lit up."""
    lit, parts, top = LESSONS[here].split(", "), [], 26
    for question, more, answers in ROWS:
        line = top + BOX / 2 + 4.5
        parts.append(f'<text y="{line}"><tspan font-weight="700">{question}</tspan> {more}</text>')
        row = boxes(answers)
        ends = {box.answer: (box.left + 5, box.left + box.width - 5) for box in row}
        for answer, _, left, width in row:
            on = answer in lit
            shape = f'x="{left}" y="{top}" width="{width}" height="{BOX}" rx="{BOX // 2}"'
            look = f'fill="{LIT}" stroke="{LIT}"' if on else f'fill="none" stroke="{QUIET}"'
            parts.append(f"<rect {shape} {look}/>")
            ink = f' fill="{WHITE}"' if on else ""
            number = f'<tspan dx="6" font-size="10">{answers[answer]}</tspan>'
            place = f'x="{left + width / 2:g}" y="{line}" text-anchor="middle"'
            parts.append(f"<text {place}{ink}>{answer}{number}</text>")
            if answer in PATTERNS:
                pattern, last = PATTERNS[answer]
                start, end = ends[answer][0], ends[last][1]
                place = f'x="{(start + end) / 2:g}" y="{top - 11}" text-anchor="middle"'
                parts.append(f'<path d="M{start} {top - 6}H{end}" stroke="{QUIET}"/>')
                parts.append(f'<text {place} font-size="11">{pattern}</text>')
        top += ROW
    size = f'width="{WIDTH}" height="{top - ROW + BOX + 2}"'
    font = f'font-family="system-ui, sans-serif" font-size="13" fill="{QUIET}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} {font}>'
    return "\n".join([head, f"<title>{words(here)}</title>", *parts, "</svg>"]) + "\n"


def words(here: str) -> str:
    """Say what a lesson's map shows."""
    return f"The map of the course; lit are {LESSONS[here]}."


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for lesson in LESSONS:
        (FOLDER / f"{lesson}.svg").write_text(draw(lesson), encoding="utf-8")
