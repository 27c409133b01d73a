"""Take the README's moving picture: WeightExplorer in a real JupyterLab, pruned in steps, each measured.

python docs/screenshot.py
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "browser"))

import lab  # noqa: E402

if TYPE_CHECKING:
    from playwright.sync_api import Page

CELLS = (
    "import pruneviz as pv\nmodel = pv.zoo.lenet_300_100('torch')\ndata = pv.datasets.mnist().validation",
    """\
view = pv.explore(model, data, title='LeNet-300-100 · weights')
view.guess = 0.6
view""",
    "await view.measured()",
)
# Long steps where nothing is lost, short ones where much is. Played four times, it stands still at the end.
SPARSITIES = (0, 15, 30, 45, 60, 70, 75, 80, 83, 86, 89, 92, 95)
FIRST, EACH, LAST, TIMES = 1200, 400, 3000, 4
WIDTH = 1024


def main() -> None:
    """Write docs/explorer.webp."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as home:
        lab.write_notebook(Path(folder) / "explorer.ipynb", *CELLS)
        with lab.jupyterlab(Path(folder), Path(home)) as address, lab.chromium() as browser:
            page = browser.new_page(viewport={"width": 1340, "height": 1500}, device_scale_factor=1.5)
            lab.open_notebook(page, address, "explorer.ipynb")
            lab.idle(page)
            frames = [frame(page, sparsity / 100) for sparsity in SPARSITIES]
    frames[0].save(
        ROOT / "docs" / "explorer.webp",
        save_all=True,
        append_images=frames[1:],
        duration=[FIRST, *[EACH] * (len(frames) - 2), LAST],
        loop=TIMES,
        quality=50,
        method=6,
    )


def frame(page: Page, sparsity: float) -> Image.Image:
    """Move the slider, wait until what it costs is measured, and take the picture."""
    page.locator(".pv-range").first.fill(str(sparsity))
    lab.settled(page)
    page.evaluate("() => document.activeElement.blur()")
    page.wait_for_timeout(300)
    shot = Image.open(io.BytesIO(page.locator(".pv").first.screenshot())).convert("RGB")
    return shot.resize((WIDTH, round(WIDTH * shot.height / shot.width)), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    main()
