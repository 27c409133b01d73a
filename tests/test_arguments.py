"""Arguments that are refused in a sentence before any work begins, and arguments that are taken."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

import pruneviz as pv
from pruneviz.core.masks import Mask
from pruneviz.teaching.corruptions import CORRUPTIONS, corrupt
from pruneviz.teaching.exercises import close, wrong_count

RNG = np.random.default_rng(0)
X, Y = RNG.random((20, 6), np.float32), np.arange(20) % 4
IMAGES = RNG.random((6, 8, 8, 1), np.float32)
BYTES = RNG.integers(0, 256, (3, 12, 12, 1), np.uint8)
NET = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 4)).eval()
CONV = nn.Sequential(
    nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 4)
).eval()
CARD = pv.scorecard(NET, (X, Y))
UNITS = pv.prune(NET, 0.5, granularity="neuron", example=X)
RAMP = pv.schedules.linear(0, 0.9, begin=0, end=3)


def never(*_):
    raise AssertionError("work began")


def rounds(**words):
    arguments = {"schedule": RAMP, "data": (X, Y), **words}
    return lambda: list(pv.iterate(NET, fine_tune=never, progress=False, **arguments))


def seeds(*runs):
    """Make for each run of (sparsity, accuracy) its scorecards."""
    return [[dataclasses.replace(CARD, sparsity=a, accuracy=b) for a, b in run] for run in runs]


REFUSED = {
    "a budget that is a word": (
        rounds(stop={"gzip_bytes": "50 kB"}),
        "stop has gzip_bytes '50 kB', not a num",
    ),
    "a budget that is nothing": (rounds(stop={"nonzero": None}), "stop has nonzero None, not a number"),
    "a share that is True": (rounds(stop={"sparsity": True}), "stop has sparsity True, not a share"),
    "a share that is a word": (rounds(stop={"accuracy": "0.97"}), "stop has accuracy '0.97', not a share"),
    "labels beyond the classes": (rounds(data=(X, Y + 4)), "y has the label 4, and the model tells"),
    "images of another width": (rounds(data=(X[:, :5], Y)), "does not take images of shape (5,)"),
    "a round beyond 1": (rounds(schedule=lambda k: [0.3, 90][k - 1], rounds=2), "sparsity 90 is not a share"),
    "batches": (lambda: pv.latency({"a": NET}, X, 64), "batches is 64, not a list of numbers of images"),
    "latency": (lambda: pv.scorecard(NET, (X, Y), latency=64), "latency is 64, not a list of numbers"),
    "a latency of letters": (lambda: pv.scorecard(NET, (X, Y), latency="64"), "latency is '64', not a list"),
    "a model without a name": (lambda: pv.latency(NET, X), "models is a Sequential: give name -> model"),
    "seed": (lambda: pv.prune(NET, 0.5, criterion="random", seed=-1), "seed is -1, not a whole number"),
    "half a seed": (lambda: pv.prune(NET, 0.5, criterion="random", seed=1.5), "seed is 1.5, not a whole"),
    "no images to score on": (lambda: pv.sweep(NET, (X, Y), [0.5], criterion="taylor"), "or scored_on="),
    "a count that is no number": (lambda: pv.wilson(np.array(2.7), 5), "correct is array(2.7), not a whole"),
    "counts": (lambda: pv.wilson(np.array([1, 2]), 5), "correct is array([1, 2]), not a whole"),
    "classes in rows": (
        lambda: pv.keep_classes(NET, np.array([[1], [2]]), X),
        "classes[0] is array([1]), not",
    ),
    "a class of no label": (lambda: pv.relabel((X, Y), [0, 17]), "y has no label 17 of classes [0, 17]"),
    "a word where nothing has maps": (
        lambda: pv.gate(NET, (X, Y), "0.1"),
        "threshold is '0.1', not a number from 0",
    ),
    "a shape with channels": (
        lambda: pv.plot_mask(np.ones((4, 64)), image_shape=(8, 8, 1)),
        "(8, 8, 1), not (he",
    ),
    "one side": (
        lambda: pv.plot_mask(np.ones((4, 64)), image_shape=8),
        "image_shape is 8, not (height, width)",
    ),
    "no height": (lambda: pv.plot_mask(np.ones((4, 64)), image_shape=(0, 8)), "image_shape is (0, 8), not"),
    "one card": (lambda: pv.plot_tradeoff(CARD), "cards has a Scorecard in place of a list"),
    "a card by name": (lambda: pv.plot_tradeoff({"dense": CARD}), "cards has a Scorecard in place of a list"),
    "per cent": (lambda: pv.plot_tradeoff([CARD], reference=98.0), "reference is 98, not an accuracy from 0"),
    "seeds that cross": (
        lambda: pv.plot_tradeoff(
            seeds(
                [(0.1, 0.5), (0.2, 0.5), (0.9, 0.2)],
                [(0.3, 0.4), (0.35, 0.7), (0.9, 0.1)],
                [(0.6, 0.45), (0.65, 0.4), (0.9, 0.15)],
            )
        ),
        "cards has seeds that differ along x",
    ),
    "bins that are a word": (
        lambda: pv.plot_weight_histogram(X, bins="auto"),
        "bins is 'auto', not a whole num",
    ),
    "bins that fall": (
        lambda: pv.plot_weight_histogram(X, bins=[1, 0, -1]),
        "bins is [1, 0, -1]: give two edges",
    ),
    "one edge": (lambda: pv.plot_weight_histogram(X, bins=[1]), "bins is [1]: give two edges or more"),
    "a threshold of letters": (
        lambda: pv.plot_weight_histogram(X, threshold="0.1"),
        "threshold is 0.1: it is",
    ),
    "no threshold ever": (
        lambda: pv.plot_weight_histogram(X, threshold=np.inf),
        "threshold is inf: it is com",
    ),
    "bare accuracies": (
        lambda: pv.plot_sensitivity({"fc1": [0.9, 0.8]}),
        "sparsities is missing: a Scorecard",
    ),
    "curves without layers": (
        lambda: pv.plot_sensitivity([[0.9, 0.8]]),
        "curves is empty, or names no layers",
    ),
    "scores of another layer": (
        lambda: pv.plot_chain(UNITS, scores={"nope": Y}),
        "scores do not fit layer 'nope'",
    ),
    "scores of another shape": (
        lambda: pv.plot_chain(UNITS, scores={"0": Y}),
        "scores do not fit layer '0': give",
    ),
    "only a layer": (lambda: pv.plot_chain(UNITS, followed="0"), "followed is '0', not (layer, index)"),
    "floats to spoil": (
        lambda: corrupt(BYTES / 255, "noise", 0.1),
        "images is float64 (3, 12, 12, 1), not uint8",
    ),
    "one image to spoil": (
        lambda: corrupt(BYTES[0], "shift", 2),
        "images is uint8 (12, 12, 1), not uint8 of sh",
    ),
    "a negative strength": (lambda: corrupt(BYTES, "noise", -0.1), "strength is -0.1, not a number from 0"),
    "nothing to go by": (lambda: corrupt(BYTES, "contrast", np.nan), "strength is nan, not a number from 0"),
}


@pytest.mark.parametrize(("call", "words"), REFUSED.values(), ids=REFUSED)
def test_what_is_wrong_is_said_before_any_work(call, words):
    with pytest.raises((TypeError, ValueError)) as caught:
        call()
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


class Rooted(nn.Module):
    """A network whose activations are NaN, though all that it stores is a number."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.c = nn.Conv2d(1, 4, 3), nn.Conv2d(4, 4, 3), nn.Linear(64, 4)
        nn.init.constant_(self.a.weight, -1)

    def forward(self, x):
        return self.c(self.b(torch.sqrt(self.a(x))).flatten(1))


