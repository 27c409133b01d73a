"""Schedules and scorecards, by the data their artists hold."""

from types import SimpleNamespace

import numpy as np
import pytest
from artists import Stairs, labelled, overlaps
from twins import Spec, build, images

import pruneviz as pv

GRADUAL = Stairs(0.8, 100, 1000, 300)


def test_marks_stand_where_the_schedule_prunes():
    ax = pv.plot_schedule(GRADUAL, 1500)
    marks = labelled(ax, "prunes")
    assert list(marks.get_xdata()) == [100, 400, 700, 1000]
    assert list(marks.get_ydata()) == pytest.approx([0, 0.8 / 3, 1.6 / 3, 0.8])
    held = labelled(ax, "held")
    assert held.get_drawstyle() == "steps-post"
    assert list(held.get_xdata()) == [0, 100, 400, 700, 1000, 1500]
    assert list(held.get_ydata()) == pytest.approx([0, 0, 0.8 / 3, 1.6 / 3, 0.8, 0.8])
    formula = labelled(ax, "formula")
    assert np.allclose(formula.get_ydata(), [GRADUAL(step) for step in formula.get_xdata()])
    assert ax.get_xlim() == (0, 1500)
    assert "80% at step 1,500; it prunes 4 times from step 100 on." in pv.alt_text(ax)


def test_several_schedules_are_named_and_shown_to_their_end():
    ax = pv.plot_schedule({"gradual": GRADUAL, "at once": Stairs(0.8, 400, 400, 1)})
    assert ax.get_xlim() == (0, 1100)
    assert list(labelled(ax, "at once").get_xdata()) == [400]
    assert "it prunes 1 time from step 400 on" in pv.alt_text(ax)
    assert not overlaps(ax)


def test_frequent_pruning_keeps_its_data_and_thins_its_marks():
    marks = labelled(pv.plot_schedule(Stairs(0.5, 0, 5000, 1)), "prunes")
    assert marks.get_xdata().size == 5001
    assert marks.get_xdata().size / marks.get_markevery() <= 61


def test_a_schedule_that_never_prunes_stays_dense():
    ax = pv.plot_schedule(Stairs(0.5, 90, 200, 1), 50)
    assert list(labelled(ax, "held").get_ydata()) == [0, 0]
    assert "it prunes never" in pv.alt_text(ax)


def test_scorecards_show_what_they_say():
    model, (x, y) = build(Spec(), "torch"), images(40)
    dense = pv.scorecard(model, (x, y), "unpruned")
    sparse = pv.scorecard(pv.apply(model, pv.prune(model, 0.8)), (x, y), "80% of weights")
    ax = pv.plot_scorecards([dense, sparse])
    texts = [text.get_text() for text in ax.texts]
    for card in (dense, sparse):
        assert card.name in texts
        assert any(text.startswith(f"{100 * card.accuracy:g}") and "–" in text for text in texts)
        for number in (card.parameters, card.nonzero, card.macs, card.raw_bytes, card.gzip_bytes):
            assert f"{number:,}" in texts
    whole, part = (labelled(ax, f"nonzero {row}").get_width() for row in (0, 1))
    assert part / whole == pytest.approx(sparse.nonzero / dense.nonzero)
    assert labelled(ax, "macs 0").get_width() == labelled(ax, "macs 1").get_width()
    accuracy, most = labelled(ax, "accuracy 1").get_width(), 0.85 * 1.8
    assert accuracy / most == pytest.approx(sparse.accuracy)
    assert pv.alt_text(ax).count("MACs run") == 2
    assert not overlaps(ax)


def test_rows_can_be_called_otherwise():
    model, data = build(Spec(), "torch"), images(10)
    ax = pv.plot_scorecards({"a model with quite a long name": pv.scorecard(model, data)})
    assert ax.texts[-1].get_text() == "a model with quite a long name"
    assert not overlaps(ax)


@pytest.mark.parametrize(
    ("message", "call"),
    [
        ("schedule is empty", lambda: pv.plot_schedule({})),
        ("schedule is a float, not a schedule", lambda: pv.plot_schedule(0.5)),
        ("schedule is a function, not a schedule", lambda: pv.plot_schedule(lambda _: 0.5)),
        ("steps is missing, and a schedule never ends", lambda: pv.plot_schedule(Stairs(0.5, 1, -1, 1))),
        ("steps is 0, not a whole number from 1", lambda: pv.plot_schedule(GRADUAL, 0)),
        ("steps is 1.5", lambda: pv.plot_schedule(GRADUAL, 1.5)),
        ("schedule 'a' asks for a sparsity", lambda: pv.plot_schedule({"a": Stairs(90, 0, 10, 1)})),
        ("cards is empty", lambda: pv.plot_scorecards([])),
        ("cards has a SimpleNamespace, not a Scorecard", lambda: pv.plot_scorecards([SimpleNamespace()])),
    ],
)
def test_errors_name_the_argument_and_say_what_to_do(message, call):
    with pytest.raises((ValueError, TypeError), match=message):
        call()
