"""ScheduleExplorer in a real JupyterLab, by mouse, keyboard and eye, and in a file without a kernel."""

import lab
import pytest

from pruneviz.plots import style

CELLS = (
    """\
import threading
import numpy as np, torch, pruneviz as pv
gate = threading.Semaphore(0)
torch.manual_seed(0)
from torch import nn
model = nn.Sequential(nn.Flatten(), nn.Linear(784, 20), nn.ReLU(), nn.Linear(20, 10))
x, y = (part[:400] for part in pv.datasets.mnist().validation)
inputs, labels = torch.tensor(x / 255).float().permute(0, 3, 1, 2), torch.tensor(y)

def train(model, mask, seed):
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(10):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(inputs), labels).backward()
        optimizer.step()

def fine_tune(model, mask, seed):
    gate.acquire()  # so that a test decides when a round is done
    train(model, mask, seed)

train(model, None, 0)""",
    """\
view = pv.ScheduleExplorer(model, fine_tune, (x, y), rounds=4, final=0.8, title='A small network')
view.more = True
view""",
)
STATE = "view.kind, view.initial, view.final, view.begin, view.end, view.power, view.frequency, view.budget"
FIRST = ["polynomial", 0, 0.8, 0, 4, 3, 1, 4]
PLACES = """([step, share]) => {
  const canvas = document.querySelector('.pv-drawn canvas');
  const box = canvas.getBoundingClientRect();
  const across = (box.width - 62) / 5;
  return [box.left + 48 + (step + 0.5) * across, box.top + 12 + (1 - share) * (box.height - 90)];
}"""
STATUS = "[view.running, view.paused, view.training, len(view.rounds)]"


@pytest.fixture(scope="module")
def notebook(browser, server):
    with lab.notebook(browser, server, "schedule.ipynb", *CELLS, ready=".pv-handle", height=1300) as page:
        yield page


@pytest.fixture
def page(notebook):
    values = ", ".join(map(repr, FIRST))
    lab.run_python(
        notebook,
        "view.cancel(); gate.release(20)\n"
        "import time; time.sleep(0.5)\n"
        "while gate.acquire(blocking=False): pass\n"
        f"with view.hold_trait_notifications(): {STATE} = {values}\n"
        "view.runs = []; view.against = 'sparsity'",
    )
    lab.arrives(notebook, f"[{STATE}]", FIRST)
    notebook.wait_for_function(
        "() => document.querySelector('.pv-handle[data-name=end]')?.ariaLabel.startsWith('End: round 4, 80')"
    )
    yield notebook
    assert notebook.seen == {"errors": [], "outside": []}


def drag(page, name, step, share):
    """Take the middle of a ring to a step and a share."""
    box = page.locator(f".pv-handle[data-name={name}]").bounding_box()
    x, y = page.evaluate(PLACES, [step, share])
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move((x + box["x"]) / 2, (y + box["y"]) / 2)
    page.mouse.move(x, y, steps=4)
    page.mouse.up()
    lab.painted(page)


def card(page):
    rows = page.locator(".pv-card")
    return dict(zip(rows.locator("dt").all_inner_texts(), rows.locator("dd").all_inner_texts(), strict=True))


def says(page, words):
    page.wait_for_function(
        "(words) => document.querySelector('.pv-says').textContent.includes(words)",
        arg=words,
    )
    lab.painted(page)


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def finish_rounds(page, number):
    lab.run_python(page, f"gate.release({number})")


def test_drag_the_rings(page):
    drag(page, "end", 3, 0.5)
    lab.arrives(page, f"[{STATE}]", ["polynomial", 0, 0.5, 0, 3, 3, 1, 4])
    drag(page, "begin", 1, 0.25)
    lab.arrives(page, f"[{STATE}]", ["polynomial", 0.25, 0.5, 1, 3, 3, 1, 4])
    drag(page, "exponent", 2, 0.375)
    lab.arrives(page, "view.power", 1)
    left = lab.kernel(page, "view.plan()[-1]['left']")
    assert card(page)["left"].startswith(f"{left:,} of 15,880 weights")
    assert card(page)["prunes"] == "in rounds 1 to 3"
    assert card(page)["then trains"] == "1 round more, cutting nothing"
    drag(page, "begin", 4, 0.9)  # what it passes goes along
    lab.arrives(page, f"[{STATE}]", ["polynomial", 0.9, 0.9, 4, 4, 1, 1, 4])
    press(page, "Undo")
    lab.arrives(page, f"[{STATE}]", ["polynomial", 0.25, 0.5, 1, 3, 1, 1, 4])
    press(page, "Reset")
    lab.arrives(page, f"[{STATE}]", FIRST)


