"""FilterExplorer in a real JupyterLab, by mouse, keyboard and eye."""

import json
import os
from pathlib import Path

import lab
import pytest

CELLS = (
    """\
import numpy as np, pruneviz as pv
model = pv.zoo.lenet_5('torch')
data = pv.datasets.mnist().validation
prune = lambda s, **more: pv.prune(
    model, s, granularity='filter', data=data, example=data[0][:1], keep_at_least=1, **more)""",
    "view = pv.explore(model, data, granularity='filter', title='LeNet-5 · filters')\nview",
)
SETTLED = """() => {
  const frame = document.querySelector('.pv').pruneviz;
  const measured = JSON.stringify(frame.get('exact').state) === JSON.stringify(frame.state());
  return measured && document.querySelector('.pv-badge').textContent === 'exact';
}"""
CARD = """(i) => {
  const { gallery } = document.querySelector('.pv').pruneviz;
  const box = gallery.canvas.getBoundingClientRect();
  const [x, y] = gallery.corner(i);
  return [box.left + x + gallery.layout.wide / 2, box.top + y + gallery.layout.tall / 2];
}"""
# A kept card has a whole frame, a pruned one dashes: count how much of the lower edge is in the frame's blue.
WHOLE_FRAMES = """() => {
  const { gallery } = document.querySelector('.pv').pruneviz;
  const css = getComputedStyle(document.querySelector('.pv')).getPropertyValue('--pv-kept').trim();
  const blue = [1, 3, 5].map((i) => parseInt(css.slice(i, i + 2), 16));
  const context = gallery.canvas.getContext('2d');
  const ratio = gallery.canvas.width / gallery.canvas.clientWidth;
  return [...gallery.layer.score.keys()].filter((i) => {
    const [x, y] = gallery.corner(i);
    const { wide, tall } = gallery.layout;
    const at = [x + 4, y + tall - 1, wide - 8, 1].map((v) => Math.round(ratio * v));
    const { data } = context.getImageData(...at);
    let same = 0;
    for (let p = 0; p < data.length; p += 4) same += blue.every((v, c) => Math.abs(v - data[p + c]) < 3);
    return same > 0.9 * at[2] * at[3];
  }).length;
}"""


@pytest.fixture(scope="module")
def notebook(browser, server):
    address, folder = server
    lab.write_notebook(folder / "filters.ipynb", *CELLS)
    page = browser.new_page(viewport={"width": 1280, "height": 2400})
    page.seen = lab.watch(page)
    lab.open_notebook(page, address, "filters.ipynb")
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
        "    view.layer = 'conv2'; view.guess = 0.6; view.kept = []; view.moving = False\n"
        "    view.sort = 'score'; view.image = 0; view.rival = ''",
    )
    notebook.wait_for_function("() => document.querySelector('.pv-range').value === '0.5'")
    notebook.wait_for_function(SETTLED, timeout=60_000)
    yield notebook
    assert notebook.seen == {"errors": [], "outside": []}


def kernel(page, expression):
    return json.loads(lab.run_python(page, f"import json; print(json.dumps({expression}))"))


def settled(page):
    page.wait_for_function(SETTLED, timeout=60_000)


def shown(page):
    """Kept cards by what the canvas notes, and by its pixels."""
    noted = int(page.evaluate("() => document.querySelector('.pv-gallery canvas').dataset.kept"))
    assert noted == page.evaluate(WHOLE_FRAMES)
    return noted


def kept(page, mask="view.result()", layer="conv2"):
    return kernel(page, f"int({mask}[{layer!r}].sum())")


def test_slider_moves_the_cut(page):
    box = page.get_by_label("Sparsity in per cent")
    box.fill("70")
    box.press("Enter")
    settled(page)
    assert shown(page) == kept(page, "prune(0.7)")
    words = page.locator(".pv-filters > figcaption").inner_text().replace("\u202f", "")
    assert f"{shown(page)} of 16 kept" in words


def test_drag_the_cut_line(page):
    handle = page.get_by_role("slider", name="Cut of conv2")
    box = handle.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    worst = kernel(page, "int(np.argsort(view.scores()['conv2'], kind='stable')[2])")
    page.mouse.move(*page.evaluate(CARD, worst), steps=8)
    page.wait_for_function("() => document.querySelector('.pv-badge').textContent === 'estimate'")
    page.mouse.up()
    settled(page)
    assert 12 <= shown(page) <= 14
    assert shown(page) == kept(page, "prune(view.sparsity)") == int(handle.get_attribute("aria-valuenow"))
    before = shown(page)
    handle.focus()
    page.keyboard.press("ArrowLeft")
    settled(page)
    assert shown(page) == before - 1 == kept(page, "prune(view.sparsity)")


