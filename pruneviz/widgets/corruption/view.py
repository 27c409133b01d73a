"""CorruptionView: how strongly digits are spoiled, against how much of a network is pruned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import traitlets as t

from pruneviz.methods.sweeps import sweep
from pruneviz.plots import style
from pruneviz.teaching.corruptions import CORRUPTIONS, corrupt
from pruneviz.widgets.frame import assets
from pruneviz.widgets.frame.given import Whole, checked_data, pictures
from pruneviz.widgets.frame.view import View
from pruneviz.widgets.frame.wire import ARRAYS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure

    from pruneviz.core.arrays import Array, Data

_SHOWN = 8
_WAYS = 1 + sum(map(len, CORRUPTIONS.values()))
STRENGTHS = 3


class CorruptionView(View):
    """Show what a pruned network answers on spoiled digits, and how many it gets right of all.

    Everything is computed at the start and sent at once: it works without a kernel.

    Parameters
    ----------
    model
        The dense network, of either framework.
    data : tuple of arrays
        Images and labels: the first eight are drawn.
    counts : mapping
        Sparsity as it is written in JSON -> right answers on clean images and then, for each kind of
        `CORRUPTIONS`, at its three strengths. 0, nothing pruned, is one of them.
    **options
        ``title``, and the attributes below.

    Attributes
    ----------
    kind : str
        One of `CORRUPTIONS`.
    strength : int
        From 0, clean, to 3.
    sparsity : float
        One of those that were counted; at first the largest.

    Raises
    ------
    ValueError
        If counts are not those of all corruptions, or data are no images; traitlets.TraitError if an
        attribute is none that was counted.
    """

    _esm = assets.script("corruption/view.js")
    _css = assets.read("frame/style.css") + assets.read("corruption/view.css")
    state_names: ClassVar = ("kind", "strength", "sparsity")

    kind = t.Enum(list(CORRUPTIONS), "noise").tag(sync=True, echo_update=False)
    strength = Whole(2, min=0, max=STRENGTHS).tag(sync=True, echo_update=False)
    sparsity = t.Float(0.0).tag(sync=True, echo_update=False)
    kinds = t.Dict({kind: list(strengths) for kind, strengths in CORRUPTIONS.items()}, read_only=True).tag(
        sync=True
    )
    counts: t.List[Any] = t.List(read_only=True).tag(sync=True)
    total = t.Int(0, read_only=True).tag(sync=True)
    digits = t.Dict(read_only=True).tag(sync=True, **ARRAYS)

    def __init__(
        self,
        model: object,
        data: Data,
        counts: Mapping[str, Sequence[int]],
        **options: Any,  # noqa: ANN401
    ) -> None:
        if unknown := sorted(options.keys() - {*self.state_names, "title"}):
            raise TypeError(f"CorruptionView takes no {', '.join(unknown)}")
        self._counts = _checked(counts)
        super().__init__(
            title=options.pop("title", "Spoiled digits"),
            counts=[{"sparsity": share, "right": row} for share, row in self._counts.items()],
            total=len(data[1]),
            digits=_digits(model, data, list(self._counts)),
            **{"sparsity": max(self._counts), **options},
        )

    @t.validate("sparsity")
    def _check_sparsity(self, proposal: dict[str, Any]) -> float:
        value = proposal["value"]
        if value not in self._counts:
            known = ", ".join(f"{share:g}" for share in self._counts)
            raise t.TraitError(f"sparsity is {value:g}, which was not counted: choose one of {known}")
        return float(value)

    def right(self, sparsity: float) -> list[int]:
        """Give the right answers of a pruned network, from clean digits to the strongest corruption."""
        row = self._counts[sparsity]
        return [row[way(self.kind, strength)] for strength in range(STRENGTHS + 1)]

    def strengths(self) -> list[str]:
        """Name the strengths, from clean digits on."""
        return ["clean", *(f"{strength:g}" for strength in CORRUPTIONS[self.kind])]

    def seen(self) -> tuple[Array, Array, Array]:
        """Give the digits on view, what the pruned network takes them for, and what they are."""
        here, place = way(self.kind, self.strength), list(self._counts).index(self.sparsity)
        return self.digits["pictures"][here], self.digits["answers"][place, here], self.digits["labels"]

    def sentence(self) -> str:
        """Say what it shows."""
        how = f"{self.kind} {self.strengths()[self.strength]}" if self.strength else "clean digits"
        pruned, dense = (self.right(share)[self.strength] for share in (self.sparsity, 0.0))
        return (
            f"{how}, {style.percent(self.sparsity, 0)} pruned: {pruned:,} of {self.total:,} right; "
            f"nothing pruned: {dense:,}."
        )

    def snapshot(self) -> Figure:
        """Draw the present state with matplotlib.

        Returns
        -------
        matplotlib.figure.Figure
            Not known to pyplot.
        """
        from pruneviz.widgets.corruption.still import draw  # noqa: PLC0415  # matplotlib is slow to import

        return draw(self)


def way(kind: str, strength: int) -> int:
    """Say where counts, pictures and answers have a corruption: clean ones first, then kind by kind."""
    return 1 + STRENGTHS * list(CORRUPTIONS).index(kind) + strength - 1 if strength else 0


def _checked(counts: Mapping[str, Sequence[int]]) -> dict[float, list[int]]:
    found = dict(sorted((float(share), list(row)) for share, row in counts.items()))
    if 0 not in found:
        raise ValueError("counts has no 0: give those of the network of which nothing is pruned too")
    for share, row in found.items():
        if len(row) != _WAYS:
            raise ValueError(
                f"counts of {share:g} are {len(row)} numbers: give {_WAYS}, clean and every corruption"
            )
    return found


def _digits(model: object, data: Data, shares: Sequence[float]) -> dict[str, Array]:
    """Spoil the digits that are drawn in all ways, and ask each pruned network what they are."""
    x, labels = checked_data(data)
    images, y = pictures(x[:_SHOWN]), labels[:_SHOWN]
    if images is None:
        raise ValueError(f"x has the shape {x.shape}, not that of images: (n, height, width, 1 or 3)")
    spoiled = [images]
    for kind, strengths in CORRUPTIONS.items():
        spoiled += [corrupt(images, kind, strength) for strength in strengths]
    cards = sweep(model, (np.concatenate(spoiled), np.tile(y, _WAYS)), shares)
    return {
        "pictures": np.stack(spoiled),
        "answers": np.array([card.predictions for card in cards], np.int32).reshape(-1, _WAYS, len(y)),
        "labels": np.asarray(y, np.int32),
    }
