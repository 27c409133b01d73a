"""The invariants of pruning weights, on both frameworks and against their own tools."""

import contextlib

import numpy as np
import pytest
import tensorflow_model_optimization as tfmot
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.utils import prune as torch_prune
from twins import FRAMEWORKS, SPECS, Spec, build, images, keras, same, tf_keras, torch, weights_of

import pruneviz as pv
from pruneviz.core import criteria

SHARES = st.decimals(0, 1, places=2).map(float)


@given(SPECS, SHARES, st.sampled_from(["global", "layer"]))
@settings(max_examples=30)
def test_twins_get_the_same_mask_bit_for_bit(spec, share, scope):
    masks = [pv.prune(build(spec, name), share, scope=scope) for name in FRAMEWORKS]
    assert masks[0] == masks[1] == masks[2]


@given(SPECS, SHARES)
@settings(max_examples=15)
def test_apply_zeroes_what_is_pruned_and_nothing_else(spec, share):
    for name in FRAMEWORKS:
        model = build(spec, name)
        before = weights_of(model)
        mask = pv.prune(model, share)
        thin = pv.apply(model, mask)
        after = weights_of(thin)
        assert same(before, weights_of(model))
        for layer, kept in mask.items():
            assert not after[f"{layer}.weight"][~kept].any()
            assert np.array_equal(after[f"{layer}.weight"][kept], before[f"{layer}.weight"][kept])
        assert all(np.array_equal(after[key], before[key]) for key in before if not key.endswith(".weight"))
        assert type(thin) is type(model)


def test_sparsity_zero_is_a_no_op_for_outputs_and_gradients(framework):
    model = build(Spec(), framework)
    thin = pv.apply(model, pv.prune(model, 0))
    card, dense = pv.scorecard(thin, images()), pv.scorecard(model, images())
    assert card.versus(dense).changed == 0
    slopes = pv.importance(thin, criterion="gradient", data=images())
    assert slopes == pv.importance(model, criterion="gradient", data=images())


def test_masks_equal_those_of_torch_prune():
    rng = np.random.default_rng(0)
    for share in rng.random(5).round(3):
        model = build(Spec((("conv", 4), ("dense", 16)), seed=int(share * 1000)), "torch")
        reference = build(Spec((("conv", 4), ("dense", 16)), seed=int(share * 1000)), "torch")
        layers = [getattr(reference, name) for name in pv.network(model)]
        torch_prune.global_unstructured(
            [(layer, "weight") for layer in layers],
            torch_prune.L1Unstructured,
            amount=pv.prune(model, share).pruned,
        )
        for kept, layer in zip(pv.prune(model, share).values(), layers, strict=True):
            assert np.array_equal(kept, layer.weight_mask.numpy().astype(bool))


@pytest.mark.parametrize("share", [0.25, 0.5, 0.9])
def test_masks_equal_those_of_tfmot(share):
    model = build(Spec((("conv", 4), ("dense", 16))), "tf_keras")
    schedule = tfmot.sparsity.keras.ConstantSparsity(share, begin_step=0, end_step=-1, frequency=1)
    wrapped = tfmot.sparsity.keras.prune_low_magnitude(model, pruning_schedule=schedule)
    wrapped.compile(tf_keras.optimizers.SGD(0.0), "sparse_categorical_crossentropy")
    x, y = images(4)
    wrapped.fit(x / 255, y, callbacks=[tfmot.sparsity.keras.UpdatePruningStep()], verbose=0)
    stripped = tfmot.sparsity.keras.strip_pruning(wrapped)
    ours = pv.prune(model, share, scope="layer")
    for layer in pv.network(stripped).layers:
        whole = float(share * layer.weight.size).is_integer()
        differing = np.count_nonzero(ours[layer.name] != (layer.weight != 0))
        assert differing <= (0 if whole else 1)  # it rounds the count its own way


