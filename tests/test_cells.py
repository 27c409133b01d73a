"""What becomes of a view whose cell runs again, in a real kernel that is told which cell it is."""

import ast
import os
import signal
import threading
from pathlib import Path

import pytest
from jupyter_client.manager import start_new_kernel

START = """
import gc, sys
import numpy as np, ipywidgets, pruneviz as pv
from pruneviz.widgets import View
x = np.array([[50, 0], [80, 1], [30, 0]])
def tiny():
    return pv.TinyNetwork.linear([0.02, 0.5], ["area", "garden"], x, [1.0, 2.1, 0.6])
def alive(kind=View):
    return sum(issubclass(type(one), kind) for one in gc.get_objects())
def answering():
    return sum(one.comm is not None for one in gc.get_objects() if issubclass(type(one), View))
"""
MODEL = """
from pruneviz.widgets.explorer.measuring import Meter
model, data = pv.zoo.lenet_300_100("torch"), tuple(part[:2000] for part in pv.datasets.mnist().validation)
def megabytes():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 / 1e6
"""


class Kernel:
    """A kernel, and the cells that are run in it."""

    def __init__(self):
        root = str(Path(__file__).parents[1])
        path = os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])
        self.manager, self.client = start_new_kernel(env={**os.environ, "PYTHONPATH": path})

    def run(self, code, cell=None):
        """Run a cell; gives the type of each message of output, and what it says."""
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}}
        metadata = {} if cell is None else {"cellId": cell}
        message = self.client.session.msg("execute_request", content, metadata=metadata)
        self.client.shell_channel.send(message)
        output = []
        while True:
            heard = self.client.get_iopub_msg(timeout=120)
            if heard["parent_header"].get("msg_id") != message["header"]["msg_id"]:
                continue
            if heard["content"].get("execution_state") == "idle":
                break
            output.append((heard["msg_type"], heard["content"]))
        self.client.get_shell_msg(timeout=60)
        return output

    def value(self, expression):
        """Evaluate an expression, outside the notebook's cells."""
        output = self.run(f"print(repr({expression}))")
        assert [kind for kind, _ in output if kind == "error"] == [], output
        return ast.literal_eval("".join(c["text"] for kind, c in output if kind == "stream"))


@pytest.fixture
def kernel():
    kernel = Kernel()
    kernel.run(START)
    yield kernel
    kernel.client.stop_channels()
    kernel.manager.shutdown_kernel(now=True)


def test_twenty_runs_leave_one_view_one_copy_of_the_model_and_one_of_the_images(kernel):
    kernel.run(MODEL)
    models = kernel.value("alive(type(model))")
    used = []
    for _ in range(20):
        kernel.run("view = pv.explore(model, data, predict=False, show=['slider', 'mask'])\nview", "a")
        found = kernel.value("(alive(), alive(Meter), alive(type(model)), answering())")
        assert found == (1, 1, models + 1, 1)
        used.append(kernel.value("megabytes()"))
    assert kernel.value("len(ipywidgets.widgets.widget._instances)") == 2  # with its layout
    assert used[-1] - used[1] < 60  # eighteen sets of images would be 110
    assert kernel.value("view.result().sparsity") == 0.5


def test_both_views_of_a_cell_live_until_it_runs_again(kernel):
    for _ in range(3):
        kernel.run("first, second = tiny(), tiny()\ndisplay(first)\nsecond", "a")
        assert kernel.value("(alive(), answering())") == (2, 2)


def test_a_view_that_another_cell_shows_too_lives_on(kernel):
    kernel.run("view = tiny()\nview", "a")
    kernel.run("view", "b")
    kernel.run("view", "b")
    assert kernel.value("(alive(), answering())") == (1, 1)
    kernel.run("view = tiny()\nview", "a")
    assert kernel.value("(alive(), answering())") == (2, 2)
    kernel.run("view", "b")
    assert kernel.value("(alive(), answering())") == (1, 1)


def test_a_view_that_its_cell_shows_again_lives_on(kernel):
    kernel.run("first, second = tiny(), tiny()", "a")
    for _ in range(2):
        kernel.run("display(first); display(second)", "b")
        assert kernel.value("(alive(), answering())") == (2, 2)
    kernel.run("second", "b")
    assert kernel.value("[first.comm is None, second.comm is None]") == [True, False]


def test_a_view_in_a_variable_answers_and_can_be_shown_again(kernel):
    kernel.run("views = []", "a")
    for _ in range(2):
        kernel.run("view = tiny()\nviews.append(view)\nview", "b")
    kernel.run("first, _own = views[0], views[0]")
    assert kernel.value("(alive(), answering())") == (2, 1)
    kernel.run("first.cut = ['garden']")
    assert kernel.value("(first.result().kept, first.snippet.count('garden'), _own is first)") == (1, 2, True)
    shown = kernel.run("first", "c")
    (bundle,) = [content["data"] for kind, content in shown if kind == "execute_result"]
    assert "image/png" in bundle
    opened = [content["data"]["state"] for kind, content in shown if kind == "comm_open"]
    assert ["garden"] in [state.get("cut") for state in opened]
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == kernel.value("first.model_id")


def test_a_run_that_fails_replaces_too(kernel):
    kernel.run("view = tiny()\nview", "a")
    kernel.run("view = None\n1 / 0", "a")
    assert kernel.value("alive()") == 0


def test_without_ids_of_cells_the_same_text_is_the_same_cell_if_it_makes_what_it_shows(kernel):
    for _ in range(3):
        kernel.run("view = tiny()\nview")
        assert kernel.value("(alive(), answering())") == (1, 1)
    kernel.run("view")
    kernel.run("first = view\nview = tiny()\nview  # another")
    kernel.run("view")
    assert kernel.value("(alive(), answering())") == (2, 2)


def test_training_ends_when_the_cell_of_its_view_runs_again(kernel):
    kernel.run("""
import threading, torch
gate, calls = threading.Semaphore(0), []
net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(16, 4))
pictures, truth = np.zeros((8, 4, 4, 1), np.uint8), np.arange(8) % 4
def fine_tune(model, mask, seed):
    calls.append(seed)
    gate.acquire()
""")
    cell = (
        "view = pv.ScheduleExplorer(net, fine_tune, (pictures, truth), rounds=3)\nview.running = True\nview"
    )
    kernel.run(cell, "a")
    kernel.run("import asyncio\nwhile not calls: await asyncio.sleep(0.02)")
    kernel.run("old = view")
    kernel.run(cell.replace("view.running = True\n", ""), "a")
    assert kernel.value("(old.running, [run['status'] for run in old.runs], view.running)") == (
        False,
        ["cancelled"],
        False,
    )
    kernel.run("gate.release(9); old = None\nawait asyncio.sleep(0.3); gc.collect()")
    assert kernel.value("(alive(), len(calls))") == (1, 1)


def test_an_interrupted_cell_of_a_lesson_ends_in_a_line(kernel):
    kernel.run('import os, time; pv.teaching.start("pytorch")')
    threading.Timer(2, os.kill, (kernel.value("os.getpid()"), signal.SIGINT)).start()
    output = kernel.run("time.sleep(60)")
    (line,) = ("".join(c["text"] for kind, c in output if kind == "stream")).splitlines()
    assert line.startswith("Interrupted. ")
    assert [kind for kind, _ in output if kind == "error"] == []
    assert kernel.value("1 + 1") == 2
