"""A network for fewer classes gives exactly what the whole one gave for them."""

import sys

import numpy as np
import pytest
import torchvision
from architectures import CLASSES as THREE
from architectures import PLANS
from architectures import build as architecture
from architectures import images as images_for
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional
from twins import CLASSES, FRAMEWORKS, SPECS, Spec, build, images, keras, same, tf_keras, torch, weights_of

import pruneviz as pv
from pruneviz import frameworks

X = np.random.default_rng(0).random((6, 5), np.float32)
IMAGES = np.random.default_rng(0).random((6, 8, 8, 3), np.float32)
CHOICES = st.permutations(range(CLASSES)).flatmap(
    lambda order: st.integers(2, CLASSES).map(lambda number: order[:number])
)


def outputs(model, x):
    return frameworks.adapter(model).outputs(x)[0]


def shapes(model):
    return [layer.shape for layer in pv.network(model).layers]


@settings(max_examples=30)
@given(SPECS, st.sampled_from(FRAMEWORKS), CHOICES, st.sampled_from([0, 0.8, 0.97]))
def test_any_classes_in_any_order_give_what_they_gave(spec, framework, classes, sparsity):
    model, (x, _) = build(spec, framework), images()
    model = pv.apply(model, pv.prune(model, sparsity))
    before = weights_of(model)
    small = pv.keep_classes(model, classes, x[:8])
    wanted = outputs(model, x)[:, classes]
    assert np.abs(outputs(small, x) - wanted).max() <= 1e-5 * np.abs(wanted).max()
    np.testing.assert_array_equal(weights_of(small)["out.bias"], before["out.bias"][classes])
    assert same(before, weights_of(model))


@settings(max_examples=30)
@given(PLANS, st.permutations(range(THREE)).map(lambda order: order[:2]), st.sampled_from([0, 0.9]))
def test_branches_norms_and_heads_of_convolutions(plan, classes, sparsity):
    model, x = architecture(plan, "torch", "float64"), images_for(plan, "torch", "float64")
    model = pv.apply(model, pv.prune(model, sparsity))
    small, wanted = pv.keep_classes(model, classes, x), outputs(model, x)[:, classes]
    assert np.abs(outputs(small, x) - wanted).max() <= 1e-9 * np.abs(wanted).max()


@settings(max_examples=10)
@given(PLANS, st.permutations(range(THREE)).map(lambda order: order[:2]))
def test_twins_keep_the_same_numbers(plan, classes):
    models = [architecture(plan, framework) for framework in FRAMEWORKS]
    models = [pv.apply(model, pv.prune(model, 0.9)) for model in models]
    small = [
        pv.keep_classes(model, classes, images_for(plan, framework))
        for model, framework in zip(models, FRAMEWORKS, strict=True)
    ]
    first, *others = (pv.network(model) for model in small)
    for other in others:
        assert first.keys() == other.keys()
        assert all(np.array_equal(first[name].weight, other[name].weight) for name in first)


def ended(framework, end):
    """Build a network of six outputs with an end of a kind: softmax, log_softmax, sigmoid, norm, unbiased."""
    if framework == "torch":
        last = {
            "softmax": [nn.Linear(7, 6), nn.Softmax(1)],
            "log_softmax": [nn.Linear(7, 6), nn.LogSoftmax(-1)],
            "sigmoid": [nn.Linear(7, 6), nn.Sigmoid()],
            "norm": [nn.Linear(7, 6), nn.BatchNorm1d(6)],
            "unbiased": [nn.Linear(7, 6, bias=False), nn.Softmax(1)],
        }[end]
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(5, 7), nn.ReLU(), *last).eval()
    home = sys.modules[framework]
    kinds = home.layers
    home.utils.set_random_seed(0)
    last = {
        "softmax": [kinds.Dense(6, "softmax")],
        "log_softmax": [kinds.Dense(6), kinds.Activation("log_softmax")],
        "sigmoid": [kinds.Dense(6, "sigmoid")],
        "norm": [kinds.Dense(6), kinds.BatchNormalization()],
        "unbiased": [kinds.Dense(6, use_bias=False), kinds.Softmax()],
    }[end]
    return home.Sequential([kinds.Input((5,)), kinds.Dense(7, "relu"), *last])


