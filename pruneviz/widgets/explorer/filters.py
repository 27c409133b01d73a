"""FilterExplorer: the filters of a convolution with what they find in an image, and a cut between them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import traitlets as t
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle

from pruneviz import frameworks
from pruneviz.engine.model import network
from pruneviz.plots import style
from pruneviz.widgets.explorer.images import ImageExplorer, draw_outputs
from pruneviz.widgets.explorer.parts import ACCURACY, LAYERS, Part
from pruneviz.widgets.explorer.units import BELOW, CONTROLS, SCORECARD, draw_scores
from pruneviz.widgets.frame import assets
from pruneviz.widgets.frame.wire import ARRAYS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from pruneviz.core.arrays import Array
    from pruneviz.core.layers import Layer

_SLICES = 64  # input channels; of more, the kernel's picture is their mean
_MOST = 64  # filters; of more, and of dense layers, the panel shows the scores
_NUMBERED = 32
_SHAPE = 1.6  # width of the panel of filters, in heights


def draw_filters(ax: Axes, view: FilterExplorer) -> None:
    """Draw the kernel of each filter of the layer on view in a frame, pale and dashed where it is pruned."""
    kernels = next(layer["kernels"] for layer in view.layers if layer["name"] == view.layer)
    kept = view.result()[view.layer]
    many = len(kernels)
    if not kernels.size or many > _MOST:
        draw_scores(ax, view)
        return
    scores = view.scores()[view.layer]
    order = np.argsort(scores, kind="stable")[::-1] if view.sort == "score" else np.arange(many)
    across = math.ceil(math.sqrt(_SHAPE * many))
    numbered = many <= _NUMBERED
    tall = 1.5 if numbered else 1.25  # a step down, where a picture is 1 high
    for place, i in enumerate(order):
        x, y = 1.2 * (place % across), tall * (place // across)
        ax.imshow(_coloured(kernels[i], pale=not kept[i]), extent=(x, x + 1, y + 1, y), interpolation="none")
        colour, dashes = (style.KEPT, "-") if kept[i] else (style.PRUNED_EDGE, "--")
        ax.add_patch(
            Rectangle((x - 0.06, y - 0.06), 1.12, 1.12, fill=False, edgecolor=colour, linestyle=dashes)
        )
        if numbered:
            ax.text(x + 0.5, y + 1.14, str(i), ha="center", va="top", fontsize=style.SMALL, color=style.INK)
    ax.axis("off")
    ax.set(xlim=(-0.2, 1.2 * across), ylim=(tall * math.ceil(many / across), -0.2), aspect="equal")
    style.title(ax, f"Filters of {view.layer}: {np.count_nonzero(kept)} of {many} kept")
    draw_outputs(ax, view)


def _coloured(kernel: Array, *, pale: bool) -> Array:
    """Lay the slices of a kernel side by side, in the colours of the plots."""
    slices, height, width = kernel.shape
    across = math.ceil(math.sqrt(slices))
    picture = np.ones((-(-slices // across) * (height + 1), across * (width + 1), 3))
    for s, values in enumerate(kernel):
        row, column = divmod(s, across)
        top, left = row * (height + 1), column * (width + 1)
        colours = style.WEIGHT((values + 128.0) / 255)[..., :3]
        picture[top : top + height, left : left + width] = colours
    joined = picture[:-1, :-1]
    return 0.3 * joined + 0.7 * np.array(to_rgb(style.PRUNED)) if pale else joined


class FilterExplorer(ImageExplorer):
    """A live view of pruning filters; `pruneviz.explore(…, granularity="filter")` makes one.

    Its traits are those of `ImageExplorer`, and the parts ``slider, selectors, filters, scores, accuracy,
    scorecard, layers, confusion, removal, changes, history``; there is always one `image` whose feature maps
    are shown, and

    Attributes
    ----------
    rival
        A second criterion, to see which filters it would cut too; "" for none.
    """

    _esm = assets.script("explorer/filters.js")
    _css = (
        assets.read("frame/style.css")
        + assets.read("explorer/units.css")
        + assets.read("explorer/filters.css")
    )
    granularity: ClassVar = "filter"
    parts: ClassVar = (
        *CONTROLS,
        Part("filters", "grid", draw_filters, basic=True),
        *(Part("scores", "grid"), ACCURACY, SCORECARD, LAYERS, *BELOW),
    )

    rival = t.Unicode("").tag(sync=True, echo_update=False)

    rivals = t.Dict(read_only=True).tag(sync=True, **ARRAYS)
    truths = t.Any(read_only=True).tag(sync=True, **ARRAYS)

    def __init__(self, model: object, data: Any, **options: Any) -> None:  # noqa: ANN401
        super().__init__(model, data, **options)
        self.observe(self._show_image, "layer")
        self.observe(self._rank_rivals, "rival")

    @t.validate("rival")
    def _check_rival(self, proposal: dict[str, Any]) -> str:
        return self._known("rival", proposal["value"], ["", *self._criteria])

    def _described(self) -> dict[str, Any]:
        described, seen = super()._described(), network(self._model)
        return {
            **described,
            "layers": [{**layer, "kernels": _kernels(seen[layer["name"]])} for layer in described["layers"]],
            "truths": self._meter.labels.astype(np.int32),
        }

    def _rerank(self, change: object = None) -> None:
        with self.hold_sync():
            super()._rerank(change)
            self._rank_rivals()

    def _rank_rivals(self, _change: object = None) -> None:
        packed = self._ranked(self.scope, self.rival)[2] if self.rival else {}
        places = {name: layer["place"] for name, layer in packed.items()}
        self._tell(rivals={"scope": self.scope, "criterion": self.rival, "places": places})

    def _pictured(self) -> dict[str, Any]:
        maps = self._maps(self._meter.x[self.image : self.image + 1])
        high = float(np.abs(maps).max()) or 1.0
        low = -high if maps.min() < 0 else 0.0
        return {
            **super()._pictured(),
            "layer": self.layer,
            "maps": np.round(255 * (maps - low) / (high - low)).astype(np.uint8),
            "low": low,
            "high": high,
            "means": np.abs(maps).mean(axis=(1, 2), dtype=np.float64),
        }

    def _maps(self, x: Array) -> Array:
        """Compute what follows the layer's activation function, (filters, height, width)."""
        place = self._units.reads[self.layer]
        node = next(node for node in self._structure.graph.nodes if node.layer == self.layer)
        (found,) = frameworks.adapter(self._model).activations(x, {place})
        maps: Array = np.moveaxis(found[place][0], node.options["axis"], 0)
        return maps.reshape(len(maps), -1, maps.shape[-1] if maps.ndim > 1 else 1)


def _kernels(layer: Layer) -> Array:
    """Round weights to signed bytes, (filters, slices, height, width); dense layers have none."""
    weight = layer.weight
    if weight.ndim < 3:
        return np.zeros((len(weight), 0, 0, 0), np.int8)
    slices = weight.reshape(*weight.shape[:2], math.prod(weight.shape[2:-1]), weight.shape[-1])
    if slices.shape[1] > _SLICES:
        slices = np.abs(slices).mean(axis=1, keepdims=True)
    return np.round(slices * (127 / (float(np.abs(slices).max()) or 1))).astype(np.int8)
