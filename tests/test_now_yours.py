"""The script that each lesson ends with prunes a learner's own network: here it is given another one."""

import build
import digits
import pytest
from twins import same, weights_of

LESSONS = [
    lesson
    for lesson in build.find_lessons()
    if any("yours" in cell.metadata.get("tags", []) for cell in build.compose(lesson).cells)
]
# What each lesson's script is for: the networks that a learner may put into it.
KINDS = {
    **dict.fromkeys(("01a", "01b", "01c", "02a", "02b", "05", "06a", "06b", "07b", "08"), "dense"),
    **dict.fromkeys(("03", "04b", "07a"), "convolutional"),
    "04a": "residual",
}


def script(lesson):
    cells = [cell for cell in build.compose(lesson).cells if "yours" in cell.metadata.get("tags", [])]
    assert len(cells) == 1, "one script a lesson"
    return cells[0].source


def parts(lesson):
    """Split a script after the paragraph that says where a learner's model goes."""
    own, here, rest = script(lesson).partition("# put your model and data here")
    line, _, rest = rest.partition("\n\n")
    return own + here + line, rest


def second(lesson):
    """Make a network and data of the lesson's kind that the lesson has never seen."""
    return getattr(digits, KINDS[lesson.source.stem.split("_")[0]])(lesson.track)


@pytest.mark.parametrize("lesson", LESSONS, ids=[lesson.title for lesson in LESSONS])
def test_the_script_is_short_and_plain(lesson):
    own, rest = parts(lesson)
    assert "# put your model and data here" in own
    assert rest
    assert len([line for line in script(lesson).splitlines() if line.strip()]) <= 25
    assert "pv." not in rest


@pytest.mark.parametrize("lesson", LESSONS, ids=[lesson.title for lesson in LESSONS])
def test_the_script_prunes_another_network(lesson, capsys):
    own, rest = parts(lesson)
    imports = "\n".join(line for line in own.splitlines() if line.startswith(("import ", "from ")))
    model, x, y = second(lesson)
    before = weights_of(model)
    exec(imports + "\n" + rest, {"model": model, "x": x, "y": y, "__name__": "__main__"})
    assert capsys.readouterr().out.strip(), "it ends by printing one result line"
    assert same(before, weights_of(model)), "a learner's network stays as it was"
