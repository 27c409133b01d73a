"""The checks of lesson 07a let right answers pass, and name mistakes; its corruptions do what they say."""

import json

import numpy as np
import pytest
import traitlets
from js.make_corruption_fixtures import COUNTS, FIXTURES, fixtures, spoiled
from live import from_browser, record
from scipy import ndimage, optimize, special

import pruneviz as pv
from pruneviz.lessons.checks import lesson_07a
from pruneviz.teaching import CORRUPTIONS, corrupt


def turn(**how):
    return lambda images, degrees: ndimage.rotate(images, degrees, **{"axes": (1, 2), "reshape": False} | how)


def in_place(images, degrees):
    images[:] = turn()(images, degrees)
    return images


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (turn(), "Right."),
        (turn(order=1), "Right."),
        (turn(order=0), "Right."),
        (lambda x, d: np.stack([ndimage.rotate(image, d, reshape=False) for image in x]), "Right."),
        (lambda x, d: turn()(x, -d), "turns to the right"),
        (lambda x, d: turn()(x, np.deg2rad(d)), "radians"),
        (turn(axes=(1, 0)), "smeared into the next"),
        (turn(reshape=True), "reshape=False"),
        (turn(cval=255), "not black"),
        (lambda x, d: turn()(x, d)[:, :, ::-1] if d else x, "in a mirror"),
        (lambda x, d: turn()(x / 255, d), "uint8"),
        (lambda x, d: turn()(x, d + 5), "by 0 degrees"),
        (lambda x, d: turn()(x, 3 * d), "not the digits, turned by 30"),
        (lambda x, d: turn()(x, d)[::-1] if d else x, "not the digits, turned by 30"),
        (in_place, "Turn a copy"),
        (lambda *_: None, "returns nothing"),
        (..., "Not answered yet"),
    ],
)
def test_turned_to_the_left(answer, told):
    assert told in lesson_07a.turned_to_the_left.verdict(answer)


def cross_entropy(outputs, labels):
    return -special.log_softmax(outputs, axis=1)[range(len(labels)), labels].mean()


def fitted(outputs, labels):
    return np.exp(
        optimize.minimize_scalar(
            lambda log: cross_entropy(outputs / np.exp(log), labels), bounds=(-3, 3), method="bounded"
        ).x
    )


def on_a_grid(outputs, labels, sign=1):
    return min(np.arange(0.05, 5, 0.05), key=lambda heat: sign * cross_entropy(outputs / heat, labels))


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (fitted, "Right."),
        (on_a_grid, "Right."),
        (lambda o, y: np.array(fitted(o, y)), "Right."),
        (lambda o, y: 1 / fitted(o, y), "do not multiply"),
        (lambda *_: 1, "no temperature changes an answer"),
        (lambda o, y: (o.argmax(1) == y).mean(), "share of right answers"),
        (lambda o, y: on_a_grid(o, y, sign=-1), "smallest that you tried"),
        (lambda *_: 100, "largest that you tried"),
        (lambda *_: 0.4, "another one has a smaller"),
        (lambda *_: -1, "above 0"),
        (lambda o, _: o / 2, "one number"),
        (lambda *_: None, "returns nothing"),
        (..., "Not answered yet"),
    ],
)
def test_one_temperature(answer, told):
    assert told in lesson_07a.one_temperature.verdict(answer)


def test_weatherproof(monkeypatch):
    model = pv.zoo.lenet_5("torch")
    masks = {share: pv.prune(model, share) for share in (0.3, 0.6, 0.9)}
    dense = [900] * 15
    monkeypatch.setattr(
        lesson_07a,
        "spoiled_right",
        lambda net: [n - 40 * (i == 8) for i, n in enumerate(dense)] if net is not model else dense,
    )

    def verdict(answer, loss):
        return lesson_07a.weatherproof.verdict(answer, model=model, share=0.6, loss=loss)

    assert "Right." in verdict(masks[0.6], 40)
    assert (
        "of 15,000 answers 40 fewer are right; at most 39 may be. Most, 40, went under rotation 45."
        in verdict(masks[0.9], 39)
    )
    assert "30.0% are pruned: at least 60%" in verdict(masks[0.3], 40)
    assert "give a mask" in verdict(0.6, 40)
    assert "Not answered yet" in verdict(..., 40)


IMAGES, LABELS = (array[:200] for array in pv.datasets.mnist().validation)


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_a_corruption_spoils_more_as_it_gets_stronger_and_the_same_every_time(kind):
    spoiled = [corrupt(IMAGES, kind, strength) for strength in CORRUPTIONS[kind]]
    away = [np.abs(images.astype(float) - IMAGES).mean() for images in spoiled]
    assert 0 < away[0] < away[1] < away[2]
    for images, strength in zip(spoiled, CORRUPTIONS[kind], strict=True):
        assert (images.dtype, images.shape) == (np.uint8, IMAGES.shape)
        np.testing.assert_array_equal(corrupt(IMAGES, kind, strength), images)
    drawn = not np.array_equal(corrupt(IMAGES, kind, CORRUPTIONS[kind][0], seed=1), spoiled[0])
    assert drawn == (kind in ("noise", "rotation", "shift"))