@pytest.mark.parametrize("end", ["softmax", "log_softmax", "sigmoid", "norm", "unbiased"])
def test_a_softmax_shares_out_what_these_classes_had_and_other_ends_stay(framework, end):
    model, classes = ended(framework, end), [4, 0, 2]
    small = pv.keep_classes(model, classes, X)
    wanted, given = outputs(model, X)[:, classes], outputs(small, X)
    if end == "log_softmax":
        wanted, given = np.exp(wanted), np.exp(given)
    if end in ("softmax", "log_softmax", "unbiased"):
        wanted = wanted / wanted.sum(1, keepdims=True)
        np.testing.assert_allclose(given.sum(1), 1, rtol=1e-6)
    np.testing.assert_allclose(given, wanted, rtol=1e-5, atol=1e-7)
    assert shapes(small) == [(7, 5), (3, 7)]
    assert (pv.network(small).layers[1].bias is None) == (end == "unbiased")


@pytest.mark.parametrize("softmax", [False, True])
def test_a_convolution_with_global_pooling_may_be_the_head(framework, softmax):
    if framework == "torch":
        layers = [nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 6, 1)]
        ends = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), *([nn.Softmax(1)] if softmax else [])]
        model = nn.Sequential(*layers, *ends).eval()
    else:
        home = sys.modules[framework]
        kinds = home.layers
        layers = [kinds.Input((8, 8, 3)), kinds.Conv2D(4, 3), kinds.BatchNormalization(), kinds.ReLU()]
        ends = [kinds.Conv2D(6, 1), kinds.GlobalAveragePooling2D()]
        model = home.Sequential([*layers, *ends, *([kinds.Activation("softmax")] if softmax else [])])
    small, wanted = pv.keep_classes(model, (5, 1), IMAGES), outputs(model, IMAGES)[:, [5, 1]]
    wanted = wanted / wanted.sum(1, keepdims=True) if softmax else wanted
    np.testing.assert_allclose(outputs(small, IMAGES), wanted, rtol=1e-5, atol=1e-6)
    assert shapes(small)[1] == (2, 4, 1, 1)


@pytest.mark.parametrize("home", [keras, tf_keras])
def test_a_nested_head_comes_out_flat(home):
    last = home.layers.Dense(6, "softmax", name="b")
    first, inner = home.Input((5,)), home.Sequential([home.layers.Input((5,)), last], name="inner")
    model = home.Model(first, inner(home.layers.Dense(5, "relu", name="a")(first)))
    small, wanted = pv.keep_classes(model, [3, 1], X), outputs(model, X)[:, [3, 1]]
    assert {x.name: x.shape for x in pv.network(small).layers} == {"a": (5, 5), "inner.b": (2, 5)}
    np.testing.assert_allclose(outputs(small, X), wanted / wanted.sum(1, keepdims=True), rtol=1e-5)


class Forward(nn.Module):
    """Computes with linear layers by a function."""

    def __init__(self, function, **sizes):
        super().__init__()
        torch.manual_seed(0)
        self.function = function
        for name, (inputs, number) in sizes.items():
            setattr(self, name, nn.Linear(inputs, number))

    def forward(self, x):
        return self.function(self, x)


class Teaching(nn.Module):
    """Gives one thing while it is trained and another one afterwards."""

    def __init__(self, taught, told):
        super().__init__()
        torch.manual_seed(0)
        self.a, self.b, self.taught, self.told = nn.Linear(5, 6), nn.Linear(5, 6), taught, told

    def forward(self, x):
        return self.taught(self, x) if self.training else self.told(self, x)


TIED = Forward(lambda s, x: s.b(s.a(x).relu()), a=(5, 5), b=(5, 5))
TIED.b.weight = TIED.a.weight


