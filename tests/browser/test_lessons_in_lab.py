"""The lessons as a learner opens them: in JupyterLab, all cells run, then a hand on the view."""

from __future__ import annotations

import shutil

import lab
import nbformat
import pytest

from pruneviz import datasets

LESSONS = {  # and the name of the view that is moved
    "00_start_here.ipynb": "wired",
    "pytorch/01a_weight_pruning_thresholds.ipynb": "view",
    "tensorflow/01a_weight_pruning_thresholds.ipynb": "view",
    "tensorflow/02a_neuron_pruning_choosing.ipynb": "view",
    "pytorch/03_filter_pruning.ipynb": "view",
    "pytorch/04a_channel_pruning_coupled.ipynb": "wires",
    "tensorflow/04b_channel_pruning_choosing.ipynb": "view",
    "pytorch/05_iterative_pruning.ipynb": "view",
}
LONG = ("04a", "04b", "05")  # of these only what comes up to the view; nbval runs them whole
CODE_CELLS = """() => [...window.jupyterapp.shell.currentWidget.content.model.cells]
  .filter((cell) => cell.type === 'code' && cell.sharedModel.source.trim()).length"""
ERRORS = """() => [...window.jupyterapp.shell.currentWidget.content.model.cells]
  .filter((cell) => cell.type === 'code')
  .flatMap((cell) => cell.sharedModel.outputs ?? [])
  .filter((output) => output.output_type === 'error')
  .map((output) => output.evalue)"""

GO_TO = """async (source) => {
  const content = window.jupyterapp.shell.currentWidget.content;
  const cells = [...content.model.cells];
  const at = cells.findIndex((cell) => cell.type === 'code' && cell.sharedModel.source.includes(source));
  content.activeCellIndex = at;
  await content.scrollToItem(at, 'start');
}"""


@pytest.fixture(scope="module", autouse=True)
def lessons(server):
    """Serve the lessons, with CIFAR-10, fetched if it is missing."""
    if not (datasets._folder() / "cifar10.npz").exists():
        datasets.cifar10()
    _, folder = server
    shutil.copytree(lab.ROOT / "lessons", folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("source"))
    for name, view in LESSONS.items():
        if name.partition("/")[2].startswith(LONG):
            _shorten(folder / name, view)


def _shorten(path, view):
    notebook = nbformat.read(path, as_version=4)
    end = max(place for place, cell in enumerate(notebook.cells) if cell.source.endswith(f")\n{view}"))
    notebook.cells = notebook.cells[: end + 1]
    nbformat.write(notebook, path)


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_runs_and_its_view_answers(browser, server, name):
    page = browser.new_page(viewport={"width": 1280, "height": 1700})
    seen = lab.watch(page)
    lab.open_notebook(page, server[0], name, workspace=name.replace("/", "-").removesuffix(".ipynb"))
    lab.idle(page, seconds=240)
    ran = int(lab.run_python(page, "print(get_ipython().execution_count - 1)"))
    assert ran >= page.evaluate(CODE_CELLS)
    assert page.evaluate(ERRORS) == []
    if LESSONS[name] == "wired":
        _cut_by_hand(page)
    elif "/05_" in name:
        _move_a_ring(page)
    else:
        _drag_by_key(page, LESSONS[name])
    assert seen == {"errors": [], "outside": []}
    lab.leave(page)


def _cut_by_hand(page):
    lab.run_python(page, "wired.cut = []")
    wire = page.locator(".pv-wire[aria-label^='Weight'][aria-label*=' w3']").first
    wire.focus()
    wire.press("Enter")
    _prints(page, "print(*wired.cut)", "w3")


def _move_a_ring(page):
    lab.run_python(page, "view.kind, view.begin, view.end = 'linear', 0, 3")
    page.evaluate(GO_TO, "view = pv.ScheduleExplorer(")
    ring = page.get_by_role("button", name="End: round 3")
    ring.focus(timeout=60_000)
    ring.press("ArrowLeft")
    _prints(page, "print(view.end)", "2")
    line = "pv.schedules.linear(0, view.final, 0, 2)"
    assert lab.run_python(page, f"print(all(view.schedule()(k) == {line}(k) for k in range(3)))") == "True"


def _drag_by_key(page, view):
    lab.run_python(page, f"{view}.by_hand = {{}}; {view}.criterion = 'magnitude'; {view}.sparsity = 0.75")
    page.evaluate(GO_TO, f"{view} = pv.explore(")
    slider = page.locator(".pv-range:visible").first
    slider.focus(timeout=60_000)
    page.wait_for_function("(slider) => slider.value === '0.75'", arg=slider.element_handle())
    slider.press("ArrowRight")
    moved = float(slider.input_value())
    assert moved > 0.75
    _prints(page, f"print(round({view}.sparsity, 4))", f"{moved:g}")
    names = ("sparsity", "scope", "criterion", "granularity", "keep_at_least")
    rule = ", ".join(f"{name}={view}.{name}" for name in names)
    mask = f"pv.prune({view}.given.model, {rule}, example={view}.given.data[0][:1])"
    assert lab.run_python(page, f"print({view}.result() == {mask})") == "True"


def _prints(page, code, wanted):
    """Wait for what the browser sends: a busy kernel hears it late."""
    for _ in range(50):
        if (found := lab.run_python(page, code)) == wanted:
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"{code} gives {found}, not {wanted}")