def test_a_finger_drags_too(page):
    box = page.locator(".pv-handle[data-name=end]").bounding_box()
    finger = page.context.new_cdp_session(page)
    finger.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    x, y = page.evaluate(PLACES, [2, 0.4])
    start = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    for kind, points in (
        ("touchStart", [start]),
        ("touchMove", [{"x": x + 9, "y": y - 20}]),
        ("touchMove", [{"x": x, "y": y}]),
        ("touchEnd", []),
    ):
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    lab.arrives(page, "[view.end, view.final, view.moving]", [2, 0.4, False])
    finger.send("Emulation.setTouchEmulationEnabled", {"enabled": False})
    finger.detach()


def test_keyboard(page):
    ring = page.get_by_role("button", name="End: round 4")
    ring.focus()
    for key in ("ArrowLeft", "ArrowDown", "ArrowDown"):
        page.keyboard.press(key)
    lab.arrives(page, "[view.end, view.final]", [3, 0.78])
    page.wait_for_function("() => document.querySelector('.pv-live').textContent.includes('78')")
    page.get_by_role("slider", name="exponent").focus()
    page.keyboard.press("ArrowRight")
    lab.arrives(page, "view.power", 3.05)
    box = page.get_by_label("final Sₑ in per cent")
    box.fill("97,25")
    box.press("Enter")
    lab.arrives(page, "view.final", 0.9725)
    box.fill("many")
    box.press("Enter")
    assert box.get_attribute("aria-invalid") == "true"
    box.fill("80")
    box.press("Enter")
    assert box.get_attribute("aria-invalid") == "false"
    page.get_by_role("slider", name="train for").focus()
    page.keyboard.press("ArrowLeft")
    lab.arrives(page, "[view.budget, view.end]", [3, 3])


def test_python_moves_the_picture(page):
    lab.run_python(page, "view.kind, view.begin = 'one_shot', 2")
    page.wait_for_function("() => !document.querySelector('.pv-handle[data-name=prune]').hidden")
    assert page.locator(".pv-handle:visible").count() == 1
    assert card(page)["prunes"] == "in round 2"
    lab.run_python(page, "view.kind, view.initial = 'article', 0.5")
    page.wait_for_function("() => !document.querySelector('.pv-warning').hidden")
    assert "30" in page.locator(".pv-warning").inner_text()
    page.get_by_text("Rounds in numbers").click()
    left = page.locator(".pv-fold").first.locator("tbody td:last-child")
    left.last.wait_for()
    plan = lab.kernel(page, "view.plan()")
    assert left.all_inner_texts() == [f"{one['left']:,}" for one in plan]
    page.get_by_text("Rounds in numbers").click()


def test_run_pause_resume_and_cancel(page):
    press(page, "Run")
    lab.arrives(page, STATUS, [True, False, 1, 0])  # the kernel answers while the round trains
    says(page, "Round 1 of 4 trains")
    finish_rounds(page, 1)
    says(page, "Round 2 of 4 trains")
    press(page, "Pause")
    says(page, "Pauses when round 2 of 4 is done")
    finish_rounds(page, 1)
    says(page, "Paused after round 2 of 4")
    lab.arrives(page, STATUS, [True, True, 0, 2])
    lab.picture(page, "schedule_paused")
    press(page, "Resume")
    says(page, "Round 3 of 4 trains")
    finish_rounds(page, 1)
    says(page, "Round 4 of 4 trains")
    press(page, "Cancel")
    says(page, "polynomial to 80% cancelled: ")
    lab.arrives(page, STATUS, [False, False, 0, 3])
    right = lab.kernel(page, "view.rounds[-1].card.correct")
    assert f"{right} of 400" in page.locator(".pv-says").inner_text()
    finish_rounds(page, 1)


