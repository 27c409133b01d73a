"""ScheduleExplorer without a browser: its schedule against pv.schedules, its runs against pv.iterate."""

import asyncio
import json
import threading

import numpy as np
import pytest
import tensorflow_model_optimization as tfmot
import traitlets
from fine_tuning import fine_tune
from hypothesis import given
from hypothesis import strategies as st
from js.make_schedule_fixtures import FIXTURES, fixtures
from live import from_browser, record, weight_of
from twins import Spec, build, images, same, weights_of

import pruneviz as pv
from pruneviz.core.arrays import number_to_prune
from pruneviz.widgets.schedule import state as schedule_state

SPEC = Spec((("conv", 4), ("dense", 6)))
ROUNDS = 3


def nothing(model, mask, seed):
    """Train nothing: what the schedule asks for is then all that changes."""
    del model, mask, seed


def opened(framework="torch", train=nothing, **options):
    return pv.ScheduleExplorer(build(SPEC, framework), train, images(), **({"rounds": ROUNDS} | options))


def shown(rounds):
    return [(r.number, r.mask.to_dict(), weights_of(r.model), r.card.predictions.tolist()) for r in rounds]


def equal(first, second):
    assert len(first) == len(second) > 0
    for (number, mask, weights, answers), (number_2, mask_2, weights_2, answers_2) in zip(
        first, second, strict=True
    ):
        assert (number, answers) == (number_2, answers_2)
        assert same(mask, mask_2)
        assert same(weights, weights_2)
    return True


class Gate:
    """A fine_tune that waits in each round until it is let through: a test decides what meets what."""

    def __init__(self, train=nothing):
        self.train, self.began, self.open = train, threading.Semaphore(0), threading.Semaphore(0)

    def __call__(self, model, mask, seed):
        self.began.release()
        assert self.open.acquire(timeout=60)
        self.train(model, mask, seed)

    async def reached(self):
        assert await asyncio.to_thread(self.began.acquire, timeout=60)


