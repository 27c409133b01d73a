"""A real JupyterLab for all files; a browser for each, since no event loop of other tests runs beside it."""

from __future__ import annotations

import os
from pathlib import Path

import lab
import pytest

from pruneviz import datasets


def pytest_collection_modifyitems(items):
    """Skip without a browser; CI insists on one. A page that is late on a busy machine may try twice."""
    missing = not Path(lab.CHROMIUM).exists() and not os.environ.get("CI")
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.flaky(reruns=1))
            if missing:
                item.add_marker(pytest.mark.skip(reason="chromium is not installed"))


@pytest.fixture(scope="module")
def browser():
    with lab.chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """Serve an empty folder, from an empty home, beside which the data stay where they are."""
    folder, home = tmp_path_factory.mktemp("notebooks"), tmp_path_factory.mktemp("home")
    with lab.jupyterlab(folder, home, PRUNEVIZ_DATA=str(datasets._folder())) as address:
        yield address, folder