def test_activations_that_are_not_numbers_are_refused_by_the_layer():
    model = Rooted().eval()
    mask = pv.prune(model, 0.5, granularity="filter", example=IMAGES, exclude=["b"])
    words = {"granularity": "channel", "criterion": "reconstruction", "data": IMAGES, "example": IMAGES}
    for call, layer in (
        (lambda: pv.gate_threshold(model, IMAGES, 0.45), "behind layer 'a'"),
        (lambda: pv.gate(model, (IMAGES, Y[:6]), 0.1), "behind layer 'a'"),
        (lambda: pv.reconstruct(model, mask, IMAGES), "what layer 'b' reads"),
        (lambda: pv.importance(model, **words), "what layer 'b' reads"),
    ):
        with pytest.raises(ValueError, match=f"^{layer} .*NaN.* for some images$"):
            call()
    diverged = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 4)).eval()
    diverged[0].bias.data[1] = torch.nan
    with pytest.raises(ValueError, match=r"^layer '0' has weights that are NaN or infinite"):
        pv.prune(diverged, 0.5)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("kept", [[True, True, True, False], [False] * 4])
def test_where_nothing_arrives_nothing_is_refitted(kept):
    model = nn.Sequential(nn.Linear(6, 4), nn.ReLU(), nn.Linear(4, 3, bias=False)).eval()
    model[0].bias.data[:3] = -100
    mask = Mask({"0": np.array(kept)}, "neuron")
    thin = pv.reconstruct(model, mask, X)
    masked = pv.apply(model, mask, X)
    assert torch.equal(thin[2].weight[:, :3], masked[2].weight[:, :3])


