"""A new panel is one entry in Python, and its drawing in JavaScript under the same name."""

import lab
import numpy as np
import pytest
import torch
from torch import nn

from pruneviz.widgets import UnitExplorer, WeightExplorer
from pruneviz.widgets.explorer.parts import Part
from pruneviz.widgets.frame import assets

LEVEL = """\
import {{ el }} from "../frame/controls.js";
import {{ sharp }} from "../frame/draw.js";
import {{ explorer }} from "./explorer.js";
import {{ {counts} }} from "./{counts_file}.js";
import {{ {drawings} }} from "./{drawings_file}.js";

function levelPart(frame, counts) {{
  const canvas = el("canvas", {{ class: "level", role: "img" }});
  frame.paint((colours) => {{
    const {{ kept }} = counts.at(frame.get("sparsity"), frame.get("by_hand"));
    const context = sharp(canvas, 100, 10);
    context.fillStyle = colours.kept;
    context.fillRect(0, 0, (100 * kept) / counts.total, 10);
  }});
  return el("figure", {{ class: "pv-panel" }}, canvas);
}}

export default explorer({counts}, {{ ...{drawings}, level: levelPart }});
"""
FILES = {
    WeightExplorer: {"counts": "Weights", "drawings": "weightDrawings"}
    | {"counts_file": "weight_counts", "drawings_file": "weights"},
    UnitExplorer: {"counts": "Units", "drawings": "unitDrawings"}
    | {"counts_file": "unit_counts", "drawings_file": "units"},
}
PAINTED = """() => {
  const canvas = document.querySelector('.pv-grid > .pv-panel > .level');
  const { data } = canvas.getContext('2d').getImageData(0, canvas.height / 2, canvas.width, 1);
  return (100 * data.filter((value, i) => i % 4 === 3 && value === 255).length) / canvas.width;
}"""


@pytest.fixture
def written(monkeypatch):
    """Give a function that puts a module beside those of the explorers."""
    read, texts = assets.read, {}
    monkeypatch.setattr(assets, "read", lambda name: texts.get(name) or read(name))

    def write(name, text):
        texts[name] = text
        assets.script.cache_clear()
        return assets.script(name)

    yield write
    assets.script.cache_clear()


@pytest.fixture
def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 20), nn.ReLU(), nn.Linear(20, 3))


@pytest.mark.parametrize("base", FILES)
def test_a_panel_of_ones_own_is_drawn_and_follows_the_slider(base, model, written, browser, tmp_path):
    class WithALevel(base):
        _esm = written("explorer/level.js", LEVEL.format(**FILES[base]))
        parts = (
            *base.parts,
            Part("level", "grid", lambda ax, view: ax.barh(0, view.result().kept), basic=True),
        )

    draw = np.random.default_rng(0)
    view = WithALevel(model, (draw.random((12, 4, 4, 1), np.float32), draw.integers(0, 3, 12)), predict=False)
    view.export_html(tmp_path / "view.html")
    with lab.offline(browser, tmp_path / "view.html") as page:
        page.wait_for_function(f"() => ({PAINTED})() === 50")
        lab.type_sparsity(page, "80")
        page.wait_for_function(f"() => ({PAINTED})() === 20")
    view.show = ["slider"]
    view.export_html(tmp_path / "without.html")
    with lab.offline(browser, tmp_path / "without.html") as page:
        assert page.locator(".level").count() == 0
