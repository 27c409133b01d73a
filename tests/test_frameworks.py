"""The adapters: the same arrays mean the same network in every framework."""

from types import CellType, FunctionType

import numpy as np
import pytest
from hypothesis import given, settings
from torch.nn.utils import prune as torch_prune
from twins import SPECS, Spec, build, images, keras, same, tf_keras, torch, weights_of

import pruneviz as pv
from pruneviz import frameworks
from pruneviz.measures.scorecards import uses


@given(SPECS)
@settings(max_examples=30)
def test_twins_compute_the_same(spec):
    x, y = images(12)
    spec = spec._replace(ties=False)  # rounded weights put ReLUs on their kink, where slopes may differ
    adapters = [frameworks.adapter(build(spec, name)) for name in ("torch", "keras", "tf_keras")]
    outputs = [adapter.predict(x) for adapter in adapters]
    times = [uses(adapter, x) for adapter in adapters]
    slopes = [adapter.gradients((x, y), None) for adapter in adapters]
    for other in (1, 2):
        np.testing.assert_allclose(outputs[other], outputs[0], rtol=1e-4, atol=1e-4)
        assert times[other] == times[0]
        assert slopes[other].keys() == slopes[0].keys()
        for name in slopes[0]:
            np.testing.assert_allclose(slopes[other][name], slopes[0][name], rtol=1e-3, atol=1e-5)


@given(SPECS)
@settings(max_examples=15)
def test_looking_changes_nothing(spec):
    for name in ("torch", "keras", "tf_keras"):
        model = build(spec, name)
        before = weights_of(model)
        adapter = frameworks.adapter(model)
        adapter.predict(images()[0])
        uses(adapter, images()[0])
        adapter.gradients(images(), None)
        assert same(before, weights_of(model))


def test_weights_are_read_only_views(framework):
    model = build(Spec(), framework)
    for layer in pv.network(model).layers:
        assert not layer.weight.flags.writeable
        assert not layer.weight.flags.owndata
        with pytest.raises(ValueError, match="read-only"):
            layer.weight[0] = 0


def waiting():
    def later():
        return to_come

    to_come = None
    return FunctionType(later.__code__, globals(), closure=(CellType(),))


def test_a_function_that_waits_for_what_it_reads_is_copied(framework):
    model = build(Spec(), framework)
    model.later = waiting()
    assert pv.apply(model, pv.prune(model, 0.5)).later is model.later


KNOWN, PATH = object(), "a global, and the name of an attribute"


def test_what_a_function_reads_is_found_wherever_it_reads_it():
    outside, first, last = object(), object(), object()

    def reads(x, one=first, *, other=last):
        return [(x.PATH, KNOWN, one, other) for _ in range(2)], lambda: outside

    found = frameworks.read_by(reads)
    assert {id(each) for each in (KNOWN, outside, first, last)} <= set(map(id, found))
    assert PATH not in found


def test_uses_count_the_multiplications_of_a_known_network():
    model = torch.nn.Sequential(
        torch.nn.Conv2d(3, 5, 3), torch.nn.Flatten(), torch.nn.Linear(5 * 6 * 6, 7, bias=False)
    )
    assert uses(frameworks.adapter(model), images()[0]) == {"0": 36, "2": 1}
    shared = torch.nn.Linear(8, 8)
    twice = torch.nn.Sequential(shared, torch.nn.ReLU(), shared)
    assert uses(frameworks.adapter(twice), np.zeros((1, 8), np.float32)) == {"0": 2}


def test_training_mode_and_hooks_are_restored():
    model = build(Spec(), "torch")
    model.train()
    model[0].eval()
    pv.scorecard(model, images())
    assert model.training
    assert not model[0].training
    assert not model[0]._forward_hooks


def test_gradients_do_not_disturb_those_of_the_learner():
    model = build(Spec(), "torch")
    model[0].weight.requires_grad_(False)
    scores = pv.importance(model, criterion="taylor", data=images())
    assert scores["l0"].any()
    assert all(parameter.grad is None for parameter in model.parameters())
    assert not model[0].weight.requires_grad


