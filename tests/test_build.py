"""The builder of the lessons: one source, two tracks, the same text every time."""

import base64
import json
import re
import sys

import build
import pytest
from nbconvert import HTMLExporter
from nbformat.v4 import new_code_cell, new_notebook, new_output
from tolerance import Tolerant
from traitlets.config import Config

SOURCE = '''# %% [markdown]
# # 01 · Toy

# %% tags=["pytorch"]
track = "pytorch"

# %% tags=["tensorflow"]
track = "tensorflow"

# %%
print(track, 1 + 1)

# %% tags=["exercise"]
def double(x):
    """Double it."""
    # solution:
    return 2 * x
    # end of solution


# %% tags=["check"]
print(double(3))

# %% [markdown] tags=["quiz"]
# What is `1 < 2`?
# - [ ] False.
#   why: One is
#   less.
# - [x] `True`.
#   why: It is.
'''


@pytest.fixture
def lesson(tmp_path):
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "01_toy.py").write_text(SOURCE)
    return build.find_lessons(folder=tmp_path)[0]


def replace(lesson, old, new):
    text = lesson.source.read_text()
    assert old in text
    lesson.source.write_text(text.replace(old, new))
    return build.compose(lesson)


def test_a_source_gives_one_notebook_a_track_and_lesson_00_one_for_both(tmp_path):
    (tmp_path / "source").mkdir()
    for name in ("00_start.py", "01a_x.py", "01b_y.py"):
        (tmp_path / "source" / name).write_text("")
    titles = [lesson.title for lesson in build.find_lessons(folder=tmp_path)]
    assert titles == [
        "00_start.ipynb",
        *("pytorch/01a_x.ipynb", "tensorflow/01a_x.ipynb", "pytorch/01b_y.ipynb", "tensorflow/01b_y.ipynb"),
    ]
    assert [x.title for x in build.find_lessons(["01a"], "pytorch", tmp_path)] == ["pytorch/01a_x.ipynb"]
    with pytest.raises(build.LessonError, match="no source begins with '02'"):
        build.find_lessons(["02"], folder=tmp_path)


def test_tagged_cells_go_to_their_track_only(lesson):
    for track in build.TRACKS:
        code = [c for c in build.compose(lesson._replace(track=track)).cells if c.cell_type == "code"]
        assert code[0].source == f'track = "{track}"'
        assert "tags" not in code[0].metadata
        assert len(code) == 4


@pytest.mark.parametrize(
    ("tag", "folded"),
    [
        ("fold", {"source_hidden": True}),
        ("answer", {"outputs_hidden": True}),
        ("drive", {"source_hidden": True, "outputs_hidden": True}),
    ],
)
def test_what_is_not_to_be_seen_at_once_is_folded(lesson, tag, folded):
    cells = replace(lesson, "# %%\nprint(track", f'# %% tags=["{tag}"]\nprint(track').cells
    assert [cell.metadata.get("jupyter") for cell in cells[2:4]] == [folded, None]
    assert cells[2].metadata.tags == [tag]


def test_learners_get_a_stub_and_a_folded_solution_after_the_check(lesson):
    _, _, _, stub, check, solution, _ = build.compose(lesson).cells
    assert stub.source == 'def double(x):\n    """Double it."""\n    ...  # your code'
    assert check.metadata.tags == ["check"]
    assert "return 2 * x\n```\n\n</details>" in solution.source
    assert "# solution" not in solution.source
    compile(stub.source, "stub", "exec")


def test_cells_that_chance_gives_one_id_have_their_own(lesson, monkeypatch):
    wanted = [cell.id for cell in build.compose(lesson).cells]
    monkeypatch.setattr("nbformat.v4.nbbase.random_cell_id", lambda: "666e21a9")
    assert [cell.id for cell in build.compose(lesson).cells] == wanted
    assert len(set(wanted)) == len(wanted)


def test_solved_lessons_hold_the_solution(lesson):
    solved = build.compose(lesson, solved=True).cells[3].source
    assert solved == 'def double(x):\n    """Double it."""\n    return 2 * x'


def test_a_stub_can_show_what_follows_the_colon_and_there_can_be_several():
    source = "# solution: x = ...\nx = 1\n# end of solution\ny = 2\n# solution:\nz = 3\n# end of solution"
    stub, answer = build.split_exercise(source)
    assert stub == "x = ...\ny = 2\n...  # your code"
    assert answer == "x = 1\ny = 2\nz = 3"


def test_quiz_options_are_folded_and_say_in_words_which_is_right(lesson):
    quiz = build.compose(lesson).cells[-1].source
    assert quiz.startswith("**Question 1.** What is `1 < 2`?")
    assert "<summary>A. False.</summary>\n\n**Not this one.** One is less." in quiz
    assert "<summary>B. <code>True</code>.</summary>\n\n**Right.** It is." in quiz


