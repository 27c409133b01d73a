"""How to prune: the words of the grammar, checked in one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from pruneviz.core import criteria
from pruneviz.core.arrays import Several, checked_images, checked_pair, names_in, whole
from pruneviz.core.ranking import pattern_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pruneviz.core.arrays import Array, Given, Images, Pair
    from pruneviz.core.criteria import Criterion
    from pruneviz.core.ranking import Scope

GRANULARITIES = ("weight", "neuron", "filter", "channel")


@dataclass(frozen=True, eq=False)
class How:
    """What `pruneviz.prune` is told, save the model and the sparsity.

    What ``"2:4"`` prunes are weights; which compete with each other, as a scope says, is what it says.

    Raises
    ------
    TypeError, ValueError
        If the granularity or the criterion is unknown, or lacks its data; the message names the argument.
    """

    granularity: str = "weight"
    criterion: Criterion = "magnitude"
    scope: Scope = "global"
    data: Pair | Images | None = None
    example: Given | None = None
    exclude: Iterable[str] = ()
    keep_at_least: int = 0
    loss: Callable[..., Any] | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "exclude", names_in(self.exclude))  # a generator could be asked once only
        object.__setattr__(self, "keep_at_least", whole("keep_at_least", self.keep_at_least))
        object.__setattr__(self, "seed", whole("seed", self.seed))
        if pattern_of(self.granularity):
            if self.scope != "global":
                raise ValueError(f'granularity "{self.granularity}" says what is compared: leave scope out')
            object.__setattr__(self, "scope", self.granularity)
            object.__setattr__(self, "granularity", "weight")
        if self.granularity not in GRANULARITIES:
            known = ", ".join(GRANULARITIES)
            raise ValueError(f'granularity {self.granularity!r} is not one of {known}, or n:m, such as "2:4"')
        if isinstance(self.criterion, str):
            self._check_name(self.criterion)
        elif not callable(self.criterion):
            raise TypeError(f"criterion must be a name or a function of a Layer, not {self.criterion!r}")
        if isinstance(self.data, (np.ndarray, Several)) and self.needs != "gradients":
            checked_images("data", self.data)
        elif self.data is not None:
            classes = self.needs == "gradients" and self.loss is None
            object.__setattr__(self, "data", checked_pair(cast("Pair", self.data), classes=classes))
        if self.example is not None:
            object.__setattr__(self, "example", checked_images("example", self.example))

    def _check_name(self, name: str) -> None:
        known = criteria.names(self.granularity)
        if name not in known:
            what = "does not score channels: choose" if self.granularity == "channel" else "is not"
            raise ValueError(f"criterion {name!r} {what} one of {', '.join(known)}, or a function")
        if criteria.TABLE[name].asks_for_data and self.data is None:
            raise ValueError(f"criterion {name!r} needs data=(x, y), or scored_on= where data is measured")

    @property
    def needs(self) -> str:
        """What the criterion looks at, as its entry in the table says; ``"own"`` of a learner's function."""
        return criteria.TABLE[self.criterion].needs if isinstance(self.criterion, str) else "own"

    @property
    def score(self) -> Callable[..., Array]:
        """The function that scores the weights, or the units, of one layer."""
        if not isinstance(self.criterion, str):
            return self.criterion
        rule = criteria.TABLE[self.criterion]
        return cast("Callable[..., Array]", rule.weight if self.granularity == "weight" else rule.unit)

    @property
    def x(self) -> Images:
        """The images of the data."""
        return cast("Images", self.data[0] if isinstance(self.data, tuple) else self.data)

    @property
    def images(self) -> Images | None:
        """What to follow units by: the example, or else the data."""
        return self.x if self.example is None else cast("Images", self.example)