async def until(condition):
    for _ in range(3000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("waited for 30 seconds")


# -- the schedule ------------------------------------------------------------------------------------------


@given(
    st.sampled_from(schedule_state.KINDS),
    st.tuples(st.integers(0, 9999), st.integers(0, 9999)).map(sorted),
    st.tuples(st.integers(0, 12), st.integers(0, 12)).map(sorted),
    st.integers(1, 800),
    st.integers(1, 4),
)
def test_the_schedule_is_that_of_the_sliders(kind, shares, when, power, frequency):
    (initial, final), (begin, end) = (tuple(share / 10_000 for share in shares), when)
    state = {"kind": kind, "initial": initial, "final": final, "begin": begin, "end": end}
    state |= {"power": power / 100, "frequency": frequency, "budget": 12}
    made = schedule_state.schedule_of(state)
    more = {"begin": begin, "end": end, "frequency": frequency}
    expected = {
        "one_shot": lambda: pv.schedules.one_shot(final, max(1, begin)),
        "constant": lambda: pv.schedules.constant(final, **more),
        "polynomial": lambda: pv.schedules.polynomial(initial, final, power=power / 100, **more),
        "article": lambda: pv.schedules.custom(lambda p: (final - initial) * p ** (power / 100), **more),
    }.get(kind, lambda: getattr(pv.schedules, kind)(initial, final, **more))()
    assert [made(step) for step in range(13)] == [expected(step) for step in range(13)]
    assert [made.prunes_at(step) for step in range(13)] == [expected.prunes_at(step) for step in range(13)]
    scope: dict = {"pv": pv}
    exec(schedule_state._schedule_code(state), scope)
    assert [scope["schedule"](step) for step in range(13)] == [expected(step) for step in range(13)]


def test_the_plan_is_what_rounds_then_do():
    view = opened(rounds=5, kind="cosine", initial=0.1, final=0.8, begin=1, end=4, frequency=2)
    plan = view.plan()
    assert [row["prunes"] for row in plan] == [True, False, True, False, False]
    assert [row["sparsity"] for row in plan] == [0.1, 0.1, view.schedule()(3), *[view.schedule()(3)] * 2]
    for row, done in zip(plan, view.run(), strict=True):
        assert row["left"] == done.mask.kept
        assert (
            row["leave"]
            == (plan[row["round"] - 2]["left"] if row["round"] > 1 else done.mask.total) - row["left"]
        )


@pytest.mark.parametrize(
    ("granularity", "scope"), [("weight", "layer"), ("filter", "layer"), ("neuron", "global")]
)
def test_the_plan_counts_what_is_ranked_together(granularity, scope):
    view = opened(granularity=granularity, scope=scope, keep_at_least=1, final=0.5)
    assert [row["left"] for row in view.plan()] == [done.mask.kept for done in view.run()]
    assert view.noun == f"{granularity}s"


def test_what_is_pruned_stays_pruned_in_the_plan():
    state = {"kind": "article", "initial": 0.5, "final": 0.8, "begin": 0, "end": 4, "power": 3.0}
    plan = schedule_state.plan({**state, "frequency": 1, "budget": 5}, [1000])
    assert [row["left"] for row in plan] == [995, 962, 873, 700, 700]  # it ends at 0.8 - 0.5
    assert sum(row["leave"] for row in plan) == number_to_prune(0.3, 1000)


def test_values_that_pass_each_other_go_along():
    view = opened(rounds=6)
    view.begin = 4
    view.end = 2
    assert (view.begin, view.end) == (2, 2)
    view.begin = 5
    assert (view.begin, view.end) == (5, 5)
    view.budget = 3
    assert (view.begin, view.end) == (3, 3)
    view.initial = 0.95
    assert view.final == 0.95
    view.final = 0.5
    assert view.initial == 0.5
    assert view.schedule().final == 0.5


@pytest.mark.parametrize(
    ("trait", "value", "words"),
    [
        ("final", 90, "final 90.0 is not a share.*mean 0.9"),
        ("initial", -0.1, "initial"),
        ("final", np.nan, "final"),
        ("begin", 4, "begin is 4: give a whole number from 0 to 3"),
        ("end", -1, "end is -1"),
        ("frequency", 0, "frequency is 0"),
        ("budget", 0, "budget is 0: give a whole number from 1 to 100"),
        ("power", 0, "power is 0"),
        ("power", np.inf, "power is inf"),
        ("kind", "cubic", "kind"),
        ("against", "time", "against"),
    ],
)
def test_traits_out_of_range_are_refused(trait, value, words):
    view = opened()
    before = view.state()
    with pytest.raises(traitlets.TraitError, match=words):
        setattr(view, trait, value)
    assert view.state() == before


def test_exponential_never_reaches_everything():
    view = opened(kind="exponential")
    with pytest.raises(traitlets.TraitError, match="never gets there"):
        view.final = 1
    view.kind, view.final = "linear", 1
    with pytest.raises(traitlets.TraitError, match="never gets there"):
        view.kind = "exponential"
    assert view.schedule().name == "linear"


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"speed": 1}, TypeError, "takes no speed"),
        ({"begin": 3, "end": 2}, ValueError, "end 2 comes before begin 3"),
        ({"initial": 0.5, "final": 0.2}, ValueError, "initial 0.5 is above final 0.2"),
        ({"rounds": 0}, traitlets.TraitError, "budget is 0"),
        ({"granularity": "kernel"}, ValueError, "kernel"),
        ({"scope": {"conv": 0.5}}, ValueError, "scope"),
        ({"exclude": ["fc9"]}, ValueError, "fc9"),
        ({"train": "fine_tune"}, TypeError, "fine_tune"),
        ({"start": "rewind"}, ValueError, "start"),
        ({"show": ["curves"]}, traitlets.TraitError, "show"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_is_shown(options, error, words):
    with pytest.raises(error, match=words):
        opened(**options)


# -- runs --------------------------------------------------------------------------------------------------


def test_a_run_is_iterate_and_leaves_the_model_alone(framework):
    view = opened(framework, fine_tune, rounds=2, seed=5, final=0.7, kind="linear")
    before = weights_of(view._model)
    schedule = pv.schedules.linear(0, 0.7, begin=0, end=2)
    expected = list(pv.iterate(view._model, schedule, fine_tune, images(), rounds=2, seed=5))
    done = view.run()
    assert equal(shown(done), shown(expected))
    assert same(weights_of(view._model), before)
    assert view.dense == pv.scorecard(view._model, images()).correct
    assert [row["correct"] for row in view.runs[0]["rounds"]] == [r.card.correct for r in expected]
    assert (view.running, view.training, view.progress, view.runs[0]["status"]) == (False, 0, 0, "finished")


@pytest.mark.parametrize("framework", ["torch", "keras"])
def test_pause_and_resume_give_an_uninterrupted_run_bit_for_bit(framework):
    gate = Gate(fine_tune)
    view = opened(framework, gate, rounds=2)

    async def interrupted():
        from_browser(view, running=True, paused=False)
        await gate.reached()
        assert (view.running, view.training, view.rounds) == (True, 1, [])
        from_browser(view, paused=True)  # while the round trains
        gate.open.release()
        await until(lambda: view.training == 0)
        assert (len(view.rounds), view.running, view.paused) == (1, True, True)
        await asyncio.sleep(0.1)
        assert not gate.began.acquire(blocking=False)
        with pytest.raises(RuntimeError, match="resume"):
            await view.finished()
        from_browser(view, paused=False)
        assert view.training == 2
        gate.open.release(ROUNDS)
        return await view.finished()

    again = opened(framework, fine_tune, rounds=2)
    assert equal(shown(asyncio.run(interrupted())), shown(again.run()))
    assert view.runs == again.runs


def test_cancel_leaves_the_finished_rounds_and_throws_the_one_under_way_away():
    gate = Gate(fine_tune)
    view = opened(train=gate)

    async def cancelled():
        view.start()
        gate.open.release()
        await until(lambda: len(view.rounds) == 1)
        await gate.reached()
        await gate.reached()
        from_browser(view, running=False)
        assert (view.running, view.training, view.runs[0]["status"]) == (False, 0, "cancelled")
        finished = await view.finished()
        gate.open.release()
        view.kind = "linear"
        view.start()  # waits for the thread that still trains the round
        gate.open.release(ROUNDS)
        return finished, await view.finished()

    finished, later = asyncio.run(cancelled())
    assert [done.number for done in finished] == [1]
    assert pv.scorecard(finished[0].model, images(), name="round 1") == finished[0].card
    assert [(run["status"], len(run["rounds"])) for run in view.runs] == [("cancelled", 1), ("finished", 3)]
    assert len(later) == ROUNDS
    assert equal(shown(later), shown(opened(train=fine_tune, kind="linear").run()))


def test_an_error_in_fine_tune_is_told_and_the_view_goes_on():
    def fails(model, mask, seed):
        del model, seed
        if mask.sparsity > 0.7:
            raise ValueError("the loss is NaN")

    view = opened(train=fails, kind="linear")
    with pytest.raises(ValueError, match="the loss is NaN"):
        view.run()
    assert view.problem == "linear to 90%, round 3 failed: ValueError: the loss is NaN"
    assert [done.number for done in view.rounds] == [1, 2]
    assert (view.running, view.runs[0]["status"]) == (False, "failed")

    async def background():
        view.start()
        await view.finished()

    with pytest.raises(ValueError, match="the loss is NaN"):
        asyncio.run(background())
    view.final = 0.5
    assert len(view.run()) == ROUNDS
    assert view.problem == ""


def test_an_interrupt_leaves_the_finished_rounds():
    def interrupts(model, mask, seed):
        del model, seed
        if mask.sparsity > 0.5:
            raise KeyboardInterrupt

    view = opened(train=interrupts, kind="linear")
    with pytest.raises(KeyboardInterrupt):
        view.run()
    assert len(view.rounds) == 1
    assert (view.running, view.runs[0]["status"]) == (False, "cancelled")


def test_a_run_without_a_loop_hears_cancel_too():
    def cancels(model, mask, seed):  # as a press of the button does, heard in another thread
        del model, seed
        if mask.sparsity > 0.5:
            view.cancel()

    view = opened(train=cancels, kind="linear")
    assert [done.number for done in view.run()] == [1]
    assert view.runs[0]["status"] == "cancelled"


def test_one_run_at_a_time_and_none_without_a_loop():
    gate = Gate()
    view = opened(train=gate)
    with pytest.raises(RuntimeError, match="call run"):
        view.start()
    with pytest.raises(RuntimeError, match="call run"):
        view.running = True
    assert not view.running
    assert view.runs == []

    async def twice():
        view.start()
        with pytest.raises(RuntimeError, match="a run is on"):
            view.run()
        gate.open.release(ROUNDS)
        await view.finished()

    asyncio.run(twice())
    view.paused = True
    assert not view.paused  # there is nothing to pause


def test_runs_are_overlaid_named_and_removed():
    view = opened()
    view.run()
    view.kind = "one_shot"
    view.run()
    view.name = "gradual"
    view.kind = "polynomial"
    view.run()
    assert [run["name"] for run in view.runs] == ["polynomial to 90%", "one-shot to 90%", "gradual"]
    assert view.name == ""
    assert [run["schedule"]["budget"] for run in view.runs] == [ROUNDS] * 3
    view.run()
    assert view.runs[-1]["name"] == "polynomial to 90% (2)"
    from_browser(view, runs=[{**run, "name": "all at once"} for run in view.runs if run["id"] == 2])
    assert [run["name"] for run in view.runs] == ["all at once"]
    assert len(view.rounds_of("all at once")) == ROUNDS
    with pytest.raises(ValueError, match="gradual"):
        view.rounds_of("gradual")
    from_browser(view, runs=[{"id": 2, "name": "", "rounds": []}, {"id": 77, "name": "forged"}])
    assert len(view.runs) == 1
    assert len(view.runs[0]["rounds"]) == ROUNDS
    assert json.loads(json.dumps(view.runs)) == view.runs
    view.runs = []
    assert view.rounds == []


def test_it_is_measured_as_other_views_are():
    view = opened()
    view.measure()
    asyncio.run(view.measured())
    assert [run["status"] for run in view.runs] == ["finished", "finished"]
    assert asyncio.run(view.finished()) == view.rounds


def test_rounds_can_rewind():
    model = build(SPEC, "torch")
    view = pv.ScheduleExplorer(model, nothing, images(), rounds=2, start=model, kind="linear")
    rounds = view.run()
    assert same(weights_of(rounds[-1].model), weights_of(pv.apply(model, rounds[-1].mask)))


# -- messages, code, pictures ------------------------------------------------------------------------------


def test_a_move_costs_nothing_and_a_round_one_small_message():
    view = opened(rounds=20)
    sent = record(view)
    for step in range(1000):
        from_browser(view, final=round(0.9 - step / 10_000, 4), end=step % 20, begin=0, moving=step < 999)
    assert (view.final, view.end, view.moving) == (0.8001, 19, False)
    assert sent == []
    view.run()
    updates = [message for message in sent if message[0]["method"] == "update"]
    assert len(updates) <= view.budget + 4
    assert max(weight_of([message]) for message in updates) < 10_000


@pytest.mark.parametrize("kind", schedule_state.KINDS)
def test_show_code_gives_the_same_run(kind):
    view = opened(
        kind=kind, initial=0.2, final=0.7, power=2.5, begin=1, end=2, seed=4, scope="layer", exclude=["l0"]
    )
    scope = {"model": view._model, "fine_tune": nothing, "data": images()}
    exec(view.snippet, scope)
    assert equal(shown(scope["shown_rounds"]), shown(view.run()))


def test_show_code_names_what_is_not_a_word():
    def own(layer):
        return np.abs(layer.weight)

    view = opened(criterion=own, start=build(SPEC, "torch"), scored_on=images())
    assert "criterion=criterion" in view.snippet
    assert "scored_on=scored_on" in view.snippet
    assert "start=start" in view.snippet


@pytest.mark.parametrize("kind", schedule_state.KINDS)
@pytest.mark.parametrize("when", [(0, 3), (1, 1)])
def test_show_code_names_tfmot_only_where_it_is_the_same(kind, when):
    view = opened(kind=kind, initial=0.1, final=0.8, power=2.5, begin=when[0], end=when[1])
    (line,) = [line.strip() for line in view.snippet.splitlines() if "# tfmot: " in line] or [""]
    if kind in ("constant", "linear", "polynomial") and (kind == "constant" or when == (0, 3)):
        theirs = eval(line.removeprefix("# tfmot: "), vars(tfmot.sparsity.keras))
        for step in range(ROUNDS + 1):
            prunes, share = theirs(step)
            assert bool(prunes) == view.schedule().prunes_at(step)
            assert float(share) == pytest.approx(view.schedule()(step), abs=1e-6)
    else:
        assert line == ""
    view.final = 1.0 if kind != "exponential" else 0.9
    assert "tfmot" not in view.snippet or kind == "exponential"


def test_sentence_bundle_and_snapshot():
    view = opened(final=0.8, end=2)
    data, metadata = view._repr_mimebundle_()
    assert data["text/plain"] == view.sentence() == metadata["image/png"]["alt"]
    assert f"polynomial to 80% in 3 rounds leaves {view.plan()[-1]['left']:,} of" in view.sentence()
    view.run()
    view.against = "round"
    assert "trained: polynomial to 80%" in " ".join(view.sentence().split())
    figure = view.snapshot()
    assert len(figure.axes[0].patches) == 2 * (ROUNDS + 1)
    (trace,) = figure.axes[1].lines
    assert trace.get_xdata().tolist() == [0, 1, 2, 3]
    assert trace.get_ydata()[-1] == view.rounds[-1].card.accuracy
    assert len(opened(show=["curve"]).snapshot().axes) == 1


def test_exported_page_holds_the_runs(tmp_path):
    view = opened()
    view.run()
    view.export_html(tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text()
    assert "ScheduleExplorer" in page
    assert "polynomial to 90%" in page
    assert "http" not in page.replace("http://www.w3.org", "")


def test_fixtures_are_current():
    assert json.loads(FIXTURES.read_text()) == json.loads(json.dumps(fixtures()))
