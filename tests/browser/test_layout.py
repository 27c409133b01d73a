"""Every view on every screen: a page of 1280 pixels, a narrow one, and one at 200%."""

import io

import lab
import pytest
from PIL import Image

from pruneviz import lessons
from pruneviz.plots import style

VIEWS = {
    "weights": "pv.explore(lenet, digits, predict=False, title='LeNet-300-100 · weights')",
    "neurons": "pv.explore(lenet, digits, granularity='neuron', predict=False)",
    "filters": "pv.explore(pv.zoo.lenet_5('torch'), digits, granularity='filter', predict=False)",
    "channels": "pv.explore(resnet, photos, granularity='channel', predict=False, title='ResNet-20')",
    "schedule": "pv.ScheduleExplorer(lenet, lambda model, keep, seed: None, digits, rounds=4, final=0.98)",
    "linear": "pv.TinyNetwork.linear([0.05, -0.01, 0.4], ['area', 'age', 'garden'], x, [1.2, 2, 3], "
    "output='price', noun='flat')",
    "two layers": "pv.TinyNetwork.two_layers([[3, -3], [-3, 3], [1, 1]], [0, 0, -1], [1, 1, 0.5], -1, "
    "x[:, :2], [0, 1, 1], names=('light', 'water'), output='thrives', noun='plant')",
    "corruption": "spoiled()",
    "tradeoff": "pv.TradeoffExplorer(family(), pictures(), selected='tenth, tuned')",
}
START = """\
import sys
sys.path.insert(0, {tests!r})
import numpy as np, torch, pruneviz as pv
from families import family, pictures
from js.make_corruption_fixtures import spoiled
torch.set_num_threads(1)
lenet, resnet = pv.zoo.lenet_300_100('torch'), pv.zoo.resnet_20('torch', pretrained=False)
images, labels = pv.datasets.mnist().validation
digits = images[:200], labels[:200]
draw = np.random.default_rng(0)
photos = draw.integers(0, 255, (40, 32, 32, 3), dtype=np.uint8), draw.integers(0, 10, 40)
x = draw.uniform(0, 1, (3, 3))"""
# A drawing of stripes, one for each colour, and a picture of them.
SERIES = tuple(line[0] for line in style.SERIES)
INKS = (style.PAPER, style.INK, style.QUIET, style.PRUNED_EDGE, style.PRUNED, *SERIES)
FIGURE = f"""\
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
stripes = range({len(INKS)})
drawing, picture = Figure(), Figure()
drawing.add_axes((0, 0, 1, 1)).barh(stripes, 1, height=1, color={INKS})
picture.add_axes((0, 0, 1, 1)).imshow([[n] for n in stripes], ListedColormap({INKS}), origin='lower')
for figure in drawing, picture:
    figure.axes[0].set(xlim=(0, 0.4), ylim=(-0.5, stripes[-1] + 0.5), aspect='auto')
    figure.axes[0].set_axis_off()
    pv.teaching.show(figure, alt='stripes')"""
