"""ChannelExplorer in a real JupyterLab, by mouse, keyboard and eye."""

import lab
import pytest

CELLS = (
    """\
import numpy as np, pruneviz as pv
model = pv.zoo.resnet_20('torch', pretrained=False)  # coupling needs no training
draw = np.random.default_rng(0)
data = draw.integers(0, 255, (60, 32, 32, 3), dtype=np.uint8), draw.integers(0, 10, 60)
prune = lambda s=None, **more: pv.prune(
    model, s, granularity='channel', data=data, example=data[0][:1], keep_at_least=1, **more)""",
    "view = pv.explore(model, data, granularity='channel', title='ResNet-20 · channels')\nview",
    "view.more = True",
)
# The BatchNorm strip beside each block, one row an output: how many of them are in the blue of what is kept?
BLUE = """() => {
  const { chain } = document.querySelector('.pv').pruneviz;
  const css = getComputedStyle(document.querySelector('.pv')).getPropertyValue('--pv-kept').trim();
  const blue = [1, 3, 5].map((i) => parseInt(css.slice(i, i + 2), 16));
  const context = chain.canvas.getContext('2d');
  const ratio = chain.canvas.width / chain.canvas.clientWidth;
  return Object.fromEntries(chain.units.blocks.filter(({ norms }) => norms.length).map(({ name, rows }) => {
    const b = chain.units.blocks.findIndex((block) => block.name === name);
    const { x, y, wide, tall } = chain.layout.boxes[b];
    const kept = [...rows.keys()].filter((place) => {
      const at = [x + wide + 6, y + ((place + 0.5) * tall) / rows.length].map((v) => Math.floor(ratio * v));
      const { data } = context.getImageData(...at, 1, 1);
      return blue.every((v, c) => Math.abs(v - data[c]) < 90);
    });
    return [name, kept.length];
  }));
}"""
ROW = """([name, i]) => {
  const { chain } = document.querySelector('.pv').pruneviz;
  const b = chain.units.blocks.findIndex((block) => block.name === name);
  const [{ left, top }, { x, y, wide, tall }] = [chain.canvas.getBoundingClientRect(), chain.layout.boxes[b]];
  const [order] = chain.orders[b];
  return [left + x + wide / 2, top + y + ((order.indexOf(i) + 0.5) * tall) / order.length];
}"""
# What lies at the column of an input: black on white as a followed channel is, or not.
COLUMN = """([name, i]) => {
  const { chain } = document.querySelector('.pv').pruneviz;
  const b = chain.units.blocks.findIndex((block) => block.name === name);
  const { x, y, wide } = chain.layout.boxes[b];
  const ratio = chain.canvas.width / chain.canvas.clientWidth;
  const order = chain.orders[b][1];
  const at = [x + ((order.indexOf(i) + 0.5) * wide) / order.length, y + 1].map((v) => Math.floor(ratio * v));
  const probe = document.createElement('canvas').getContext('2d');
  const css = getComputedStyle(document.querySelector('.pv'));
  for (const name of ['paper', 'ink']) { // JupyterLab's ink lets a little of the paper through
    probe.fillStyle = css.getPropertyValue(`--pv-${name}`).trim();
    probe.fillRect(0, 0, 1, 1);
  }
  const ink = probe.getImageData(0, 0, 1, 1).data;
  const here = chain.canvas.getContext('2d').getImageData(...at, 1, 1).data;
  return [0, 1, 2].every((c) => Math.abs(ink[c] - here[c]) < 25);
}"""
KEPT = "() => document.querySelector('.pv').pruneviz.chain.at.kept"
TITLE = "() => document.querySelector('.pv-follow .pv-caption').textContent"
LAST_WORDS = "() => [...document.querySelectorAll('.pv-groups .pv-row-words')].at(-1).textContent"
BOX = "conv1 + 3 tied in per cent"


@pytest.fixture(scope="module")
def notebook(browser, server):
    with lab.notebook(browser, server, "channels.ipynb", *CELLS, height=2400) as page:
        yield page


@pytest.fixture
def page(notebook):
    lab.first_state(notebook, "view.sparsities = {}; view.followed = []; view.sort = 'place'")
    notebook.mouse.move(2, 2)  # nothing is pointed at
    settled(notebook)
    yield notebook
    assert notebook.seen == {"errors": [], "outside": []}


def settled(page):
    lab.settled(page, 60)


def followed(page, words):
    page.wait_for_function(f"(words) => ({TITLE})().startsWith(words)", arg=words)


