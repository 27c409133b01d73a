"""Images, labels and layers that a model has nothing to do with: one sentence, and nothing has changed."""

from decimal import Decimal

import numpy as np
import pytest
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
