"""Training in which what was pruned stays at zero."""

from __future__ import annotations

import contextlib
import functools
from typing import TYPE_CHECKING

import numpy as np

from pruneviz.engine.model import Seen
from pruneviz.engine.pruning import zeros

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from pruneviz.core.arrays import Given
    from pruneviz.core.masks import Mask


def keep_pruned(
    model: object, mask: Mask, optimizer: object = None, example: Given | None = None
) -> contextlib.AbstractContextManager[None]:
    """Train a masked model, in any training loop, so that what was pruned stays at zero.

    After every optimizer step it is set to zero again; a masked gradient alone would not do, because momentum
    and Adam go on moving a weight whose gradient is zero.

    Parameters
    ----------
    model
        A masked model, as `apply` returns it.
    mask
        The mask it was made with.
    optimizer
        PyTorch: the optimizer to watch; None watches all. Keras: None.
    example
        As for `pruneviz.apply`.

    Raises
    ------
    ValueError
        If the mask does not fit, or a weight that it prunes is not zero; the message names the layer.
    """
    return _Context(functools.partial(_kept, Seen(model, example), mask, optimizer))


class _Context(contextlib.AbstractContextManager[None]):
    """A context, entered as often as one likes, that says what it is where Keras takes it for a callback."""

    def __init__(self, make: Callable[[], contextlib.AbstractContextManager[None]]) -> None:
        self._make = make

    def __enter__(self) -> None:
        self._inner = self._make()
        self._inner.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return self._inner.__exit__(kind, error, trace)

    def set_model(self, model: object) -> None:
        del model
        raise TypeError("keep_pruned is no callback: with pv.keep_pruned(thin, mask): thin.fit(…)")

    set_params = set_model


@contextlib.contextmanager
def _kept(seen: Seen, mask: Mask, optimizer: object) -> Iterator[None]:
    gone, arrays = zeros(seen, mask), seen.adapter.arrays()
    for name, where in gone.items():
        alive = int(np.count_nonzero(arrays[name][where]))
        layer, _, part = name.rpartition(".")
        if alive:
            raise ValueError(
                f"layer {layer!r} has {alive:,} entries in its {part} that the mask prunes but that are not "
                "zero: train the copy that pv.apply(model, mask) returns"
            )
    with seen.adapter.keep_pruned(gone, optimizer):
        yield