def check_picture(page):
    """The page's picture, and its count, agree with the kernel's mask."""
    noted = page.evaluate(KEPT)
    assert noted == lab.kernel(page, "view.result().kept")
    assert page.evaluate(BLUE) == lab.kernel(
        page, "{name: int(kept.sum()) for name, kept in view.result().items()}"
    )


def test_slider_cuts_rows_and_columns(page):
    lab.type_sparsity(page, "70")
    settled(page)
    check_picture(page)
    assert lab.kernel(page, "view.result() == prune(0.7)")
    assert page.evaluate("() => document.querySelector('.pv').pruneviz.chain.left.at(-1)") == [
        10,
        lab.kernel(page, "int(view.result()['block9.conv2'].sum())"),
    ]


def test_a_group_has_a_share_of_its_own(page):
    box = page.get_by_label(BOX)
    box.fill("75")
    box.press("Enter")
    settled(page)
    assert lab.kernel(page, "view.sparsities") == {"conv1": 0.75}
    assert lab.kernel(page, "view.result()['block2.conv2'].tolist()") == lab.kernel(
        page, "prune(scope={'conv1': 0.75})['conv1'].tolist()"
    )
    assert lab.kernel(page, "bool((view.result()['block5.conv1'] == prune(0.5)['block5.conv1']).all())")
    check_picture(page)
    card = lab.kernel(page, "view.exact['correct'] == pv.scorecard(view.apply(), data).correct")
    assert card
    page.get_by_role("button", name="conv1: as all groups").click()
    settled(page)
    assert lab.kernel(page, "view.sparsities") == {}
    check_picture(page)


def test_drag_a_group(page):
    slider = page.get_by_label("block9.conv1", exact=True)
    box = slider.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + box["height"] / 2, steps=6)
    page.wait_for_function("() => document.querySelector('.pv-badge').textContent === ''")  # no guess at it
    page.mouse.up()
    settled(page)
    [(name, share)] = lab.kernel(page, "view.sparsities").items()
    assert name == "block9.conv1"
    assert 0.7 < share < 0.9
    check_picture(page)


def test_what_is_out_of_sight_waits_while_the_hand_moves(page):
    tall = page.viewport_size
    page.set_viewport_size({**tall, "height": 700})
    page.locator(".pv-title").scroll_into_view_if_needed()
    before = page.evaluate(LAST_WORDS)
    page.evaluate(
        """() => {
          const range = document.querySelector('.pv-range');
          range.value = 0.9;
          range.dispatchEvent(new Event('input', { bubbles: true }));
        }"""
    )
    page.wait_for_function(f"() => ({KEPT})() < 100")
    assert page.evaluate(LAST_WORDS) == before
    page.get_by_label("block9.conv1", exact=True).scroll_into_view_if_needed()
    page.wait_for_function(f"(before) => ({LAST_WORDS})() !== before", arg=before)
    page.set_viewport_size(tall)
    page.locator(".jp-Cell").first.scroll_into_view_if_needed()


def test_point_and_click_follow_a_channel(page):
    page.mouse.move(*page.evaluate(ROW, ["block1.conv2", 5]))
    followed(page, "Channel 5 of block1.conv2")
    assert lab.kernel(page, "view.followed") == []
    words = page.locator(".pv-follow").inner_text()
    for expected in (
        "5 of conv1, block1.conv2, block2.conv2, block3.conv2",
        "5 of bn1, block1.bn2, block2.bn2, block3.bn2",
        "5 of block1.conv1, block2.conv1, block3.conv1, block4.conv1, block4.shortcut",
        "Their outputs are added",
    ):
        assert expected in words
    page.mouse.move(2, 2)
    lab.painted(page)
    assert page.locator(".pv-follow[data-empty]").count()
    assert not page.evaluate(COLUMN, ["block4.shortcut", 5])
    page.mouse.click(*page.evaluate(ROW, ["block1.conv2", 5]))
    page.mouse.move(2, 2)
    lab.painted(page)
    followed(page, "Channel 5 of block1.conv2")
    assert lab.kernel(page, "[view.followed, view.layer]") == [["block1.conv2", 5], "block1.conv2"]
    for reader in ("block1.conv1", "block3.conv1", "block4.conv1", "block4.shortcut"):
        assert page.evaluate(COLUMN, [reader, 5])
    assert not page.evaluate(COLUMN, ["block1.conv2", 5])  # that reads another stream


