"""A notebook with an explorer, open in a real JupyterLab; shared, for starting one takes ten seconds."""

from __future__ import annotations

import os
from pathlib import Path

import lab
import pytest

CELLS = (
    """\
import numpy as np, pruneviz as pv
model = pv.zoo.lenet_300_100('torch')
data = pv.datasets.mnist().validation""",
    "view = pv.explore(model, data, title='LeNet-300-100')\nview",
)


def pytest_collection_modifyitems(items):
    """Skip where there is no browser; CI insists on one."""
    if Path(lab.CHROMIUM).exists() or os.environ.get("CI"):
        return
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.skip(reason="chromium is not installed"))


@pytest.fixture(scope="module")
def browser():
    with lab.chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder, home = tmp_path_factory.mktemp("notebooks"), tmp_path_factory.mktemp("home")
    with lab.jupyterlab(folder, home) as address:
        yield address, folder


@pytest.fixture(scope="module")
def notebook(browser, server):
    address, folder = server
    lab.write_notebook(folder / "explorer.ipynb", *CELLS)
    page = browser.new_page(viewport={"width": 1280, "height": 1700})
    page.seen = lab.watch(page)
    lab.open_notebook(page, address, "explorer.ipynb")
    page.wait_for_selector(".pv", timeout=90_000)
    yield page
    page.close()


@pytest.fixture
def page(notebook):
    """The page, with the explorer in its first state and the guess made."""
    lab.run_python(
        notebook,
        "with view.hold_sync():\n"
        "    view.sparsity = 0.5; view.scope = 'global'; view.criterion = 'magnitude'; view.by_hand = {}\n"
        "    view.layer = 'fc1'; view.guess = 0.6; view.kept = []; view.compare = -1; view.moving = False",
    )
    notebook.wait_for_function("() => document.querySelector('.pv-range').value === '0.5'")
    yield notebook
    assert notebook.seen == {"errors": [], "outside": []}
