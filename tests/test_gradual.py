"""Pruning while training: on schedule, in any loop, and as tfmot does it."""

import contextlib
import itertools

import numpy as np
import pytest
import tensorflow_model_optimization as tfmot
from fine_tuning import compiled, torch_epoch
from twins import FRAMEWORKS, Spec, build, images, keras, same, tf_keras, torch, weights_of

import pruneviz as pv
from pruneviz.core.arrays import number_to_prune
from pruneviz.engine.model import Seen
from pruneviz.engine.pruning import zeros

SPEC = Spec((("conv", 4), ("dense", 6)))
CUBIC = pv.schedules.polynomial(0.5, 0.8, begin=1, end=4)
HOMES = {"keras": keras, "tf_keras": tf_keras}


def train(model, schedule, optimizer=None, rate=0.01, **options):
    """Train four steps with Adam; return the pruning, and mask and weights as each step found them."""
    x, y = images()
    seen = []

    def look(pruning):
        seen.append((pruning.mask, weights_of(model)))

    if isinstance(model, torch.nn.Module):
        optimizer = optimizer or torch.optim.Adam(model.parameters(), lr=rate)
        with pv.prune_while_training(model, schedule, optimizer, **options) as pruning:
            torch_epoch(model, optimizer, x, y, lambda: look(pruning))
    else:
        home = keras if isinstance(model, keras.Model) else tf_keras
        with pv.prune_while_training(model, schedule, **options) as pruning:
            watch = home.callbacks.LambdaCallback(on_train_batch_begin=lambda *_, **__: look(pruning))
            compiled(model, home.optimizers.Adam(rate))
            model.fit(x / 255, y, batch_size=10, verbose=0, callbacks=[watch, pruning.callback])
    return pruning, seen


@pytest.mark.parametrize("granularity", ["weight", "filter"])
def test_it_prunes_on_schedule_and_keeps_the_zeros(framework, granularity):
    model, x = build(SPEC, framework), images()[0]
    pruning, seen = train(model, CUBIC, granularity=granularity, example=x[:1], keep_at_least=1)
    assert (pruning.step, len(seen)) == (4, 4)
    for step, (mask, weights) in enumerate(seen, start=1):
        spared = 3 if granularity == "weight" else 1  # layers that keep at least one
        wanted = number_to_prune(CUBIC(step), mask.total)
        assert mask.total - spared >= mask.pruned == min(wanted, mask.total - spared)
        zeroed = zeros(Seen(model), mask)
        assert all(not weights[name][where].any() for name, where in zeroed.items())
    for (earlier, before), (later, after) in itertools.pairwise(seen):
        assert (earlier & later) == later
        assert not same(before, after)
    assert pruning.mask == seen[-1][0]
    assert same(weights_of(model), weights_of(pv.apply(model, pruning.mask)))
    assert repr(pruning).endswith(f"after 4 steps of {CUBIC!r}")


@pytest.mark.parametrize("kind", ["SGD", "Adam", "AdamW", "RMSprop"])
def test_zeros_survive_any_optimizer_with_a_history(framework, kind):
    options = {"SGD": {"momentum": 0.9}, "AdamW": {"weight_decay": 0.1}}.get(kind, {})
    model = build(Spec((("dense", 6),)), framework)
    x, y = images()
    late = pv.schedules.one_shot(0.6, begin=5)  # by then each weight has moved for four steps
    if framework == "torch":
        optimizer = getattr(torch.optim, kind)(model.parameters(), lr=0.01, **options)
        with pv.prune_while_training(model, late, optimizer) as pruning:
            for _ in range(2):
                torch_epoch(model, optimizer, x, y)
    else:
        optimizer = getattr(HOMES[framework].optimizers, kind)(0.01, **options)
        with pv.prune_while_training(model, late) as pruning:
            compiled(model, optimizer)
            model.fit(x / 255, y, batch_size=10, epochs=2, verbose=0, callbacks=[pruning.callback])
    assert pruning.step == 8
    assert pruning.mask.sparsity == pytest.approx(0.6, abs=1e-3)
    assert same(weights_of(model), weights_of(pv.apply(model, pruning.mask)))


def test_nothing_is_pruned_before_its_time():
    model = build(SPEC, "torch")
    schedule = pv.schedules.linear(0.2, 0.6, begin=2, end=4, frequency=2)
    _, seen = train(model, schedule)
    assert [mask.sparsity for mask, _ in seen] == pytest.approx([0, 0.2, 0.2, 0.6], abs=1e-3)
    _, seen = train(build(SPEC, "torch"), lambda step: step / 10)
    assert [mask.sparsity for mask, _ in seen] == pytest.approx([0.1, 0.2, 0.3, 0.4], abs=1e-3)


@pytest.mark.parametrize("scope", ["global", "layer"])
def test_twins_are_pruned_alike_at_equal_weights(scope):
    masks = [
        [mask for mask, _ in train(build(SPEC, name), CUBIC, rate=0.0, scope=scope)[1]] for name in FRAMEWORKS
    ]
    assert masks[0] == masks[1] == masks[2]


