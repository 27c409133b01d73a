"""TinyNetwork in a real JupyterLab, by mouse, keyboard and eye, and in a file without kernel or network."""

from functools import partial

import lab
import numpy as np
import pytest
from js.make_tiny_fixtures import flats, plants

import pruneviz as pv

CELLS = (
    """\
import sys
sys.path.insert(0, {tests!r})
from js.make_tiny_fixtures import flats, plants
flat, plant = flats(), plants(200)""",
    "flat",
    "plant",
)
INK = """(canvas, places) => {
  const context = canvas.getContext('2d');
  const sharp = canvas.width / canvas.clientWidth;
  return places.map(([x, y]) => [...context.getImageData(x * sharp, y * sharp, 1, 1).data]);
}"""
PIXELS = """(canvas) => {
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  return [...new Uint32Array(data.buffer)];
}"""
STYLE = "(view, name) => getComputedStyle(view).getPropertyValue('--pv-' + name).trim()"
arrives = partial(lab.arrives, seconds=5)


@pytest.fixture(scope="module")
def notebook(browser, server, request):
    cells = CELLS[0].format(tests=str(request.path.parent.parent)), *CELLS[1:]
    ready = ".pv-wire[aria-label^='Weight w8']"
    with lab.notebook(browser, server, "tiny.ipynb", *cells, ready=ready, height=1900) as page:
        yield page


@pytest.fixture
def page(notebook):
    lab.run_python(
        notebook, "flat.cut = plant.cut = []; flat.example = plant.example = 0; flat.changes = False"
    )
    notebook.wait_for_function("() => !document.querySelector('.pv-wire[aria-label$=\"cut\"]')")
    yield notebook
    assert notebook.seen == {"errors": [], "outside": []}


def view(page, which):
    return page.locator(".pv").nth(["flat", "plant"].index(which))


def weight(page, which, name):
    start = "Weight of" if which == "flat" else "Hidden neuron" if name[0] == "h" else "Weight"
    return view(page, which).locator(f".pv-wire[aria-label^='{start} {name}']")


def card(page, which):
    rows = view(page, which).locator(".pv-card")
    return dict(zip(rows.locator("dt").all_inner_texts(), rows.locator("dd").all_inner_texts(), strict=True))


def spoken(page, which, words):
    page.wait_for_function(
        "([view, words]) => view.querySelector('.pv-live').textContent === words",
        arg=[view(page, which).element_handle(), words],
    )
    lab.painted(page)


def test_a_click_cuts_and_a_second_one_restores(page):
    weight(page, "flat", "area").click()
    spoken(page, "flat", "area cut. Loss 4.1400, up 4.1400.")
    assert weight(page, "flat", "area").get_attribute("aria-label") == "Weight of area: 0.02, cut"
    assert card(page, "flat")["loss"] == "4.1400 mean squared error"
    assert card(page, "flat")["last step"] == "area cut: +4.1400"
    arrives(page, "[flat.cut, round(flat.loss, 9)]", [["area"], 4.14])
    weight(page, "flat", "area").click()
    spoken(page, "flat", "area put back. Loss 0.0000, down 4.1400.")
    arrives(page, "flat.cut", [])


def test_the_arithmetic_strikes_what_is_cut(page):
    weight(page, "flat", "balcony").click()
    panel = view(page, "flat").locator(".pv-sum")
    page.wait_for_function("() => document.querySelector('.pv-sum s')")
    assert panel.locator("s").all_text_contents() == ["cut: \N{MINUS SIGN}0.3 × 1"]
    assert panel.locator(".pv-total").inner_text().split() == ["predicted", "price", "1.35"]
    view(page, "flat").get_by_role("spinbutton").fill("4")
    view(page, "flat").get_by_role("spinbutton").press("Enter")
    page.wait_for_function("() => document.querySelector('.pv-sum .pv-total td').textContent === '4.10'")
    arrives(page, "flat.example", 3)
    assert view(page, "flat").locator("tr[data-chosen]").inner_text().split() == [
        "flat",
        "4",
        "3.80",
        "4.10",
        "0.30",
        "0.0900",
    ]


