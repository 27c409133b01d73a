"""WeightExplorer in a real JupyterLab, by mouse, keyboard and eye."""

import json

import lab
import pytest

CELLS = (
    """\
import numpy as np, pruneviz as pv
model = pv.zoo.lenet_300_100('torch')
data = pv.datasets.mnist().validation""",
    "view = pv.explore(model, data, title='LeNet-300-100')\nview.more = True\nview",
)
KEPT = """() => {
  const canvas = document.querySelector('.pv-mask');
  const css = getComputedStyle(document.querySelector('.pv')).getPropertyValue('--pv-kept').trim();
  const [r, g, b] = [1, 3, 5].map((i) => parseInt(css.slice(i, i + 2), 16));
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  let kept = 0;
  for (let i = 0; i < data.length; i += 4) kept += data[i] === r && data[i + 1] === g && data[i + 2] === b;
  return kept;
}"""
COLOURS = """() => {
  const css = getComputedStyle(document.querySelector('.pv'));
  return ['--pv-kept', '--pv-pruned'].map((name) => css.getPropertyValue(name).trim());
}"""
SLOW = """\
import time
_fast = view._meter._adapter.predict
view._meter._adapter.predict = lambda *given: (time.sleep(0.3), _fast(*given))[1]"""
FAST = "view._meter._adapter.predict = _fast"
TRAINING = """\
import threading
gate = threading.Semaphore(1)  # one round ends, the next does not
plan = pv.ScheduleExplorer(model, lambda *_: gate.acquire(), tuple(part[:200] for part in data), rounds=4)
plan.start()
plan"""
ADD_CELL = """async (code) => {
  const { commands, shell } = window.jupyterapp;
  const { content } = shell.currentWidget;
  content.activeCellIndex = content.widgets.length - 1;
  await commands.execute('notebook:insert-cell-below');
  content.activeCell.model.sharedModel.setSource(code);
  await commands.execute('notebook:run-cell');
}"""
READY = "() => window.jupyterapp?.shell?.currentWidget?.context?.isReady"


@pytest.fixture(scope="module")
def notebook(browser, server):
    with lab.notebook(browser, server, "explorer.ipynb", *CELLS) as page:
        yield page


@pytest.fixture
def page(notebook):
    lab.first_state(notebook, "view.layer = 'fc1'")
    yield notebook
    assert notebook.seen == {"errors": [], "outside": []}


def slider(page):
    return page.get_by_role("slider", name="Sparsity")


def drag(page, to, steps=12):
    slider(page).scroll_into_view_if_needed()
    box = slider(page).bounding_box()
    middle = box["y"] + box["height"] / 2
    # The knob's centre keeps half its width, 11 pixels, from the ends.
    place = lambda share: box["x"] + 11 + share * (box["width"] - 22)  # noqa: E731
    page.mouse.move(place(float(slider(page).input_value())), middle)
    page.mouse.down()
    page.mouse.move(place(to), middle, steps=steps)


def test_drag_by_mouse(page):
    drag(page, 0.8)
    page.wait_for_function("() => document.querySelector('.pv-badge').textContent === 'estimate'")
    assert "≈" in page.locator(".pv-card").inner_text()
    page.mouse.up()
    lab.settled(page)
    sparsity = float(slider(page).input_value())
    assert sparsity == pytest.approx(0.8, abs=0.03)
    kept, total, inside = lab.kernel(
        page, "[view.result().kept, view.result().total, int(view.result()['fc1'].sum())]"
    )
    assert lab.kernel(page, "view.sparsity") == sparsity
    assert page.evaluate(KEPT) == inside
    words = page.locator(".pv-count").inner_text()
    assert words.startswith(f"{kept:,} of {total:,} weights kept")


def test_value_after_release_is_exact(page):
    drag(page, 0.85)
    page.mouse.up()
    lab.settled(page)
    card = lab.kernel(
        page,
        "(lambda c, d: [c.correct, c.n, c.versus(d).lost, c.versus(d).won, c.compact_bytes, *c.interval])"
        "(pv.scorecard(pv.apply(model, pv.prune(model, view.sparsity)), data), pv.scorecard(model, data))",
    )
    shown = page.locator(".pv-card").inner_text()
    assert f"{card[0]:,} of {card[1]:,} right" in shown
    assert f"{100 * card[5]:.1f}% to {100 * card[6]:.1f}%" in shown
    assert f"{card[2]:,} lost, {card[3]:,} won" in shown
    said = page.locator(".pv-live").inner_text()
    assert f"{card[0]:,} of {card[1]:,} right" in said


