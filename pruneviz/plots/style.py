"""The visual language, in one place: kept is dark blue, pruned is pale orange."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.collections import PatchCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import FuncFormatter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.legend import Legend

    from pruneviz.core.arrays import Array

KEPT = "#0b3c6f"
PRUNED = "#fdd0a2"
PRUNED_EDGE = "#b35806"
CUT = "#d0751f"
FIRES = "#4f86b5"
PAPER = "#ffffff"
INK = "#22272e"
QUIET = "#5f6771"
GRID = "#e3e6ea"
HATCH = "////"

FONT = 10
SMALL = 9

# Dark enough to be read as text on white; markers and dashes tell them apart without colour.
SERIES = (
    (KEPT, "o", "-"),
    ("#b8410b", "s", "--"),
    ("#00695c", "^", "-."),
    ("#7b3294", "D", (0, (1, 1))),
    ("#7a5c00", "v", (0, (5, 1, 1, 1, 1, 1))),
    ("#a3195b", "P", (0, (8, 2))),
    ("#3f4750", "X", (0, (3, 1, 1, 1))),
)

SHARE_KEPT = LinearSegmentedColormap.from_list("pruneviz_share", [PRUNED, KEPT]).with_extremes(bad=PAPER)
STRENGTH = LinearSegmentedColormap.from_list("pruneviz_strength", ["#3579b8", "#062448"]).with_extremes(
    bad=(0, 0, 0, 0)
)

# Lighter means larger all the way, so that greyscale keeps the sign; the hue turns at zero.
WEIGHT = LinearSegmentedColormap.from_list(
    "pruneviz_weight", ["#06183a", "#3c5f94", "#a3a6a9", "#ccd9a4", "#fcfff0"]
).with_extremes(bad=PRUNED)
ACTIVITY = LinearSegmentedColormap.from_list("pruneviz_activity", ["#f4f6f8", "#5b8db8", "#062448"])


def grouped(number: float) -> str:
    """Write a whole number in groups of three, as in 53,240."""
    return f"{number:,.0f}"


def percent(share: float, digits: int = 1) -> str:
    """Write a share as a percentage; 0 and 100% are written only for exactly none and all."""
    smallest = 10.0**-digits
    value = round(100 * share, 9)  # 100 * 0.3 is 30.000000000000004
    if 0 < value < smallest:
        return f"under {smallest:g}%"
    if 100 - smallest < value < 100:
        return f"over {100 - smallest:g}%"
    return f"{value:.{0 if value == round(value) else digits}f}%"


def count_of(number: int, total: int) -> str:
    """Write a count and its share of the total."""
    return f"{grouped(number)} ({percent(number / total)})" if total else grouped(number)


GROUPED_TICKS = FuncFormatter(lambda value, _: grouped(value))
PERCENT_TICKS = FuncFormatter(lambda value, _: f"{100 * value:.4g}%")


def pruned_patch(label: str, *, hatched: bool = True) -> Patch:
    """Give the legend's sample of what is pruned."""
    hatch = HATCH if hatched else None
    return Patch(facecolor=PRUNED, edgecolor=PRUNED_EDGE, hatch=hatch, linewidth=0.8, label=label)


def kept_patch(label: str) -> Patch:
    """Give the legend's sample of what is kept."""
    return Patch(facecolor=KEPT, edgecolor=KEPT, linewidth=0.8, label=label)


def hatch_cells(ax: Axes, cells: Array) -> None:
    """Hatch pruned cells of an image, (n, 2) of row and column, where there is room for it."""
    squares = [Rectangle((column - 0.5, row - 0.5), 1, 1) for row, column in cells]
    marks = PatchCollection(squares, facecolor="none", edgecolor=PRUNED_EDGE, linewidth=0.4, hatch=HATCH)
    ax.add_collection(marks, autolim=False)


def legend_above(ax: Axes, handles: Sequence[Artist]) -> Legend:
    """Put a one-line legend between title and picture, where it hides nothing."""
    return ax.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(0, 1),
        borderaxespad=0.2,
        borderpad=0.2,
        ncols=len(handles),
        columnspacing=1.2,
        handlelength=1.2,
        handletextpad=0.5,
        frameon=False,
        fontsize=SMALL,
        labelcolor=INK,
    )


def legend_split(ax: Axes, kept: int, total: int, *, hatched: bool = True) -> None:
    """Tell above the picture how many are kept and how many pruned."""
    patches = [
        kept_patch(f"kept {count_of(kept, total)}"),
        pruned_patch(f"pruned {count_of(total - kept, total)}", hatched=hatched),
    ]
    legend_above(ax, patches)


def write(
    ax: Axes,
    text: str,
    at: tuple[float, float],
    shift: tuple[float, float],
    **options: Any,  # noqa: ANN401
) -> None:
    """Write small text at a place of the axes, moved by some points; `options` are those of annotate."""
    ax.annotate(
        text,
        at,
        xytext=shift,
        textcoords="offset points",
        fontsize=SMALL,
        color=ax.title.get_color(),
        annotation_clip=False,
        **options,
    )


def title(ax: Axes, text: str, *, above_legend: bool = False) -> None:
    """Write the title at the left, where reading begins."""
    look: dict[str, Any] = {"fontsize": FONT + 1, "fontweight": "bold", "color": ax.title.get_color()}
    # At a height that is given, as the search for one would take a quarter of the time of a small picture.
    ax.set_title(text, loc="left", y=1, pad=24 if above_legend else 8, **look)


def centred_title(ax: Axes, text: str, note: str) -> None:
    """Write a title over the middle of a panel, and a note below it."""
    colour = ax.title.get_color()
    ax.set_title(text, fontsize=FONT, fontweight="bold", color=colour, pad=20)
    write(ax, note, (0.5, 1), (0, 6), xycoords="axes fraction", ha="center")