def tfmot_masks(model, schedule, rate):
    """Train with tfmot; give what it zeroed in each of the steps."""
    prunes = tfmot.sparsity.keras.PolynomialDecay(
        schedule.initial, schedule.final, schedule.begin, schedule.end, 3, schedule.frequency
    )
    wrapped = tfmot.sparsity.keras.prune_low_magnitude(model, pruning_schedule=prunes)
    compiled(wrapped, tf_keras.optimizers.Adam(rate))
    seen = []

    def look(*_, **__):
        layers = [layer for layer in wrapped.layers if getattr(layer, "pruning_vars", None)]
        seen.append([layer.pruning_vars[0][1].numpy().astype(bool) for layer in layers])

    x, y = images()
    watch = tf_keras.callbacks.LambdaCallback(on_train_batch_end=look)
    callbacks = [tfmot.sparsity.keras.UpdatePruningStep(), watch]
    wrapped.fit(x / 255, y, batch_size=10, verbose=0, callbacks=callbacks, shuffle=False)
    return seen


def test_masks_equal_those_of_tfmot_with_the_same_schedule():
    spec = Spec((("dense", 5),))  # shares of 960 and of 20 weights are whole numbers
    schedule = pv.schedules.polynomial(0.5, 0.8, begin=1, end=3, frequency=2)
    for rate, steps in (
        (0.0, 4),
        (0.01, 2),
    ):  # when weights move, tfmot lets some come back at the second turn
        _, ours = train(build(spec, "tf_keras"), schedule, rate=rate, scope="layer")
        theirs = tfmot_masks(build(spec, "tf_keras"), schedule, rate)
        for (mask, _), kept in itertools.islice(zip(ours, theirs, strict=True), steps):
            assert len(kept) == len(mask)
            assert all(np.array_equal(mask[name], k.T) for name, k in zip(mask, kept, strict=True))


def test_on_exit_everything_is_put_back(framework):
    model = build(SPEC, framework)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01) if framework == "torch" else None
    pruning, _ = train(model, CUBIC, optimizer)
    x, y = images()
    if framework == "torch":
        assert not optimizer._optimizer_step_post_hooks
        torch_epoch(model, optimizer, x, y)
    else:
        model.fit(x / 255, y, verbose=0)
        assert all(weight.constraint is None for weight in model.trainable_weights)
    assert not same(weights_of(model), weights_of(pv.apply(model, pruning.mask)))
    assert pruning.step == 4


def test_zeros_hold_when_training_is_interrupted(framework):
    model, steps = build(SPEC, framework), []
    x, y = images()

    def interrupt(*_, **__):
        steps.append(weights_of(model))
        if len(steps) == 3:
            raise KeyboardInterrupt

    optimizer = torch.optim.Adam(model.parameters(), lr=0.01) if framework == "torch" else None
    if optimizer:
        optimizer.register_step_post_hook(interrupt)  # before the zeros are restored, at the worst moment
    with contextlib.suppress(KeyboardInterrupt), pv.prune_while_training(model, CUBIC, optimizer) as pruning:
        if optimizer:
            torch_epoch(model, optimizer, x, y)
        else:
            watch = HOMES[framework].callbacks.LambdaCallback(on_train_batch_end=interrupt)
            callbacks = [watch, pruning.callback]
            compiled(model).fit(x / 255, y, batch_size=10, verbose=0, callbacks=callbacks)
    assert pruning.step == 2
    assert any(steps[2][f"{name}.weight"][~kept].any() for name, kept in pruning.mask.items())
    assert pruning.mask.sparsity == pytest.approx(CUBIC(3), abs=1e-3)
    assert same(weights_of(model), weights_of(pv.apply(model, pruning.mask)))


def test_steps_of_other_models_do_not_count():
    model, other = build(SPEC, "torch"), build(SPEC, "torch")
    x, y = images()
    with pv.prune_while_training(model, CUBIC) as pruning:
        torch_epoch(other, torch.optim.SGD(other.parameters(), 0.1), x, y)
        assert pruning.step == 0
        torch_epoch(model, torch.optim.SGD(model.parameters(), 0.1), x, y)
    assert pruning.step == 4


def test_a_loop_of_your_own_may_tell_it_the_steps():
    model = build(SPEC, "keras")
    with pv.prune_while_training(model, CUBIC) as pruning:
        for _ in range(4):
            pruning.after_step()
    assert pruning.mask == pv.prune(build(SPEC, "keras"), 0.8)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"schedule": 0.9}, TypeError, r"schedule is 0\.9"),
        ({"optimizer": "adam"}, TypeError, "optimizer"),
        ({"scope": {"out": 0.5}}, ValueError, 'scope must be "global" or "layer"'),
        ({"criteria": "l2"}, TypeError, "unknown argument criteria"),
        ({"criterion": "l3"}, ValueError, "criterion 'l3'"),
        ({"schedule": lambda _: 90}, ValueError, "sparsity 90"),
        ({}, RuntimeError, "no training step was seen"),
    ],
)
def test_bad_input_leaves_the_model_alone(framework, options, error, words):
    model = build(SPEC, framework)
    before = weights_of(model)
    options = {"schedule": pv.schedules.one_shot(0.5, begin=2), **options}
    with pytest.raises(error, match=words), pv.prune_while_training(model, **options):
        pass
    assert same(before, weights_of(model))


@pytest.mark.parametrize("home", HOMES.values())
def test_fit_refuses_what_would_let_zeros_slip(home):
    model, other = build(SPEC, home.__name__), build(SPEC, home.__name__)
    x, y = images()
    loss = home.losses.SparseCategoricalCrossentropy(from_logits=True)
    for trained, steps, words in ((other, 1, "another model"), (model, 2, "steps_per_execution=1")):
        trained.compile("adam", loss, steps_per_execution=steps)
        with (
            pytest.raises(ValueError, match=words),
            pv.prune_while_training(model, CUBIC) as pruning,
        ):
            trained.fit(x / 255, y, verbose=0, callbacks=[pruning.callback])
