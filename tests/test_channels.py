"""Channels: the units of neurons and filters, scored by the layers that read them."""

import numpy as np
import pytest
from architectures import PLANS, Plan, build, images
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import pruneviz as pv
from pruneviz import frameworks
from pruneviz.engine.scoring import by_unit

SHARES = st.sampled_from([0.1, 0.3, 0.5, 0.7, 0.9])
CHAIN = Plan((("conv", 4), ("act", 0), ("conv", 6)), dense=(5,))
WEIGHTS_ONLY = ("magnitude", "l2", "fpgm", "random")
# conv s0, its sum with itself through s2, a depthwise s3 that reads it, a conv s4, and dense layers.
BLOCK = Plan((("conv", 4), ("bn", 0), ("residual", 0), ("depthwise", 2), ("conv", 5)))


def scored(plan, framework="torch", **options):
    model, x = build(plan, framework), images(plan, framework)
    return model, x, pv.importance(model, granularity="channel", example=x, **options)


def by_hand(model, scores, rule):
    """Add up what each unit's weights in the layers that read it come to, one unit after the other."""
    layers, units = pv.network(model), scores.units
    totals = {}
    for unit in range(len(units.groups)):
        found = 0.0
        for name, inputs in units.columns.items():
            weight = layers[name].weight.astype(np.float64)
            groups = len(inputs) // layers[name].shape[1]
            per_group, outputs = len(inputs) // groups, len(weight) // groups
            met = []
            for i in np.flatnonzero(inputs == unit):
                first = i // per_group * outputs  # of the outputs that read the group of input i
                met.append(weight[first : first + outputs, i % per_group].ravel())
            found += rule(np.concatenate(met)) if met else 0.0
        totals[unit] = found
    return totals


@given(PLANS, st.sampled_from(["magnitude", "l2"]))
@settings(max_examples=15)
def test_the_score_of_a_channel_is_the_sum_over_the_layers_that_read_it(plan, criterion):
    model, _, scores = scored(plan, criterion=criterion)
    rule = {"magnitude": lambda w: np.abs(w).sum(), "l2": lambda w: np.sqrt((w**2).sum())}[criterion]
    totals = by_hand(model, scores, rule)
    for name, array in scores.items():
        ids = scores.units.of[name]
        np.testing.assert_allclose(array, [totals.get(unit, 0.0) for unit in ids], rtol=1e-12)


def test_the_units_are_those_of_neurons_and_filters(framework):
    model, x, scores = scored(BLOCK, framework)
    filters, neurons = (pv.importance(model, granularity=g, example=x) for g in ("filter", "neuron"))
    assert scores.total == filters.total + neurons.total
    assert set(scores) == {*filters, *neurons}
    assert scores.units.of.keys() == filters.units.of.keys()


@given(PLANS, SHARES, st.sampled_from(WEIGHTS_ONLY), st.sampled_from(["global", "layer"]))
@settings(max_examples=12)
def test_twins_lose_the_same_channels_bit_for_bit(plan, share, criterion, scope):
    if plan.dims == 3:
        plan = plan._replace(dims=2)  # Keras has no depthwise convolution of volumes
    options = {"granularity": "channel", "criterion": criterion}
    scores = [
        pv.importance(build(plan, name), example=images(plan, name), **options) for name in ("torch", "keras")
    ]
    assert scores[0] == scores[1]
    masks = [pv.rank(found, scope, keep_at_least=1).mask(share) for found in scores]
    assert masks[0] == masks[1]


@pytest.mark.parametrize("name", ["lenet_300_100", "lenet_5_bn"])
def test_twins_of_the_zoo_lose_the_same_channels_bit_for_bit(name):
    x, y = (array[:100] for array in pv.datasets.mnist().validation)
    models = [getattr(pv.zoo, name)(framework) for framework in ("torch", "keras", "tf_keras")]
    for criterion in WEIGHTS_ONLY:
        masks = [
            pv.prune(model, 0.5, granularity="channel", criterion=criterion, example=x[:1])
            for model in models
        ]
        assert masks[0] == masks[1] == masks[2]
    for criterion in ("gradient", "taylor"):
        scores = [
            pv.importance(model, granularity="channel", criterion=criterion, data=(x, y)) for model in models
        ]
        for layer in scores[0]:
            for twin in scores[1:]:
                np.testing.assert_allclose(twin[layer], scores[0][layer], rtol=1e-3, atol=1e-7)


@pytest.mark.parametrize("home", ["torch", "keras", "tf_keras"])
@given(PLANS, SHARES)
@settings(max_examples=4)
def test_masks_of_channels_are_applied_and_removed(home, plan, share):
    if home != "torch" and plan.dims == 3:
        plan = plan._replace(dims=2)
    model, x = build(plan, home), images(plan, home)
    options = {"granularity": "channel", "example": x, "keep_at_least": 1, "exclude": "auto"}
    assume(pv.prune(model, 0, **options).total)
    mask = pv.prune(model, share, **options)
    thin = pv.apply(model, mask)
    for name, kept in mask.items():
        assert not pv.network(thin)[name].weight[~kept].any()
    small = pv.remove(model, mask, x[:2])
    assert pv.check_removed(model, mask, small, x) <= 1e-5
    sizes = {layer.name: len(layer.weight) for layer in pv.network(small).layers}
    assert all(sizes[name] == np.count_nonzero(kept) for name, kept in mask.items())