OPTIMIZERS = {
    "sgd": ("SGD", {"lr": 0.1, "momentum": 0.9}),
    "adam": ("Adam", {"lr": 0.01}),
    "adamw": ("AdamW", {"lr": 0.01, "weight_decay": 0.1}),
    "rmsprop": ("RMSprop", {"lr": 0.01}),
}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("named", [True, False])
def test_torch_zeros_survive_training_with_history(optimizer, named):
    model = build(Spec(), "torch")
    kind, options = OPTIMIZERS[optimizer]
    thin = pv.apply(model, mask := pv.prune(model, 0.6))
    steps = getattr(torch.optim, kind)(thin.parameters(), **options)
    _torch_steps(thin, steps)
    assert revived(thin, mask)
    thin.load_state_dict(pv.apply(thin, mask).state_dict())
    before = weights_of(thin)
    with pv.keep_pruned(thin, mask, steps if named else None):
        _torch_steps(thin, steps)
        assert revived(thin, mask) == 0
    assert not same(before, weights_of(thin))
    _torch_steps(thin, steps)
    assert revived(thin, mask)


@pytest.mark.parametrize("home", [keras, tf_keras])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_keras_zeros_survive_training_with_history(home, optimizer):
    model = build(Spec(), home.__name__)
    kind, options = OPTIMIZERS[optimizer]
    options = {"learning_rate" if key == "lr" else key: value for key, value in options.items()}
    thin = pv.apply(model, mask := pv.prune(model, 0.6))
    thin.compile(getattr(home.optimizers, kind)(**options), _sparse_loss(home))
    x, y = images()
    thin.fit(x / 255, y, verbose=0)
    assert revived(thin, mask)
    thin.set_weights(pv.apply(thin, mask).get_weights())
    before = weights_of(thin)
    with pv.keep_pruned(thin, mask):
        thin.fit(x / 255, y, epochs=2, verbose=0)
        assert revived(thin, mask) == 0
    assert not same(before, weights_of(thin))
    thin.fit(x / 255, y, verbose=0)
    assert revived(thin, mask)


def test_zeros_hold_and_hooks_go_when_training_is_interrupted(framework):
    model = build(Spec(), framework)
    thin = pv.apply(model, mask := pv.prune(model, 0.6))
    with contextlib.suppress(KeyboardInterrupt), pv.keep_pruned(thin, mask):
        _train(thin)
        raise KeyboardInterrupt
    assert revived(thin, mask) == 0
    _train(thin)
    assert revived(thin, mask)


def test_keras_constraints_of_the_learner_stay_in_force():
    model = keras.Sequential(
        [keras.layers.Input((6,)), keras.layers.Dense(3, kernel_constraint="non_neg", name="a")]
    )
    thin = pv.apply(model, mask := pv.prune(model, 0.5))
    thin.compile("adam", _sparse_loss(keras))
    own = thin.layers[0].kernel.constraint
    with pv.keep_pruned(thin, mask):
        thin.fit(np.random.default_rng(0).random((32, 6)), np.arange(32) % 3, verbose=0)
    assert (thin.get_weights()[0] >= 0).all()
    assert revived(thin, mask) == 0
    assert thin.layers[0].kernel.constraint is own


def test_keep_pruned_refuses_weights_that_are_alive(framework):
    model = build(Spec(), framework)
    mask = pv.prune(model, 0.6)
    with (
        pytest.raises(ValueError, match=r"not zero: train the copy that pv\.apply"),
        pv.keep_pruned(model, mask),
    ):
        pass
    with pytest.raises(TypeError, match="optimizer"), pv.keep_pruned(pv.apply(model, mask), mask, "adam"):
        pass


def test_a_criterion_that_fails_leaves_the_model_alone(framework):
    model = build(Spec(), framework)
    before = weights_of(model)

    def failing(layer):
        if layer.name == "out":
            raise RuntimeError("half-way")
        return np.abs(layer.weight)

    with pytest.raises(RuntimeError, match="half-way"):
        pv.prune(model, 0.5, criterion=failing)
    assert same(before, weights_of(model))


