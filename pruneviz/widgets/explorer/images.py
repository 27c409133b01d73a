"""What explorers share that show one image: what it does to the units, and what the network says to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import traitlets as t

from pruneviz.plots import style
from pruneviz.widgets.explorer.measuring import grid
from pruneviz.widgets.explorer.units import UnitExplorer
from pruneviz.widgets.frame.given import Whole, pictures
from pruneviz.widgets.frame.view import in_lines
from pruneviz.widgets.frame.wire import ARRAYS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes

    from pruneviz.core.arrays import Array
    from pruneviz.widgets.explorer.history import State

_MOST_CLASSES = 20


def draw_outputs(ax: Axes, view: ImageExplorer) -> None:
    """Draw beside a panel what the network says to the image: bars, the answer dark, the truth ringed."""
    if not (found := view.outputs):
        return
    shares = np.array(found)
    inset = ax.inset_axes((1.12, 0.05, 0.2, 0.85))
    colours = np.where(shares == shares.max(), style.KEPT, style.QUIET)
    inset.barh(range(len(shares)), shares, color=colours)
    inset.set(xlim=(0, 1), ylim=(len(shares) - 0.5, -0.5), xticks=[], yticks=range(len(shares)))
    truth = int(view.pictured["truth"])
    inset.get_yticklabels()[truth].set_bbox({"boxstyle": "circle", "fc": "none", "ec": style.PRUNED_EDGE})
    inset.spines[["top", "right", "bottom"]].set_visible(False)
    words = f"image {view.image}, a {truth}"
    inset.set_title(words, fontsize=style.SMALL, color=style.QUIET, loc="left")


class ImageExplorer(UnitExplorer):
    """A live view of pruning whole units, with an image.

    A subclass says in `_pictured` what there is to see.

    Attributes
    ----------
    image
        Index into the data of the image on view; -1 for none where a subclass says so.
    along
        For the image, the present scope and criterion: [sparsity, outputs] pairs, as shares of 1.
    """

    first_image: ClassVar[int] = 0

    image = Whole(0).tag(sync=True, echo_update=False)
    pictured = t.Dict(read_only=True).tag(sync=True, **ARRAYS)
    along = t.Dict(read_only=True).tag(sync=True)

    def __init__(self, model: object, data: Any, **options: Any) -> None:  # noqa: ANN401
        super().__init__(model, data, **options)
        self._show_image()
        self.observe(self._show_image, "image")
        self.observe(self._settle, "image")

    @t.validate("image")
    def _check_image(self, proposal: dict[str, Any]) -> int:
        if self.n and not self.first_image <= proposal["value"] < self.n:
            all_of_them = ", nor -1 for all of them" if self.first_image < 0 else ""
            raise t.TraitError(f"image {proposal['value']} is not one of the {self.n:,} images{all_of_them}")
        return int(proposal["value"])

    @property
    def outputs(self) -> list[float]:
        """What the network says to the image at present, as shares of 1; empty where it is not shown."""
        found = self.exact.get("outputs", {}) if self.is_measured and not self.hidden else {}
        return list(found["shares"]) if found and found["image"] == self.image else []

    def sentence(self) -> str:
        """Say in one sentence what the view shows."""
        text = super().sentence()
        if not self.outputs:
            return text
        said = f"; image {self.image}, a {self.pictured['truth']}, is taken for {np.argmax(self.outputs)}."
        return in_lines(" ".join(text.split())[:-1] + said)

    def _more(self, state: State, found: Array, change: dict[str, Any]) -> dict[str, Any]:
        return {**super()._more(state, found, change), "outputs": self._outputs(state)}

    def _outputs(self, state: State) -> dict[str, Any]:
        if self.image < 0:
            return {}
        shares = self._meter.shares(self._mask(state), self.image)
        if not 1 < len(shares) <= _MOST_CLASSES:
            return {}
        return {"image": self.image, "shares": np.round(shares, 4).tolist()}

    def _measure_more(self, state: State) -> Iterator[float]:
        yield from super()._measure_more(state)
        image = self.image
        about = {"image": image, "scope": state.scope, "criterion": state.criterion}
        if about.items() <= self.along.items() or not self._outputs(state):
            return
        shares = []
        for sparsity in sorted(grid()):
            mask = self._mask(state.at(sparsity))
            shares.append([sparsity, self._meter.shares(mask, image).tolist()])
            yield 0.1
        self._tell(along={**about, "shares": shares})

    def _show_image(self, _change: object = None) -> None:
        self._tell(pictured=self._pictured())

    def _pictured(self) -> dict[str, Any]:
        """Tell of the image: its ``index``, ``truth`` and ``picture``, and what a subclass adds."""
        one, x = slice(self.image, self.image + 1), self._meter.x
        facts = {"index": self.image, "truth": int(self._meter.labels[self.image])}
        return {**facts, "picture": pictures(x[one])}