@pytest.mark.parametrize("images", [1001, 2001])
def test_one_image_that_is_left_over_is_recalibrated_with_others(images):
    norm = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3)).eval()
    x = RNG.random((images, 6), np.float32)
    made = norm[0](torch.from_numpy(x)).detach().mean(0)
    torch.testing.assert_close(pv.recalibrate(norm, x)[1].running_mean, made, rtol=1e-4, atol=1e-5)


class Two(nn.Module):
    """A network of two inputs, which may give two outputs."""

    def __init__(self, *, both=False):
        super().__init__()
        self.a, self.b, self.c, self.both = nn.Linear(6, 5), nn.Linear(6, 5), nn.Linear(5, 4), both

    def forward(self, u, v):
        z = torch.relu(self.a(u) + self.b(v))
        return (self.c(z), {"hidden": z}) if self.both else self.c(z)


def test_the_activity_of_a_model_of_two_inputs_is_drawn():
    model = Two().eval()
    u, v = X, X[::-1].copy()
    words = pv.alt_text(pv.plot_neuron_activity(model, (u, v), "a"))
    read = torch.relu(model.a(torch.from_numpy(u)) + model.b(torch.from_numpy(v))).detach().numpy().mean(0)
    assert f"median {np.median(read):.3g}, largest {read.max():.3g}" in words
    assert pv.plot_neuron_activity(model, (u, v), "a", by=Y)


def test_a_model_of_several_outputs_is_timed():
    times = pv.latency({"both": Two(both=True).eval()}, (X, X), [1], seconds=0.01)
    assert times["both"][1].median > 0


def test_layers_that_a_mask_leaves_alone_are_drawn_whole():
    mask = pv.prune(CONV, 0.5, granularity="filter", example=IMAGES, exclude=["0"])
    assert "0" not in mask
    assert pv.alt_text(pv.plot_filters(CONV, "0", mask=mask)) == pv.alt_text(pv.plot_filters(CONV, "0"))
    assert pv.plot_feature_maps(CONV, IMAGES[0], "0", mask=mask)
    assert pv.plot_neuron_activity(NET, X, "2", mask=UNITS)
    ends = pv.importance(NET, granularity="neuron", example=X)
    assert pv.plot_scores(ends, "0", mask=UNITS)
    with pytest.raises(ValueError, match=r"^mask is of 0, but the weights are of fc1"):
        pv.plot_weight_histogram({"fc1": X}, mask=UNITS)


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
def test_tensors_are_drawn_as_arrays_are(kind):
    weight = nn.Parameter(torch.randn(8, 6).to(kind))
    wanted = pv.alt_text(pv.plot_weight_histogram(weight.detach().float().numpy()))
    assert pv.alt_text(pv.plot_weight_histogram(weight)) == wanted
    assert "fc1" in pv.alt_text(pv.plot_weight_histogram({"fc1": weight}))
    assert pv.plot_network([weight, nn.Parameter(torch.randn(4, 8))])


