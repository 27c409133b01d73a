"""What explorers share that show what one image does to the units: of neurons, and of filters."""

from __future__ import annotations

from typing import Any, ClassVar

import traitlets as t

from pruneviz.widgets.explorer import history
from pruneviz.widgets.explorer.units import UnitExplorer
from pruneviz.widgets.explorer.wire import ARRAYS


class ImageExplorer(UnitExplorer):
    """A live view of pruning whole units, with an image.

    A subclass says in `_pictured` what there is to see.

    Attributes
    ----------
    image
        Index into the data of the image on view.
    """

    first_image: ClassVar[int] = 0

    image = t.Int(0).tag(sync=True, echo_update=False)
    pictured = t.Dict().tag(sync=True, **ARRAYS)

    def __init__(self, model: object, data: Any, **options: Any) -> None:  # noqa: ANN401
        super().__init__(model, data, **options)
        self._show_image()
        self.observe(self._show_image, "image")

    @t.validate("image")
    def _check_image(self, proposal: dict[str, Any]) -> int:
        if self.n and not self.first_image <= proposal["value"] < self.n:
            all_of_them = ", nor -1 for all of them" if self.first_image < 0 else ""
            raise t.TraitError(f"image {proposal['value']} is not one of the {self.n:,} images{all_of_them}")
        return int(proposal["value"])

    def _show_image(self, _change: object = None) -> None:
        self.pictured = self._pictured()

    def _pictured(self) -> dict[str, Any]:
        """Tell of the image: its ``index``, ``truth`` and ``picture``, and what a subclass adds."""
        one, x = slice(self.image, self.image + 1), self._meter.x
        facts = {"index": self.image, "truth": int(self._meter.labels[self.image])}
        return {**facts, "picture": history.pictures(x[one])}
