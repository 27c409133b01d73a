"""The parts of the static pages; tests/browser/test_site.py builds and opens all of them."""

import json
import re

import build
import nbformat
import pytest
from pages import explorables, kept, texts, writing

from pruneviz.widgets.frame import assets

NOTEBOOK = build.LESSONS / "pytorch" / "03_filter_pruning.ipynb"
LESSON = next(lesson for lesson in build.find_lessons(["00"]))
CODE = [cell.id for cell in build.compose(LESSON).cells if cell.cell_type == "code"]


@pytest.mark.parametrize(
    ("url", "leads_to"),
    [
        ("../GLOSSARY.md", "../GLOSSARY.html"),
        ("../GLOSSARY.md#beyond-this-course", "../GLOSSARY.html#beyond-this-course"),
        ("04a_channel_pruning_coupled.ipynb", "04a_channel_pruning_coupled.html"),
        ("../map/03.svg", "../map/03.svg"),
        ("#recap", "#recap"),
        ("https://arxiv.org/abs/1608.08710", "https://arxiv.org/abs/1608.08710"),
        ("mailto:a@b.org", "mailto:a@b.org"),
        ("../results/han.json", f"{texts.REPOSITORY}/blob/HEAD/lessons/results/han.json"),
        ("../../README.md#start", f"{texts.REPOSITORY}/blob/HEAD/README.md#start"),
    ],
)
def test_links_lead_to_pages_and_what_has_none_to_the_repository(url, leads_to):
    assert texts.target(url, NOTEBOOK) == leads_to
    assert f'<a href="{leads_to}">there</a>' in texts.prose(f"[there]({url})", NOTEBOOK)


def test_a_notebook_is_found_in_the_repository():
    address = texts.target(NOTEBOOK.name, NOTEBOOK, page=False)
    assert address == f"{texts.REPOSITORY}/blob/HEAD/lessons/pytorch/03_filter_pruning.ipynb"


def test_headings_have_anchors_as_on_github():
    body = texts.prose("## Exercise 1 · Rank by `loss`, *twice*\n\nText & more.\n\n## Next", NOTEBOOK)
    anchors = ["exercise-1--rank-by-loss-twice", "next"]
    assert re.findall(r'id="([^"]+)"', body) == anchors
    first, last = texts.sections(body)
    assert first == texts.Section(anchors[0], "Exercise 1 · Rank by loss, twice", "Text & more.")
    assert last.words == ""


def test_what_is_wide_can_be_scrolled_by_the_keyboard():
    body = texts.prose("| a | b |\n|---|---|\n| 1 | 2 |\n\n$$a + b$$\n\n![Map.](../map/03.svg)", NOTEBOOK)
    assert len(re.findall(r'class="wide[^>]* tabindex="0"', body)) == 3
    assert '<pre tabindex="0">' in texts.code("x = 1")


def test_formulas_need_no_script():
    body = texts.prose(r"Its size is $|\gamma_c|$, and $$\left\| Y \right\|^2 = \frac{1}{2}$$", NOTEBOOK)
    assert body.count("<math ") == 2
    assert "<mfrac>" in body
    assert not set("$\\") & set(body)


def test_a_formula_that_cannot_be_shown_is_refused():
    with pytest.raises(build.LessonError, match="a word of this formula cannot be shown"):
        texts.prose(r"$\nosuchword x$", NOTEBOOK)


def test_details_and_markdown_inside_them_are_read():
    body = texts.prose(
        build.render_question("Which?\n\n- [x] `a`\n  why: *b*\n- [ ] c\n  why: d", 1), NOTEBOOK
    )
    assert body.count("<details>") == body.count("</details>") == 2
    assert "<code>a</code>" in body
    assert "<em>b</em>" in body


def result(model):
    data = {build.WIDGET_VIEW: {"model_id": model}} if model else {"text/plain": "1"}
    return nbformat.v4.new_output("execute_result", data)