def test_keyboard(page):
    stops = view(page, "flat").locator(".pv-wire[tabindex='0']")
    assert stops.count() == 1
    weight(page, "flat", "area").focus()
    for key, name in (
        ("ArrowDown", "floor"),
        ("End", "garden"),
        ("ArrowRight", "area"),
        ("ArrowUp", "garden"),
    ):
        page.keyboard.press(key)
        focused = page.evaluate("() => document.activeElement.getAttribute('aria-label')")
        assert focused.startswith(f"Weight of {name}")
        assert stops.count() == 1
    page.keyboard.press("Enter")
    spoken(page, "flat", "garden cut. Loss 0.1250, up 0.1250.")
    page.keyboard.press("Space")
    spoken(page, "flat", "garden put back. Loss 0.0000, down 0.1250.")
    arrives(page, "flat.cut", [])


def test_a_click_on_the_line_itself_cuts(page):
    canvas = view(page, "flat").locator(".pv-tiny canvas")
    box, button = canvas.bounding_box(), weight(page, "flat", "rooms").bounding_box()
    canvas.click(position={"x": 0.7 * box["width"], "y": button["y"] + button["height"] / 2 - box["y"]})
    spoken(page, "flat", "rooms cut. Loss 0.1175, up 0.1175.")


def test_python_cuts_and_the_view_follows(page):
    lab.run_python(page, "plant.cut = ['h1']; plant.changes = True")
    page.wait_for_function("() => document.querySelectorAll('.pv-wire[aria-label$=\"cut\"]').length === 4")
    cut = [
        name
        for name in ("w2", "w3", "w7", "h1")
        if "cut" in weight(page, "plant", name).get_attribute("aria-label")
    ]
    assert cut == ["w2", "w3", "w7", "h1"]
    twin = plants(200, cut=["h1"])
    assert card(page, "plant")["loss"] == f"{twin.loss:.3f} mean cross-entropy"
    assert card(page, "plant")["right"].startswith(f"{twin.right} of 200 plants")
    assert card(page, "plant")["weights"] == "6 of 9 kept"
    lab.run_python(page, "plant.changes = False")


def test_undo_and_reset(page):
    tools = view(page, "plant").locator(".pv-buttons")
    for name in ("w0", "h2", "w0"):
        weight(page, "plant", name).click()
    arrives(page, "plant.cut", ["w4", "w5", "w8"])
    tools.get_by_role("button", name="Undo").click()
    arrives(page, "plant.cut", ["w0", "w4", "w5", "w8"])
    tools.get_by_role("button", name="Reset").click()
    arrives(page, "plant.cut", [])


@pytest.mark.parametrize("cut", [[], ["w0"], ["h1"], ["w6", "w7"]])
def test_the_decision_picture_is_that_of_numpy(page, cut):
    lab.run_python(page, f"plant.cut = {cut}")
    twin = plants(200, cut=cut)
    loss = f"{twin.loss:.3f} mean cross-entropy"
    page.wait_for_function(
        "(loss) => [...document.querySelectorAll('.pv-card dd')].some((d) => d.textContent === loss)",
        arg=loss,
    )
    model, draw = twin._model, np.random.default_rng(1)
    points = draw.uniform(-1.9, 1.9, (400, 2))
    far = np.linalg.norm(points[:, None] - model.x, axis=2).min(1) > 0.14
    z = model.predict(twin._flags(), points)
    beside = np.stack(
        [
            model.predict(twin._flags(), points + step) > 0
            for step in 0.04 * np.array([[1, 0], [-1, 0], [0, 1], [0, -1]])
        ]
    )
    points, z = points[far & (beside == (z > 0)).all(0)], z[far & (beside == (z > 0)).all(0)]
    canvas = view(page, "plant").locator("canvas[role=img]")
    side = min(canvas.bounding_box()["width"] - 52, 330)
    places = [[40 + (a + 2) / 4 * side, 8 + (2 - b) / 4 * side] for a, b in points]
    shaded = [
        pixel[3] > 0 for pixel in canvas.evaluate(INK, places)
    ]  # the paper shows through where it says no
    assert len(points) > 60
    assert shaded == (z > 0).tolist()


def test_shown_code_gives_exactly_this_loss(page):
    for which, names in (("flat", ["floor"]), ("plant", ["w1", "h2"])):
        for name in names:
            weight(page, which, name).click()
        view(page, which).get_by_role("button", name="Show code").click()
        code = view(page, which).locator(".pv-code code").inner_text()
        arrives(page, f"{which}.snippet.strip()", code.strip())
        lab.run_python(page, f"import numpy as np; scope = dict(globals()); exec({code!r}, scope)")
        assert lab.kernel(page, f"bool(np.ravel(scope['shown_now'])[0] == {which}.loss)")
        view(page, which).get_by_role("button", name="Show code").click()


