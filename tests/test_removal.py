"""Units that are taken out leave a model that computes the same as the masked one."""

import copy
import pickle

import numpy as np
import pytest
import torch_pruning
import torchvision
from architectures import PLANS, Plan, build, images
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode
from twins import keras, same, tf_keras, torch, weights_of

import pruneviz as pv

SHARES = st.sampled_from([0.1, 0.3, 0.5, 0.7, 0.9])


def mask_of(model, share, granularity, x, **options):
    """Prune what can be removed; models without any are rejected."""
    options = {"keep_at_least": 1, "exclude": "auto", "example": x, **options}
    try:
        return pv.prune(model, share, granularity=granularity, **options)
    except ValueError as error:
        assert f" no {granularity}s to prune" in str(error)  # noqa: PT017
        return reject()


def removed(plan, framework, share, granularity, dtype="float32", **options):
    """Prune, remove and compare: what prune gives can be removed. Return the largest difference."""
    model, x = build(plan, framework, dtype), images(plan, framework, dtype)
    before = weights_of(model)
    mask = mask_of(model, share, granularity, x, **options)
    small = pv.remove(model, mask, x[:2])
    assert same(before, weights_of(model))
    sizes = {layer.name: len(layer.weight) for layer in pv.network(small).layers}
    for name, kept in mask.items():
        assert sizes[name] == np.count_nonzero(kept)
    return pv.check_removed(model, mask, small, x)


@pytest.mark.parametrize("granularity", ["filter", "neuron"])
@given(PLANS, SHARES, st.sampled_from(["global", "layer"]))
@settings(max_examples=25)
def test_torch_models_without_units_compute_the_same(granularity, plan, share, scope):
    difference = removed(plan, "torch", share, granularity, scope=scope)
    assert difference <= 1e-5


@pytest.mark.parametrize("home", [keras, tf_keras])
@given(PLANS, SHARES, st.sampled_from(["filter", "filter", "neuron"]))
@settings(max_examples=8)
def test_keras_models_without_units_compute_the_same(home, plan, share, granularity):
    difference = removed(plan, home.__name__, share, granularity)
    assert difference <= 1e-5


@given(PLANS, SHARES)
@settings(max_examples=5)
def test_float64_agrees_to_nine_digits(plan, share):
    plan = plan._replace(dims=min(plan.dims, 2))  # TensorFlow pools no volumes of float64
    for framework in ("torch", "keras"):
        difference = removed(plan, framework, share, "filter", "float64")
        assert difference <= 1e-9


@given(PLANS, SHARES)
@settings(max_examples=8)
def test_twins_lose_the_same_units(plan, share):
    if plan.dims == 3:
        plan = plan._replace(dims=2)  # Keras has no depthwise convolution of volumes
    masks = [mask_of(build(plan, name), share, "filter", images(plan, name)) for name in ("torch", "keras")]
    assert masks[0] == masks[1]
    assert (masks[0].total, masks[0].pruned) == (masks[1].total, masks[1].pruned)


def shaken(model, seed=0):
    """Give BatchNorms statistics of their own, so that a forgotten constant shows."""
    adapter = pv.frameworks.adapter(model)
    rng = np.random.default_rng(seed)
    arrays = adapter.arrays()
    variances = ("running_var", "moving_variance")
    drawn = {}
    for parts in adapter.norms().values():
        for part, name in parts.items():
            low = 0.5 if part == "scale" else -0.5
            drawn[name] = rng.uniform(low, low + 1, arrays[name].shape).astype("f4")
    for name, array in arrays.items():
        if name.endswith(variances) and name.rpartition(".")[0] in adapter.norms():
            drawn[name] = rng.uniform(0.5, 1.5, array.shape).astype("f4")
    return adapter.copy_with(drawn)


def check_large(model, x, granularity="filter"):
    scores = pv.importance(model, granularity=granularity, example=x)
    for share in (0.1, 0.3, 0.5, 0.7, 0.9):
        mask = pv.rank(scores, keep_at_least=1).mask(share)
        small = pv.remove(model, mask, x)
        assert pv.check_removed(model, mask, small, x[::-1]) <= 1e-5
        assert type(small).__name__ == type(model).__name__


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v2", "densenet121", "regnet_y_400mf"])
def test_torchvision_models(name):
    torch.manual_seed(0)
    model = shaken(getattr(torchvision.models, name)(num_classes=10).eval())
    check_large(model, np.random.default_rng(0).random((2, 32, 32, 3), np.float32))


