"""A kernel that dies, or is started anew, while a view shows what it measured."""

import os
import signal

import lab
import pytest

MODEL = """\
import os, torch, pruneviz as pv
model = pv.zoo.tiny_cnn("torch")
x, y = (part[:200] for part in pv.datasets.mnist().validation)"""
VIEW = "view = pv.explore(model, (x, y), predict=False, granularity='{}')\nview.more = True\nview"
SCHEDULE = """\
import threading
gate = threading.Event()
view = pv.ScheduleExplorer(model, lambda model, mask, seed: gate.wait(), (x, y), rounds=3)
view"""
GONE = "The kernel is gone: nothing is measured any more. Run this cell again."
LOST = """(words) => [...document.querySelectorAll('.pv-problem')]
  .some((node) => !node.hidden && node.textContent === words)"""
BARS = """() => [...document.querySelectorAll('.pv progress')]
  .filter((bar) => bar.checkVisibility({ visibilityProperty: true, opacityProperty: true })).length"""
RESTART = "() => window.jupyterapp.shell.currentWidget.sessionContext.restartKernel()"
SHUT_DOWN = "() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()"


def kill(page):
    os.kill(int(lab.run_python(page, "print(os.getpid())")), signal.SIGKILL)


def restart(page):
    page.evaluate(RESTART)


def shut_down(page):
    page.evaluate(SHUT_DOWN)


def says_so(page):
    """The view says in one line what is the matter, calls nothing exact, and has no bar."""
    page.wait_for_function(LOST, arg=GONE, timeout=30_000)
    assert page.locator(".pv-badge").all_inner_texts() != ["exact"]
    assert page.evaluate(BARS) == 0


@pytest.mark.parametrize("end", [kill, restart, shut_down])
def test_at_rest(browser, server, end):
    with lab.notebook(browser, server, f"{end.__name__}.ipynb", MODEL, VIEW.format("weight")) as page:
        lab.settled(page)
        assert not page.evaluate(LOST, GONE)
        end(page)
        says_so(page)
        lab.picture(page, f"gone-{end.__name__}")


def test_while_dragging_and_the_cell_brings_it_back(browser, server):
    with lab.notebook(browser, server, "drag.ipynb", MODEL, VIEW.format("filter")) as page:
        lab.settled(page)
        slider = page.locator(".pv-range").first
        box = slider.bounding_box()
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.mouse.down()
        page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + box["height"] / 2, steps=4)
        kill(page)
        page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + box["height"] / 2, steps=4)
        page.wait_for_function(LOST, arg=GONE, timeout=30_000)
        page.mouse.up()
        says_so(page)
        moved = "() => document.querySelector('.pv').pruneviz.get('sparsity')"
        assert page.evaluate(moved) == pytest.approx(0.8, abs=0.03)
        page.get_by_role("button", name="Ok", exact=True).click()  # JupyterLab's own word of it
        slider.press("Home")
        assert page.evaluate(moved) == 0
        lab.idle(page)
        page.evaluate("() => window.jupyterapp.commands.execute('notebook:run-all-cells')")
        lab.settled(page)
        assert not page.evaluate(LOST, GONE)


def test_while_it_trains(browser, server):
    with lab.notebook(browser, server, "train.ipynb", MODEL, SCHEDULE, ready=".pv-handle") as page:
        page.get_by_role("button", name="Run", exact=True).click()
        page.wait_for_function("() => document.querySelector('.pv').pruneviz.get('training') === 1")
        kill(page)
        says_so(page)
        assert page.get_by_role("button", name="Run", exact=True).is_disabled()
        assert "Training needs a kernel" in page.locator(".pv-says").inner_text()
