"""Take the README's picture: WeightExplorer in a real JupyterLab.

python docs/screenshot.py
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "browser"))

import lab  # noqa: E402

CELLS = (
    "import pruneviz as pv\nmodel = pv.zoo.lenet_300_100('torch')\ndata = pv.datasets.mnist().validation",
    """\
view = pv.explore(model, data, title='LeNet-300-100 · weights')
view.guess = 0.6
view.sparsity = 0.85
view""",
    "await view.measured()",
)


def main() -> None:
    """Write docs/explorer.png."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as home:
        lab.write_notebook(Path(folder) / "explorer.ipynb", *CELLS)
        with lab.jupyterlab(Path(folder), Path(home)) as address, lab.chromium() as browser:
            page = browser.new_page(viewport={"width": 1280, "height": 1500}, device_scale_factor=1.5)
            lab.open_notebook(page, address, "explorer.ipynb")
            lab.idle(page)
            page.wait_for_timeout(1000)
            page.locator(".pv").first.screenshot(path=ROOT / "docs" / "explorer.png")


if __name__ == "__main__":
    main()
