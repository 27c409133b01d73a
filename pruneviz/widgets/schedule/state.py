"""What a schedule's sliders say: as a schedule, as a plan of rounds, and as code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from pruneviz import schedules
from pruneviz.core.arrays import number_to_prune
from pruneviz.methods.gradual import prunes_at
from pruneviz.widgets.frame.code import filled

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

State: TypeAlias = "Mapping[str, Any]"

STATE = ("kind", "initial", "final", "begin", "end", "power", "frequency", "budget")
KINDS = ("one_shot", "constant", "linear", "exponential", "cosine", "polynomial", "article")

_CODE = """\
import pruneviz as pv


def shown_run(model, fine_tune, data):
    # a step of the schedule is a round
    {schedule}
    for done in pv.iterate(model, schedule, fine_tune, data, rounds={budget}{words}):
        print(done)
        yield done


shown_rounds = list(shown_run({model}, {fine_tune}, {data}))
"""


def schedule_of(state: State) -> schedules.Schedule:
    """Make the schedule of `pruneviz.schedules` that a state describes.

    Parameters
    ----------
    state
        The traits named in `STATE`.

    Raises
    ------
    ValueError
        If they contradict each other.
    """
    kind, final = state["kind"], state["final"]
    if kind == "one_shot":
        return schedules.one_shot(final, first_round(state))
    when = {name: state[name] for name in ("begin", "end", "frequency")}
    if kind == "constant":
        return schedules.constant(final, **when)
    if kind == "article":
        return schedules.custom(_article(state), **when)
    more = {"power": state["power"]} if kind == "polynomial" else {}
    made: schedules.Schedule = getattr(schedules, kind)(state["initial"], final, **when, **more)
    return made


def first_round(state: State) -> int:
    """Give the round in which one_shot prunes: there is no round 0."""
    return max(1, int(state["begin"]))


def plan(state: State, pools: Iterable[int]) -> list[dict[str, Any]]:
    """Tell what each round will prune and leave, before anything is trained.

    Parameters
    ----------
    state
        The traits named in `STATE`.
    pools
        How many entries are ranked together: all of them, or those of each layer.

    Returns
    -------
    list of dict
        For each round: ``round``, ``prunes`` (whether it does), ``sparsity`` (after it), ``leave`` (how many
        entries go) and ``left``.
    """
    schedule, sizes = schedule_of(state), list(pools)
    share, pruned, total, found = 0.0, 0, sum(sizes), []
    for number in range(1, state["budget"] + 1):
        before, prunes = pruned, prunes_at(schedule, number)
        if prunes and schedule(number) > share:  # what is pruned stays pruned
            share = schedule(number)
            pruned = sum(number_to_prune(share, size) for size in sizes)
        found.append(
            {
                "round": number,
                "prunes": prunes,
                "sparsity": share,
                "leave": pruned - before,
                "left": total - pruned,
            }
        )
    return found


def code_of(state: State, words: Mapping[str, str]) -> str:
    """Write a snippet that builds the schedule and runs it.

    Parameters
    ----------
    state
        The traits named in `STATE`.
    words
        The arguments of `pruneviz.iterate`, name -> code: ``model``, ``fine_tune``, ``data`` and others.
    """
    first = {name: words[name] for name in ("model", "fine_tune", "data")}
    others = "".join(f", {name}={code}" for name, code in words.items() if name not in first)
    lines = _schedule_code(state).replace("\n", "\n    ")
    return filled(_CODE, schedule=lines, budget=str(state["budget"]), words=others, **first)


def _schedule_code(state: State) -> str:
    """Write the line that makes the schedule, and tfmot's where it is the same; so does state.js."""
    n = {name: f"{value:g}" for name, value in state.items() if name != "kind"}
    n |= {name: repr(state[name]).removesuffix(".0") for name in ("initial", "final", "power")}
    kind = state["kind"]
    when = f"begin={n['begin']}, end={n['end']}, frequency={n['frequency']}"
    steps = f"begin_step={n['begin']}, end_step={n['end']}, frequency={n['frequency']}"
    if kind == "one_shot":
        return f"schedule = pv.schedules.one_shot({n['final']}, begin={first_round(state)})"
    if kind == "article":
        rise = f"({n['final']} - {n['initial']}) * progress**{n['power']}"
        return f"schedule = pv.schedules.custom(lambda progress: {rise}, {when})"
    ends = n["final"] if kind == "constant" else f"{n['initial']}, {n['final']}"
    power = f", power={n['power']}" if kind == "polynomial" else ""
    line = f"schedule = pv.schedules.{kind}({ends}, {when}{power})"
    if state["final"] == 1 or (kind != "constant" and state["begin"] == state["end"]):
        return line  # tfmot refuses the one, and divides by zero for the other
    if kind == "constant":
        return f"{line}\n# tfmot: ConstantSparsity({n['final']}, {steps})"
    if kind in ("linear", "polynomial"):
        power = n["power"] if kind == "polynomial" else "1"
        return f"{line}\n# tfmot: PolynomialDecay({ends}, {steps}, power={power})"
    return line


def _article(state: State) -> schedules.Curve:
    """Give the formula that an article prints: S = (S_e - S_0) ((t - t_0) / (t_e - t_0)) ** alpha."""
    rise, power = state["final"] - state["initial"], state["power"]
    return lambda progress: float(rise * progress**power)


def words_of(state: State) -> str:
    """Describe a schedule in a few words, as a name for a run."""
    kind = {"one_shot": "one-shot", "article": "article's formula"}.get(state["kind"], state["kind"])
    ends = state["final"] - (state["initial"] if state["kind"] == "article" else 0)
    return f"{kind} to {round(100 * ends, 2):g}%"