def test_views_are_kept_by_their_cells_with_their_bytes_in_place(tmp_path):
    state = {
        "_anywidget_id": "pruneviz.widgets.tiny.view.TinyNetwork", "_esm": "…", "layout": "IPY_MODEL_1",
        "cut": ["a"], "spec": {"x": [{}, {"dtype": "uint8"}]},
    }  # fmt: skip
    buffers = [{"path": ["spec", "x", 1, "view"], "data": "AAE=", "encoding": "base64"}]
    models = {"m1": {"state": state, "buffers": buffers}, "m2": {"state": {"_model_name": "LayoutModel"}}}
    cells = [(name, [result("m1" if number == 1 else None)]) for number, name in enumerate(CODE)]
    kept.part(LESSON, tmp_path).write_text(json.dumps(models), encoding="utf-8")
    kept.keep(LESSON, cells, tmp_path)
    assert [path.suffix for path in tmp_path.iterdir()] == [".json"]
    assert kept.read(LESSON, tmp_path) == {
        CODE[1]: {
            "class": "pruneviz.widgets.tiny.view.TinyNetwork",
            "state": {"cut": ["a"], "spec": {"x": [{}, {"dtype": "uint8", "view": {"base64": "AAE="}}]}},
        }
    }


def test_views_of_another_lesson_than_there_is_now_are_refused(tmp_path):
    with pytest.raises(build.LessonError, match=r"have not been kept; run: pytest lessons/00_start"):
        kept.read(LESSON, tmp_path)
    kept.place(LESSON, tmp_path).write_text(json.dumps({"cells": CODE[:-1], "views": {}}), encoding="utf-8")
    with pytest.raises(
        build.LessonError, match=r"has changed since its views were kept; run: pytest lessons/00"
    ):
        kept.read(LESSON, tmp_path)


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(build.LessonError, match="is not empty, and holds no site"):
        writing.write(tmp_path, [])
    assert (tmp_path / "thesis.txt").read_text(encoding="utf-8") == "mine"


def test_a_site_that_is_not_finished_leaves_the_one_from_before(tmp_path, monkeypatch):
    site = tmp_path / "deep" / "site"
    monkeypatch.setattr(writing.Site, "write", lambda self: (self.folder / "index.html").write_text("whole"))
    writing.write(site, [])
    (site / "static").mkdir()
    (site / "static" / "page.js").touch()

    def fail(self):
        (self.folder / "index.html").write_text("half", encoding="utf-8")
        raise build.LessonError("a lesson's views have not been kept")

    monkeypatch.setattr(writing.Site, "write", fail)
    with pytest.raises(build.LessonError, match="have not been kept"):
        writing.write(site, [])
    assert (site / "index.html").read_text(encoding="utf-8") == "whole"
    assert [path.name for path in site.parent.iterdir()] == ["site"]


def test_scripts_are_classic_ones():
    text = writing._classic("offline", assets.script("frame/offline.js"))
    assert "export" not in text
    assert "import" not in text
    with pytest.raises(build.LessonError, match="does not end with its view"):
        writing._classic("broken", "const a = 1;\n")


@pytest.mark.parametrize("one", explorables.EXPLORABLES, ids=lambda one: one.name)
def test_an_explorable_has_a_lesson_with_its_view_and_is_short(one):
    lesson = next(lesson for lesson in build.find_lessons([one.lesson]) if lesson.track in (None, "pytorch"))
    notebook = nbformat.read(lesson.path, as_version=nbformat.NO_CONVERT)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    assert len([o for o in outputs if o.output_type == "execute_result"]) > one.view
    assert len(one.ask.split()) <= 60
    assert len(one.see.split()) <= 60
    assert "**Predict:**" in one.ask


def test_the_addresses_of_the_explorables_stay():
    names = ["flats", "threshold", "joint-silence", "cliff", "schedule"]
    assert [one.address for one in explorables.EXPLORABLES] == [f"explore/{name}.html" for name in names]
