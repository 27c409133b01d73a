"""Images, labels and layers that a model has nothing to do with: one sentence, and nothing has changed."""

from collections import OrderedDict
from decimal import Decimal

import numpy as np
import pytest
import tensorflow as tf
import torch
from torch import nn
from torch.nn import functional
from twins import FRAMEWORKS, keras, same, tf_keras, weights_of

import pruneviz as pv
from pruneviz import frameworks

RNG = np.random.default_rng(0)
X, Y = RNG.random((6, 8, 8, 3), np.float32), np.arange(6) % 3
HOMES = {"keras": keras, "tf_keras": tf_keras}


@pytest.fixture(params=FRAMEWORKS)
def framework(request):
    return request.param


def small(framework, classes=3):
    """Build a network of images of 8 × 8 that counts its features."""
    if framework == "torch":
        layers = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, classes)
        return nn.Sequential(*layers).eval()
    home, layers = HOMES[framework], HOMES[framework].layers
    hidden = layers.Conv2D(4, 3), layers.BatchNormalization(), layers.ReLU(), layers.Flatten()
    return home.Sequential([layers.Input((8, 8, 3)), *hidden, layers.Dense(classes)])


def calls(model, x, y):
    """List everything that runs a model on images."""
    return (
        lambda: pv.scorecard(model, (x, y)),
        lambda: pv.sweep(model, (x, y), [0.5], progress=False),
        lambda: pv.prune(model, 0.5, criterion="wanda", data=x),
        lambda: pv.prune(model, 0.5, criterion="taylor", data=(x, y)),
        lambda: pv.prune(model, 0.5, granularity="filter", criterion="activation", data=x),
        lambda: pv.latency({"a": model}, x, (1,), seconds=0.01),
        lambda: pv.recalibrate(model, x),
        lambda: pv.explore(model, (x, y)),
    )


@pytest.mark.parametrize("shape", [(9, 9, 3), (2, 2, 3), (8, 8, 1), (8, 8), (3, 8, 8)], ids=str)
def test_images_of_another_shape_are_refused_in_a_sentence(framework, shape):
    model = small(framework)
    before, x = weights_of(model), RNG.random((6, *shape), dtype=np.float32)
    for call in calls(model, x, Y):
        with pytest.raises(ValueError, match=r"does not take (images of shape|the example)") as caught:
            call()
        assert "Sequential" in str(caught.value)
        assert not {"\n", "\x1b", "Exception"} & {*str(caught.value), *str(caught.value).split()}
    assert same(before, weights_of(model))


def test_numbers_that_are_as_many_are_images(framework):
    if framework != "torch":  # which takes what its modules take
        model = small(framework)
        flat = pv.scorecard(model, (X.reshape(6, -1), Y))
        assert np.array_equal(flat.predictions, pv.scorecard(model, (X, Y)).predictions)


@pytest.mark.parametrize("wrong", [3, -1, 10**6])
def test_labels_that_the_model_does_not_know_are_refused(framework, wrong):
    model, y = small(framework), np.append(Y[:-1], wrong)
    card, sweep, _, taylor, _, _, _, view = calls(model, X, y)
    for call in (card, sweep, taylor, view):
        with pytest.raises(ValueError, match=f"y has the label {wrong}, and the model tells classes 0 to 2"):
            call()
    with pytest.raises(ValueError, match=f"y has the label {wrong}"):
        pv.gate(model, (X, y), 0.1)


class Detach(nn.Module):
    """Lets values through and no gradient."""

    def forward(self, x):
        return x.detach()


def cut(framework, *, last=False):
    """Build two layers of which no gradient reaches the first, or neither."""
    if framework == "torch":
        parts = [("a", nn.Linear(6, 5)), ("b", nn.Linear(5, 3))]
        parts.insert(2 if last else 1, ("cut", Detach()))
        return nn.Sequential(OrderedDict(parts)).eval()
    layers = HOMES[framework].layers
    stop = keras.ops.stop_gradient if framework == "keras" else layers.Lambda(tf.stop_gradient)
    images = layers.Input((6,))
    hidden, b = layers.Dense(5, name="a")(images), layers.Dense(3, name="b")
    return HOMES[framework].Model(images, stop(b(hidden)) if last else b(stop(hidden)))


