"""Schedules: tfmot's own, step for step; the others by what they promise."""

import itertools
import math
import pickle

import numpy as np
import pytest
import tensorflow_model_optimization as tfmot
from hypothesis import given
from hypothesis import strategies as st

from pruneviz import schedules

SHARES = st.integers(0, 99).map(lambda hundredths: hundredths / 100)
PAIRS = st.tuples(SHARES, SHARES).map(sorted)
RAMPS = [schedules.linear, schedules.cosine, schedules.polynomial, schedules.exponential]
ALL = [
    schedules.one_shot(0.9),
    schedules.constant(0.5, 2, 10, 3),
    schedules.linear(0, 1, 0, 5),
    schedules.cosine(0.1, 0.8, 1, 9),
    schedules.polynomial(0.5, 0.8, 2000, 4000, power=2.5, frequency=100),
    schedules.exponential(0, 0.9, 0, 5),
    schedules.custom(math.sqrt, 0, 5),
]


@given(PAIRS, st.integers(0, 20), st.integers(1, 40), st.integers(1, 7), st.sampled_from([1, 2, 3, 4.5]))
def test_polynomial_is_polynomial_decay_of_tfmot(ends, begin, length, frequency, power):
    arguments = (*ends, begin, begin + length, power, frequency)
    ours, theirs = schedules.polynomial(*arguments), tfmot.sparsity.keras.PolynomialDecay(*arguments)
    for step in range(begin + length + 10):
        prunes, sparsity = theirs(step)
        assert ours.prunes_at(step) == bool(prunes)
        assert ours(step) == pytest.approx(float(sparsity), abs=1e-6)  # theirs is float32


@given(SHARES, st.integers(0, 9), st.integers(0, 20) | st.just(-1), st.integers(1, 7))
def test_constant_is_constant_sparsity_of_tfmot(share, begin, length, frequency):
    end = -1 if length == -1 else begin + length
    ours = schedules.constant(share, begin, end, frequency)
    theirs = tfmot.sparsity.keras.ConstantSparsity(share, begin, end, frequency)
    for step in range(40):
        prunes, sparsity = theirs(step)
        assert ours.prunes_at(step) == bool(prunes)
        assert ours(step) == pytest.approx(float(sparsity), abs=1e-6)


@pytest.mark.parametrize("ramp", RAMPS)
@given(PAIRS, st.integers(0, 20), st.integers(0, 40))
def test_ramps_go_from_initial_to_final_and_never_back(ramp, ends, begin, length):
    schedule = ramp(*ends, begin, begin + length)
    if length:
        assert schedule(begin) == ends[0]
    values = [schedule(step) for step in range(begin + length + 3)]
    assert values[:begin] == [ends[0]] * begin
    assert set(values[begin + length :]) == {ends[1]}
    assert all(0 <= a <= b for a, b in itertools.pairwise(values))
    assert (schedule.initial, schedule.final) == tuple(ends)
    assert [step for step in range(70) if schedule.prunes_at(step)] == list(range(begin, begin + length + 1))


def test_curves_differ_as_their_names_say():
    linear, cosine, cubic, exponential = (ramp(0, 0.9, 0, 10) for ramp in RAMPS)
    steps = np.array([[ramp(step) for step in range(11)] for ramp in (linear, cosine, cubic, exponential)])
    assert np.diff(steps[0]) == pytest.approx(0.09)
    assert steps[1, 5] == pytest.approx(0.45)
    assert np.diff(steps[1])[5] == np.diff(steps[1]).max()
    assert np.diff(steps[2]).argmax() == 0
    left = 1 - steps[3]
    assert left[1:] / left[:-1] == pytest.approx(0.1**0.1)


def test_twenty_per_cent_a_round():
    tickets = schedules.exponential(0, 1 - 0.8**3, begin=0, end=3)
    assert [tickets(k) for k in range(1, 4)] == pytest.approx([0.2, 0.36, 0.488])


def test_one_shot_prunes_once():
    schedule = schedules.one_shot(0.9, begin=4)
    assert [step for step in range(20) if schedule.prunes_at(step)] == [4]
    assert [schedule(step) for step in (0, 3, 4, 5)] == [0, 0, 0.9, 0.9]


@pytest.mark.parametrize("schedule", ALL, ids=lambda schedule: schedule.name)
def test_a_schedule_can_be_written_down_and_read_again(schedule):
    assert schedules.from_dict(schedule.to_dict()) == schedule
    assert pickle.loads(pickle.dumps(schedule)) == schedule
    assert hash(schedule) == hash(schedules.from_dict(schedule.to_dict()))
    if schedule.name != "custom":
        assert eval(repr(schedule), vars(schedules)) == schedule
    assert repr(schedule).startswith(f"{schedule.name}(")


def test_it_prints_as_it_was_made():
    assert repr(schedules.one_shot(0.9)) == "one_shot(sparsity=0.9, begin=1)"
    made = "polynomial(initial=0.5, final=0.8, begin=2000, end=4000, power=3, frequency=100)"
    assert repr(schedules.polynomial(0.5, 0.8, 2000, 4000, frequency=100)) == made


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: schedules.linear(0, 90, 0, 5), ValueError, r"final is 90, not a share .* write 0\.9"),
        (lambda: schedules.linear(-0.1, 0.9, 0, 5), ValueError, "initial is -0.1, not a share"),
        (lambda: schedules.linear(0, float("nan"), 0, 5), ValueError, "final is nan"),
        (lambda: schedules.linear(0, True, 0, 5), TypeError, "final is True, not a number"),
        (lambda: schedules.linear(0, "0.9", 0, 5), TypeError, "final is '0.9', not a number"),
        (lambda: schedules.linear(0.9, 0.5, 0, 5), ValueError, "initial 0.9 is above final 0.5"),
        (lambda: schedules.linear(0, 0.9, 5, 4), ValueError, "end 4 comes before begin 5"),
        (lambda: schedules.linear(0, 0.9, -1, 4), ValueError, "begin is -1"),
        (lambda: schedules.linear(0, 0.9, 0, 4.5), ValueError, "end is 4.5, not a whole number"),
        (lambda: schedules.linear(0, 0.9, 0, -1), ValueError, "end is -1, but linear needs an end"),
        (lambda: schedules.constant(0.9, 0, -2), ValueError, "end is -2"),
        (lambda: schedules.linear(0, 0.9, 0, 4, 0), ValueError, "frequency is 0"),
        (lambda: schedules.polynomial(0, 0.9, 0, 4, power=0), ValueError, "power is 0"),
        (lambda: schedules.exponential(0, 1, 0, 4), ValueError, "final is 1: .* never gets there"),
        (lambda: schedules.custom(0.9, 0, 4), TypeError, "function is 0.9"),
        (lambda: schedules.custom(lambda p: 2 * p, 0, 4), ValueError, r"function\(1\) is 2.0, not a share"),
        (lambda: schedules.one_shot(0.9)("first"), TypeError, "step is 'first', not a number"),
        (lambda: schedules.from_dict({"name": "cubic"}), ValueError, "name 'cubic' is not one of one_shot"),
        (lambda: schedules.from_dict({"name": "one_shot", "end": 3}), ValueError, "takes .*, not end"),
    ],
)
def test_bad_input_is_refused_by_name(make, error, words):
    with pytest.raises(error, match=words):
        make()