class Embedded(nn.Module):
    """Reads words, and tells them by the numbers that stand for them, as language models do."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.a, self.b = nn.Embedding(6, 4), nn.Linear(4, 6)
        self.b.weight = self.a.weight

    def forward(self, x):
        return self.b(self.a((9 * x).long() % 6).mean(1))


MADE = {
    "sum of heads": Forward(lambda s, x: s.a(x) + s.b(x), a=(5, 6), b=(5, 6)),
    "maxout": Forward(lambda s, x: s.a(x).view(-1, 6, 2).amax(2), a=(5, 12)),
    "maxout laid out otherwise": Forward(lambda s, x: s.a(x).view(-1, 2, 6).amax(1), a=(5, 12)),
    "a part": Forward(lambda s, x: s.a(x)[:, :6], a=(5, 9)),
    "a size": Forward(lambda s, x: s.a(x).view(-1, 6), a=(5, 6)),
    "a dict": Forward(lambda s, x: {"logits": s.a(x)}, a=(5, 6)),
    "softmax afterwards": Teaching(lambda s, x: s.a(x), lambda s, x: functional.log_softmax(s.a(x), 1)),
}
REFUSED = {
    "a and b: wrap it": Forward(lambda s, x: (s.a(x), s.b(x)), a=(5, 6), b=(5, 6)),
    "while it is trained, the model gives a and b: wrap it": Teaching(
        lambda s, x: (s.a(x), s.b(x)), lambda s, x: s.a(x)
    ),
    "while it is trained, the model gives b: wrap it": Teaching(lambda s, x: s.b(x), lambda s, x: s.a(x)),
    "'b' is a layer that shares its weight with 'a'": TIED,
    "those of layer 'b' share a parameter with another module": Embedded(),
    "those of layer 'a' are tied to the model's input": Forward(lambda s, x: s.a(x) + x, a=(5, 5)),
    "those of layer 'a' are tied to numbers of its forward": Forward(
        lambda s, x: s.a(x) + torch.arange(6.0), a=(5, 6)
    ),
    "layer 'b' reads them": Forward(lambda s, x: s.a(x) + s.b(s.a(x)), a=(5, 6), b=(6, 6)),
    "'mean' averages over units": Forward(lambda s, x: s.a(x) - s.a(x).mean(1, keepdim=True), a=(5, 6)),
    "'log' is log that pruneviz does not know": Forward(lambda s, x: s.a(x).softmax(1).log(), a=(5, 6)),
    "is softmax that reads pruned units": Forward(lambda s, x: 2 * s.a(x).softmax(1), a=(5, 6)),
    "more than 1e-05: its forward computes": Forward(lambda s, x: s.a(x).softmax(0), a=(5, 6)),
    "'matmul' is matmul that pruneviz does not know": Forward(lambda s, x: x @ s.a.weight.T, a=(5, 6)),
    "'1' is a LayerNorm that reads": nn.Sequential(nn.Linear(5, 6), nn.LayerNorm(6)),
    "in layer '1' classes 0, 3 are one unit": nn.Sequential(
        nn.Conv2d(3, 4, 1), nn.Conv2d(4, 6, 1, groups=2), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    ),
    r"has shape \(n, 6, 8, 8\), not \(n, two or more classes\)": nn.Sequential(nn.Conv2d(3, 6, 1)),
    r"has shape \(n, 1\), not \(n, two or more classes\)": nn.Sequential(nn.Linear(5, 1)),
    "layer 'a' does not give all of these classes, so their order cannot change": Forward(
        lambda s, x: torch.cat([s.a(x), s.b(x)], 1), a=(5, 3), b=(5, 3)
    ),
}


@pytest.mark.parametrize("name", MADE)
def test_outputs_may_be_made_in_many_ways(name):
    model = MADE[name].eval()
    small, wanted = pv.keep_classes(model, [4, 0, 2], X), outputs(model, X)[:, [4, 0, 2]]
    if name == "softmax afterwards":
        assert small.train()(torch.from_numpy(X)).shape == (6, 3)
        wanted = wanted - np.log(np.exp(wanted).sum(1, keepdims=True))
    np.testing.assert_allclose(outputs(small, X), wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("reason", REFUSED)
def test_outputs_that_cannot_go_are_refused_by_the_layer(reason):
    model = REFUSED[reason].eval()
    x = IMAGES if any(isinstance(layer, nn.Conv2d) for layer in model.modules()) else X
    before = weights_of(model)
    with pytest.raises(ValueError, match=reason):
        pv.keep_classes(model, [4, 0, 2], x)
    assert same(before, weights_of(model))
    assert not model.training


def test_a_head_of_which_nothing_would_be_left_is_refused():
    model = Forward(lambda s, x: torch.cat([s.a(x), s.b(x)], 1), a=(5, 3), b=(5, 3))
    assert shapes(pv.keep_classes(model, [0, 2, 4], X)) == [(2, 5), (1, 5)]
    with pytest.raises(
        ValueError, match="layer 'b' would be left without outputs: keep one of classes 3, 4, 5"
    ):
        pv.keep_classes(model, [0, 2], X)


@pytest.mark.parametrize("home", [keras, tf_keras])
def test_keras_models_are_refused_by_the_layer(home):
    kinds, x = home.layers, home.Input((5,))

    class Own(home.Model):
        def __init__(self):
            super().__init__()
            self.only = kinds.Dense(5)

        def call(self, x):
            return self.only(x)

    own, shared, one = Own(), kinds.Dense(5, name="shared"), kinds.Dense(5, name="one")
    own(X)
    normed = [kinds.Input((5,)), kinds.Dense(5), kinds.LayerNormalization()]
    for model, reason in (
        (own, "Own has no graph that can be followed"),
        (home.Model(x, shared(kinds.ReLU()(shared(x)))), "layer 'shared' are tied to what 'shared' gives"),
        (home.Model(x, kinds.Add()([one(x), x])), "those of layer 'one' are tied to what"),
        (home.Model(x, [kinds.Dense(5, name="p")(x), kinds.Dense(2, name="q")(x)]), "gives p and q: wrap it"),
        (home.Sequential(normed), "LayerNormalization"),
        (home.Sequential([kinds.Input((5,)), kinds.Dense(1, "sigmoid")]), "two or more classes"),
    ):
        with pytest.raises(ValueError, match=reason):
            pv.keep_classes(model, [3, 1], X)


@pytest.mark.parametrize(
    ("classes", "error", "reason"),
    [
        ([1, 9], ValueError, "classes names 9, and the model gives 0 to 3"),
        ([1, 2, 1], ValueError, "classes names 1 more than once"),
        ([2], ValueError, "name at least two"),
        ([], ValueError, "name at least two"),
        ([-1, 2], ValueError, r"classes\[0\] is -1, not a whole number from 0"),
        ([0, 1.0], ValueError, r"classes\[1\] is 1.0, not a whole number"),
        (3, TypeError, "classes is 3, not a list of whole numbers"),
        ("01", TypeError, "not a list of whole numbers"),
        (np.array([True, False, True, False]), TypeError, "np.flatnonzero makes one"),
    ],
)
def test_classes_are_checked(classes, error, reason):
    with pytest.raises(error, match=reason):
        pv.keep_classes(build(Spec(), "torch"), classes, images()[0][:2])


def test_an_example_that_shows_nothing_of_these_classes_is_refused():
    model = nn.Sequential(nn.Linear(5, 6), nn.Softmax(1))
    with torch.no_grad():
        model[0].bias[1] = 300
    with pytest.raises(ValueError, match="no image of example is of a class that stays: add some"):
        pv.keep_classes(model, [0, 2], X)
    assert outputs(pv.keep_classes(model, [0, 1], X), X)[:, 1].min() == 1


def test_units_that_no_class_reads_any_more_go_from_the_end_to_the_start(framework):
    model = build(Spec((("dense", 4), ("dense", 3))), framework)
    out, middle = np.zeros((4, 3), np.float32), np.zeros((3, 4), np.float32)
    out[0, 0], out[1, 1], out[2, 2], out[3, 2] = 1, 2, 3, 4  # classes 2 and 3 alone read unit 2
    middle[0, 0], middle[1, 1], middle[2, 2] = 1, 2, 3  # unit 2 alone reads 2, and nothing 3
    model = frameworks.adapter(model).copy_with({"out.weight": out, "l1.weight": middle})
    x = images()[0]
    for classes, units in (([1, 0], [2, 2]), ([2, 3], [1, 1]), ([3, 1, 0], [3, 3]), ([0, 1, 2, 3], [3, 3])):
        small = pv.keep_classes(model, classes, x[:4])
        assert [len(layer.weight) for layer in pv.network(small).layers] == [*units, len(classes)]
        np.testing.assert_allclose(outputs(small, x), outputs(model, x)[:, classes], rtol=1e-5, atol=1e-5)
    left = pv.network(pv.keep_classes(model, [1, 0], x[:4]))
    np.testing.assert_array_equal(left["out"].weight, [[0, 2], [1, 0]])


def test_a_layer_that_no_class_reads_keeps_one_unit(framework):
    model = build(Spec((("dense", 4), ("dense", 3)), activation="softmax"), framework)
    out = pv.network(model)["out"].weight.copy()
    out[:2] = 0
    model = frameworks.adapter(model).copy_with({"out.weight": out})
    small = pv.keep_classes(model, [1, 0], images()[0][:4])
    assert [len(layer.weight) for layer in pv.network(small).layers][1:] == [1, 2]
    assert [layer.bias is None for layer in pv.network(small).layers] == [False] * 3


@pytest.mark.parametrize("sparsity", [0, 0.97])
def test_a_file_of_fewer_classes_is_read_into_the_whole_model(framework, tmp_path, sparsity):
    whole, x = pv.zoo.lenet_5_bn(framework), pv.datasets.mnist().validation[0][:40]
    small = pv.keep_classes(pv.apply(whole, pv.prune(whole, sparsity)), [7, 0, 1], x[:8])
    pv.save(small, tmp_path / "small.pv")
    for model in (whole, small):
        again = pv.load(tmp_path / "small.pv", model, x[:8])
        assert same(weights_of(again), weights_of(small))
        np.testing.assert_array_equal(outputs(again, x), outputs(small, x))
    assert outputs(whole, x).shape == (40, 10)


def test_a_model_of_fewer_classes_trains_is_saved_and_pruned_as_any_other(framework, tmp_path):
    classes, mnist = [7, 0, 1], pv.datasets.mnist()
    x, y = pv.relabel((mnist.validation[0][:600], mnist.validation[1][:600]), classes)
    whole = pv.zoo.lenet_300_100(framework)
    small = pv.keep_classes(whole, classes, x[:8])
    card, wanted = pv.scorecard(small, (x, y)), outputs(whole, x)[:, classes].argmax(1)
    np.testing.assert_array_equal(card.predictions, wanted)
    mask = pv.prune(small, 0.9, granularity="neuron", criterion="activation", data=(x, y), scope="layer")
    tiny = pv.remove(small, mask, x[:8])
    assert shapes(tiny) == [(30, 784), (10, 30), (3, 10)]
    assert pv.check_removed(small, mask, tiny, x) < 1e-5
    cut = pv.prune(whole, 0.9, granularity="neuron", criterion="activation", data=x, scope="layer")
    other = pv.keep_classes(pv.remove(whole, cut, x[:8]), classes, x[:8])
    np.testing.assert_allclose(outputs(other, x), outputs(tiny, x), rtol=1e-4, atol=1e-4)
    before = outputs(tiny, x)
    if framework == "torch":
        optimizer = torch.optim.SGD(tiny.parameters(), 0.1)
        inputs = torch.from_numpy(x).permute(0, 3, 1, 2) / 255
        functional.cross_entropy(tiny(inputs), torch.from_numpy(y)).backward()
        optimizer.step()
    else:
        home = sys.modules[framework]
        tiny.save(tmp_path / "tiny.keras")
        again = home.models.load_model(tmp_path / "tiny.keras")
        np.testing.assert_allclose(outputs(again, x), before, rtol=1e-5)
        tiny.compile("sgd", home.losses.SparseCategoricalCrossentropy(from_logits=True))
        tiny.fit(x / np.float32(255), y, verbose=0)
    assert not np.array_equal(outputs(tiny, x), before)


@pytest.mark.parametrize("name", ["resnet18", "squeezenet1_1", "densenet121"])
def test_torchvision_models_keep_their_class(name):
    torch.manual_seed(0)
    model = getattr(torchvision.models, name)(weights=None).eval()
    x = np.random.default_rng(0).random((2, 64, 64, 3), np.float32)
    small = pv.keep_classes(model, [999, 7], x)
    assert type(small) is type(model)
    np.testing.assert_allclose(outputs(small, x), outputs(model, x)[:, [999, 7]], rtol=1e-5, atol=1e-6)


def test_relabelling_takes_the_images_and_numbers_the_classes_in_the_order_given():
    x, y = np.arange(12, dtype=np.uint8).reshape(6, 2), np.array([7, 3, 0, 1, 7, 0], np.uint8)
    images, labels = pv.relabel((x, y), [7, 0])
    np.testing.assert_array_equal(images, x[[0, 2, 4, 5]])
    np.testing.assert_array_equal(labels, [0, 1, 0, 1])
    assert labels.dtype == np.uint8
    (first, second), labels = pv.relabel(((x, x.astype(np.float32)), y), (1, 3))
    np.testing.assert_array_equal(first, x[[1, 3]])
    np.testing.assert_array_equal(second, x[[1, 3]])
    np.testing.assert_array_equal(labels, [1, 0])
    with pytest.raises(ValueError, match=r"y has no label 4 of classes \[4, 5\]: it runs from 0 to 7"):
        pv.relabel((x, y), [4, 5])
    with pytest.raises(TypeError, match="y must be integer classes"):
        pv.relabel((x, y.astype(float)), [7, 0])