def test_each_corruption_is_what_its_name_says():
    white = np.full((1, 28, 28, 1), 255, np.uint8)
    dot = np.zeros((400, 28, 28, 1), np.uint8)
    dot[:, 14, 14] = 255
    assert corrupt(white, "contrast", 0.2).max() == 51
    grey = np.full((50, 28, 28, 1), 128, np.uint8)
    assert corrupt(grey, "noise", 0.1).std() == pytest.approx(25.5, rel=0.02)
    assert corrupt(dot, "blur", 1)[0, 14, 14, 0] == pytest.approx(255 / (2 * np.pi), abs=2)
    places = {tuple(place) for place in np.argwhere(corrupt(dot, "shift", 3)[..., 0])[:, 1:] - 14}
    assert places == {(a, b) for a in (-3, 0, 3) for b in (-3, 0, 3)} - {(0, 0)}
    bar = np.zeros((40, 28, 28, 1), np.uint8)
    bar[:, 13:15, 4:24] = 255
    turned = {corrupt(bar, "rotation", 45)[i].tobytes() for i in range(len(bar))}
    assert len(turned) == 2
    with pytest.raises(ValueError, match="no corruption is called 'fog': choose one of noise, blur"):
        corrupt(white, "fog", 1)


@pytest.fixture(scope="module")
def seen():
    return spoiled()


@pytest.fixture
def view(seen):
    seen.kind, seen.strength, seen.sparsity = "noise", 2, 0.8
    return seen


def test_the_view_tells_the_counts_of_what_it_shows(view):
    assert view.sentence() == "noise 0.3, 80% pruned: 148 of 200 right; nothing pruned: 198."
    view.kind, view.strength, view.sparsity = "contrast", 3, 0
    assert view.sentence() == "contrast 0.2, 0% pruned: 185 of 200 right; nothing pruned: 185."
    view.strength = 0
    assert view.sentence() == "clean digits, 0% pruned: 200 of 200 right; nothing pruned: 200."


def test_digits_and_answers_are_those_of_the_pruned_network(view):
    for kind, strength, share in (("noise", 2, 0.8), ("rotation", 3, 0.0), ("contrast", 0, 0.8)):
        view.kind, view.strength, view.sparsity = kind, strength, share
        digits = IMAGES[:8]
        if strength:
            digits = corrupt(digits, kind, CORRUPTIONS[kind][strength - 1])
        model = pv.zoo.lenet_5("torch")
        card = pv.scorecard(pv.apply(model, pv.prune(model, share)), (digits, LABELS[:8]))
        images, answers, labels = view.seen()
        np.testing.assert_array_equal(images, digits)
        np.testing.assert_array_equal(answers, card.predictions)
        np.testing.assert_array_equal(labels, LABELS[:8])


def test_the_page_moves_the_view_and_python_the_page():
    view = spoiled()
    sent = record(view)
    from_browser(view, kind="rotation", strength=1, moving=False)
    assert view.sentence().startswith("rotation 15, 80% pruned")
    assert sent == []
    view.sparsity = 0.0
    assert [data["state"] for data, _ in sent] == [{"sparsity": 0.0}]


@pytest.mark.parametrize(
    ("trait", "value", "told"),
    [
        ("sparsity", 0.4, "sparsity is 0.4, which was not counted: choose one of 0, 0.8"),
        ("strength", 4, "strength"),
        ("kind", "fog", "kind"),
    ],
)
def test_what_was_not_counted_is_refused(view, trait, value, told):
    with pytest.raises(traitlets.TraitError, match=told):
        setattr(view, trait, value)
    assert view.sentence().startswith("noise 0.3, 80%")


def test_counts_and_images_that_do_not_fit_are_refused():
    model = pv.zoo.lenet_5("torch")
    with pytest.raises(ValueError, match="counts of 0 are 4 numbers: give 16"):
        pv.CorruptionView(model, (IMAGES, LABELS), {"0": [1, 2, 3, 4]})
    with pytest.raises(ValueError, match="counts has no 0"):
        pv.CorruptionView(model, (IMAGES, LABELS), {"0.8": COUNTS["0.8"]})
    with pytest.raises(ValueError, match=r"x has the shape \(200, 784\), not that of images"):
        pv.CorruptionView(model, (IMAGES.reshape(200, -1), LABELS), COUNTS)
    with pytest.raises(TypeError, match="CorruptionView takes no colour"):
        pv.CorruptionView(model, (IMAGES, LABELS), COUNTS, colour="red")


def test_the_view_leaves_a_picture_and_its_words(view, tmp_path):
    data, about = view._repr_mimebundle_()
    assert data["text/plain"] == view.sentence() == about["image/png"]["alt"]
    assert "application/vnd.jupyter.widget-view+json" in data
    titles = [ax.get_title() for ax in view.snapshot().axes[:8]]
    _, answers, labels = view.seen()
    pairs = zip(answers, labels, strict=True)
    assert titles == [f"{one}" if one == other else f"{one}, not {other}" for one, other in pairs]
    view.export_html(tmp_path / "page.html")
    assert (tmp_path / "page.html").stat().st_size < 400_000


def test_fixtures_are_current(view):
    assert json.loads(FIXTURES.read_text()) == json.loads(json.dumps(fixtures(view)))
