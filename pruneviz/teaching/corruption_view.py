"""A picture that one can move: how strongly digits are spoiled, against how much of a network is pruned."""

from __future__ import annotations

import base64
from functools import cache
from typing import TYPE_CHECKING, Any

import ipywidgets as w
import traitlets as t

from pruneviz.engine.pruning import apply, prune
from pruneviz.measures.scorecards import scorecard
from pruneviz.plots import style
from pruneviz.plots.picture import Picture, metadata, png
from pruneviz.teaching.corruptions import CORRUPTIONS, corrupt

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from pruneviz.datasets import Split

_ACROSS, _DOWN = 4, 2
_DPI, _SHOWN = 150, 100
_FAINT = "#b9c0c9"


class CorruptionView(w.VBox):  # type: ignore[misc]  # ipywidgets is untyped
    """Show what a pruned network answers on spoiled digits, and how many it gets right of all.

    Parameters
    ----------
    model
        The dense network, of either framework.
    data : tuple of arrays
        Images, uint8, and labels: the first eight are drawn.
    counts : mapping
        Sparsity as it is written in JSON -> right answers on clean images and then, for each kind of
        `CORRUPTIONS`, at its three strengths.
    kind, strength, sparsity
        What it opens with.

    Attributes
    ----------
    kind : str
        One of `CORRUPTIONS`.
    strength : int
        From 0, clean, to 3.
    sparsity : float
        One of those that were counted.
    """

    kind = t.Unicode("noise")
    strength = t.Int(2, min=0, max=3)
    sparsity = t.Float(0.8)

    def __init__(
        self,
        model: object,
        data: Split,
        counts: Mapping[str, Sequence[int]],
        *,
        kind: str = "noise",
        strength: int = 2,
        sparsity: float = 0.8,
    ) -> None:
        self._images, self._labels = data[0][: _ACROSS * _DOWN], data[1][: _ACROSS * _DOWN]
        self._counts = {float(share): list(row) for share, row in counts.items()}
        self._of = len(data[1])
        self._pruned = cache(lambda share: apply(model, prune(model, share)))
        self._picture, self._said = w.Image(layout=w.Layout(max_width="800px")), w.Label()
        shares = {style.percent(share, 0): share for share in self._counts}
        wide = {"style": {"description_width": "6em"}, "layout": w.Layout(width="26em")}
        controls = {
            "kind": w.Dropdown(description="corruption", options=list(CORRUPTIONS), **wide),
            "strength": w.IntSlider(description="strength", min=0, max=3, **wide),
            "sparsity": w.SelectionSlider(description="pruned", options=list(shares.items()), **wide),
        }
        super().__init__([*controls.values(), self._picture, self._said])
        self.kind, self.strength, self.sparsity = kind, strength, sparsity
        for name, control in controls.items():
            t.link((self, name), (control, "value"))
        self.observe(self._draw, ["kind", "strength", "sparsity"])
        self._draw()

    def right(self, sparsity: float) -> list[int]:
        """Give the right answers of a pruned network, from clean digits to the strongest corruption."""
        row = self._counts[sparsity]
        first = 1 + 3 * list(CORRUPTIONS).index(self.kind)
        return [row[0], *row[first : first + 3]]

    def sentence(self) -> str:
        """Say what it shows."""
        how = f"{self.kind} {self._strengths()[self.strength]}" if self.strength else "clean digits"
        pruned, dense = (self.right(share)[self.strength] for share in (self.sparsity, 0.0))
        return (
            f"{how}, {style.percent(self.sparsity, 0)} pruned: {pruned:,} of {self._of:,} right; "
            f"nothing pruned: {dense:,}."
        )

    def _strengths(self) -> list[str]:
        return ["clean", *(f"{strength:g}" for strength in CORRUPTIONS[self.kind])]

    def _draw(self, _: object = None) -> None:
        figure = Picture(8, 3.1)
        grid = figure.add_gridspec(_DOWN, _ACROSS + 1, width_ratios=[1] * _ACROSS + [_ACROSS + 1])
        places = [figure.add_subplot(grid[row, column]) for row in range(_DOWN) for column in range(_ACROSS)]
        self._draw_digits(places)
        self._draw_lines(figure.add_subplot(grid[:, -1]))
        self._figure, self._picture.value = figure, png(figure, _DPI)
        self._said.value = self.sentence()

    def _draw_digits(self, places: Sequence[Axes]) -> None:
        images = self._images
        if self.strength:
            images = corrupt(images, self.kind, CORRUPTIONS[self.kind][self.strength - 1])
        answers = scorecard(self._pruned(self.sparsity), (images, self._labels)).predictions
        for ax, image, answer, label in zip(places, images[..., 0], answers, self._labels, strict=True):
            ax.imshow(image, cmap="gray", vmin=0, vmax=255)
            ax.set_axis_off()
            right = answer == label
            said = f"{answer}" if right else f"{answer}, not {label}"
            ax.set_title(
                said, fontsize=style.SMALL, color=style.INK if right else style.PRUNED_EDGE,
                weight="normal" if right else "bold", pad=3,
            )  # fmt: skip

    def _draw_lines(self, ax: Axes) -> None:
        for share in self._counts:
            if share not in (0, self.sparsity):
                ax.plot(self.right(share), color=_FAINT, lw=1)
        for share in dict.fromkeys((0.0, self.sparsity)):
            colour, marker, dash = style.SERIES[int(share > 0)]
            name = f"{style.percent(share, 0)} pruned" if share else "nothing pruned"
            ax.plot(self.right(share), marker=marker, ls=dash, color=colour, label=name)
        ax.axvline(self.strength, color=style.QUIET, lw=0.8, ls=":", zorder=0)
        ax.set_xticks(range(4), self._strengths())
        ax.set(ylim=(0, 1.05 * self._of), xlabel=self.kind, ylabel=f"right of {self._of:,}")
        ax.yaxis.set_major_formatter(style.GROUPED_TICKS)
        ax.spines[["top", "right"]].set_visible(False)
        ax.legend(frameon=False, fontsize=style.SMALL, loc="lower left")

    def _repr_mimebundle_(self, **options: Any) -> Any:  # noqa: ANN401
        """Give the widget, its picture for where widgets do not run, and a sentence."""
        data = super()._repr_mimebundle_(**options)
        picture, said = base64.b64encode(self._picture.value).decode(), self.sentence()
        return (
            {**data, "text/plain": said, "image/png": picture},
            metadata(self._figure, _SHOWN, said),
        )