def test_markup_in_an_option_is_not_swallowed():
    rendered = build.render_question("Q?\n- [x] `a<b` & c.\n  why: x\n- [ ] d.\n  why: y", 3)
    assert "A. <code>a&lt;b</code> &amp; c." in rendered
    assert rendered.startswith("**Question 3.**")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("- [x]", "- [ ]", "exactly one option"),
        ("- [ ]", "- [x]", "exactly one option"),
        ("#   why: It is.\n", "", "each with a line 'why"),
        ("# end of solution", "# the end", "an exercise needs"),
        ("# solution:", "# my solution", "an exercise needs"),
        ('# %% tags=["check"]', "# %%", "must have the tag 'check'"),
        ('# %% tags=["exercise"]', "# %%", "must follow an exercise"),
        ('# %% tags=["check"]\nprint(double(3))\n', "", "must have the tag 'check'"),
    ],
)
def test_mistakes_in_a_source_are_named(lesson, old, new, message):
    with pytest.raises(build.LessonError, match=message):
        replace(lesson, old, new)


def test_an_exercise_at_the_end_needs_a_check_too(lesson):
    lesson.source.write_text(SOURCE[: SOURCE.index('# %% tags=["check"]')])
    with pytest.raises(build.LessonError, match="last exercise"):
        build.compose(lesson)


def test_ids_depend_on_the_content_only_and_are_unique(lesson):
    before = build.compose(lesson).cells
    after = replace(lesson, "# %%\nprint(track", "# %%\n1\n\n# %%\n1\n\n# %%\nprint(track").cells
    ids = [cell.id for cell in after]
    assert len(set(ids)) == len(ids)
    assert [cell.id for cell in before] == [
        i for i, cell in zip(ids, after, strict=True) if cell.source != "1"
    ]
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", i) for i in ids)


def test_a_rebuild_changes_nothing_and_a_change_is_noticed(lesson):
    assert build.check([lesson]) == ["pytorch/01_toy.ipynb has not been built"]
    assert build.build(lesson)
    first = lesson.path.read_bytes()
    assert build.check([lesson]) == []
    assert not build.build(lesson)
    assert lesson.path.read_bytes() == first

    notebook = json.loads(first)
    assert set(notebook["metadata"]) == {"kernelspec", "language_info"}
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == [1, 2, 3, 4]
    assert code[1]["outputs"][0]["text"] == ["pytorch 2\n"]
    assert all(set(cell["metadata"]) <= {"tags"} for cell in notebook["cells"])

    replace(lesson, "1 + 1", "1 + 2")
    assert build.check([lesson]) == ["pytorch/01_toy.ipynb differs from source/01_toy.py"]


def test_a_notebook_without_a_source_is_named(lesson):
    folder = lesson.source.parent.parent
    (folder / "tensorflow").mkdir()
    (folder / "tensorflow" / "09_old.ipynb").write_text("{}")
    assert build.orphans(folder) == ["tensorflow/09_old.ipynb has no source"]


def executed(*outputs):
    return new_notebook(cells=[new_code_cell("x", outputs=list(outputs), execution_count=1)])


def stream(text, name="stdout"):
    return new_output("stream", text=text, name=name)


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (stream("warned", "stderr"), "writes to stderr"),
        (stream(f"{sys.prefix}/lib/x.py"), "a path of this machine"),
        (stream(f"see {build.LESSONS}"), "a path of this machine"),
        (new_output("display_data", {"text/plain": f"'{build.LESSONS.parent}/x'"}), "a path of this machine"),
    ],
)
def test_what_depends_on_the_machine_is_refused(output, message):
    with pytest.raises(build.LessonError, match=message):
        build.normalise(executed(output))


def test_of_a_widget_picture_and_sentence_stay():
    words = "Counter: it stands at 1."
    data = {build.WIDGET_VIEW: {"model_id": "1"}, "image/png": "", "text/plain": words}
    notebook = executed(new_output("execute_result", data, metadata={"image/png": {"alt": words}}))
    notebook.metadata["widgets"] = {"state": {"1": {}}}
    output = build.normalise(notebook).cells[0].outputs[0]
    assert output.data == {"image/png": "", "text/plain": words}
    assert output.metadata == {"image/png": {"alt": words}}
    assert set(notebook.metadata) == {"kernelspec", "language_info"}


def test_a_widget_without_a_picture_is_refused():
    data = {build.WIDGET_VIEW: {"model_id": "1"}, "text/plain": "IntSlider(value=0)"}
    with pytest.raises(build.LessonError, match="cell 1 shows a widget that leaves no picture:\nx"):
        build.normalise(executed(new_output("display_data", data)))


def test_tracebacks_go():
    error = new_output("error", ename="ValueError", evalue="no", traceback=[str(build.LESSONS)])
    assert build.normalise(executed(error)).cells[0].outputs[0].traceback == ["ValueError: no"]


