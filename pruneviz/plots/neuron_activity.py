"""How active each neuron is, and on which classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from pruneviz.core.arrays import checked_images
from pruneviz.plots import inputs, style
from pruneviz.plots.activity import activations, layer_of
from pruneviz.plots.alt import describe
from pruneviz.plots.picture import canvas, colour_bar

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from pruneviz.core.arrays import Array, BoolArray, Given, Images

SELDOM = 0.01
_SPECIALIST = 0.5
_NAMED = 3
_PRUNED: dict[str, Any] = {
    "facecolor": style.PRUNED,
    "edgecolor": style.PRUNED_EDGE,
    "hatch": style.HATCH,
}


@dataclass(frozen=True, eq=False)
class Activity:
    """How active the neurons of a layer are, the quietest first.

    Attributes
    ----------
    numbers
        (neurons,) which neuron each entry of the other arrays is of.
    means
        (neurons,) mean activation, without its sign.
    fires
        (neurons,) share of the images on which the neuron is not 0.
    kept
        (neurons,) bool.
    by_class
        (classes, neurons) mean activation on the images of each class.
    """

    numbers: Array
    means: Array
    fires: Array
    kept: BoolArray
    by_class: Array

    @property
    def dead(self) -> Array:
        """Places of the neurons that fire on none of the images."""
        return np.flatnonzero(self.fires == 0)

    @property
    def seldom(self) -> Array:
        """Places of those that fire on some, but on less than 1%."""
        return np.flatnonzero((self.fires > 0) & (self.fires < SELDOM))

    @property
    def shares(self) -> Array:
        """Share of each neuron's activity that falls on each class, as if all had equally many images."""
        sums = self.by_class.sum(axis=0)
        shares = np.full_like(self.by_class, np.nan)
        return np.asarray(np.divide(self.by_class, sums, out=shares, where=sums > 0))

    def specialists(self) -> Array:
        """Places of quiet neurons with most of their activity on one class, the clearest first."""
        largest = np.nan_to_num(self.shares).max(axis=0)
        quiet = np.arange(len(largest)) < len(largest) // 2
        chosen: Array = np.flatnonzero(quiet & (largest > _SPECIALIST) & (self.fires >= SELDOM))
        order = np.argsort(-largest[chosen], kind="stable")
        return np.asarray(chosen[order])


