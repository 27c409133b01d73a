"""Units: what is tied, what counts, what a structured mask may say, and what applying it zeroes."""

import numpy as np
import pytest
from architectures import PLANS, Plan, build, images
from hypothesis import given, settings
from hypothesis import strategies as st
from twins import keras, torch, weights_of

import pruneviz as pv
from pruneviz import frameworks
from pruneviz.core import criteria
from pruneviz.core.arrays import number_to_prune

SHARES = st.decimals(0, 1, places=2).map(float)
BLOCK = Plan((("conv", 4), ("bn", 0), ("residual", 0), ("depthwise", 2), ("conv", 5), ("gate", 3)))


def scored(plan, framework="torch", granularity="filter", **options):
    model, x = build(plan, framework), images(plan, framework)
    return model, x, pv.importance(model, granularity=granularity, example=x, **options)


@given(PLANS, SHARES)
@settings(max_examples=15)
def test_counts_are_exact_and_masks_monotone(plan, share):
    _, _, scores = scored(plan)
    for scope in ("global", "layer"):
        ranking = pv.rank(scores, scope, keep_at_least=1)
        mask, more = ranking.mask(share), ranking.mask(1)
        wanted = pv.rank(scores, scope)
        sizes = dict(wanted.pools.values())
        cuts = {pool: number_to_prune(share, size) for pool, size in sizes.items()}
        try:
            assert wanted.mask(share).pruned == sum(cuts.values())
            assert wanted.mask(share) == mask
        except ValueError as error:
            assert "leaves layer" in str(error)  # noqa: PT017
            assert mask.pruned <= sum(cuts.values())
        assert mask.total == sum(sizes.values())
        assert all(kept.any() for kept in more.values())
        assert all(not (more[name] & ~mask[name]).any() for name in mask)
        assert ranking.mask(0).pruned == 0


def test_what_is_tied_goes_together(framework):
    model, x, scores = scored(BLOCK, framework)
    # conv, BatchNorm, the sum, and the depthwise convolution behind it are one group of 4 units; the last
    # convolution is tied to the gate; the gate's own first layer is dense, so no filter.
    mask = pv.rank(scores, "layer").mask(0.5)
    assert list(mask) == ["s0", "s2", "s3", "s4", "s5b"]
    assert (mask.total, mask.pruned) == (9, 5)
    assert np.array_equal(mask["s0"], mask["s2"])
    assert np.array_equal(mask["s3"], np.repeat(mask["s0"], 2))
    assert np.array_equal(mask["s4"], mask["s5b"])
    neurons = pv.prune(model, 0.5, granularity="neuron", example=x)
    assert list(neurons) == ["s5a", "d0"]
    assert neurons.total == 3 + 5


def test_excluding_a_member_excludes_the_unit(framework):
    model, x, _ = scored(BLOCK, framework)
    mask = pv.prune(model, 0.5, granularity="filter", example=x, exclude=["s3"])
    assert list(mask) == ["s4", "s5b"]
    assert mask.total == 5


def test_scopes_of_groups(framework):
    model, x, _ = scored(BLOCK, framework)

    def prune(**options):
        return pv.prune(model, granularity="filter", example=x, **options)

    mask = prune(scope={"s2": 0.25})
    assert np.count_nonzero(~mask["s0"]) == 1
    assert mask["s4"].all()
    with pytest.raises(ValueError, match=r"'s0' and 's2' different sparsities"):
        prune(scope={"s0": 0.25, "s2": 0.5})
    with pytest.raises(ValueError, match=r"leaves layer 's0' without filters: .*keep_at_least=1"):
        prune(sparsity=1)
    assert {np.count_nonzero(kept) for kept in prune(sparsity=1, keep_at_least=2).values()} == {2, 4}
    with pytest.raises(ValueError, match="keep_at_least is -1"):
        prune(sparsity=1, keep_at_least=-1)


def test_global_scores_are_divided_by_the_mean_of_their_group():
    model = torch.nn.Sequential(
        torch.nn.Linear(6, 4), torch.nn.ReLU(), torch.nn.Linear(4, 4), torch.nn.ReLU(), torch.nn.Linear(4, 3)
    )
    x = np.ones((1, 6), np.float32)
    before = pv.prune(model, 0.5, granularity="neuron", example=x, keep_at_least=1)
    with torch.no_grad():
        model[2].weight *= 1000
    assert pv.prune(model, 0.5, granularity="neuron", example=x, keep_at_least=1) == before


def test_a_unit_that_reaches_the_output_stays():
    model = torch.nn.Sequential(torch.nn.Conv2d(2, 4, 3), torch.nn.Conv2d(4, 4, 1, groups=4))
    example = np.ones((1, 5, 5, 2), np.float32)
    assert not pv.prune(model, 0, granularity="filter", example=example)
    with pytest.raises(ValueError, match="no filters to prune: 0's are what the model gives; 1's are what"):
        pv.prune(model, 0.5, granularity="filter", example=example)


