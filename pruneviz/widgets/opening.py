"""Opening the live view that fits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pruneviz.widgets.weight_explorer import WeightExplorer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pruneviz.arrays import Data


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
) -> WeightExplorer:
    """Open the live view that fits.

    Parameters
    ----------
    model
        A torch.nn.Module, keras.Model or tf_keras.Model; never changed.
    data
        (x, y): the images to measure accuracy on. Sliders choose, so give validation images.
    granularity
        ``"weight"``.
    exclude
        Layers to leave alone.
    scored_on
        (x, y) for criteria that look at images; `data` if None.
    show
        The parts to show: some of ``slider, mask, histogram, selectors, layers, accuracy, scorecard,
        history``; all if None.
    predict
        Whether learners guess before any accuracy is shown.
    target
        The accuracy that the guess is about; None takes that of the whole model, less three points.
    **state
        Where it starts: ``sparsity``, ``layer``, ``scope``, ``criterion``, ``title``.

    Returns
    -------
    WeightExplorer
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
    if granularity != "weight":
        raise ValueError(f'granularity {granularity!r} is not "weight", the only one of this version')
    unknown = set(state) - {"sparsity", "layer", "scope", "criterion", "title"}
    if unknown:
        raise TypeError(f"explore takes no {', '.join(sorted(unknown))}")
    options = {"predict": predict, "target": target, **state}
    return WeightExplorer(model, data, exclude=exclude, scored_on=scored_on, show=show, **options)