def test_criteria_are_what_their_formulas_say(framework):
    model = build(Spec(), framework)
    data = images()
    slopes = pv.importance(model, criterion="gradient", data=data)
    taylor = pv.importance(model, criterion="taylor", data=data)
    random = pv.importance(model, criterion="random", seed=3)
    for layer in pv.network(model).layers:
        assert np.array_equal(pv.importance(model)[layer.name], np.abs(layer.weight))
        assert np.array_equal(pv.importance(model, criterion="l2")[layer.name], np.abs(layer.weight))
        np.testing.assert_allclose(taylor[layer.name], np.abs(layer.weight) * slopes[layer.name], rtol=1e-12)
        assert random[layer.name].min() >= 0
    assert random == pv.importance(model, criterion="random", seed=3)
    assert random != pv.importance(model, criterion="random", seed=4)
    assert pv.prune(model, 0.5, criterion=lambda layer: np.abs(layer.weight)) == pv.prune(model, 0.5)


def test_a_criterion_is_one_entry_of_the_table(framework, monkeypatch):
    smallest = criteria.Rule(
        "weights", lambda layer: -np.abs(layer.weight), lambda layer: -criteria.unit_magnitude(layer)
    )
    steepest = criteria.Rule(
        "gradients", lambda _, slope: slope**2, lambda _, slope: criteria.slices(slope**2).sum(axis=1)
    )
    largest = criteria.Rule("activations", unit=lambda array: np.abs(array) ** 2)
    entries = {"smallest": smallest, "steepest": steepest, "largest": largest}
    for name, rule in entries.items():
        monkeypatch.setitem(criteria.TABLE, name, rule)
    model, data = build(Spec((("conv", 4), ("conv", 3), ("dense", 6))), framework), images()
    for granularity in ("weight", "neuron", "filter", "channel"):
        options = {"granularity": granularity, "data": data, "keep_at_least": 1}
        mask = pv.prune(model, 0.5, criterion="smallest", **options)
        assert 0 < mask.pruned < mask.total
        usual = pv.importance(model, granularity=granularity, example=data[0])
        ours = pv.importance(model, granularity=granularity, criterion="smallest", example=data[0])
        for name in ours:
            np.testing.assert_array_equal(ours[name], -usual[name])
    for granularity in ("weight", "filter"):
        mask = pv.prune(model, 0.5, granularity=granularity, criterion="steepest", data=data, keep_at_least=1)
        assert 0 < mask.pruned < mask.total
    with pytest.raises(ValueError, match="criterion 'steepest' needs data"):
        pv.prune(model, 0.5, criterion="steepest")
    mask = pv.prune(model, 0.5, granularity="neuron", criterion="largest", data=data)
    assert 0 < mask.pruned < mask.total
    for granularity, known in (
        ("weight", "l2, gradient, taylor, wanda, random, smallest, steepest, or a function"),
        ("neuron", "random, smallest, steepest, largest, or a function"),
        ("channel", "random, reconstruction, smallest, steepest, or a function"),
    ):
        with pytest.raises(ValueError, match=known):
            pv.prune(model, 0.5, granularity=granularity, criterion="size", example=data[0])