def test_a_second_click_cuts_and_a_click_beside_lets_go(page):
    best = lab.kernel(page, "int(view.scores()['conv1'].argmax())")
    spot = page.evaluate(ROW, ["block2.conv2", best])
    page.mouse.click(*spot)
    page.mouse.click(*spot)
    settled(page)
    by_hand = lab.kernel(page, "view.by_hand")
    assert list(by_hand) == ["conv1", "block1.conv2", "block2.conv2", "block3.conv2"]
    assert all(lists == {"cut": [best], "kept": []} for lists in by_hand.values())
    followed(page, f"Channel {best} of block2.conv2: pruned by hand")
    page.locator(".pv-chain canvas").click(position={"x": 3, "y": 90})
    page.mouse.move(2, 2)
    page.wait_for_selector(".pv-follow[data-empty]")
    check_picture(page)


def test_python_follows_and_says_the_same(page):
    lab.run_python(page, "view.followed = ['block7.shortcut', 63]")
    followed(page, "Channel 63 of block7.shortcut")
    assert page.evaluate(COLUMN, ["fc", 63])
    slices = "({ chain }, [name, i]) => chain.units.coupled(chain.units.unit(name, i))"
    for spot in (["conv1", 0], ["block5.conv1", 31], ["block8.conv2", 9]):
        found = page.evaluate(f"(spot) => ({slices})(document.querySelector('.pv').pruneviz, spot)", spot)
        assert {part: dict(entries) for part, entries in found.items()} == lab.kernel(
            page, f"view.coupled(*{spot!r})"
        )


def test_keyboard_follows_and_cuts(page):
    cursor = page.locator(".pv-chain .pv-cursor")
    cursor.focus()
    page.keyboard.press("ArrowRight")  # from nothing to the first channel
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    followed(page, "Channel 1 of block1.conv2")
    assert lab.kernel(page, "view.followed") == ["block1.conv2", 1]
    assert "with it go outputs 1 of conv1, block1.conv2" in cursor.get_attribute("aria-label")
    page.keyboard.press("Enter")
    settled(page)
    kept = lab.kernel(page, "bool(prune(0.5)['conv1'][1])")
    word = {True: "cut", False: "kept"}[kept]
    by_hand = lab.kernel(page, "view.by_hand")
    assert list(by_hand) == ["conv1", "block1.conv2", "block2.conv2", "block3.conv2"]
    assert all(lists[word] == [1] for lists in by_hand.values())
    check_picture_by_number(page)
    page.keyboard.press("Escape")
    page.wait_for_selector(".pv-follow[data-empty]")
    assert lab.kernel(page, "view.followed") == []


def check_picture_by_number(page):
    """A followed channel crosses the strips: only the count tells."""
    noted = page.evaluate(KEPT)
    assert noted == lab.kernel(page, "view.result().kept")


def test_show_code_is_the_kernels(page):
    lab.run_python(
        page,
        "view.sparsities = {'conv1': 0.25, 'block9.conv1': 1}; view.by_hand = {'block5.conv1': {'cut': [3]}}",
    )
    settled(page)
    page.get_by_role("button", name="Show code").click()
    code = page.locator(".pv-code code").inner_text()
    assert code.strip() == lab.kernel(page, "view.snippet").strip()
    page.get_by_role("button", name="Show code").click()


@pytest.mark.parametrize("theme", ["Dark", "Light"])
def test_themes_and_widths(page, theme):
    lab.change_theme(page, theme)
    for width in lab.widths(page):
        check_picture(page)
        lab.picture(page, f"channels-{theme.lower()}-{width}")


def test_names_and_targets(page):
    assert lab.nameless(page, ":is(input, button, select, canvas, progress):not([aria-hidden])") == []
    assert lab.too_small(page, "button, select, input:not([type=range])") == []
    page.get_by_text("Chain in words").click()
    rows = page.locator(".pv-channels details tbody tr")
    rows.first.wait_for()  # the fold is filled after it has opened
    assert rows.count() == 22
    assert "block1.conv2, block2.conv2, block3.conv2" in rows.first.inner_text()
    page.get_by_text("Chain in words").click()


def test_exported_page_works_offline(page, browser, tmp_path):
    path = tmp_path / "view.html"
    lab.run_python(page, f"view.export_html({str(path)!r})")
    with lab.offline(browser, path) as alone:
        box = alone.get_by_label(BOX)
        box.fill("75")
        box.press("Enter")
        alone.wait_for_function(
            "() => document.querySelector('.pv').pruneviz.get('sparsities').conv1 === 0.75"
        )
        alone.wait_for_function(
            "() => document.querySelector('.pv').pruneviz.chain.left[0][0] === 4"  # 75% of 16 are gone
        )