def test_a_live_view_is_rebuilt_byte_for_byte(lesson):
    """What code does to it later does not reach the picture that the cell has left."""
    replace(
        lesson,
        "print(track, 1 + 1)",
        "import pruneviz as pv\n\n"
        'view = pv.TinyNetwork.linear([1, 2], ["a", "b"], [[1, 0], [1, 1]], [1, 3])\n'
        "view\n\n# %%\n"
        'view.cut = ["b"]\nprint(view.sentence())',
    )
    assert build.build(lesson)
    assert not build.build(lesson)
    assert build.check([lesson]) == []
    committed = lesson.path.read_text()
    assert "model_id" not in committed
    shown, told = (cell["outputs"][0] for cell in json.loads(committed)["cells"][2:4])
    words = "Linear model · 2 weights: with all weights, the mean squared error is 0.0000 on 2 examples."
    assert shown["data"]["text/plain"] == [words]
    assert shown["metadata"] == {"image/png": {"alt": words}}
    assert base64.b64decode(shown["data"]["image/png"]).startswith(b"\x89PNG")
    assert told["text"][0].endswith(
        "without b, the mean squared error is 2.0000 instead of 0.0000 on 2 examples.\n"
    )


def test_the_command_line_tells_errors_and_fails(capsys):
    assert build.main(["--check", "99"]) == 1
    assert "no source begins with '99'" in capsys.readouterr().err


def test_the_command_for_instructors_puts_pictures_in_the_place_of_views():
    (order,) = re.findall(r'display_data_priority="(.*?)"', (build.LESSONS / "INSTRUCTOR.md").read_text())
    view = {build.WIDGET_VIEW: {"model_id": "gone"}, "image/png": "AAAA", "text/plain": "a view"}
    shown = new_output("execute_result", view, execution_count=1)
    shown.metadata = {"image/png": {"alt": "what it shows"}}
    notebook = new_notebook(cells=[new_code_cell("view", outputs=[shown], execution_count=1)])
    page = HTMLExporter(
        template_name="classic", config=Config({"NbConvertBase": {"display_data_priority": eval(order)}})
    ).from_notebook_node(notebook)[0]
    assert '<img alt="what it shows" src="data:image/png;base64,AAAA"' in page
    assert "gone" not in page


def test_committed_notebooks_match_their_sources(capsys):
    assert build.main(["--check"]) == 0, capsys.readouterr().out


@pytest.mark.parametrize(
    ("reference", "measured"),
    [
        ("4,918 of 5,000 right", "4,916 of 5,000 right"),
        ("98.4% right", "98.3% right"),
        ("98.36%", "98.30%"),
        ("lost 12, won 13", "lost 11, won 14"),
        ("loss 0.934", "loss 0.935"),
        ("loss 1.1712", "loss 1.1701"),
        ("  9,998 right", " 10,000 right"),
        ("about 122.1 kB", "about 122.2 kB"),
        ("changes by -0.000", "changes by +0.000"),
        ("1.2e-07", "1.3e-07"),
        ("\u22120.30", "\u22120.31"),
        ("same", "same"),
    ],
)
def test_numbers_may_differ_by_what_another_processor_makes_of_them(reference, measured):
    assert Tolerant(reference) == measured
    assert not Tolerant(reference) != measured  # noqa: SIM202  # nbval asks with !=


@pytest.mark.parametrize(
    ("reference", "measured"),
    [
        ("4,918 of 5,000 right", "4,914 of 5,000 right"),
        ("98.4% right", "98.2% right"),
        ("98.4% right", "98.4 right"),
        ("0 weights came back", "1 weights came back"),
        ("3 layers", "4 layers"),
        ("fc1 is pruned", "fc2 is pruned"),
        ("LeNet-300-100", "LeNet-300-101"),
        ("133,100 of 266,200", "133,101 of 266,200"),
        ("0.4425", "0.2425"),
        ("loss 0.934", "loss 0.936"),
        ("-0.30", "0.30"),
        ("same predictions: True", "same predictions: False"),
        ("lost 12, won 13", "lost 12, won 13, changed 25"),
        ("lost 12", "lost 12\nlost 12"),
        ("1.2e-07", "1.2e-05"),
        ("12.0", "12.0.0"),
        ("loss 0.934", "loss nan"),
        ("0.082 ms for 64", "0.082 ms for 1"),
        ("0.082 ms", "0.082 images"),
        ("0.082 ms", "3"),
        ("12 msec", "90 msec"),
    ],
)
def test_a_wrong_result_still_fails(reference, measured):
    assert Tolerant(reference) != measured
    assert Tolerant(reference, 1) != Tolerant(measured, 1)


def test_a_time_is_the_machines_own():
    assert (
        Tolerant("98.4% right, 0.082 ms for 1, 0.29 ms for 64") == "98.3% right, 1.4 ms for 1, 12 ms for 64"
    )
    assert Tolerant("98.4% right, 0.082 ms for 1") != "97.3% right, 0.082 ms for 1"


def test_cells_that_train_have_ten_times_the_tolerance_but_zero_stays_zero():
    assert Tolerant("97.9%, 4,895 right", 10) == "97.2%, 4,870 right"
    assert Tolerant("97.9%", 10) != "96.8%"
    assert Tolerant("0 weights came back", 10) != "3 weights came back"