def test_the_first_order_effect_of_a_channel_is_that_of_switching_it_off(framework):
    """Taylor, signed over all consumers, is the derivative by a factor in front of the channel."""
    data = labelled(CHAIN, framework)
    model, _, scores = scored(CHAIN, framework, criterion="taylor", data=data)
    slopes, consumer = frameworks.adapter(model).gradients(data, None), pv.network(model)["s2"]
    expected = np.abs((consumer.weight.astype(np.float64) * slopes["s2"]).sum(axis=(0, 2, 3)))
    np.testing.assert_allclose(scores["s0"], expected, rtol=1e-12)


def labelled(plan, framework):
    x = images(plan, framework)
    return x, np.arange(len(x)) % 3


def test_fpgm_compares_the_slices_of_one_reader(framework):
    model, _, scores = scored(CHAIN, framework, criterion="fpgm")
    slices = pv.network(model)["s2"].weight.astype(np.float64).transpose(1, 0, 2, 3).reshape(4, -1)
    expected = [sum(np.linalg.norm(one - other) for other in slices) for one in slices]
    np.testing.assert_allclose(scores["s0"], expected, rtol=1e-12)


def test_behind_a_flatten_a_channel_is_all_its_columns(framework):
    model, _, scores = scored(CHAIN, framework, criterion="l2")
    weight = pv.network(model)["d0"].weight.astype(np.float64)
    columns = weight.reshape(len(weight), 6, -1).transpose(1, 0, 2).reshape(6, -1)
    np.testing.assert_allclose(scores["s2"], np.linalg.norm(columns, axis=1), rtol=1e-12)
    assert columns.shape[1] > len(weight), "the images have more than one place"


@pytest.mark.parametrize("granularity", ["filter", "channel"])
def test_bn_scale_scores_what_is_not_excluded(granularity, framework):
    model, x = pv.zoo.lenet_5_bn(framework), np.zeros((1, 28, 28, 1), np.float32)
    options = {"granularity": granularity, "criterion": "bn_scale", "scope": "layer", "example": x}
    mask = pv.prune(model, 0.5, exclude=["fc1", "fc2"], **options)
    twin = pv.zoo.lenet_5_bn("torch")
    for name, norm in (("conv1", twin.bn1), ("conv2", twin.bn2)):
        scale = norm.weight.detach().abs().numpy()
        assert scale[mask[name]].min() >= scale[~mask[name]].max()
    if granularity == "channel":
        with pytest.raises(ValueError, match="needs a BatchNorm with a scale after layer 'fc1': exclude"):
            pv.prune(model, 0.5, **options)


def test_layers_that_cannot_be_scored_are_excluded_everywhere():
    model, data = pv.zoo.lenet_5_bn("torch"), (np.zeros((1, 28, 28, 1), np.float32), np.zeros(1, int))
    options = {"granularity": "channel", "criterion": "bn_scale", "exclude": ["fc1", "fc2"]}
    mask = pv.prune(model, 0.5, example=data[0], **options)
    (card,) = pv.sweep(model, data, [0.5], **options)
    assert card == pv.scorecard(pv.apply(model, mask), data, name="50%")
    (done,) = pv.iterate(model, lambda _: 0.5, lambda *_: None, data, rounds=1, **options)
    assert done.mask == mask
    with pv.prune_while_training(model, lambda _: 0.5, example=data[0], **options) as pruning:
        pruning.after_step()
    assert pruning.mask == mask


def test_a_function_scores_weights_or_inputs(framework):
    for plan in (CHAIN, BLOCK):
        _, _, usual = scored(plan, framework, criterion="magnitude")
        _, _, ours = scored(plan, framework, criterion=lambda layer: np.abs(layer.weight))
        assert usual == ours
    _, _, counted = scored(CHAIN, framework, criterion=lambda layer: np.ones(layer.shape[1]))
    np.testing.assert_array_equal(counted["s0"], np.ones(4))
    np.testing.assert_array_equal(counted["d0"], np.ones(5))
    _, _, negative = scored(CHAIN, framework, criterion=lambda layer: -np.ones(layer.shape[1]))
    np.testing.assert_array_equal(negative["s0"], -np.ones(4))


def test_what_scores_no_channels_is_refused():
    model, x = build(CHAIN, "torch"), images(CHAIN, "torch")

    def ask(**options):
        return pv.importance(model, granularity="channel", example=x, **options)

    with pytest.raises(
        ValueError, match="criterion 'activation' does not score channels: choose one of magnitude"
    ):
        ask(criterion="activation", data=labelled(CHAIN, "torch"))
    with pytest.raises(ValueError, match="criterion 'taylor' needs data"):
        ask(criterion="taylor")
    with pytest.raises(ValueError, match=r"scores of shape \(3,\) for layer 's2'"):
        ask(criterion=lambda _: np.ones(3))
    with pytest.raises(TypeError, match="criterion must be a name or a function of a Layer, not 3"):
        ask(criterion=3)
    with pytest.raises(ValueError, match="importance of layer 's2' is NaN"):
        ask(criterion=lambda layer: np.full(layer.shape, np.nan))


def test_by_unit_fills_up_with_zeros():
    weight = np.arange(1, 9.0).reshape(2, 4)  # two outputs, four inputs: units 7, none, 3, 7
    np.testing.assert_array_equal(by_unit(weight, np.array([7, -1, 3, 7])), [[3, 7, 0, 0], [1, 5, 4, 8]])
    grouped = np.arange(1, 5.0).reshape(4, 1)  # two groups of two outputs, one input each
    np.testing.assert_array_equal(by_unit(grouped, np.array([1, 0])), [[3, 4], [1, 2]])