def test_a_click_near_a_plant_chooses_it(page):
    canvas = view(page, "plant").locator("canvas[role=img]")
    x = plants(200)._model.x
    side = min(canvas.bounding_box()["width"] - 52, 330)
    canvas.click(position={"x": 40 + (x[17][0] + 2) / 4 * side, "y": 8 + (2 - x[17][1]) / 4 * side})
    arrives(page, "plant.example", 17)
    assert view(page, "plant").get_by_role("spinbutton").input_value() == "18"


@pytest.mark.parametrize("theme", ["Dark", "Light"])
def test_both_themes_tell_kept_from_cut(page, theme):
    lab.change_theme(page, theme)
    weight(page, "flat", "garden").click()
    page.wait_for_timeout(600)
    colours = [view(page, "flat").evaluate(STYLE, name) for name in ("kept", "pruned")]
    luminances = sorted(lab.luminance(colour) for colour in colours)
    assert (luminances[1] + 0.05) / (luminances[0] + 0.05) >= 3
    canvas = view(page, "flat").locator(".pv-tiny canvas")
    pixels = canvas.evaluate(PIXELS)
    for colour in colours:
        r, g, b = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
        assert pixels.count((255 << 24) | (b << 16) | (g << 8) | r) > 100


def test_picture_is_saved(page):
    with page.expect_download() as download:
        view(page, "plant").get_by_role("button", name="Save PNG").click()
    assert download.value.suggested_filename == "2-3-1-network-9-weights.png"


@pytest.mark.parametrize("make", [flats, plants])
@pytest.mark.parametrize("width", [1280, 800, 320])  # 320 is 1280 at 400%
def test_exported_file_works_without_kernel_or_network(browser, tmp_path, make, width):
    made = make()
    made.export_html(tmp_path / "tiny.html")
    context = browser.new_context(offline=True, viewport={"width": width, "height": 900})
    page = context.new_page()
    seen = lab.watch(page)
    page.goto((tmp_path / "tiny.html").as_uri())
    names = [wire["name"] for wire in made.spec["wires"]]
    buttons = page.locator(".pv-wire")
    assert buttons.count() == len(names) + len(made.spec["neurons"])
    for button in buttons.all():
        box = button.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert min(box["width"], box["height"]) >= 24
    page.get_by_role("checkbox").check()
    cut = [names[1], names[-1]]
    for name in cut:
        page.locator(f".pv-wire[aria-label*='{name}']").first.press("Enter")
    made.cut = cut
    digits = made.spec["digits"]
    page.wait_for_function(
        "(loss) => document.querySelector('.pv-big').textContent === loss", arg=f"{made.loss:.{digits}f}"
    )
    page.get_by_role("button", name="Undo").click()
    made.cut = cut[:1]
    page.wait_for_function(
        "(loss) => document.querySelector('.pv-big').textContent === loss", arg=f"{made.loss:.{digits}f}"
    )
    page.get_by_text("Weights in numbers").click()
    page.locator(".pv-fold td", has_text="cut").wait_for()
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    assert seen == {"errors": [], "outside": []}
    context.close()


def test_exported_file_has_one_heading_and_scrolls_by_keyboard_whatever_names_hold(browser, tmp_path):
    title = "%MODULE% %STATE% $state ${module} $& </script>"
    view = pv.TinyNetwork.linear([0.02, 0.5], ["$style", "%PNG%"], [[50, 0], [80, 1]], [1, 2], title=title)
    view.export_html(tmp_path / "tiny.html")
    with lab.offline(browser, tmp_path / "tiny.html") as page:
        assert page.locator("h1").all_inner_texts() == [title]
        assert page.title() == title
        for fold in page.locator("summary").all():
            fold.click()
        page.wait_for_function("() => document.querySelectorAll('.pv-scroll').length === 3")
        regions = page.locator(".pv-scroll")
        for region in regions.all():
            region.focus()
            assert region.evaluate("(node) => document.activeElement === node")
            assert region.get_attribute("aria-label")