def test_nothing_is_said_while_dragging(page):
    before = page.locator(".pv-live").inner_text()
    drag(page, 0.7)
    page.wait_for_timeout(300)
    assert page.locator(".pv-live").inner_text() == before
    page.mouse.up()
    page.wait_for_function(f"() => document.querySelector('.pv-live').textContent !== {json.dumps(before)}")


def test_keyboard(page):
    slider(page).focus()
    for key, expected in (
        ("ArrowRight", 0.51),
        ("ArrowRight", 0.52),
        ("Shift+ArrowLeft", 0.519),
        ("End", 1),
        ("Home", 0),
    ):
        page.keyboard.press(key)
        lab.painted(page)
        assert float(slider(page).input_value()) == expected
    page.keyboard.press("PageUp")
    lab.settled(page)
    assert lab.kernel(page, "view.sparsity") == float(slider(page).input_value()) > 0
    assert "weights kept" in slider(page).get_attribute("aria-valuetext")


def test_number_box(page):
    lab.type_sparsity(page, "90,5")
    lab.settled(page)
    assert lab.kernel(page, "[view.sparsity, view.result() == pv.prune(model, 0.905)]") == [0.905, True]
    lab.type_sparsity(page, "900")
    assert page.get_by_label("Sparsity in per cent").get_attribute("aria-invalid") == "true"
    assert page.get_by_text("Write a number from 0 to 100.").first.is_visible()
    assert lab.kernel(page, "view.sparsity") == 0.905


def test_python_moves_the_view(page):
    lab.run_python(page, "view.sparsity = 0.9; view.layer = 'fc2'; view.scope = 'layer'")
    page.wait_for_function("() => document.querySelector('.pv-range').value === '0.9'")
    lab.settled(page)
    assert page.get_by_role("tab", name="fc2").get_attribute("aria-selected") == "true"
    assert page.evaluate(KEPT) == lab.kernel(page, "int(view.result()['fc2'].sum())") == 3000
    assert page.get_by_label("scope", exact=True).input_value() == "layer"


def test_selectors(page):
    page.get_by_label("by", exact=True).select_option("random")
    lab.settled(page)
    assert lab.kernel(page, "view.result() == pv.prune(model, 0.5, criterion='random')")
    assert page.evaluate(KEPT) == lab.kernel(page, "int(view.result()['fc1'].sum())")


def test_undo_and_reset(page):
    for share in ("60", "70"):
        lab.type_sparsity(page, share)
    page.get_by_role("button", name="Undo").click()
    page.wait_for_function("() => document.querySelector('.pv-range').value === '0.6'")
    page.get_by_role("button", name="Reset").click()
    page.wait_for_function("() => document.querySelector('.pv-range').value === '0.5'")
    lab.settled(page)
    assert lab.kernel(page, "view.sparsity") == 0.5


def test_show_code_runs(page):
    lab.type_sparsity(page, "87.65")
    button = page.get_by_role("button", name="Show code")
    button.click()
    code = page.locator(".pv-code code").inner_text()
    assert "235" in page.locator(".pv-code").inner_text() or "233" in code
    lab.run_python(page, code)
    same = "np.array_equal(shown_keep[n].numpy().reshape(m.shape), m)"
    assert lab.kernel(page, f"all({same} for n, m in pv.prune(model, 0.8765).items())")
    assert lab.kernel(page, "shown_card.correct == view.card.correct")
    button.click()


def test_keep_and_compare(page):
    lab.settled(page)
    for _ in range(2):  # the second time there is nothing new to keep
        page.get_by_role("button", name="Keep", exact=True).click()
    assert page.locator(".pv-strip li").all_inner_texts()[0].startswith("50% global by magnitude")
    assert page.locator(".pv-strip li").count() == 1
    drag(page, 0.9)
    page.mouse.up()
    lab.settled(page)
    page.get_by_label("compare with").select_option("0")
    page.wait_for_selector(".pv-images li")
    words = page.locator(".pv-compare p").inner_text()
    lost, won = lab.kernel(
        page,
        "(lambda c: [c.lost, c.won])(pv.scorecard(view.apply(), data)"
        ".versus(pv.scorecard(pv.apply(model, pv.prune(model, 0.5)), data)))",
    )
    assert f"{lost:,} images lost, {won:,} won" in words
    assert page.locator(".pv-images canvas").first.get_attribute("aria-label").startswith("Image")
    page.get_by_role("button", name="Go back to state 1").click()
    page.wait_for_function("() => document.querySelector('.pv-range').value === '0.5'")


