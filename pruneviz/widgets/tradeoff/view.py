"""TradeoffExplorer: models that came from one another, what each costs, and whose answers differ."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, ClassVar

import traitlets as t

from pruneviz.measures.variants import family
from pruneviz.plots import style
from pruneviz.widgets.frame import assets
from pruneviz.widgets.frame.given import shown
from pruneviz.widgets.frame.view import View, in_lines
from pruneviz.widgets.frame.wire import ARRAYS
from pruneviz.widgets.tradeoff import models

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from matplotlib.figure import Figure

    from pruneviz.core.arrays import Pair
    from pruneviz.measures.scorecards import Change, Scorecard
    from pruneviz.measures.variants import Variant


class TradeoffExplorer(View):
    """Three linked views of several models: their map, a scatter of what they cost, and changed answers.

    Everything is sent at once and computed in the browser: it works without a kernel, and the models need not
    be at hand; `write_variants` and `read_variants` store what it takes.

    Parameters
    ----------
    variants
        The models, as `Variant` or, for one to begin with, as a Scorecard; all measured on the same images.
    data
        (x, y), what they were measured on, to show the images whose answer changed; None for no pictures.
    show
        The parts on view, of ``"map"``, ``"scatter"``, ``"changes"``, ``"classes"`` and ``"layers"``; all if
        None.
    title
        Replaces the title.
    **options
        The attributes below.

    Attributes
    ----------
    x, y
        What is drawn across and up: ``"accuracy"``, ``"compact_bytes"``, ``"macs"``, ``"parameters"``,
        ``"nonzero"``, or ``"latency 64"`` where cards were timed with batches of 64.
    selected
        Name of the model that all views speak of; at first the last one given.
    compared
        Name of the model to compare it with; empty for the one that it was made from.

    Raises
    ------
    TypeError, ValueError
        If the variants do not make a family, or data are other images; traitlets.TraitError if an attribute
        names no model, or nothing that a card has.

    Examples
    --------
    >>> dense = pv.scorecard(model, mnist.test, "dense")
    >>> pruned = pv.scorecard(pv.apply(model, mask), mnist.test, "pruned")
    >>> view = pv.TradeoffExplorer([dense, pv.Variant(pruned, "dense", "prune 90%")], mnist.test)
    >>> view.selected, view.x = "pruned", "nonzero"
    >>> print(view.sentence())
    """

    _esm = assets.script("tradeoff/view.js")
    _css = assets.read("frame/style.css") + assets.read("tradeoff/view.css")
    state_names: ClassVar = ("x", "y", "selected", "compared")
    parts: ClassVar = ("map", "scatter", "changes", "classes", "layers")

    x = t.Unicode("compact_bytes").tag(sync=True, echo_update=False)
    y = t.Unicode("accuracy").tag(sync=True, echo_update=False)
    selected = t.Unicode().tag(sync=True, echo_update=False)
    compared = t.Unicode("").tag(sync=True, echo_update=False)
    show = t.List(t.Unicode()).tag(sync=True)
    axes = t.List(t.Dict(), read_only=True).tag(sync=True)
    models = t.List(t.Dict(), read_only=True).tag(sync=True)
    answers = t.Dict(read_only=True).tag(sync=True, **ARRAYS)

    def __init__(
        self,
        variants: Iterable[Variant | Scorecard],
        data: Pair | None = None,
        *,
        show: Sequence[str] | None = None,
        title: str | None = None,
        **options: Any,  # noqa: ANN401
    ) -> None:
        if unknown := sorted(options.keys() - set(self.state_names)):
            raise TypeError(f"TradeoffExplorer takes no {', '.join(unknown)}")
        self.variants = family(variants)
        self._named = {one.name: one for one in self.variants}
        self._axes = {axis.name: axis for axis in models.axes(self.variants)}
        found = models.rows(self.variants, list(self._axes.values()))
        super().__init__(
            title=f"{len(found)} models, one from another" if title is None else title,
            show=shown(self.parts, show),
            axes=[asdict(axis) | {"rises": axis.rises} for axis in self._axes.values()],
            models=found,
            answers=models.answers(found, self.variants, data),
            **{"selected": self.variants[-1].name, **options},
        )

    @t.validate("x", "y")
    def _check_axis(self, proposal: dict[str, Any]) -> str:
        value = proposal["value"]
        if value not in self._axes:
            timed = ": time it with pv.scorecard(…, latency=…)" if str(value).startswith("latency") else ""
            known = ", ".join(map(repr, self._axes))
            raise t.TraitError(f"no card has {value!r}{timed}; there is {known}")
        return str(value)

    @t.validate("selected", "compared")
    def _check_model(self, proposal: dict[str, Any]) -> str:
        trait, value = proposal["trait"].name, proposal["value"]
        if value not in self._named and (value or trait == "selected"):
            raise t.TraitError(f"{trait} is {value!r}, which is none of the models: {', '.join(self._named)}")
        return str(value)

    @property
    def against(self) -> str | None:
        """Name of the model that the selected one is compared with; None if there is none."""
        own = self.compared in ("", self.selected)
        return self._named[self.selected].parent if own else self.compared

    @property
    def change(self) -> Change | None:
        """How the answers of the selected model differ from those of the other."""
        if self.against is None:
            return None
        return self._named[self.selected].card.versus(self._named[self.against].card)

    def sentence(self) -> str:
        """Say in one sentence what the view shows."""
        one = self._named[self.selected]
        card, axes = one.card, [self._axes[name] for name in (self.y, self.x) if name != "accuracy"]
        known = [(axis, axis.of(one)) for axis in axes]
        costs = "".join(f", {axis.words} {axis.text(found[0])}" for axis, found in known if found)
        right = f"{style.percent(card.accuracy)} right, {card.correct:,} of {card.n:,}"
        text = f"{one.name}: {right}{costs}"
        if (change := self.change) is not None:
            other = change.changed - change.lost - change.won
            ways = f"{change.lost:,} images lost, {change.won:,} won, {other:,} wrong in a new way"
            text += f"; against {self.against}: {ways}"
        return in_lines(f"{text}.")

    def snapshot(self) -> Figure:
        """Draw the map and the scatter with matplotlib.

        Returns
        -------
        matplotlib.figure.Figure
            Not known to pyplot.
        """
        from pruneviz.widgets.tradeoff.still import draw  # noqa: PLC0415  # matplotlib is slow to import

        return draw(self, list(self._axes.values()))