def test_filters_are_sorted_by_unsigned_scores_too():
    weights, scores = RNG.normal(size=(4, 2, 3, 3)), np.array([2, 0, 3, 1])
    signed, unsigned = (
        [text.get_text() for text in pv.plot_filters(weights, scores=scores.astype(kind), sort=True).texts]
        for kind in (np.int64, np.uint32)
    )
    assert signed == unsigned


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_no_images_are_spoiled_to_no_images(kind):
    assert corrupt(BYTES[:0], kind, 1).shape == (0, 12, 12, 1)


def test_a_count_is_right_whatever_made_it():
    for given in (7, 7.0, 0.07 * 100, np.float32(7), "7"):
        assert wrong_count({"n": given}, {"n": 7}, {"n": {"too far": 8}}, "Again.") is None
    assert wrong_count({"n": 8.0}, {"n": 7}, {"n": {"too far": 8}}, "Again.") == "n: too far"
    large = {"n": 3_241_354}
    assert wrong_count({"n": 3_241_357}, large, {"n": {}}, "Again.") == "n: 3,241,357 is not right. Again."
    assert wrong_count({"n": 99.6}, {"n": 100}, {"n": {}}, "Again.") == "n: 99.6 is not right. Again."
    assert close(torch.ones(2, requires_grad=True), [1.0, 1.0])
    assert not close([torch.ones(2, requires_grad=True)], [1.0, 1.0])


@pytest.mark.parametrize(
    ("guess", "truth", "words"),
    [
        (12346.0, 12345, "Your guess: 12,346. Measured: 12,345. You were 1 too high."),
        (2.5e5, 266200, "Your guess: 250,000. Measured: 266,200. You were 16,200 too low."),
        (4999.6, 5000, "Your guess: 4,999.6. Measured: 5,000. You were 0.4 too low."),
        (0.5, 0.1234567, "Your guess: 0.5. Measured: 0.1235. You were 0.3765 too high."),
        (1e300, 3, "Your guess: 1e+300. Measured: 3. You were 1e+300 too high."),
    ],
)
def test_a_guess_is_written_out(guess, truth, words, capsys):
    pv.teaching.compare(guess, truth)
    assert capsys.readouterr().out.strip() == words


def test_the_room_says_what_it_shows(tmp_path):
    for who, guess in (("one", 70), ("two", 1_234_567), ("three", 90)):
        pv.teaching.hand_in(guess, tmp_path, "how many", who)
    ax = pv.teaching.plot_room(tmp_path, "how many", truth=1_234_500)
    assert pv.alt_text(ax) == "how many: 3 guesses, median 90. Measured: 1,234,500."
    assert "image/png" in ax._repr_mimebundle_()[0]
    with pytest.raises(ValueError, match="bins is 0, not a whole number from 1"):
        pv.teaching.plot_room(tmp_path, "how many", truth=80, bins=0)
    with pytest.raises(ValueError, match="truth must be a number, not nan"):
        pv.teaching.plot_room(tmp_path, "how many", truth=np.nan)


def test_what_keeps_zeros_keeps_them_again():
    mask = pv.prune(NET, 0.5)
    thin = pv.apply(NET, mask)
    optimizer = torch.optim.SGD(thin.parameters(), 0.1)
    keeping = pv.keep_pruned(thin, mask, optimizer)
    for _ in range(2):
        with keeping:
            optimizer.zero_grad()
            thin(torch.from_numpy(X)).square().sum().backward()
            optimizer.step()
            assert pv.scorecard(thin, (X, Y)).nonzero <= mask.kept + 12
    optimizer.step()
    assert np.count_nonzero(pv.network(thin)["0"].weight) > mask["0"].sum()


class Own(nn.Module):
    """A dense layer, and a matrix of the learner's own."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(6, 8), nn.Parameter(torch.randn(8, 4))

    def forward(self, x):
        return torch.relu(self.a(x)) @ self.b


def test_a_run_that_goes_on_says_what_no_mask_covers(tmp_path):
    model = Own().eval()

    def told():
        given = pv.iterate(model, RAMP, lambda *_: None, (X, Y), resume=tmp_path, progress=False)
        return [repr(one.mask) for one in given]

    first = told()
    assert "not covered: b (32 numbers)" in first[0]
    assert told() == first
