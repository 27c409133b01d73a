"""Figures that show themselves in a notebook without pyplot."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from PIL import Image

from pruneviz.plots import style
from pruneviz.plots.alt import alt_text

if TYPE_CHECKING:
    from matplotlib.colorbar import Colorbar

_PIXELS_PER_INCH = 100
_SHARPNESS = 2
_ROOM_FOR_BOTH = 4  # inches

MimeBundle = tuple[dict[str, Any], dict[str, Any]]


def drawn(figure: Figure, dpi: int, facecolor: str | None = None) -> Image.Image:
    """Draw a figure, on paper of its own colour or of another, once: `Figure.savefig` does it twice."""
    before = figure.canvas
    look = {"dpi": figure.dpi, "facecolor": figure.get_facecolor()}
    try:
        figure.set(dpi=dpi, facecolor=facecolor or look["facecolor"])
        canvas: Any = FigureCanvasAgg(figure)
        canvas.draw()
    finally:
        figure.set(**look, canvas=before)
    return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")


def png(figure: Figure, dpi: int, facecolor: str | None = None) -> bytes:
    """Draw a figure as a PNG; as no version is in it, the same picture is the same bytes."""
    file = io.BytesIO()
    # On speckled masks zlib's quickest level is its smallest as well.
    drawn(figure, dpi, facecolor).save(file, "png", dpi=(dpi, dpi), compress_level=1)
    return file.getvalue()


def metadata(figure: Figure, pixels_per_inch: int, words: str) -> dict[str, Any]:
    """Say how a notebook shows a figure's PNG: its width, its words, and whether it is drawn on light paper.

    Such a drawing the dark theme may invert, but no picture, whose lightness means something.
    """
    width = round(figure.get_size_inches()[0] * pixels_per_inch)
    pictures = figure.findobj(lambda artist: isinstance(artist, AxesImage | QuadMesh))
    return {
        "image/png": {"width": width, "alt": words},
        **({} if pictures else {"needs_background": "light"}),
    }


class Picture(Figure):
    """A figure that a notebook shows as a PNG, and a screen reader as a sentence.

    IPython knows how to show figures only once pyplot has set up a backend; this class brings its own way.
    """

    def __init__(self, width: float, height: float) -> None:
        super().__init__(figsize=(width, height), layout="constrained", facecolor=style.PAPER)

    def _repr_mimebundle_(self, **_options: object) -> MimeBundle:
        sentence = alt_text(self)
        return (
            {"image/png": base64.b64encode(self._few_colours()).decode(), "text/plain": sentence},
            metadata(self, _PIXELS_PER_INCH, sentence),
        )

    def _few_colours(self) -> bytes:
        """Draw a PNG of 256 colours: a mask of one pixel a weight takes a third of the notebook's space."""
        file, whole = io.BytesIO(), drawn(self, _SHARPNESS * _PIXELS_PER_INCH)
        few = whole.quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        few.save(file, "png", optimize=True)
        return file.getvalue()


class PictureAxes(Axes):
    """Axes that show the picture they are part of when they end a notebook cell."""

    def _repr_mimebundle_(self, **options: object) -> MimeBundle:
        return cast("Picture", self.get_figure(root=True))._repr_mimebundle_(**options)


def canvas(ax: Axes | None, width: float = 7, height: float = 3.6) -> Axes:
    """Give the caller's axes, or those of a new picture of that size in inches.

    The caller's are not touched outside their frame: the figure behind them may be of another colour.
    """
    if ax is None:
        ax = new_axes(Picture(width, height), 111)
    elif not isinstance(ax, Axes):
        raise TypeError(f"ax is a {type(ax).__name__}, not matplotlib Axes: leave it out, or give one Axes")
    ax.set_facecolor(style.PAPER)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def new_axes(figure: Figure, place: Any, **options: Any) -> Axes:  # noqa: ANN401
    """Add dressed axes to a picture of ours; `place` and `options` are those of `Figure.add_subplot`."""
    ax = cast("Axes", figure.add_subplot(place, axes_class=PictureAxes, **options))
    ax.set_facecolor(style.PAPER)
    ax.tick_params(labelsize=style.SMALL, colors=style.INK, length=3)
    for label in (ax.xaxis.label, ax.yaxis.label):
        label.set_fontsize(style.FONT)
        label.set_color(style.INK)
    for spine in ax.spines.values():
        spine.set_color(style.QUIET)
    ax.title.set_color(style.INK)
    return ax


def figure_of(ax: Axes) -> Figure:
    """Give the figure that the axes are part of, the outermost one."""
    return cast("Figure", ax.get_figure(root=True))


def colour_bar(ax: Axes, image: AxesImage, text: str, share: float = 1) -> Colorbar:
    """Explain the colours of an image to the right of it, along the upper share of the axes.

    Above the axes a legend may stand: where both would not fit, the text runs along the bar.
    """
    bar = figure_of(ax).colorbar(image, cax=ax.inset_axes((1.02, 1 - share, 0.02, share)))
    if figure_of(ax).get_figwidth() * ax.get_position().width < _ROOM_FOR_BOTH:
        bar.set_label(text, fontsize=style.SMALL, color=style.INK)
    else:
        bar.ax.set_title(text, loc="right", fontsize=style.SMALL, color=style.INK, pad=6)
    bar.ax.tick_params(labelsize=style.SMALL, colors=style.INK, length=3)
    bar.outline.set_visible(False)
    return bar