def test_taylor_predicts_the_change_of_loss_of_a_small_cut():
    model = build(Spec((("dense", 6),)), "torch")
    x, y = images()
    scores = pv.importance(model, criterion="taylor", data=(x, y))["out"]
    where = np.unravel_index(scores.argmax(), scores.shape)
    inputs = torch.from_numpy(x).permute(0, 3, 1, 2).double() / 255
    model = model.double().eval()

    def loss_at(share):
        with torch.no_grad():
            saved = model.out.weight[where].item()
            model.out.weight[where] = saved * (1 - share)
            value = torch.nn.functional.cross_entropy(model(inputs), torch.from_numpy(y)).item()
            model.out.weight[where] = saved
        return value

    assert abs(loss_at(1e-4) - loss_at(0)) / 1e-4 == pytest.approx(scores.max(), rel=1e-2)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"criterion": "size"}, ValueError, "criterion 'size' is not one of magnitude"),
        ({"criterion": 3}, TypeError, "a name or a function of a Layer"),
        ({"criterion": ["taylor"]}, TypeError, "a name or a function of a Layer"),
        ({"criterion": "taylor"}, ValueError, r"needs data=\(x, y\)"),
        ({"criterion": lambda _: np.ones(3)}, ValueError, r"scores of shape \(3,\) for layer 'l0'"),
        ({"criterion": lambda layer: layer.weight * np.nan}, ValueError, "importance of layer 'l0' is NaN"),
        ({"granularity": "neurons"}, ValueError, "granularity 'neurons'"),
        ({"exclude": ["fc9"]}, ValueError, "exclude names no layer of the model: fc9; it has l0"),
        ({"sparsity": 90}, ValueError, r"did you mean 0\.9"),
        (
            {"criterion": "taylor", "data": (np.zeros((0, 8, 8, 3)), np.zeros(0, int))},
            ValueError,
            "at least one",
        ),
        ({"criterion": "taylor", "data": (np.zeros((2, 8, 8, 3)), np.eye(2))}, TypeError, "one-hot"),
        (
            {"criterion": "taylor", "data": (np.zeros((2, 8, 8, 3), int), np.zeros(2, int))},
            TypeError,
            "uint8",
        ),
        ({"criterion": "taylor", "data": [1, 2]}, TypeError, "pair"),
        ({"granularity": "filter", "criterion": "apoz", "data": 5}, TypeError, "pair"),
    ],
)
def test_bad_input_is_refused_by_name(options, error, words, framework):
    with pytest.raises(error, match=words):
        pv.prune(build(Spec(), framework), **{"sparsity": 0.5, **options})


def test_masks_that_do_not_fit_are_refused(framework):
    model = build(Spec(), framework)
    for mask, words in [
        (pv.Mask({"fc9": np.ones(3, bool)}), "layer 'fc9'; the model has l0"),
        (pv.Mask({"out": np.ones(3, bool)}), r"layer 'out' has shape \(3,\), its weight \(4, 6\)"),
        (pv.Mask({"out": np.ones(4, bool)}, "block"), "granularity 'block', not weight"),
    ]:
        with pytest.raises(ValueError, match=words):
            pv.apply(model, mask)
    with pytest.raises(TypeError, match="dict, not a Mask"):
        pv.apply(model, {})


def test_a_masked_model_is_an_ordinary_model(framework, tmp_path):
    model = build(Spec(), framework)
    thin = pv.apply(model, mask := pv.prune(model, 0.5))
    if framework == "torch":
        clean = build(Spec(seed=1), "torch")
        clean.load_state_dict(thin.state_dict())
    else:
        thin.save(tmp_path / "thin.keras")
        clean = (keras if framework == "keras" else tf_keras).models.load_model(tmp_path / "thin.keras")
    assert same(weights_of(clean), weights_of(thin))
    assert revived(clean, mask) == 0


def revived(model, mask):
    layers = pv.network(model)
    return sum(int(np.count_nonzero(layers[name].weight[~kept])) for name, kept in mask.items())


def _train(model):
    if isinstance(model, torch.nn.Module):
        _torch_steps(model, torch.optim.Adam(model.parameters(), lr=0.01))
        return
    home = keras if isinstance(model, keras.Model) else tf_keras
    model.compile("adam", _sparse_loss(home))
    x, y = images()
    model.fit(x / 255, y, verbose=0)


def _torch_steps(model, optimizer, steps=4):
    x, y = images()
    inputs = torch.from_numpy(x).permute(0, 3, 1, 2).float() / 255
    for _ in range(steps):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(inputs), torch.from_numpy(y)).backward()
        optimizer.step()


def _sparse_loss(home):
    return home.losses.SparseCategoricalCrossentropy(from_logits=True)