def test_prune_by_hand(page):
    page.get_by_role("tab", name="fc3").click()
    canvas = page.locator(".pv-mask")
    page.wait_for_selector(".pv-mask[data-cells]")
    canvas.click(position={"x": 4, "y": 4})
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    lab.settled(page)
    found = lab.kernel(page, "view.by_hand")
    assert sorted(found["fc3"]["cut"] + found["fc3"]["kept"]) == [0, 1]
    assert "Weight 0, 1 of fc3" in page.locator(".pv-live").inner_text()
    kept = lab.kernel(page, "int(view.result()['fc3'].sum())")
    assert f"{kept} of" in page.locator(".pv-panel-mask figcaption").inner_text()
    assert lab.kernel(page, "view.exact['correct'] == pv.scorecard(view.apply(), data).correct")


def test_words_of_a_mask_count_what_was_cut_by_hand(page):
    edits = "{'fc3': {'cut': [*range(200)]}}"
    lab.run_python(page, f"view.layer = 'fc3'; view.sparsity = 0; view.by_hand = {edits}")
    lab.settled(page)
    page.get_by_text("Mask in words and numbers").click()
    fold = page.locator(".pv-panel-mask .pv-fold")
    words = "2 of 10 outputs and 0 of 100 inputs have no weight left"
    page.wait_for_function(
        "(words) => document.querySelector('.pv-panel-mask .pv-fold').innerText.includes(words)", arg=words
    )
    region = fold.get_by_role("region", name="Share kept by block")
    region.focus()
    assert region.evaluate("(node) => document.activeElement === node")
    first = region.locator("tbody tr").first.locator("td").all_inner_texts()
    assert first == ["33.3%"] * 4  # of outputs 0 to 2, the first two are cut
    page.get_by_text("Mask in words and numbers").click()


def test_flood_ends_in_the_right_state(page):
    page.evaluate(
        """() => {
          const range = document.querySelector('.pv-range');
          for (let i = 0; i < 1000; i++) {
            range.value = i / 1250;
            range.dispatchEvent(new Event('input', { bubbles: true }));
          }
          range.dispatchEvent(new Event('change', { bubbles: true }));
        }"""
    )
    lab.settled(page)
    assert lab.kernel(page, "[view.sparsity, view.moving]") == [0.799, False]
    assert page.evaluate(KEPT) == lab.kernel(page, "int(view.result()['fc1'].sum())")


def test_cancel(page):
    lab.run_python(page, f"{SLOW}\nview.criterion = 'random'")
    try:
        page.get_by_role("button", name="Cancel").click()
        page.wait_for_timeout(500)
        before = lab.kernel(page, "len(view.curve)")
        page.wait_for_timeout(1200)
        assert lab.kernel(page, "[len(view.curve), view.running]") == [before, False]
        assert before < 21
    finally:
        lab.run_python(page, FAST)


@pytest.mark.parametrize("theme", ["Dark", "Light"])
def test_themes(page, theme):
    lab.change_theme(page, theme)
    kept, pruned = map(lab.luminance, page.evaluate(COLOURS))
    assert (pruned + 0.05) / (kept + 0.05) >= 3
    assert page.evaluate(KEPT) == lab.kernel(page, "int(view.result()['fc1'].sum())")
    for width in lab.widths(page):
        lab.picture(page, f"explorer-{theme.lower()}-{width}")


def test_names_for_screen_readers(page):
    lab.settled(page)
    assert lab.nameless(page, "input, button, select, canvas, progress") == []
    tree = page.locator(".pv").aria_snapshot()
    for wanted in (
        'slider "Sparsity"',
        'heading "LeNet-300-100"',
        'tab "fc1" [selected]',
        'img "Mask of fc1',
        'img "Histogram',
        'combobox "scope"',
        "status",
    ):
        assert wanted in tree
    page.get_by_text("Mask in words and numbers").click()
    page.get_by_label("output, 0 to 299").fill("12")
    page.get_by_label("input, 0 to 783").fill("350")
    lab.painted(page)
    words = page.locator(".pv-answer").inner_text()
    assert words.startswith("Weight 12, 350 of fc1: ")
    kept = lab.kernel(page, "bool(view.result()['fc1'][12, 350])")
    assert ("kept" if kept else "pruned") in words
    page.get_by_text("Mask in words and numbers").click()


def test_targets_are_large_enough(page):
    assert lab.too_small(page, "button, select, input") == []


def test_exported_page_works_offline(page, browser, tmp_path):
    lab.settled(page)
    path = tmp_path / "view.html"
    lab.run_python(page, f"view.export_html({str(path)!r})")
    expected = lab.kernel(page, "int(pv.prune(model, 0.9)['fc1'].sum())")
    with lab.offline(browser, path) as alone:
        lab.type_sparsity(alone, "90")
        assert alone.evaluate(KEPT) == expected
        assert "2,946 of 5,000 right" in alone.locator(".pv-card").inner_text()
        assert "90% pruned" in alone.locator(".pv-live").inner_text()