def test_click_and_keyboard_cut_by_hand(page):
    best = kernel(page, "int(view.scores()['conv2'].argmax())")
    page.mouse.click(*page.evaluate(CARD, best))
    settled(page)
    assert kernel(page, "view.by_hand") == {"conv2": {"cut": [best], "kept": []}}
    assert shown(page) == kept(page) == kept(page, "prune(0.5)") - 1
    assert kernel(page, "view.exact['correct'] == pv.scorecard(view.apply(), data).correct")
    assert f"Filter {best} of conv2: pruned by hand" in page.locator(".pv-facts").inner_text()
    page.keyboard.press("Enter")  # lets go
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    settled(page)
    worst = kernel(page, "int(np.argsort(view.scores()['conv2'], kind='stable')[0])")
    assert kernel(page, "view.by_hand") == {"conv2": {"cut": [], "kept": [worst]}}
    assert f"Filter {worst} of conv2: kept by hand" in page.locator(".pv-card-cursor").get_attribute(
        "aria-label"
    )


def test_images_by_class_and_number(page):
    page.get_by_label("of class").select_option("7")
    page.wait_for_function("() => document.querySelector('.pv').pruneviz.get('pictured').truth === 7")
    first = kernel(page, "int(np.flatnonzero(data[1] == 7)[0])")
    assert kernel(page, "view.image") == first
    page.get_by_role("button", name="Next image").click()
    page.wait_for_function(f"() => document.querySelector('.pv').pruneviz.get('mapped').image > {first}")
    second = kernel(page, "[view.image, int(np.flatnonzero(data[1] == 7)[1])]")
    assert second[0] == second[1]
    page.get_by_label("of class").select_option("")
    number = page.get_by_label("image, 0 to 4999")
    number.fill("4321")
    number.press("Tab")
    page.wait_for_function("() => document.querySelector('.pv').pruneviz.get('mapped').image === 4321")
    page.get_by_role("tablist", name="Layer", exact=True).get_by_role("tab", name="conv1").click()
    page.get_by_text("feature map, 28 × 28").wait_for()
    assert "on this image, mean" in page.locator(".pv-facts").inner_text()


def test_a_second_criterion_and_its_overlap(page):
    page.get_by_label("second criterion").select_option("fpgm")
    page.wait_for_function("() => /both cut/.test(document.querySelector('.pv-rival').textContent)")
    both, only, other = kernel(
        page,
        "(lambda a, b: [int((~a & ~b).sum()), int((~a & b).sum()), int((a & ~b).sum())])"
        "(prune(0.5)['conv2'], prune(0.5, criterion='fpgm')['conv2'])",
    )
    words = page.locator(".pv-rival").inner_text()
    assert f"both cut {both}, only magnitude {only}, only fpgm {other}" in words


def test_removal_shows_shapes_and_proof(page):
    page.get_by_role("button", name="Remove the pruned filters").click()
    page.wait_for_function(
        "() => document.querySelector('.pv').pruneviz.get('removal').state?.sparsity === 0.5"
    )
    words = page.locator(".pv-removed").inner_text().replace("\u202f", "")
    left = [kept(page, layer=name) for name in ("conv1", "conv2")]
    assert f"{left[1]} × {left[0]} × 5 × 5" in words
    assert "0 answers differ" in words
    assert kernel(page, "view.removal['difference'] < 1e-5")


@pytest.mark.parametrize("theme", ["JupyterLab Dark", "JupyterLab Light"])
def test_themes_and_widths(page, theme):
    page.evaluate("(theme) => window.jupyterapp.commands.execute('apputils:change-theme', { theme })", theme)
    dark = theme.endswith("Dark")
    page.wait_for_function(
        "(dark) => document.querySelector('.pv').hasAttribute('data-dark') === dark", arg=dark
    )
    page.wait_for_timeout(600)
    for width in (1280, 800):
        page.set_viewport_size({"width": width, "height": 2400})
        page.wait_for_timeout(300)
        assert page.evaluate(
            "() => { const p = document.querySelector('.pv'); return p.scrollWidth <= p.clientWidth; }"
        )
        assert shown(page) == kept(page)
        if folder := os.environ.get("PRUNEVIZ_SCREENSHOTS"):
            page.locator(".pv").screenshot(
                path=Path(folder) / f"filters-{theme.split()[-1].lower()}-{width}.png"
            )
    page.set_viewport_size({"width": 1280, "height": 2400})


def test_names_and_targets(page):
    nameless = page.evaluate(
        """() => [...document.querySelectorAll('.pv input, .pv button, .pv select, .pv canvas, .pv progress')]
          .filter((n) => !(n.labels?.length || n.ariaLabel || n.ariaHidden || n.textContent.trim()))
          .map((n) => n.outerHTML.slice(0, 90))"""
    )
    assert nameless == []
    small = page.evaluate(
        """() => [...document.querySelectorAll('.pv button, .pv select, .pv input, .pv .pv-cut')]
          .map((n) => [n.textContent || n.ariaLabel, n.getBoundingClientRect()])
          .filter(([, box]) => box.width && (box.width < 24 || box.height < 24)).map(([name]) => name)"""
    )
    assert small == []
    page.get_by_text("Filters in words").click()
    assert page.locator(".pv-filters details tr").count() == 17
    page.get_by_text("Filters in words").click()
