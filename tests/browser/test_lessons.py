"""The lessons as a learner opens them: in JupyterLab, all cells run, then a hand on the slider."""

from __future__ import annotations

import shutil

import lab
import pytest

LESSONS = {
    "00_start_here.ipynb": "wired",
    "pytorch/01a_weight_pruning_thresholds.ipynb": "view",
    "tensorflow/01a_weight_pruning_thresholds.ipynb": "view",
}
ALL_RUN = """() => {
  const model = window.jupyterapp.shell.currentWidget.content.model;
  const code = [...model.cells].filter((cell) => cell.type === 'code' && cell.sharedModel.source.trim());
  return code.every((cell) => cell.executionCount !== null);
}"""
ERRORS = """() => [...window.jupyterapp.shell.currentWidget.content.model.cells]
  .filter((cell) => cell.type === 'code')
  .flatMap((cell) => cell.sharedModel.outputs ?? [])
  .filter((output) => output.output_type === 'error')
  .map((output) => output.evalue)"""


@pytest.fixture(scope="module", autouse=True)
def lessons(server):
    _, folder = server
    shutil.copytree(lab.ROOT / "lessons", folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("source"))


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_runs_and_its_view_answers(browser, server, name):
    page = browser.new_page(viewport={"width": 1280, "height": 1700})
    seen = lab.watch(page)
    lab.open_notebook(page, server[0], name, workspace=name.replace("/", "-").removesuffix(".ipynb"))
    page.wait_for_function(
        "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'busy'"
    )
    lab.idle(page, seconds=240)
    assert page.evaluate(ALL_RUN)
    assert page.evaluate(ERRORS) == []
    view = LESSONS[name]
    if view == "view":
        lab.run_python(page, "view.sparsity = 0.75")
        slider = page.locator(".pv-range").last
        slider.scroll_into_view_if_needed()
        slider.focus()
        slider.press("ArrowRight")
        moved = float(slider.input_value())
        assert moved > 0.75
        told = lab.run_python(page, "import time; print(view.sparsity, view.result().pruned)")
        sparsity, pruned = told.split()
        assert float(sparsity) == pytest.approx(moved)
        expected = f"print(pv.prune(model, {sparsity}, scope=view.scope).pruned)"
        assert lab.run_python(page, expected) == pruned
    else:
        assert lab.run_python(page, "print(len(wired.cut))") != ""
    assert seen == {"errors": [], "outside": []}
    page.close()