def test_vgg11_bn_loses_filters_and_neurons():
    torch.manual_seed(0)
    model = torchvision.models.vgg11_bn(num_classes=10)
    model.classifier[0] = torch.nn.Linear(512 * 49, 64)
    model.classifier[3] = torch.nn.Linear(64, 32)
    model.classifier[6] = torch.nn.Linear(32, 10)
    model = shaken(model.eval())
    x = np.random.default_rng(0).random((2, 32, 32, 3), np.float32)
    check_large(model, x)
    check_large(model, x, "neuron")


@pytest.mark.parametrize("name", ["MobileNetV2", "ResNet50V2", "EfficientNetB0", "DenseNet121"])
def test_keras_applications(name):
    keras.utils.set_random_seed(0)
    build_it = getattr(keras.applications, name)
    model = shaken(build_it(weights=None, input_shape=(32, 32, 3), classes=10, classifier_activation=None))
    check_large(model, np.random.default_rng(0).random((2, 32, 32, 3), np.float32))


@pytest.mark.parametrize("name", ["lenet_300_100", "lenet_5", "lenet_5_bn", "mnist_cnn", "tiny_cnn"])
def test_twins_of_the_zoo_lose_the_same_units_and_answer_the_same(name):
    x, y = (array[:200] for array in pv.datasets.mnist().test)
    granularity = "neuron" if name == "lenet_300_100" else "filter"
    cards, masks = [], []
    for framework in ("torch", "keras", "tf_keras"):
        model = getattr(pv.zoo, name)(framework)
        masks.append(pv.prune(model, 0.5, granularity=granularity, scope="layer", example=x))
        cards.append(pv.scorecard(pv.remove(model, masks[-1], x[:8]), (x, y)))
    assert masks[0] == masks[1] == masks[2]
    assert len({card.correct for card in cards}) == 1
    assert len({card.macs for card in cards}) == 1
    assert len({card.parameters for card in cards}) == 1


def test_parameters_and_macs_agree_with_other_counters():
    model = pv.zoo.lenet_5_bn("torch")
    x, y = (array[:10] for array in pv.datasets.mnist().test)
    mask = pv.prune(model, 0.5, granularity="filter", scope="layer", example=x)
    small = pv.remove(model, mask, x)
    card = pv.scorecard(small, (x, y))
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        small(torch.zeros(1, 1, 28, 28))
    assert counter.get_total_flops() == 2 * card.macs
    assert sum(p.numel() for p in small.parameters()) == card.parameters
    twin = pv.remove(pv.zoo.lenet_5_bn("keras"), mask, x)
    # conv1 1 -> 3 at 28 x 28, conv2 3 -> 8 at 10 x 10, then 200 -> 120 -> 84 -> 10.
    by_hand = 28 * 28 * 25 * 3 + 10 * 10 * 25 * 3 * 8 + 200 * 120 + 120 * 84 + 84 * 10
    assert pv.scorecard(twin, (x, y)).macs == card.macs == by_hand
    weights = 25 * 3 + 25 * 3 * 8 + 2 * 3 + 2 * 8 + 201 * 120 + 121 * 84 + 85 * 10
    assert sum(int(np.prod(w.shape)) for w in twin.trainable_weights) == card.parameters == weights


@pytest.mark.parametrize("name", ["lenet_5", "lenet_5_bn", "mnist_cnn"])
def test_torch_pruning_gets_the_same_network_when_it_is_told_the_same_units(name):
    model = getattr(pv.zoo, name)("torch")
    x = pv.datasets.mnist().test[0][:8]
    mask = pv.prune(model, 0.5, granularity="filter", scope="layer", example=x)
    small, peer = pv.remove(model, mask, x), copy.deepcopy(model)
    graph = torch_pruning.DependencyGraph().build_dependency(peer, torch.zeros(1, 1, 28, 28))
    for layer, kept in mask.items():
        gone = np.flatnonzero(~kept).tolist()
        graph.get_pruning_group(
            getattr(peer, layer), torch_pruning.prune_conv_out_channels, idxs=gone
        ).prune()
    ours, theirs = small.state_dict(), peer.state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[key], theirs[key]) for key in ours)