def test_notebook_saved_at_work_is_draggable_without_a_kernel(page, server, browser):
    page.evaluate(ADD_CELL, TRAINING)
    page.locator(".pv-runs").filter(has_text="running, 1 of 4 rounds").wait_for()
    # A curve that no test has asked for yet.
    lab.run_python(page, f"{SLOW}\nview.scope, view.criterion = 'layer', 'random'")
    page.wait_for_selector(".pv-progress:not([data-idle]):visible")
    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    page.wait_for_timeout(1500)
    lab.run_python(page, f"{FAST}\ngate.release(9)")
    address, folder = server
    text = (folder / "explorer.ipynb").read_text()
    saved = json.loads(text)
    assert "widgets" in saved["metadata"]
    output = saved["cells"][1]["outputs"][0]["data"]
    assert "image/png" in output
    assert "kept" in "".join(output["text/plain"])
    (folder / "reopened.ipynb").write_text(text)  # of the same content, so it is trusted too
    again = browser.new_page(viewport={"width": 1280, "height": 1700})
    again.goto(f"{address}/lab/workspaces/w2/tree/reopened.ipynb?reset")
    again.wait_for_function(READY, timeout=90_000)
    again.wait_for_selector(".pv-runs", timeout=90_000)
    again.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    again.wait_for_function("() => !window.jupyterapp.shell.currentWidget.sessionContext.session?.kernel")
    again.wait_for_timeout(1000)
    seen = lab.watch(again)  # from here on: JupyterLab itself complains when its kernel goes
    drag(again, 0.8)
    again.mouse.up()
    lab.painted(again)
    sparsity = float(slider(again).input_value())
    assert sparsity == pytest.approx(0.8, abs=0.03)
    mask = f"pv.prune(model, {sparsity}, scope='layer', criterion='random')"
    kept, inside = lab.kernel(page, f"(lambda m: [m.kept, int(m['fc1'].sum())])({mask})")
    assert again.evaluate(KEPT) == inside
    words = again.locator(".pv-count").first.inner_text()
    assert words.startswith(f"{kept:,} of 266,200 weights kept")
    assert "needs a kernel" in again.locator(".pv-selectors").first.inner_text()
    assert again.locator("progress:visible").count() == 0  # nothing that would never end
    assert "needs a kernel" in again.locator(".pv-says").inner_text()
    assert "unfinished, 1 of 4 rounds" in again.locator(".pv-runs").inner_text()
    again.get_by_role("button", name="End: round 4").press("ArrowLeft")
    again.get_by_role("button", name="End: round 3").wait_for()
    assert again.get_by_role("button", name="Run", exact=True).is_disabled()
    assert seen == {"errors": [], "outside": []}
    again.close()


def test_the_verdict_comes_first_and_more_unfolds_the_rest(server, browser):
    small = "view = pv.explore(model, data, predict=False, sparsity=0.8)\nview"
    with lab.notebook(browser, server, "basic.ipynb", CELLS[0], small, height=780) as page:
        lab.settled(page)
        big = page.locator(".pv-now strong")
        right = lab.kernel(page, "view.card.accuracy")
        page.wait_for_function(
            "(words) => document.querySelector('.pv-now strong').textContent === words",
            arg=f"{100 * right:.1f}%",
        )
        assert page.locator(".pv").bounding_box()["height"] < 780
        assert page.locator(".pv-panel").count() == 2
        more = page.get_by_role("button", name="More", exact=True)
        more.click()
        page.get_by_text("Pruned in each layer").wait_for()
        assert page.get_by_role("button", name="Less").get_attribute("aria-expanded") == "true"
        assert lab.kernel(page, "view.more")
        page.locator(".pv-rows").scroll_into_view_if_needed()
        top, low = big.bounding_box()["y"], page.locator(".pv-rows").bounding_box()["y"]
        assert 0 < top < low  # it stays in sight while the page is scrolled
        assert page.locator(".pv-range").first.bounding_box()["y"] > 0
        page.get_by_role("button", name="Less").click()
        page.get_by_text("Pruned in each layer").wait_for(state="detached")


def test_play_sweeps_the_sparsity_and_stops(page):
    lab.type_sparsity(page, "0")
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("() => Number(document.querySelector('.pv-range').value) > 0.05")
    page.get_by_role("button", name="Stop").click()
    lab.settled(page)
    share = lab.kernel(page, "view.sparsity")
    assert 0.05 < share < 0.95
    assert page.get_by_role("button", name="Play").is_visible()
    page.get_by_role("button", name="Undo").first.click()  # of the weights; a schedule may stand below
    page.wait_for_function("() => document.querySelector('.pv-range').value === '0'")
