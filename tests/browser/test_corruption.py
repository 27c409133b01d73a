"""CorruptionView in a file without kernel or network, by keyboard, mouse and eye."""

import lab
import numpy as np
import pytest
from js.make_corruption_fixtures import spoiled

SPOKEN = "() => document.querySelector('.pv-live').textContent"
PIXELS = """(canvas) => [...canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data]"""


@pytest.fixture(scope="module")
def view():
    return spoiled()


@pytest.fixture(params=[320, 1100])
def page(view, browser, tmp_path, request):
    view.kind, view.strength, view.sparsity = "noise", 2, 0.8
    view.export_html(tmp_path / "spoiled.html")
    with lab.offline(browser, tmp_path / "spoiled.html", request.param) as page:
        yield page


def shows(page, view):
    """The page shows and says what the view in Python does, once that is moved as well."""
    lab.painted(page)
    images, answers, labels = view.seen()
    pairs = zip(answers, labels, strict=True)
    words = [f"{one}" if one == other else f"{one}, not {other}" for one, other in pairs]
    digits = page.locator(".pv-digits li")
    assert digits.all_inner_texts() == words
    for digit, image in zip(digits.all()[:2], images, strict=False):
        pixels = np.reshape(digit.locator("canvas").evaluate(PIXELS), (*image.shape[:2], 4))
        np.testing.assert_array_equal(pixels[..., :1], image)
    right, dense = (view.right(share)[view.strength] for share in (view.sparsity, 0.0))
    assert page.locator(".pv-right").all_inner_texts() == [
        f"{right} of 200 right",
        f"nothing pruned: {dense}",
    ]
    assert page.locator(".pv-counts canvas").get_attribute("aria-label").count(str(dense)) >= 1


def test_keyboard_and_menu_spoil_and_prune(page, view):
    shows(page, view)
    strength, pruned = page.get_by_label("strength", exact=True), page.get_by_label("pruned", exact=True)
    strength.press("ArrowRight")
    view.strength = 3
    page.wait_for_function(f"() => ({SPOKEN})() === {view.sentence()!r}")
    shows(page, view)
    assert strength.get_attribute("aria-valuetext") == "noise 0.4"
    pruned.press("Home")
    page.get_by_label("corruption").select_option("rotation")
    view.sparsity, view.kind = 0.0, "rotation"
    page.wait_for_function(f"() => ({SPOKEN})() === {view.sentence()!r}")
    shows(page, view)
    page.get_by_role("button", name="Reset").click()
    view.kind, view.strength, view.sparsity = "noise", 2, 0.8
    page.wait_for_function("() => document.querySelector('.pv-big').textContent === '74%'")
    shows(page, view)
    page.get_by_text("Counts in numbers").click()
    last = page.locator(".pv-table tbody td:last-child")
    last.first.wait_for()
    assert last.all_inner_texts() == [str(view.right(share)[3]) for share in (0.0, 0.8)]
    assert lab.too_small(page, "button") == []
