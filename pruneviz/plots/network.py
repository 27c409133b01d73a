"""A small network with its connections, whole and pruned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.patches import Rectangle

from pruneviz.plots import inputs, style
from pruneviz.plots.alt import describe
from pruneviz.plots.layout import lay_out
from pruneviz.plots.picture import Picture, canvas, new_axes
from pruneviz.plots.wiring import LARGEST, Wiring, layers_of, wire

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from pruneviz.core.arrays import Array

View: TypeAlias = Literal["diagram", "matrix", "both"]

_PANELS_A_ROW = 3
_APART = 1.5
_SLOT = 0.19  # of the width of the picture, for the shape below a small matrix
_ROOM = 1.08
_FLAT = 0.6  # height over width from which two panels fit side by side


def plot_network(
    network: inputs.Weights | Sequence[int],
    *,
    mask: Any | None = None,  # noqa: ANN401
    masks: Mapping[str, Any] | None = None,
    view: View = "diagram",
    layers: Sequence[str] | None = None,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes | Figure:
    """Draw a network: pruned connections dashed, pruned neurons hollow; or its weights as matrices.

    A diagram shows a small fully connected network. Matrices show real layers too: pruned connections lie
    scattered, a pruned neuron takes a whole row, and with it a column of the next layer. Below each stands
    its shape, and the shape that is left when the pruned neurons are removed.

    Parameters
    ----------
    network
        Sizes, as in ``[4, 6, 3]``; or a model, Network, or list or mapping of (out, in) arrays, whose larger
        weights are drawn thicker. Sizes and lists have layers named fc1, fc2 and so on.
    mask
        What is kept: a Mask, or list or mapping of bool arrays, (out, in) for connections or (out,) for
        neurons; None, also in a list, keeps everything.
    masks
        Panel title -> mask, to see several side by side.
    view
        ``"diagram"``, ``"matrix"`` (one square a weight, outputs down and inputs to the right; convolutions
        as in `plot_mask`) or ``"both"``.
    layers
        For matrices, the layers to show; None shows all.
    title
        Replaces the title, or is put above the panels.
    ax
        Where to draw one panel; None makes a new figure.

    Returns
    -------
    Axes or Figure
        A Figure for `masks` and for ``view="both"``.

    Raises
    ------
    TypeError
        If both `mask` and `masks` are given.
    ValueError
        If the layers of a diagram do not fit each other or have more than 32 neurons, a mask does not fit, or
        a layer to show is not there.
    """
    if view not in ("diagram", "matrix", "both"):
        raise ValueError(f'view is {view!r}: choose "diagram", "matrix" or "both"')
    if mask is not None and masks is not None:
        raise TypeError("mask and masks are both given: put the one mask into masks too")
    if masks is not None and not masks:
        raise ValueError("masks is empty: give panel title -> mask")
    if layers is not None and view != "matrix":
        raise ValueError('layers chooses among matrices: leave it out, or give view="matrix"')
    weights = layers_of(network, small=view != "matrix")
    named = (
        {"": ("mask", mask)} if masks is None else {name: (f"masks[{name!r}]", masks[name]) for name in masks}
    )
    wirings = {name: wire(weights, one, argument) for name, (argument, one) in named.items()}
    if layers is not None:
        wirings = {name: wiring.only(layers) for name, wiring in wirings.items()}
    if masks is None and view != "both":
        ax = canvas(ax, *((5, 3.4) if _small(wirings[""]) else (7, 0.8 + _height(wirings[""], 7))))
        _draw(ax, view, wirings[""], title)
        return ax
    if ax is not None:
        raise ValueError("ax is one Axes, but there are several panels: leave it out")
    return _draw_panels(wirings, ["diagram", "matrix"] if view == "both" else [view], title)


def _small(wiring: Wiring) -> bool:
    return all(array.ndim == 2 and max(array.shape) <= LARGEST for array in wiring.kept.values())


def _height(wiring: Wiring, inches: float) -> float:
    """Choose a height at which the matrices of a network fill the width."""
    high, wide = _extent([lay_out(array).image for array in wiring.kept.values()])
    return inches * min(high / wide, 1) + 0.3


def _extent(images: Sequence[Array]) -> tuple[float, float]:
    """Give the height and the width that pictures side by side take."""
    return float(max(image.shape[0] for image in images)), sum(_slots(images))


def _slots(images: Sequence[Array]) -> list[float]:
    """Give each picture its width, the small ones more: their shapes are written below."""
    slots = widths = [_ROOM * image.shape[1] for image in images]
    least = min(_SLOT, 0.95 / len(images))
    for _ in range(20):  # what one gains, the others need more of: this settles
        slots = [max(width, least * sum(slots)) for width in widths]
    return slots if len(slots) > 1 else [float(images[0].shape[1])]


def _draw_panels(wirings: dict[str, Wiring], views: list[View], title: str | None) -> Figure:
    some = next(iter(wirings.values()))
    across, high = min(len(wirings), _PANELS_A_ROW), 2.7
    if not _small(some):
        across = min(across, 2) if _height(some, 1) > _FLAT else 1
        high = 0.9 + _height(some, 7 / across - 0.3)
    rows = -(-len(wirings) // across)
    figure = Picture(7, high * rows * len(views) + (0.4 if title else 0))
    grid = figure.add_gridspec(rows * len(views), across)
    for number, (name, wiring) in enumerate(wirings.items()):
        row, column = divmod(number, across)
        for step, view in enumerate(views):
            ax = canvas(new_axes(figure, grid[row * len(views) + step, column]))
            _draw(ax, view, wiring, name)
    if title:
        figure.suptitle(title, fontsize=style.FONT + 2, color=style.INK)
    return figure


def _draw(ax: Axes, view: View, wiring: Wiring, title: str | None) -> None:
    if view == "diagram":
        _draw_diagram(ax, wiring)
    elif _small(wiring):
        _draw_squares(ax, wiring)
    else:
        _draw_matrices(ax, wiring)
    ax.set_axis_off()
    whole = f"{wiring.sizes} network"
    style.centred_title(
        ax, title or (whole if len(wiring.kept) > 1 else next(iter(wiring.kept))), f"{wiring} kept"
    )
    pruned = wiring.pruned_neurons
    noun = "neuron" if all(array.ndim == 2 for array in wiring.kept.values()) else "filter"
    removed = f", {pruned} {noun}{'s' if pruned > 1 else ''} removed" if pruned else ""
    what = "Matrices of the weights" if view == "matrix" else "Diagram"
    called = f", {title}" if title else ""
    shapes = "" if _small(wiring) else f" Shapes: {'; '.join(_shapes(wiring, ' ').values())}."
    describe(ax, f"{what} of a {whole}{called}: {wiring} are kept{removed}.{shapes}")


def _shapes(wiring: Wiring, between: str) -> dict[str, str]:
    """Write under each layer its shape, and what is left of it when the pruned neurons are removed."""
    texts = {}
    for name in wiring.kept:
        before, after = wiring.shape(name), wiring.shape(name, removed=True)
        texts[name] = f"{name}{between}{before}" + (f"{between}→ {after}" if before != after else "")
    return texts


def _draw_diagram(ax: Axes, wiring: Wiring) -> None:
    tallest = max(neurons.size for neurons in wiring.alive)
    gap = 0.8 * max(tallest, 3) / len(wiring.kept)
    spots = []
    for place, neurons in enumerate(wiring.alive):
        heights = (neurons.size - 1) / 2 - np.arange(neurons.size)
        spots.append(np.column_stack([np.full(neurons.size, place * gap), heights]))
    _draw_connections(ax, wiring, spots, min(1.0, 8 / tallest))
    size = min(190.0, 1600 / tallest)
    ax.scatter(spots[0][:, 0], spots[0][:, 1], s=0.45 * size, color=style.QUIET, marker="s", zorder=3)
    for neurons, where in zip(wiring.alive[1:], spots[1:], strict=True):
        x, y = where.T
        ax.scatter(x[neurons], y[neurons], s=size, color=style.KEPT, zorder=3, label="neurons")
        hollow = ax.scatter(
            x[~neurons], y[~neurons], s=size, linewidths=1.4, zorder=3, label="pruned neurons"
        )
        hollow.set(facecolor=style.PAPER, edgecolor=style.CUT, linestyle="--")
    for name, where in zip(["inputs", *wiring.kept], spots, strict=True):
        _name(ax, name, where[0, 0], -(tallest / 2))
    ax.set_xlim(-0.5 * gap, (len(spots) - 0.5) * gap)
    ax.set_ylim(-tallest / 2 - 0.2, tallest / 2)


def _draw_connections(ax: Axes, wiring: Wiring, spots: list[Array], width: float) -> None:
    largest = max(float(np.abs(array).max(initial=0)) for array in wiring.weights.values()) or 1.0
    lines: dict[bool, list[Array]] = {True: [], False: []}
    widths = []
    for (name, kept), before, after in zip(wiring.kept.items(), spots[:-1], spots[1:], strict=True):
        for (output, entry), stays in np.ndenumerate(kept):
            lines[bool(stays)].append(np.stack([before[entry], after[output]]))
        widths.append(np.abs(wiring.weights[name][kept]) / largest)
    dashes = (0, (4, 3))
    ax.add_collection(
        LineCollection(
            lines[False], label="pruned", colors=style.CUT, linewidths=0.8 * width, linestyles=dashes
        )
    )
    thickness = width * (0.5 + 1.3 * np.concatenate(widths))
    ax.add_collection(LineCollection(lines[True], label="kept", colors=style.KEPT, linewidths=thickness))


def _draw_squares(ax: Axes, wiring: Wiring) -> None:
    tallest = max(array.shape[0] for array in wiring.kept.values())
    squares: dict[bool, list[Rectangle]] = {True: [], False: []}
    left, texts = 0.0, _shapes(wiring, "\n")
    for name, kept in wiring.kept.items():
        rows, columns = kept.shape
        for (row, column), stays in np.ndenumerate(kept):
            squares[bool(stays)].append(Rectangle((left + column, rows / 2 - row - 1), 1, 1))
        _name(ax, texts[name], left + columns / 2, -tallest / 2)
        left += columns + _APART
    whole = PatchCollection(squares[True], label="kept", facecolor=style.KEPT, edgecolor=style.PAPER)
    cut = PatchCollection(squares[False], label="pruned", facecolor=style.PRUNED, hatch=style.HATCH)
    cut.set(edgecolor=style.PRUNED_EDGE, linewidth=0.5)
    for squares_drawn in (whole, cut):
        ax.add_collection(squares_drawn)
    ax.set_xlim(-_APART / 2, left - _APART / 2)
    ax.set_ylim(-tallest / 2 - 0.2, tallest / 2 + 0.2)
    ax.set_aspect("equal")


def _draw_matrices(ax: Axes, wiring: Wiring) -> None:
    """Draw real layers, one pixel a weight."""
    images = {name: lay_out(array).image for name, array in wiring.kept.items()}
    high, wide = _extent([*images.values()])
    texts, slots, left = _shapes(wiring, "\n"), _slots([*images.values()]), 0.0
    for (name, image), slot in zip(images.items(), slots, strict=True):
        down, across = image.shape
        middle = left + slot / 2
        box = (middle - across / 2, middle + across / 2, (high - down) / 2, (high + down) / 2)
        ax.imshow(image, cmap=style.SHARE_KEPT, vmin=0, vmax=1, extent=box, label=name)
        _name(ax, texts[name], middle, (high - down) / 2)
        left += slot
    ax.set_xlim(0, wide)
    ax.set_ylim(0, high)


def _name(ax: Axes, text: str, x: float, y: float) -> None:
    style.write(ax, text, (x, y), (0, -5), ha="center", va="top")