# What is written on canvases, in boxes, until the canvas is wiped.
RECORD = """
window.written = new Map();
const pen = CanvasRenderingContext2D.prototype;
const { fillText, clearRect } = pen;
pen.fillText = function (words, x, y, ...most) {
  if (this.getTransform().b) return fillText.call(this, words, x, y, ...most); // upright along an axis
  const wide = this.measureText(words).width;
  const left = x - { left: 0, center: wide / 2, right: wide }[this.textAlign];
  if (!window.written.has(this)) window.written.set(this, []);
  const box = { words: String(words), left, right: left + wide, top: y - 9, bottom: y + 1 };
  window.written.get(this).push(box);
  return fillText.call(this, words, x, y, ...most);
};
pen.clearRect = function (x, y, wide, tall) {
  if (!x && !y) window.written.delete(this);
  return clearRect.call(this, x, y, wide, tall);
};
"""
ON_CANVAS = """() => [...window.written].flatMap(([{ canvas }, texts]) => {
  const wide = canvas.pvWidth ?? canvas.clientWidth;
  const out = texts.filter(({ left, right }) => wide && (left < -1 || right > wide + 1))
    .map(({ words }) => `${words} |`);
  const beside = (a, b) => a.right + 2 < b.left || b.right + 2 < a.left;
  const apart = (a, b) => beside(a, b) || a.bottom <= b.top || b.bottom <= a.top;
  const pairs = texts.flatMap((a, i) => texts.slice(i + 1).filter((b) => a.words !== b.words && !apart(a, b))
    .map((b) => `${a.words} + ${b.words}`));
  return [...out, ...pairs];
})"""
# What sticks out, lies on something else, or is broken within a word; the canvas has its own hands on it.
FAULTS = """(number) => {
  const root = document.querySelectorAll('.pv')[number];
  const inside = root.getBoundingClientRect();
  const place = root.closest('.jp-OutputArea').parentElement.getBoundingClientRect();
  const free = '.pv-live, .pv-ear, .pv-scroll *, .pv-stage *, pre, pre *, .pv-how, option, sup';
  const onCanvas = '.pv-cursor, .pv-card-cursor, .pv-cut, .pv-wire, .pv-wire *, .pv-handle, .pv-title-of, '
    + '.pv-term, .pv-point';
  const seen = (node) =>
    node.checkVisibility({ visibilityProperty: true }) && node.getBoundingClientRect().width;
  const nodes = [...root.querySelectorAll('*')].filter((node) => !node.matches(free) && seen(node));
  const name = (node) => `${node.tagName} “${(node.textContent || node.ariaLabel || '').slice(0, 30)}”`;
  const faults = inside.right > place.right + 1 ? ['the view is wider than its place'] : [];
  for (const node of nodes) {
    const { left, right } = node.getBoundingClientRect();
    if (left < inside.left - 1 || right > inside.right + 1) faults.push(`${name(node)} sticks out`);
  }
  const leaves = nodes.filter((node) => !node.childElementCount && !node.matches(onCanvas)
    && (node.textContent || node.matches('input, canvas, progress')) || node.matches('select'));
  leaves.forEach((a, i) => leaves.slice(i + 1).forEach((b) => {
    if (a.contains(b)) return;
    const [p, q] = [a, b].map((node) => node.getBoundingClientRect());
    const [wide, tall] = [Math.min(p.right, q.right) - Math.max(p.left, q.left),
      Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top)];
    if (wide > 2 && tall > 3) faults.push(`${name(a)} lies on ${name(b)}`);
  }));
  for (const node of nodes) for (const text of node.childNodes) {
    if (text.nodeType !== Node.TEXT_NODE) continue;
    for (const { 0: word, index } of text.data.matchAll(/\\S+/g)) {
      const range = document.createRange();
      range.setStart(text, index);
      range.setEnd(text, index + word.length);
      if (range.getClientRects().length > 1 && !/[-/]/.test(word)) faults.push(`${word} is broken`);
    }
  }
  return faults;
}"""
# From the top of the first slider and the verdict to the bottom of both, and the room that there is for it.
TOGETHER = """(number) => {
  const root = document.querySelectorAll('.pv')[number];
  const boxes = [...root.querySelectorAll('.pv-top :is(.pv-range, .pv-big)')]
    .map((node) => node.getBoundingClientRect());
  const tall = Math.max(...boxes.map(({ bottom }) => bottom)) - Math.min(...boxes.map(({ top }) => top));
  return [tall, document.querySelector('.jp-WindowedPanel-outer').clientHeight];
}"""


@pytest.fixture(scope="module")
def page(browser, server, request):
    address, folder = server
    start = START.format(tests=str(request.path.parent.parent))
    cells = [start, *(f"view = {code}\nview" for code in VIEWS.values()), FIGURE]
    lab.write_notebook(folder / "layout.ipynb", *cells)
    page = browser.new_page(viewport={"width": 1280, "height": 780})
    page.seen = lab.watch(page)
    page.add_init_script(RECORD)
    lab.open_notebook(page, address, "layout.ipynb")
    many = f"() => document.querySelectorAll('.pv').length === {len(VIEWS)}"
    page.wait_for_function(many, timeout=180_000)
    lab.idle(page)
    page.wait_for_function(
        "() => [...document.querySelectorAll('.pv-now .pv-badge')].every((badge) => badge.textContent)",
        timeout=120_000,
    )
    yield page
    assert page.seen == {"errors": [], "outside": []}
    lab.leave(page)


def resized(page, width, height, *, browser_of_files):
    """Choose a screen, with or without the list of files beside the notebook."""
    page.evaluate(f"() => window.jupyterapp.shell.{'expand' if browser_of_files else 'collapse'}Left()")
    page.set_viewport_size({"width": width, "height": height})
    page.wait_for_timeout(600)


def at_top(page, view):
    """Scroll to the top of a view, where what sticks is at its place; out of sight it is not drawn."""
    view.evaluate("(view) => view.scrollIntoView()")
    page.wait_for_timeout(300)


@pytest.mark.parametrize(
    ("width", "height", "files"), [(1280, 780, True), (700, 780, False), (700, 780, True), (640, 390, False)]
)
def test_nothing_is_clipped_or_on_top_of_anything_else(page, width, height, files):
    page.evaluate("() => window.written.clear()")
    resized(page, width, height, browser_of_files=files)
    views = page.locator(".pv")
    for number, name in enumerate(VIEWS):
        at_top(page, views.nth(number))
        assert (name, page.evaluate(FAULTS, number)) == (name, [])
        tall, room = page.evaluate(TOGETHER, number)
        assert tall < room, f"{name}: slider and verdict are {tall} pixels apart, the screen has {room}"
    assert page.evaluate(ON_CANVAS) == []


