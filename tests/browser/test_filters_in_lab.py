"""FilterExplorer in a real JupyterLab, by mouse, keyboard and eye."""

import lab
import pytest

CELLS = (
    """\
import numpy as np, pruneviz as pv
model = pv.zoo.lenet_5('torch')
data = pv.datasets.mnist().validation
prune = lambda s, **more: pv.prune(
    model, s, granularity='filter', data=data, example=data[0][:1], keep_at_least=1, **more)""",
    "view = pv.explore(model, data, granularity='filter', title='LeNet-5 · filters')\nview.more = True\nview",
)
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
    with lab.notebook(browser, server, "filters.ipynb", *CELLS, height=2400) as page:
        yield page


@pytest.fixture
def page(notebook):
    lab.first_state(notebook, "view.layer = 'conv2'; view.sort = 'score'; view.image = 0; view.rival = ''")
    settled(notebook)
    yield notebook
    assert notebook.seen == {"errors": [], "outside": []}


def settled(page):
    lab.settled(page, 60)


def shown(page):
    """Kept cards by what the canvas notes, and by its pixels."""
    noted = int(page.evaluate("() => document.querySelector('.pv-gallery canvas').dataset.kept"))
    assert noted == page.evaluate(WHOLE_FRAMES)
    return noted


def kept(page, mask="view.result()", layer="conv2"):
    return lab.kernel(page, f"int({mask}[{layer!r}].sum())")


def test_slider_moves_the_cut(page):
    lab.type_sparsity(page, "70")
    settled(page)
    assert shown(page) == kept(page, "prune(0.7)")
    words = page.locator(".pv-filters > figcaption").inner_text()
    assert f"{shown(page)} of 16 kept" in words


def test_drag_the_cut_line(page):
    handle = page.get_by_role("slider", name="Cut of conv2")
    box = handle.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    worst = lab.kernel(page, "int(np.argsort(view.scores()['conv2'], kind='stable')[2])")
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
    best = lab.kernel(page, "int(view.scores()['conv2'].argmax())")
    page.mouse.click(*page.evaluate(CARD, best))
    settled(page)
    assert lab.kernel(page, "view.by_hand") == {"conv2": {"cut": [best], "kept": []}}
    assert shown(page) == kept(page) == kept(page, "prune(0.5)") - 1
    assert lab.kernel(page, "view.exact['correct'] == pv.scorecard(view.apply(), data).correct")
    assert f"Filter {best} of conv2: pruned by hand" in page.locator(".pv-facts").inner_text()
    page.keyboard.press("Enter")  # lets go
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    settled(page)
    worst = lab.kernel(page, "int(np.argsort(view.scores()['conv2'], kind='stable')[0])")
    assert lab.kernel(page, "view.by_hand") == {"conv2": {"cut": [], "kept": [worst]}}
    assert f"Filter {worst} of conv2: kept by hand" in page.locator(".pv-card-cursor").get_attribute(
        "aria-label"
    )


def test_images_by_class_and_number(page):
    page.get_by_label("of class").select_option("7")
    page.wait_for_function("() => document.querySelector('.pv').pruneviz.get('pictured').truth === 7")
    first = lab.kernel(page, "int(np.flatnonzero(data[1] == 7)[0])")
    assert lab.kernel(page, "view.image") == first
    page.get_by_role("button", name="Next image").click()
    page.wait_for_function(f"() => document.querySelector('.pv').pruneviz.get('pictured').index > {first}")
    second = lab.kernel(page, "[view.image, int(np.flatnonzero(data[1] == 7)[1])]")
    assert second[0] == second[1]
    page.get_by_label("of class").select_option("")
    number = page.get_by_label("image, 0 to 4999")
    number.fill("4321")
    number.press("Tab")
    page.wait_for_function("() => document.querySelector('.pv').pruneviz.get('pictured').index === 4321")
    page.get_by_role("tablist", name="Layer", exact=True).get_by_role("tab", name="conv1").click()
    page.get_by_text("feature map, 28 × 28").wait_for()
    assert "on this image, mean" in page.locator(".pv-facts").inner_text()


def test_a_second_criterion_and_its_overlap(page):
    page.get_by_label("second criterion").select_option("fpgm")
    page.wait_for_function("() => /both cut/.test(document.querySelector('.pv-rival').textContent)")
    both, only, other = lab.kernel(
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
    words = page.locator(".pv-removed").inner_text()
    left = [kept(page, layer=name) for name in ("conv1", "conv2")]
    assert f"{left[1]} × {left[0]} × 5 × 5" in words
    assert "0 answers differ" in words
    assert lab.kernel(page, "view.removal['difference'] < 1e-5")


@pytest.mark.parametrize("theme", ["Dark", "Light"])
def test_themes_and_widths(page, theme):
    lab.change_theme(page, theme)
    for width in lab.widths(page):
        assert shown(page) == kept(page)
        lab.picture(page, f"filters-{theme.lower()}-{width}")


def test_names_and_targets(page):
    assert lab.nameless(page, ":is(input, button, select, canvas, progress):not([aria-hidden])") == []
    assert lab.too_small(page, "button, select, input, .pv-cut") == []
    page.get_by_text("Filters in words").click()
    rows = page.locator(".pv-filters details tr")
    rows.first.wait_for()  # the fold is filled after it has opened
    assert rows.count() == 17
    page.get_by_text("Filters in words").click()