def plot_neuron_activity(
    model: object,
    x: Given,
    layer: str | None = None,
    *,
    mask: inputs.Masks | None = None,
    by: Array | None = None,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw how active each neuron of a layer is on some images, the quietest at the left.

    Upwards its mean activation, downwards the share of the images on which it fires, that is, is not 0.
    Neurons that never fire are told apart from those that fire on less than 1% of the images. With `by`, a
    heat map of classes and neurons shows on which class each is active: a neuron that is quiet on average may
    be the one that knows a class. Circled are the three of the quieter half with the largest share on one
    class, if that is over 50% and they fire on 1% of the images.

    Parameters
    ----------
    model
        A torch.nn.Module, keras.Model or tf_keras.Model.
    x
        (n, …) images: uint8, or floats in [0, 1]; a tuple for a model of several inputs.
    layer
        The layer to show; None shows the first dense one. Of a convolution: its filters, each by the mean
        over its map.
    mask
        Which neurons are kept: the pruned ones are hatched.
    by
        (n,) class of each image.
    title
        Replaces the title.
    ax
        Where to draw; None makes a new figure.

    Returns
    -------
    Axes
        Activations are read after the activation function that follows the layer.

    Raises
    ------
    TypeError
        If x is no array of images.
    ValueError
        If the layer is unknown, the mask does not fit, or `by` has another length than x.
    """
    chosen = layer_of(model, layer, dense=True)
    kept: BoolArray = np.ones(len(chosen.weight), bool)
    if mask is not None:
        kept = inputs.alive(inputs.fit(mask, {chosen.name: chosen.weight})[chosen.name])
    x = checked_images("x", x)
    classes, groups = np.unique(np.zeros(len(x)) if by is None else np.asarray(by), return_inverse=True)
    if groups.shape != (len(x),):
        raise ValueError(
            f"by has shape {groups.shape} for {len(x)} images: give one class an image, such as y"
        )
    activity = _measured(model, x, chosen.name, kept, groups)
    ax = canvas(ax, 7, 3.4 if by is None else 3.8)
    if by is None:
        _draw_bars(ax, activity)
    else:
        _draw_classes(ax, activity, classes)
    noun = "neurons" if chosen.kind == "dense" else "filters"
    style.legend_above(ax, _legend(ax, activity, masked=mask is not None, bars=by is None))
    ax.set_xlim(-0.5, len(kept) - 0.5)
    ax.xaxis.set_major_locator(MaxNLocator(10, integer=True))
    ax.set_xlabel(f"{noun}, the quietest first")
    text = f"{chosen.name}: activity of {len(kept)} {noun} on {style.grouped(len(x))} images"
    style.title(ax, text if title is None else title, above_legend=True)
    describe(ax, _sentence(text, activity, None if by is None else classes))
    return ax


def _measured(model: object, x: Images, layer: str, kept: BoolArray, groups: Array) -> Activity:
    sizes = np.bincount(groups)
    sums, fires, start = np.zeros((len(sizes), len(kept))), np.zeros(len(kept)), 0
    for batch in activations(model, x, layer):
        flat = np.abs(batch.reshape(*batch.shape[:2], -1))
        np.add.at(sums, groups[start : start + len(flat)], flat.mean(axis=2, dtype=np.float64))
        fires += (flat != 0).any(axis=2).sum(axis=0)
        start += len(flat)
    means = sums.sum(axis=0) / len(x)
    order = np.lexsort((fires, means))
    by_class = (sums / sizes[:, None])[:, order]
    return Activity(order, means[order], fires[order] / len(x), kept[order], by_class)


def _draw_bars(ax: Axes, activity: Activity) -> None:
    top = float(activity.means.max()) or 1.0
    edges = np.arange(activity.means.size + 1) - 0.5
    halves = (("mean", activity.means, style.KEPT), ("fires", -top * activity.fires, style.FIRES))
    for label, values, colour in halves:
        kept = np.where(activity.kept, values, 0)
        ax.stairs(kept, edges, fill=True, linewidth=0, color=colour, label=label)
        pruned = ax.stairs(values - kept, edges, fill=True, linewidth=0, label=f"{label}, pruned")
        pruned.set(**_PRUNED)
    ax.hlines(0, edges[0], edges[-1], color=style.INK, linewidth=0.8)
    dead, seldom = activity.dead, activity.seldom
    _mark(ax, dead, np.full(dead.shape, 0.06 * top), "x", f"fires on none: {dead.size}")
    label = f"on under {style.percent(SELDOM)}: {seldom.size}"
    _mark(ax, seldom, np.full(seldom.shape, 0.16 * top), "d", label)
    ax.set_ylim(-1.05 * top, 1.1 * top)
    ticks = np.asarray(MaxNLocator(3).tick_values(0, top))
    ticks = ticks[(ticks > 0) & (ticks <= top)]
    names = [*map(style.percent, (1, 0.5, 0)), *(f"{tick:.3g}" for tick in ticks)]
    ax.set_yticks([-top, -top / 2, 0, *ticks], names)
    for side, height, text in (
        ("top", 0.98, "mean activation"),
        ("bottom", 0.02, "fires on … of the images"),
    ):
        ax.text(0.01, height, text, transform=ax.transAxes, va=side, fontsize=style.SMALL, color=style.INK)


def _draw_classes(ax: Axes, activity: Activity, classes: Array) -> None:
    shares, below = activity.shares, len(classes)
    image = ax.imshow(shares, cmap=style.ACTIVITY, vmin=0, vmax=1, aspect="auto", interpolation="none")
    bar = colour_bar(ax, image, "")
    bar.set_label("share of the neuron's activity", fontsize=style.SMALL, color=style.INK)
    bar.ax.yaxis.set_major_formatter(style.PERCENT_TICKS)
    strip = ax.broken_barh([(place - 0.5, 1) for place in np.flatnonzero(~activity.kept)], (below - 0.4, 0.6))
    strip.set(**_PRUNED, linewidth=0, label="pruned")
    places = activity.specialists()[:_NAMED]
    names = ", ".join(map(str, activity.numbers[places]))
    peaks = np.nan_to_num(shares[:, places]).argmax(axis=0)
    _mark(ax, places, peaks, "o", f"quiet specialist: {names}")
    ax.set_yticks(np.arange(below), [str(name) for name in classes])
    ax.set_ylabel("class")
    ax.set_ylim(below - 0.5 if activity.kept.all() else below + 0.3, -0.5)


def _mark(ax: Axes, places: Array, heights: Array, marker: str, label: str) -> None:
    if places.size:
        marks = ax.plot(places, heights, marker, label=label, markersize=6, zorder=4)
        marks[0].set(markerfacecolor="none", markeredgecolor=style.PRUNED_EDGE, markeredgewidth=1.4)


def _legend(ax: Axes, activity: Activity, *, masked: bool, bars: bool) -> list[Artist]:
    """Give the samples of what is on the picture, with numbers."""
    stay, total = int(np.count_nonzero(activity.kept)), activity.kept.size
    patches = [style.kept_patch(f"kept {stay}"), style.pruned_patch(f"pruned {total - stay}")]
    if bars:
        return [*(patches if masked else []), *ax.lines]
    blank = Patch(facecolor=style.PAPER, edgecolor=style.QUIET, label=f"fires on none: {activity.dead.size}")
    return [*(patches[1:] if masked else []), *([blank] if activity.dead.size else []), *ax.lines]


def _sentence(text: str, activity: Activity, classes: Array | None) -> str:
    middle = f"median {np.median(activity.means):.3g}, largest {activity.means[-1]:.3g}"
    parts = [
        f"{text}. Mean activation: {middle}.",
        f"Fires on none: {activity.dead.size}; on under {style.percent(SELDOM)}: {activity.seldom.size}.",
    ]
    pruned = int(np.count_nonzero(~activity.kept))
    if pruned:
        quiet = int(np.count_nonzero(~activity.kept[: activity.kept.size // 2]))
        parts.append(f"Pruned: {pruned}, of them {quiet} in the quieter half.")
    if classes is not None:
        for place in activity.specialists()[:_NAMED]:
            peak = int(activity.shares[:, place].argmax())
            share = style.percent(activity.shares[peak, place], 0)
            name = activity.numbers[place]
            parts.append(f"Number {name} is quiet, with {share} of its activity on {classes[peak]}.")
    return " ".join(parts)