def test_two_runs_are_overlaid(page):
    finish_rounds(page, 8)
    press(page, "Run")
    says(page, "polynomial to 80% finished")
    page.get_by_label("schedule", exact=True).select_option("one_shot")
    page.get_by_label("Name of the next run").fill("all at once")
    press(page, "Run")
    says(page, "all at once finished")
    runs = lab.kernel(page, "view.runs")
    assert [(run["name"], len(run["rounds"])) for run in runs] == [
        ("polynomial to 80%", 4),
        ("all at once", 4),
    ]
    label = page.locator(".pv-drawn canvas").nth(1).get_attribute("aria-label")
    for run in runs:
        assert f"{run['name']}: " in label
        assert f"{run['rounds'][-1]['correct']} of 400" in label
    for theme in ("Dark", "Light"):
        lab.change_theme(page, theme)
        for width in lab.widths(page):
            lab.picture(page, f"schedule_{theme.lower()}_{width}")
    page.get_by_label("over", exact=True).select_option("round")
    lab.arrives(page, "view.against", "round")
    page.get_by_label("Name of the run").first.fill("gradual")
    page.get_by_label("Name of the run").first.press("Enter")
    lab.arrives(page, "[run['name'] for run in view.runs]", ["gradual", "all at once"])
    press(page, "Remove all at once")
    lab.arrives(page, "[[run['name'], len(run['rounds'])] for run in view.runs]", [["gradual", 4]])
    assert page.locator(".pv-runs li").count() == 1


def test_an_error_is_told_and_the_next_run_works(page):
    lab.run_python(
        page,
        "good = view._fine_tune\n"
        "def bad(model, mask, seed): raise ValueError('no images')\n"
        "view._fine_tune = bad",
    )
    press(page, "Run")
    page.get_by_role("alert").filter(has_text="round 1 failed: ValueError: no images").wait_for()
    lab.run_python(page, "view._fine_tune = good")
    finish_rounds(page, 4)
    press(page, "Run")
    says(page, "finished")
    assert page.get_by_role("alert").count() == 0


def test_shown_code_builds_the_schedule(page):
    lab.run_python(page, "view.kind, view.end = 'linear', 2")
    press(page, "Show code")
    code = page.locator(".pv-code code").inner_text()
    press(page, "Show code")
    assert lab.kernel(page, f"view.snippet == {code!r}")
    lab.run_python(page, f"gate.release(4); scope = dict(globals()); exec({code!r}, scope)")
    expected = (
        "[one.mask.sparsity for one in scope['shown_rounds']] == [one['sparsity'] for one in view.plan()]"
    )
    assert lab.kernel(page, expected)


def test_names_and_sizes(page):
    assert lab.nameless(page, "button, input, select, canvas[role=img], progress") == []
    assert lab.too_small(page, "button, input[type=text], select") == []


def test_the_verdict_comes_first_and_more_unfolds_the_rest(page):
    verdict = page.locator(".pv-now")
    assert verdict.inner_text().startswith("?")
    finish_rounds(page, 4)
    press(page, "Run")
    says(page, "finished")
    accuracy = lab.kernel(page, "view.rounds[-1].card.accuracy")
    assert verdict.inner_text().split()[0] == style.percent(accuracy)
    press(page, "Less")
    for label in ("initial S₀", "every", "Name of the next run"):
        assert page.get_by_label(label, exact=True).is_hidden()
    assert page.locator(".pv-card").is_hidden()
    lab.run_python(page, "view.initial = 0.2")  # what is not as usual is not folded away
    page.get_by_label("initial S₀", exact=True).wait_for()
    press(page, "More")
    page.locator(".pv-card").wait_for()


def test_picture_is_saved_and_says_by_which_rule(page):
    assert page.evaluate("() => document.querySelector('.pv').pruneviz.footnote()").startswith(
        "weights by magnitude, scope global; polynomial to 80%"
    )
    with page.expect_download() as download:
        press(page, "Save PNG")
    assert download.value.suggested_filename == "A-small-network.png"


def test_exported_file_is_draggable_and_shows_the_runs(page, browser, tmp_path):
    finish_rounds(page, 4)
    press(page, "Run")
    says(page, "finished")
    file = tmp_path / "schedule.html"
    lab.run_python(page, f"view.export_html({str(file)!r})")
    with lab.offline(browser, file, 800) as alone:
        assert alone.get_by_role("button", name="Run", exact=True).is_disabled()
        assert "needs a kernel" in alone.locator(".pv-says").inner_text()
        assert "4 of 4 rounds" in alone.locator(".pv-runs").inner_text()
        drag(alone, "end", 2, 0.6)
        assert "in rounds 1 to 2" in card(alone)["prunes"]
    with lab.offline(browser, file) as narrow:
        assert lab.too_small(narrow, "button") == []


def test_without_its_kernel_it_is_draggable_and_says_that_nothing_trains(page):
    page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    says(page, "Training needs a kernel")
    drag(page, "end", 2, 0.6)
    page.wait_for_function(
        "() => document.querySelector('.pv-card').textContent.includes('in rounds 1 to 2')"
    )
    assert page.get_by_role("button", name="Run", exact=True).is_disabled()