@pytest.mark.parametrize("criterion", ["gradient", "taylor"])
def test_a_layer_that_no_gradient_reaches_is_refused_by_its_name(framework, criterion):
    model, data = cut(framework), (X[:, 0, :2].reshape(6, 6), Y)
    told = {"criterion": criterion, "data": data}
    said = f"criterion '{criterion}' sees no gradient by layer 'a', as something .* cuts it off.*exclude it"
    for granularity in ("weight", "2:4", "neuron", "channel"):
        with pytest.raises(ValueError, match=said):
            pv.importance(model, granularity=granularity, **told)
    kept = pv.prune(model, 0.4, exclude=["a"], **told)
    assert {name: np.count_nonzero(array) for name, array in kept.items()} == {"b": 9}
    with pytest.raises(ValueError, match=said):
        pv.importance(cut(framework, last=True), **told)
    with pytest.raises(ValueError, match=f"criterion '{criterion}' sees no gradient by layer"):
        pv.importance(small(framework), criterion=criterion, data=(X, Y), loss=lambda *_: 1.0)


def test_layers_that_only_gradients_of_zero_reach_are_ranked(framework):
    adapter = frameworks.adapter(small(framework))
    layers = pv.network(adapter.model)
    first, last = layers
    dead = adapter.copy_with({f"{last}.weight": np.zeros(layers[last].shape, np.float32)})
    scores = pv.importance(dead, criterion="gradient", data=(X, Y))
    assert scores[last].any()
    assert not scores[first].any()
    assert not pv.prune(dead, 0.1, criterion="gradient", data=(X, Y))[first].all()


@pytest.mark.parametrize("kind", [np.float64, np.float32, np.int32, np.uint8, bool])
def test_a_loss_is_given_the_targets_as_they_are(framework, kind):
    model = nn.Linear(6, 3)
    if framework != "torch":
        home = HOMES[framework]
        model = home.Sequential([home.Input((6,)), home.layers.Dense(3)])
    x, y = X[:, 0, :2].reshape(6, 6), (3 * np.random.default_rng(3).random((6, 3))).astype(kind)
    seen = []

    def squares(outputs, wanted):
        seen.append(np.asarray(wanted))
        if framework == "torch":
            return (outputs - wanted.float()).square().mean()
        return tf.reduce_mean(tf.square(outputs - wanted.astype(np.float32)))

    (scores,) = pv.importance(model, criterion="gradient", data=(x, y), loss=squares).values()
    off = frameworks.adapter(model).predict(x) - y
    np.testing.assert_allclose(scores, np.abs(off.T @ x) / 9, rtol=1e-4, atol=1e-6)
    assert np.array_equal(np.concatenate(seen), y)
    assert (seen[0].dtype.kind in "iu") == (y.dtype.kind in "iu")
    assert pv.prune(model, 0.5, criterion="wanda", data=(x, y)) == pv.prune(
        model, 0.5, criterion="wanda", data=x
    )
    with pytest.raises(ValueError, match="x has 6 entries and y has 5"):
        pv.importance(model, criterion="gradient", data=(x, y[:5]), loss=squares)
    with pytest.raises(TypeError, match=r"y must be numbers of shape \(n, …\), not <U"):
        pv.importance(model, criterion="gradient", data=(x, y.astype(str)), loss=squares)


@pytest.mark.parametrize(
    ("y", "hint"),
    [
        (Y.astype(float), "for numbers: y.astype(int)"),
        (Y.reshape(-1, 1), "for a column: y.ravel()"),
        (Y.reshape(-1, 1).astype(float), "for a column: y.ravel().astype(int)"),
        (np.eye(3)[Y], "for one-hot: y.argmax(1)"),
        (np.eye(3, dtype=bool)[Y], "for one-hot: y.argmax(1)"),
        *(
            (y, "or take a criterion that needs no labels")
            for y in (
                Y / 2,
                Y[:, None] / 2,
                RNG.random((6, 3)),
                np.ones((6, 3), int),
                np.full(6, np.inf),
                Y.astype(str),
            )
        ),
    ],
)
def test_targets_that_are_no_classes_are_not_cut_down_to_some(y, hint):
    for call in (
        lambda: pv.scorecard(None, (X, y)),
        lambda: pv.prune(None, 0.5, criterion="taylor", data=(X, y)),
    ):
        with pytest.raises(TypeError) as caught:
            call()
        assert str(caught.value).startswith("y must be integer classes of shape (n,), not ")
        assert str(caught.value).endswith(hint)
        assert ("for other targets pass loss=" in str(caught.value)) is hint.startswith("or take")


def test_one_output_tells_two_classes_apart(framework):
    model, y = small(framework, classes=1), Y % 2
    assert pv.scorecard(model, (X, y)).n == 6
    slopes = pv.importance(model, criterion="gradient", data=(X, y))
    assert all(scores.any() for scores in slopes.values())
    with pytest.raises(ValueError, match="y has the label 2, and the model tells classes 0 to 1 apart"):
        pv.prune(model, 0.5, criterion="taylor", data=(X, Y))


