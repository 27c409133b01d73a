"""Opening the live view that fits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from traitlets import TraitError

from pruneviz.engine.how import How
from pruneviz.engine.model import Seen
from pruneviz.engine.scoring import refuse_nothing
from pruneviz.widgets.explorer.channels import ChannelExplorer
from pruneviz.widgets.explorer.filters import FilterExplorer
from pruneviz.widgets.explorer.neurons import NeuronExplorer
from pruneviz.widgets.explorer.weights import WeightExplorer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pruneviz.core.arrays import Data
    from pruneviz.widgets.explorer.explorer import Explorer

_VIEWS: dict[str, type[Explorer]] = {
    "weight": WeightExplorer,
    "neuron": NeuronExplorer,
    "filter": FilterExplorer,
    "channel": ChannelExplorer,
}
_STATE = (
    *("sparsity", "layer", "scope", "criterion", "by_hand", "title", "sort", "image", "against", "rival"),
    *("sparsities", "followed"),
)


def explore(
    model: object,
    data: Data,
    *,
    granularity: str = "weight",
    exclude: Iterable[str] = (),
    scored_on: Data | None = None,
    show: Sequence[str] | None = None,
    predict: bool = True,
    target: float | None = None,
    **state: Any,  # noqa: ANN401
) -> Explorer:
    """Open the live view that fits.

    Parameters
    ----------
    model
        A torch.nn.Module, keras.Model or tf_keras.Model; never changed.
    data
        (x, y): the images to measure accuracy on. Sliders choose, so give validation images.
    granularity
        ``"weight"``; ``"neuron"``: outputs of dense layers; ``"filter"``: outputs of convolutions;
        ``"channel"``: both, with all that is tied to them, scored by the layers that read them.
    exclude
        Layers to leave alone.
    scored_on
        (x, y) for criteria that look at images; `data` if None.
    show
        The parts to show; if None the most telling, and all once *More* is pressed. Of weights ``slider,
        selectors, mask, histogram, accuracy, scorecard, layers, history``; of neurons ``network, scores,
        confusion, removal, changes`` instead of mask and histogram, of filters the same with ``filters``
        instead of ``network``, of channels with ``chain`` and ``groups`` instead of ``network`` and
        ``layers``.
    predict
        Whether learners guess before any accuracy is shown.
    target
        The accuracy that the guess is about; None takes that of the whole model, less three points.
    **state
        Where it starts: ``sparsity``, ``layer``, ``scope``, ``criterion``, ``by_hand``, ``title``; of
        neurons, filters and channels also ``sort`` and ``against``, of neurons and filters ``image``, of
        filters ``rival``, of channels ``sparsities`` and ``followed``.

    Returns
    -------
    WeightExplorer, NeuronExplorer, FilterExplorer or ChannelExplorer
        Displayed by ending a cell with it.

    Raises
    ------
    TypeError, ValueError
        If an argument is not one of these.

    Examples
    --------
    >>> view = pv.explore(model, pv.datasets.mnist().validation)
    >>> view.sparsity = 0.9
    >>> mask = view.result()
    """
    if granularity not in _VIEWS:
        raise ValueError(f"granularity {granularity!r} is not one of {', '.join(_VIEWS)}")
    seen = Seen(model)
    refuse_nothing(seen, seen.layers, How())
    view = _VIEWS[granularity]
    unknown = set(state) - (set(_STATE) & set(view.class_trait_names()))
    if unknown:
        raise TypeError(f"explore takes no {', '.join(sorted(unknown))}")
    options = {"predict": predict, "target": target, **state}
    try:
        return view(model, data, exclude=exclude, scored_on=scored_on, show=show, **options)
    except TraitError as error:
        raise ValueError(str(error)) from None