def test_grouped_convolutions_tie_equal_indices_of_their_groups():
    model = torch.nn.Sequential(
        torch.nn.Conv2d(2, 4, 1), torch.nn.Conv2d(4, 6, 1, groups=2), torch.nn.Conv2d(6, 3, 1)
    )
    x = np.ones((1, 5, 5, 2), np.float32)
    mask = pv.prune(model, 0.5, granularity="filter", example=x, scope="layer")
    assert mask.total == 2 + 3
    assert np.array_equal(mask["0"][:2], mask["0"][2:])
    assert np.array_equal(mask["1"][:3], mask["1"][3:])
    small = pv.remove(model, mask, x)
    assert (small[1].groups, small[1].in_channels, small[1].out_channels) == (2, 2, 2)


@given(PLANS, st.sampled_from([0.3, 0.7]))
@settings(max_examples=5)
def test_apply_zeroes_all_that_belongs_to_a_unit_and_nothing_else(plan, share):
    for framework in ("torch", "keras"):
        model, x, scores = scored(plan, framework)
        before = weights_of(model)
        mask = pv.rank(scores, keep_at_least=1).mask(share)
        after = weights_of(pv.apply(model, mask))
        assert after.keys() == before.keys()
        for name, array in after.items():
            layer = name.rpartition(".")[0]
            if layer in mask:
                assert not array[~mask[layer]].any()
                assert np.array_equal(array[mask[layer]], before[name][mask[layer]])
        units = mask.units
        gone = np.zeros(len(units.groups) + 1, bool)
        for layer, kept in mask.items():
            gone[units.of[layer][~kept]] = True
        gone[-1] = False
        for norm, parts in frameworks.adapter(model).norms().items():
            for name in parts.values():
                assert not after[name][gone[units.norms[norm]]].any()
                assert np.array_equal(
                    after[name][~gone[units.norms[norm]]], before[name][~gone[units.norms[norm]]]
                )
        by_hand = pv.Mask(mask.to_dict(), "filter")
        again = weights_of(pv.apply(model, by_hand, x))
        assert all(np.array_equal(again[name], after[name]) for name in after)


def test_masks_that_prune_a_part_of_a_unit_are_refused(framework):
    model, x, scores = scored(BLOCK, framework)
    arrays = pv.rank(scores, "layer").mask(0.5).to_dict()
    for change, words in [
        ({"s2": np.ones(4, bool)}, r"output \d of layer 's2' is tied to layer 's0'"),
        ({"out": np.array([True, False, True])}, "output 1 of layer 'out' must stay"),
        ({"s0": np.ones(3, bool)}, r"layer 's0' has shape \(3,\)"),
        ({"s9": np.ones(3, bool)}, "names layer 's9'"),
    ]:
        mask = pv.Mask({**arrays, **change}, "filter")
        with pytest.raises(ValueError, match=words):
            pv.apply(model, mask, x)
        with pytest.raises(ValueError, match=words):
            pv.remove(model, mask, x)
    empty = {name: np.zeros(len(array), bool) for name, array in arrays.items() if name in ("s4", "s5b")}
    with pytest.raises(ValueError, match="without outputs"):
        pv.remove(model, pv.Mask(empty, "filter"), x)


def test_masks_combine_with_their_units():
    model, x, scores = scored(BLOCK)
    first = pv.rank(scores, "layer", exclude=["s4"]).mask(0.5)
    second = pv.rank(scores, "layer", exclude=["s0"]).mask(0.5)
    both = first & second
    assert both == pv.rank(scores, "layer").mask(0.5)
    assert (both.total, both.pruned) == (9, 5)
    assert pv.check_removed(model, both, pv.remove(model, both, x), x) <= 1e-5