def test_a_small_model_is_an_ordinary_model(framework, tmp_path):
    plan = Plan((("conv", 4), ("bn", 0), ("act", 0), ("residual", 0), ("gate", 3)))
    model, x = build(plan, framework), images(plan, framework)
    small = pv.remove(model, pv.prune(model, 0.5, granularity="filter", example=x), x)
    wanted = pv.frameworks.adapter(small).predict(x)
    copies = [copy.deepcopy(small)]
    if framework == "torch":
        assert type(small) is type(model)
        copies.append(pickle.loads(pickle.dumps(small)))
        exported = torch.export.export(small, (torch.from_numpy(x).permute(0, 3, 1, 2).contiguous(),))
        copies.append(exported.module())
    else:
        home = keras if framework == "keras" else tf_keras
        small.save(tmp_path / "small.keras")
        copies.append(home.models.load_model(tmp_path / "small.keras"))
    for other in copies:
        if isinstance(other, torch.nn.Module):
            got = other(torch.from_numpy(x).permute(0, 3, 1, 2).contiguous()).detach().numpy()
        else:
            got = pv.frameworks.adapter(other).predict(x)
        np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-5)
    if framework == "torch":
        optimizer = torch.optim.SGD(small.parameters(), 0.1)
        small(torch.from_numpy(x).permute(0, 3, 1, 2)).square().mean().backward()
        optimizer.step()
    else:
        small.compile("sgd", "mse")
        small.fit(x, np.ones((len(x), 3)), verbose=0)
    assert not np.array_equal(pv.frameworks.adapter(small).predict(x), wanted)


class Spelled(torch.nn.Module):
    """Spells a size out that pruning changes."""

    def __init__(self):
        super().__init__()
        self.conv, self.fc = torch.nn.Conv2d(2, 4, 3), torch.nn.Linear(64, 3)

    def forward(self, x):
        return self.fc(torch.relu(self.conv(x)).view(-1, 64))


def test_a_size_that_is_spelled_out_is_rewritten():
    model, x = Spelled(), np.random.default_rng(0).random((4, 6, 6, 2), np.float32)
    mask = pv.prune(model, 0.5, granularity="filter", example=x)
    small = pv.remove(model, mask, x)
    assert isinstance(small, torch.fx.GraphModule)
    assert small.conv.out_channels == 2
    assert pv.check_removed(model, mask, small, x) <= 1e-5