def test_a_final_softmax_is_recognised():
    spec = Spec(activation="softmax")
    plain = [
        pv.importance(build(Spec(), name), criterion="gradient", data=images()) for name in ("torch", "keras")
    ]
    soft = [
        pv.importance(build(spec, name), criterion="gradient", data=images()) for name in ("torch", "keras")
    ]
    for name in plain[0]:
        np.testing.assert_allclose(soft[0][name], plain[0][name], rtol=1e-3, atol=1e-6)
        np.testing.assert_allclose(soft[1][name], plain[0][name], rtol=1e-3, atol=1e-6)


def test_own_losses_are_used():
    torch_scores = pv.importance(
        build(Spec(), "torch"), criterion="gradient", data=images(), loss=lambda out, _: (out**2).mean()
    )
    keras_scores = pv.importance(
        build(Spec(), "keras"),
        criterion="gradient",
        data=images(),
        loss=lambda out, _: keras.ops.mean(out**2),
    )
    for name in torch_scores:
        np.testing.assert_allclose(keras_scores[name], torch_scores[name], rtol=1e-3, atol=1e-6)


def test_nested_layers_are_named_by_their_path():
    inner = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(3, name="b")], name="inner")
    model = keras.Sequential([keras.layers.Input((4,)), inner, keras.layers.Dense(2, name="c")])
    assert list(pv.network(model)) == ["inner.b", "c"]
    thin = pv.apply(model, pv.prune(model, 0.5))
    assert pv.prune(thin, 0.5) == pv.prune(model, 0.5)


def test_images_are_reshaped_only_to_a_declared_input_of_equal_size():
    model = keras.Sequential([keras.layers.Input((192,)), keras.layers.Dense(4)])
    assert frameworks.adapter(model).predict(images()[0]).shape == (40, 4)


def test_bfloat16_is_seen_as_float32_and_kept_as_it_is():
    model = build(Spec(), "torch").to(torch.bfloat16)
    thin = pv.apply(model, pv.prune(model, 0.5))
    assert pv.network(model)["l0"].weight.dtype == np.float32
    assert thin[0].weight.dtype == torch.bfloat16


def test_a_weight_that_two_layers_share_is_listed_once():
    first, second = torch.nn.Linear(4, 4), torch.nn.Linear(4, 4)
    second.weight = first.weight
    assert list(pv.network(torch.nn.Sequential(first, second))) == ["0"]


def test_what_is_no_model_is_refused_by_its_type():
    with pytest.raises(TypeError, match=r"builtins\.dict, not a torch\.nn\.Module"):
        pv.network({})
    with pytest.raises(TypeError, match="Tensor"):
        pv.network(torch.ones(3))


def test_models_without_weights_are_refused():
    for home in (keras, tf_keras):
        with pytest.raises(ValueError, match="no weights yet"):
            pv.network(home.Sequential([home.layers.Dense(3)]))
    with pytest.raises(ValueError, match="layer '0' has no weights yet"):
        pv.network(torch.nn.Sequential(torch.nn.LazyLinear(3)))


def test_weights_that_are_not_finite_are_refused_by_layer(framework):
    model = build(Spec(), framework)
    adapter = frameworks.adapter(model)
    broken = adapter.copy_with({"out.weight": np.full_like(pv.network(model)["out"].weight, np.nan)})
    with pytest.raises(ValueError, match="layer 'out' has weights that are NaN"):
        pv.prune(broken, 0.5)


def test_modules_masked_or_parametrized_by_torch_are_refused():
    masked = build(Spec(), "torch")
    torch_prune.l1_unstructured(masked.l0, "weight", 0.5)
    with pytest.raises(ValueError, match=r"'l0' is masked by torch\.nn\.utils\.prune"):
        pv.network(masked)
    normed = build(Spec(), "torch")
    torch.nn.utils.parametrizations.weight_norm(normed.l0)
    with pytest.raises(ValueError, match="'l0' is parametrized"):
        pv.network(normed)