def test_unit_criteria_are_what_their_formulas_say(framework):
    plan = Plan((("conv", 4), ("bn", 0), ("act", 0)), dense=())
    model, x = build(plan, framework), images(plan, framework, n=12)
    data = x, np.arange(12) % 3
    layer = pv.network(model)["s0"]
    flat = layer.weight.reshape(4, -1).astype(np.float64)

    def score(criterion, **options):
        return pv.importance(model, granularity="filter", criterion=criterion, example=x, **options)["s0"]

    np.testing.assert_allclose(score("magnitude"), np.abs(flat).sum(1))
    np.testing.assert_allclose(score("l2"), np.linalg.norm(flat, axis=1))
    np.testing.assert_allclose(score("fpgm"), [sum(np.linalg.norm(a - b) for b in flat) for a in flat])
    np.testing.assert_allclose(score(lambda one: one.weight**2), (flat**2).sum(1), rtol=1e-6)
    np.testing.assert_allclose(score(lambda one: np.arange(len(one.weight))), np.arange(4))
    slopes = frameworks.adapter(model).gradients(data, None)["s0"].reshape(4, -1)
    np.testing.assert_allclose(score("gradient", data=data), np.abs(slopes).sum(1))
    np.testing.assert_allclose(score("taylor", data=data), np.abs((flat * slopes).sum(1)), rtol=1e-6)
    arrays = weights_of(model)
    scale = arrays["s1.weight"] if framework == "torch" else arrays["s1.gamma"]
    np.testing.assert_allclose(score("bn_scale"), np.abs(scale))
    shift, mean, var = (
        arrays[f"s1.{name}"]
        for name in (
            ("bias", "running_mean", "running_var")
            if framework == "torch"
            else ("beta", "moving_mean", "moving_variance")
        )
    )
    padded = np.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    outputs = np.einsum("nhwcij,ocij->nhwo", windows, layer.weight) + layer.bias
    after = np.maximum((outputs - mean) / np.sqrt(var + 1e-5) * scale + shift, 0)
    np.testing.assert_allclose(score("activation", data=data), after.mean((0, 1, 2)), rtol=1e-4)
    np.testing.assert_allclose(score("apoz", data=data), (after > 0).mean((0, 1, 2)), atol=0.01)
    assert np.array_equal(score("random", seed=1), score("random", seed=1))
    assert not np.array_equal(score("random", seed=1), score("random", seed=2))


def test_scores_of_a_unit_are_sums_over_its_producers():
    model, _, scores = scored(BLOCK)
    net = pv.network(model)
    parts = {name: criteria.unit_magnitude(net[name]) for name in ("s0", "s2", "s3")}
    np.testing.assert_allclose(scores["s0"], parts["s0"] + parts["s2"] + parts["s3"].reshape(4, 2).sum(1))
    np.testing.assert_allclose(scores["s3"], np.repeat(scores["s0"], 2))


def test_bn_scale_needs_a_batchnorm():
    with pytest.raises(ValueError, match="needs a BatchNorm with a scale after layer 's4'"):
        scored(BLOCK, criterion="bn_scale")
    with pytest.raises(ValueError, match=r"'apoz' needs data=\(x, y\)"):
        scored(BLOCK, criterion="apoz")
    with pytest.raises(ValueError, match="criterion 'size' is not one of magnitude, l2, fpgm"):
        scored(BLOCK, criterion="size")


def test_training_keeps_pruned_units_at_zero(framework):
    model, x, scores = scored(BLOCK, framework)
    mask = pv.rank(scores, "layer").mask(0.5)
    thin = pv.apply(model, mask)
    with (
        pytest.raises(ValueError, match=r"layer 's0' has .* not zero: train the copy"),
        pv.keep_pruned(model, mask),
    ):
        pass
    with pv.keep_pruned(thin, mask):
        if framework == "torch":
            optimizer = torch.optim.Adam(thin.train().parameters(), 0.01)
            for _ in range(3):
                optimizer.zero_grad()
                thin(torch.from_numpy(x).permute(0, 3, 1, 2)).square().mean().backward()
                optimizer.step()
            thin.eval()
        else:
            thin.compile("adam", "mse")
            thin.fit(x, np.ones((len(x), 3), np.float32), epochs=3, verbose=0)
    after = weights_of(thin)
    zeroed = weights_of(pv.apply(thin, mask))
    assert all(np.array_equal(after[name], zeroed[name]) for name in after)
    assert pv.check_removed(thin, mask, pv.remove(thin, mask, x), x) <= 1e-5


def test_a_channel_axis_that_is_padded_is_refused_by_name():
    inputs = keras.Input((5, 2))
    hidden = keras.layers.Conv1D(4, 3, name="c")(inputs)
    turned = keras.layers.Permute((2, 1))(hidden)
    padded = keras.layers.ZeroPadding1D(1, name="wide")(turned)
    model = keras.Model(inputs, keras.layers.Dense(2)(keras.layers.Flatten()(padded)))
    with pytest.raises(ValueError, match=r"'wide' pads units with zeros; .*exclude=\['c'\]"):
        pv.prune(model, 0.5, granularity="filter")


def test_sweeps_take_units(framework):
    model, x = build(BLOCK, framework), images(BLOCK, framework)
    cards = pv.sweep(model, (x, np.arange(4) % 3), [0, 0.5, 1], granularity="filter", keep_at_least=1)
    assert cards[0].sparsity == 0
    assert 0 < cards[1].sparsity < cards[2].sparsity < 1