class Branching(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(4, 3)

    def forward(self, x):
        return self.fc(x) if x.sum() > 0 else x


class Own(torch.nn.Linear):
    def forward(self, x):
        return super().forward(x) * 2


def test_what_cannot_be_removed_is_refused_by_name():
    x = np.random.default_rng(0).random((2, 6), np.float32)
    dense, relu = torch.nn.Linear(6, 5), torch.nn.ReLU()
    normed = torch.nn.Sequential(dense, torch.nn.LayerNorm(5), relu, torch.nn.Linear(5, 3))
    mask = pv.Mask({"0": np.arange(5) > 1}, "neuron")
    for refuse in (
        lambda: pv.prune(normed, 0.5, granularity="neuron", example=x),
        lambda: pv.remove(normed, mask, x),
    ):
        with pytest.raises(ValueError, match="'1' is a LayerNorm that reads pruned units"):
            refuse()
    assert not pv.network(pv.apply(normed, mask, x))["0"].weight[:2].any()
    strange = torch.nn.Sequential(dense, Own(5, 4), torch.nn.Linear(4, 3))
    with pytest.raises(ValueError, match=r"'1' is a Own with a forward of its own.*exclude=\['0'\]"):
        pv.prune(strange, 0.5, granularity="neuron", example=x)
    with pytest.raises(ValueError, match=r"torch\.fx cannot trace Branching"):
        pv.prune(Branching(), 0.5, granularity="neuron", example=x[:, :4])
    with pytest.raises(ValueError, match="pass example"):
        pv.prune(strange, 0.5, granularity="neuron")
    with pytest.raises(ValueError, match="a mask of weights takes no unit out"):
        pv.remove(normed, pv.prune(normed, 0.5), x)
    with pytest.raises(TypeError, match="example must be an array"):
        pv.remove(normed, mask, None)


def test_a_constant_before_a_padding_is_refused_and_folded_elsewhere():
    x = np.random.default_rng(0).random((2, 6, 6, 2), np.float32)
    for padding in (0, 1):
        model = torch.nn.Sequential(
            torch.nn.Conv2d(2, 4, 3),
            torch.nn.Sigmoid(),
            torch.nn.Conv2d(4, 3, 3, padding=padding, bias=False),
        )
        if padding:
            with pytest.raises(ValueError, match=r"layer '2' receives the constant 0\.5 .* pads with zeros"):
                pv.prune(model, 0.5, granularity="filter", example=x)
        else:
            mask = pv.prune(model, 0.5, granularity="filter", example=x)
            small = pv.remove(model, mask, x)
            assert small[2].bias is not None
            assert pv.check_removed(model, mask, small, x) <= 1e-6


def test_a_subclassed_keras_model_is_refused():
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.first, self.last = keras.layers.Dense(4), keras.layers.Dense(3)

        def call(self, x):
            return self.last(self.first(x))

    model = Own()
    model(np.zeros((1, 5), "f4"))
    with pytest.raises(ValueError, match="Own has no graph that can be followed"):
        pv.prune(model, 0.5, granularity="neuron", example=np.zeros((1, 5), "f4"))


@pytest.mark.parametrize("home", [keras, tf_keras])
def test_nested_models_come_out_flat_under_their_names(home):
    inner = home.Sequential([home.layers.Input((6,)), home.layers.Dense(5, "relu", name="b")], name="inner")
    first = home.Input((4,))
    hidden = home.layers.Dense(6, "relu", name="a")(first)
    model = home.Model(first, home.layers.Dense(3, name="c")(inner(hidden)))
    x = np.random.default_rng(0).random((4, 4), np.float32)
    mask = pv.prune(model, 0.5, granularity="neuron", example=x, scope="layer")
    small = pv.remove(model, mask, x)
    assert list(mask) == ["a", "inner.b"]
    assert {layer.name: layer.shape for layer in pv.network(small).layers} == {
        "a": (3, 4),
        "inner.b": (2, 3),
        "c": (3, 2),
    }


def test_recalibration_gives_the_statistics_of_the_images(framework):
    plan = Plan((("conv", 4), ("bn", 0), ("act", 0)), seed=3)
    model, x = build(plan, framework), images(plan, framework, n=600)
    before = weights_of(model)
    again = pv.recalibrate(model, x)
    assert same(before, weights_of(model))
    layer = pv.network(model)["s0"]
    arrays = pv.frameworks.adapter(again).arrays()
    padded = np.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)]).astype(np.float64)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    outputs = np.einsum("nhwcij,ocij->nhwo", windows, layer.weight) + layer.bias
    mean = next(array for name, array in arrays.items() if name.endswith(("running_mean", "moving_mean")))
    variance = next(
        array for name, array in arrays.items() if name.endswith(("running_var", "moving_variance"))
    )
    np.testing.assert_allclose(mean, outputs.mean((0, 1, 2)), rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(variance, outputs.var((0, 1, 2)), rtol=2e-2)


def test_models_are_compared_without_a_gpus_short_numbers():
    seen = []
    model = torch.nn.Sequential(
        torch.nn.Conv2d(1, 4, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(16, 2)
    )
    model[0].register_forward_hook(lambda *_: seen.append(torch.backends.cudnn.allow_tf32))
    x = np.random.default_rng(0).uniform(size=(3, 4, 4, 1)).astype(np.float32)
    mask = pv.prune(model, 0.5, granularity="filter", example=x)
    thin = pv.apply(model, mask, x)
    before, seen[:] = torch.backends.cudnn.allow_tf32, []
    pv.check_removed(model, mask, thin, x)
    assert seen == [False, False]
    assert torch.backends.cudnn.allow_tf32 is before is True
