"""How sparse a model should be at each step of its training, and at which steps to prune.

A step is whatever counts: an optimizer step for `pruneviz.prune_while_training`, a round for
`pruneviz.iterate`. Both count from 1. ``begin``, ``end`` and ``frequency`` mean what they mean in tfmot
(TensorFlow Model Optimization), whose frequency is 100 where ours is 1.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import Any, TypeAlias

from pruneviz.core.arrays import whole

__all__ = [
    "Schedule",
    "constant",
    "cosine",
    "custom",
    "exponential",
    "from_dict",
    "linear",
    "one_shot",
    "polynomial",
]

Curve: TypeAlias = Callable[[float], float]


def _linear(progress: float, initial: float, final: float) -> float:
    return final + (initial - final) * (1 - progress)


def _cosine(progress: float, initial: float, final: float) -> float:
    return final + (initial - final) * (1 + math.cos(math.pi * progress)) / 2


def _polynomial(progress: float, initial: float, final: float, power: float) -> float:
    return float(final + (initial - final) * (1 - progress) ** power)


def _exponential(progress: float, initial: float, final: float) -> float:
    return float(1 - (1 - initial) ** (1 - progress) * (1 - final) ** progress)


# What a schedule does between begin (progress 0) and end (progress 1).
_CURVES: dict[str, Callable[..., float]] = {
    "one_shot": lambda progress, sparsity: sparsity if progress == 1 else 0.0,
    "constant": lambda _, sparsity: sparsity,
    "linear": _linear,
    "cosine": _cosine,
    "polynomial": _polynomial,
    "exponential": _exponential,
    "custom": lambda progress, function: _share("the curve's sparsity", function(progress)),
}


@dataclass(frozen=True, repr=False)
class Schedule:
    """Sparsity as a function of the step; made by the functions of this module.

    Attributes
    ----------
    name
        The function that made it.
    begin
        First step at which to prune.
    end
        Last step at which to prune; the final sparsity is reached here, if the steps of `frequency` meet it.
        -1: never stop pruning.
    frequency
        Between begin and end, prune at every so many steps.
    options
        What else it was made with: pairs of argument and value.
    """

    name: str
    begin: int
    end: int
    frequency: int
    options: tuple[tuple[str, Any], ...]

    def __call__(self, step: float) -> float:
        """Tell the sparsity at a step.

        Parameters
        ----------
        step
            0 or more.

        Returns
        -------
        float
            From 0 to 1. Before begin it is the initial sparsity, after end the final one.
        """
        return self._at(self._progress(_number("step", step)))

    def prunes_at(self, step: int) -> bool:
        """Tell whether to prune at a step.

        Parameters
        ----------
        step
            0 or more.
        """
        since = _number("step", step) - self.begin
        return since >= 0 and (self.end == -1 or step <= self.end) and since % self.frequency == 0

    @property
    def initial(self) -> float:
        """Sparsity at begin."""
        return self._at(0.0)

    @property
    def final(self) -> float:
        """Sparsity at end."""
        return self._at(1.0)

    def to_dict(self) -> dict[str, Any]:
        """Give the name of the function and its arguments; `from_dict` makes the same schedule again."""
        known = {"begin": self.begin, "end": self.end, "frequency": self.frequency, **dict(self.options)}
        asked = inspect.signature(globals()[self.name]).parameters
        return {"name": self.name} | {argument: known[argument] for argument in asked}

    def _progress(self, step: float) -> float:
        if self.end <= self.begin:  # a jump, or no end
            return float(step >= self.begin)
        return min(1.0, max(0.0, (step - self.begin) / (self.end - self.begin)))

    def _at(self, progress: float) -> float:
        # Rounded, so that 0.1 comes out as 0.1, and a count of entries as one would work it out on paper.
        return round(float(_CURVES[self.name](progress, **dict(self.options))), 12)

    def __repr__(self) -> str:
        name, *arguments = self.to_dict().items()
        return f"{name[1]}({', '.join(f'{argument}={value!r}' for argument, value in arguments)})"


def one_shot(sparsity: float, begin: int = 1) -> Schedule:
    """Prune once.

    Parameters
    ----------
    sparsity
        Share to prune, from 0 to 1.
    begin
        The step at which to do it.
    """
    return _schedule("one_shot", begin, begin, 1, sparsity=_share("sparsity", sparsity))


def constant(sparsity: float, begin: int = 0, end: int = -1, frequency: int = 1) -> Schedule:
    """Aim at one sparsity all along, as ConstantSparsity of tfmot does.

    Parameters
    ----------
    sparsity
        Share to prune, from 0 to 1.
    begin, end
        First and last step at which to prune; end -1 never stops.
    frequency
        Prune at every so many steps.
    """
    return _schedule("constant", begin, end, frequency, sparsity=_share("sparsity", sparsity))


def linear(initial: float, final: float, begin: int, end: int, frequency: int = 1) -> Schedule:
    """Prune as many entries at every step.

    Parameters
    ----------
    initial, final
        Shares to prune at begin and at end, from 0 to 1.
    begin, end
        First and last step at which to prune.
    frequency
        Prune at every so many steps from begin.
    """
    return _schedule("linear", begin, end, frequency, **_ends(initial, final))


def cosine(initial: float, final: float, begin: int, end: int, frequency: int = 1) -> Schedule:
    """Begin and end gently: half a period of a cosine.

    Parameters
    ----------
    initial, final, begin, end, frequency
        As for `linear`.
    """
    return _schedule("cosine", begin, end, frequency, **_ends(initial, final))


def polynomial(
    initial: float, final: float, begin: int, end: int, power: float = 3, frequency: int = 1
) -> Schedule:
    """Prune fast at first, then ever more slowly [1]_, step for step as PolynomialDecay of tfmot.

    ``sparsity = final + (initial - final) * (1 - (step - begin) / (end - begin)) ** power``

    Parameters
    ----------
    initial, final, begin, end, frequency
        As for `linear`.
    power
        The exponent, above 0; 1 is `linear`.

    References
    ----------
    .. [1] M. Zhu and S. Gupta, "To prune, or not to prune: exploring the efficacy of pruning for model
       compression", arXiv:1710.01878, 2017.
    """
    if isinstance(power, bool) or not isinstance(power, Real) or not 0 < power < math.inf:
        raise ValueError(f"power is {power!r}, not a number above 0, such as 3")
    return _schedule("polynomial", begin, end, frequency, **_ends(initial, final), power=power)


def exponential(initial: float, final: float, begin: int, end: int, frequency: int = 1) -> Schedule:
    """Prune the same share of what is left at every step, as in the search for lottery tickets.

    Twenty per cent a round for five rounds is ``exponential(0, 1 - 0.8**5, begin=0, end=5)``.

    Parameters
    ----------
    initial, final, begin, end, frequency
        As for `linear`; final is below 1, for some share of something is always left.
    """
    if final == 1:
        raise ValueError("final is 1: a schedule that prunes shares of what is left never gets there")
    return _schedule("exponential", begin, end, frequency, **_ends(initial, final))


def custom(function: Curve, begin: int, end: int, frequency: int = 1) -> Schedule:
    """Follow a curve of your own.

    Parameters
    ----------
    function
        Takes the progress, from 0 at begin to 1 at end, and returns the sparsity, from 0 to 1.
    begin, end, frequency
        As for `linear`.

    Examples
    --------
    >>> pv.schedules.custom(lambda progress: 0.9 * progress**2, begin=0, end=1000, frequency=100)
    """
    if not callable(function):
        raise TypeError(f"function is {function!r}, not a function of the progress from 0 to 1")
    for progress in (0.0, 1.0):
        _share(f"function({progress:g})", function(progress))
    return _schedule("custom", begin, end, frequency, function=function)


def from_dict(arguments: dict[str, Any]) -> Schedule:
    """Make the schedule that `Schedule.to_dict` describes.

    Parameters
    ----------
    arguments
        ``"name"``, and the arguments of the function of that name.

    Raises
    ------
    ValueError
        If the name or an argument is none of ours.
    """
    given = dict(arguments)
    name = given.pop("name", None)
    if name not in _CURVES:
        raise ValueError(f"name {name!r} is not one of {', '.join(_CURVES)}")
    known = inspect.signature(globals()[name]).parameters
    if unknown := given.keys() - known.keys():
        raise ValueError(f"{name} takes {', '.join(known)}, not {', '.join(sorted(unknown))}")
    schedule: Schedule = globals()[name](**given)
    return schedule


def _schedule(name: str, begin: int, end: int, frequency: int, **options: object) -> Schedule:
    begin, end, frequency = whole("begin", begin), whole("end", end, -1), whole("frequency", frequency, 1)
    if end == -1 and name != "constant":
        raise ValueError(f"end is -1, but {name} needs an end to reach its final sparsity")
    if -1 < end < begin:
        raise ValueError(f"end {end} comes before begin {begin}")
    return Schedule(name, begin, end, frequency, tuple(options.items()))


def _ends(initial: float, final: float) -> dict[str, float]:
    first, last = _share("initial", initial), _share("final", final)
    if first > last:
        raise ValueError(f"initial {initial} is above final {final}: what is pruned does not come back")
    return {"initial": first, "final": last}


def _share(argument: str, value: float) -> float:
    if not 0 <= _number(argument, value) <= 1:
        hint = f"; for {value:g} per cent write {value / 100:g}" if 1 < value <= 100 else ""
        raise ValueError(f"{argument} is {value}, not a share from 0 to 1, such as 0.9{hint}")
    return value


def _number(argument: str, value: float) -> float:
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{argument} is {value!r}, not a number")
    return value