def test_views_fit_a_screen(page):
    resized(page, 1280, 780, browser_of_files=True)
    views = page.locator(".pv")
    for number, name in enumerate(VIEWS):
        at_top(page, views.nth(number))
        tall = views.nth(number).bounding_box()["height"]
        assert tall <= 780, f"{name} is {tall} pixels high"


@pytest.mark.parametrize("width", [1280, 700])
def test_words_of_cards_explain_themselves_to_hand_and_keyboard(page, width):
    resized(page, width, 780, browser_of_files=True)
    for name, views in zip(VIEWS, page.locator(".pv").all(), strict=True):
        at_top(page, views)
        for word in views.locator(".pv-term:visible").all():
            meaning = lessons.glossary()[word.inner_text()]
            tip = page.locator(f"#{word.get_attribute('aria-describedby')}")
            assert (tip.text_content(), tip.is_visible()) == (meaning, False)
            for reach in (word.focus, word.hover):
                reach()
                assert (name, tip.inner_text()) == (name, meaning)
                box, around = tip.bounding_box(), views.bounding_box()
                assert box["x"] >= around["x"]
                assert box["x"] + box["width"] <= around["x"] + around["width"]
                if reach == word.focus:
                    word.press("Escape")
                    assert tip.is_hidden()
                    word.blur()
            page.mouse.move(2, 2)
    assert page.locator(".pv-term:visible").count() >= 8


def test_drawings_turn_dark_with_the_theme_and_pictures_keep_their_colours(page):
    def stripes():
        for image in images:
            shot = Image.open(io.BytesIO(image.screenshot())).convert("RGB").resize((1, len(INKS)), 0)
            upwards = (f"#{bytes(shot.getpixel((0, row))).hex()}" for row in reversed(range(len(INKS))))
            yield dict(zip(INKS, upwards, strict=True))

    page.locator(".jp-Cell").last.scroll_into_view_if_needed()
    page.wait_for_selector(".jp-RenderedImage img")
    images = page.locator(".jp-RenderedImage img").all()
    assert list(stripes()) == [dict(zip(INKS, INKS, strict=True))] * 2
    lab.change_theme(page, "Dark")
    drawing, picture = stripes()
    lab.change_theme(page, "Light")
    assert lab.luminance(drawing[style.PAPER]) < 0.01
    assert 0.5 < lab.luminance(picture[style.PAPER]) < 0.8
    assert lab.contrast(drawing[style.KEPT], drawing[style.PRUNED]) >= 3
    assert drawing[style.KEPT][5:] > drawing[style.KEPT][1:3]  # still blue,
    assert drawing[style.PRUNED][5:] < drawing[style.PRUNED][1:3]  # and still orange
    for ink in (style.INK, style.QUIET, style.PRUNED_EDGE, *SERIES):
        assert lab.contrast(drawing[style.PAPER], drawing[ink]) >= 4.5
    for ink, least in ((style.INK, 4.5), (style.QUIET, 4.5), (style.KEPT, 3), (style.PRUNED_EDGE, 3)):
        assert lab.contrast(picture[style.PAPER], picture[ink]) >= least


def test_marks_of_the_hand_have_its_colour_whichever_view_came_last(page):
    marks = """() => [...document.querySelectorAll('.pv-swatch-hand, .pv-swatch-mark')].map((node) => {
      const css = getComputedStyle(node);
      const probe = node.appendChild(document.createElement('i'));
      probe.style.color = 'var(--pv-guess)';
      const hand = getComputedStyle(probe).color;
      probe.remove();
      return (node.matches('.pv-swatch-hand') ? css.borderTopColor : css.backgroundColor) === hand;
    })"""
    assert page.evaluate(marks) == [True, True, True]


def test_the_slider_keeps_its_width_whatever_the_verdict_says(page):
    resized(page, 1280, 780, browser_of_files=True)
    at_top(page, page.locator(".pv").first)
    verdict = page.locator(".pv-now").first
    widths = []
    for words in ("1%", "≈ 25.0%", "≈ over 99.9%"):
        verdict.locator(".pv-big").evaluate("(node, words) => { node.textContent = words; }", words)
        verdict.locator(".pv-badge").evaluate("(node) => { node.textContent = 'measured before'; }")
        widths.append(page.locator(".pv-range").first.bounding_box()["width"])
    assert len(set(widths)) == 1
    assert page.evaluate(FAULTS, 0) == []