@pytest.mark.parametrize("end", [nn.Identity, nn.Sigmoid])
def test_the_loss_of_one_output_in_torch_is_that_of_two_classes(end):
    model, y = nn.Sequential(nn.Linear(5, 1), end()), Y % 2
    x = RNG.normal(size=(6, 5)).astype(np.float32)  # some logits are below 0, as no probability is
    logits = functional.linear(torch.from_numpy(x), model[0].weight, model[0].bias)[:, 0]
    functional.binary_cross_entropy_with_logits(logits, torch.from_numpy(y).float()).backward()
    found = pv.importance(model, criterion="gradient", data=(x, y))["0"]
    np.testing.assert_allclose(found, np.abs(model[0].weight.grad.numpy()), rtol=1e-4, atol=1e-6)


def test_outputs_of_another_shape_are_refused():
    model, x = nn.Linear(5, 3), RNG.random((6, 4, 5), np.float32)
    for call in (
        lambda: pv.scorecard(model, (x, Y)),
        lambda: pv.prune(model, 0.5, criterion="taylor", data=(x, Y)),
        lambda: pv.explore(model, (x, Y)),
    ):
        with pytest.raises(ValueError, match=r"the model's output for 6 images has shape \(6, 4, 3\), not"):
            call()


def test_what_lies_behind_an_error_of_memory_is_not_the_shape():
    class Full(nn.Linear):
        def forward(self, _):
            raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        frameworks.adapter(Full(6, 3)).predict(np.zeros((1, 6), np.float32))


ABSENT = {
    "a dense layer": (lambda: nn.Linear(6, 3, device="meta"), "layer 'linear' is on the meta device"),
    "a norm": (
        lambda: nn.Sequential(nn.Linear(6, 3), nn.BatchNorm1d(3, device="meta")),
        "layer '1' is on the meta",
    ),
    "recurrent": (lambda: nn.Sequential(nn.LSTM(6, 3, device="meta")), "layer '0' is on the meta device"),
    "no outputs": (
        lambda: nn.Sequential(nn.Linear(6, 0), nn.Linear(0, 3)),
        r"layer '0' has weights of shape \(0, 6\)",
    ),
    "no inputs": (lambda: nn.Linear(0, 3), r"layer 'linear' has weights of shape \(3, 0\): leave it out"),
    "no filters": (lambda: nn.Conv2d(3, 0, 3), r"layer 'conv2d' has weights of shape \(0, 3, 3, 3\)"),
}


@pytest.mark.filterwarnings("ignore:Initializing zero-element")
@pytest.mark.parametrize(("make", "error"), ABSENT.values(), ids=ABSENT)
def test_layers_without_numbers_are_refused_by_name(make, error, tmp_path):
    x, model = RNG.random((6, 6), np.float32), make()
    for call in (
        lambda: pv.network(model),
        lambda: pv.prune(model, 0.5, granularity="neuron", example=x),
        lambda: pv.save(model, tmp_path / "model.pv"),
        *calls(model, x, Y),
    ):
        with pytest.raises(ValueError, match=error):
            call()


@pytest.mark.parametrize("home", HOMES.values(), ids=HOMES)
def test_keras_layers_without_inputs_are_refused_by_name(home):
    model = home.Sequential([home.Input((0,)), home.layers.Dense(3, name="d")])
    with pytest.raises(ValueError, match=r"layer 'd' has weights of shape \(0, 3\): leave it out"):
        pv.prune(model, 0.5)


@pytest.mark.parametrize("share", [Decimal("0.5"), np.float32(0.5), np.float64(0.5)], ids=repr)
def test_any_real_number_is_a_share(share):
    model = nn.Linear(6, 3)
    assert pv.prune(model, share) == pv.prune(model, 0.5)
    with pytest.raises(ValueError, match=r"sparsity 1\.0000001 is not a share from 0 to 1, such as 0\.9$"):
        pv.prune(model, 1.0000001)
    with pytest.raises(ValueError, match=r"did you mean 0\.9\?"):
        pv.prune(model, 90)


@pytest.mark.parametrize("exclude", [None, [0], 0, [None], [b"0"], [["0"]]], ids=repr)
def test_exclude_takes_names(exclude):
    model, data = small("torch"), (X, Y)
    for call in (
        lambda: pv.prune(model, 0.5, exclude=exclude),
        lambda: pv.sweep(model, data, [0.5], exclude=exclude),
        lambda: pv.explore(model, data, exclude=exclude),
        lambda: pv.rank(pv.importance(model), exclude=exclude),
    ):
        with pytest.raises(TypeError, match=r"exclude is .*, not a list of layer names, such as"):
            call()
