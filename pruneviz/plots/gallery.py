"""Small pictures of one size in rows, those of pruned filters pale and hatched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.patches import Rectangle

from pruneviz.plots import style
from pruneviz.plots.picture import colour_bar, figure_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap

    from pruneviz.core.arrays import Array, BoolArray

MOST = 64
FULL_WIDTH = 7.0

_PALE = 0.6
_HATCH = "/"
_ROOM_FOR_HATCH = 0.08
_LINE = 0.17
_ROOM = 0.06
_BAR = 1.8


@dataclass(frozen=True, eq=False)
class Gallery:
    """Pictures in rows, measured in their own pixels.

    Attributes
    ----------
    pictures
        (n, height, width); masked where there is nothing, NaN for a pruned weight.
    captions
        What is written below each, one or two lines.
    columns
        How many stand side by side.
    inches
        Width of the page: captions keep their size, so the gaps between rows depend on it.
    left
        Share of the width to leave free at the left.
    """

    pictures: Array
    captions: Sequence[str]
    columns: int
    inches: float
    left: float = 0

    @property
    def gap(self) -> int:
        """Pixels between two pictures of a row."""
        return 1 + int(self.pictures.shape[2]) // 8

    @property
    def width(self) -> int:
        """Pixels from the left edge of the first picture to the right edge of the last."""
        return self.columns * (int(self.pictures.shape[2]) + self.gap) - self.gap

    @property
    def pixel(self) -> float:
        """Inches a pixel takes."""
        return self.inches * (1 - self.left) / self.width

    @property
    def pitch(self) -> int:
        """Pixels from one row to the next."""
        lines = max(caption.count("\n") + 1 for caption in self.captions)
        return int(self.pictures.shape[1]) + int(np.ceil((lines * _LINE + _ROOM) / self.pixel))

    @property
    def height(self) -> int:
        """Pixels from the top to the end of the last caption."""
        return -(-len(self.pictures) // self.columns) * self.pitch

    def corner(self, place: int) -> tuple[int, int]:
        """Give row and column of the upper left pixel of a picture."""
        row, column = divmod(place, self.columns)
        return row * self.pitch, column * (self.pictures.shape[2] + self.gap)


def columns_for(n: int, most: int) -> int:
    """Choose how many stand in a row, such that the rows are about equally long."""
    rows = -(-n // most)
    return -(-n // rows)


def room(ax: Axes | None) -> float:
    """Give the inches that a gallery has from left to right, before the layout makes room for labels."""
    return 0.775 * FULL_WIDTH if ax is None else figure_of(ax).get_figwidth() * ax.get_position().width


def hang(
    ax: Axes,
    gallery: Gallery,
    numbers: Array,
    kept: BoolArray,
    shades: Colormap,
    limits: tuple[float, float],
    unit: str,
) -> None:
    """Draw the pictures as one image, frame them, and write below each what it is.

    Numbers and kept, (n,), tell of each picture which filter it is of, and whether that is kept; the limits
    are what the first and the last of the shades stand for, in this unit.
    """
    _, high, wide = gallery.pictures.shape
    image = np.full((gallery.height, gallery.width), np.nan)
    opaque = np.zeros(image.shape)
    for place, (picture, stays) in enumerate(zip(gallery.pictures, kept, strict=True)):
        row, column = gallery.corner(place)
        image[row : row + high, column : column + wide] = np.ma.filled(picture, np.nan)
        opaque[row : row + high, column : column + wide] = np.where(
            np.ma.getmaskarray(picture), 0, 1 if stays else _PALE
        )
        frame = Rectangle((column - 0.5, row - 0.5), wide, high, label=f"filter {numbers[place]}")
        _dress(frame, kept=bool(stays))
        ax.add_patch(frame)
        caption(ax, gallery.captions[place], column + wide / 2 - 0.5, row + high - 0.5)
    drawn = ax.imshow(image, cmap=shades, vmin=limits[0], vmax=limits[1], alpha=opaque, interpolation="none")
    if gallery.pixel >= _ROOM_FOR_HATCH:
        style.hatch_cells(ax, np.argwhere(np.isnan(image) & (opaque > 0)))
    edge = 0.5 + 0.02 / gallery.pixel  # half the width of a frame
    ax.set_xlim(-edge - gallery.left * gallery.width / (1 - gallery.left), gallery.width - 1 + edge)
    ax.set_ylim(gallery.height - 0.5, -edge)
    ax.set_axis_off()
    colour_bar(ax, drawn, unit, min(1, _BAR / (gallery.height * gallery.pixel)))


def explain(ax: Axes, kept: BoolArray) -> None:
    """Tell above the pictures how many of the filters are kept."""
    stay = int(np.count_nonzero(kept))
    samples = [Rectangle((0, 0), 1, 1), Rectangle((0, 0), 1, 1)]
    for sample, word, number in zip(samples, ("kept", "pruned"), (stay, kept.size - stay), strict=True):
        sample.set_label(f"{word} {style.count_of(number, kept.size)}")
        _dress(sample, kept=word == "kept")
    style.legend_above(ax, samples)


def _dress(frame: Rectangle, *, kept: bool) -> None:
    frame.set(fill=False, edgecolor=style.KEPT, linewidth=0.8)
    if not kept:
        frame.set(edgecolor=style.CUT, linestyle="--", linewidth=1.3, hatch=_HATCH)


def caption(ax: Axes, text: str, x: float, y: float) -> None:
    """Write below a picture whose lower edge has its middle at x, y."""
    style.write(ax, text, (x, y), (0, -3), ha="center", va="top", linespacing=1.05)
