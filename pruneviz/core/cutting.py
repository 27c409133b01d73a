"""One mask, once: what is pruned, parted from what is kept without ranking either."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pruneviz.core.arrays import whole
from pruneviz.core.masks import Importance, Mask, Scope, compared, counts, pools_of, rank
from pruneviz.core.sorting import least, parted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pruneviz.core.arrays import BoolArray


def cut(
    importance: Importance,
    sparsity: float | None,
    scope: Scope = "global",
    exclude: Iterable[str] = (),
    keep_at_least: int = 0,
) -> Mask:
    """Choose what ``rank(importance, …).mask(sparsity)`` does, several times sooner.

    Units, which are few, are ranked, and so are the weights of single outputs.
    """
    if importance.units is not None or scope == "output":
        return rank(importance, scope, exclude, keep_at_least).mask(sparsity)
    keep_at_least = whole("keep_at_least", keep_at_least)
    scores, _ = compared(importance, scope, exclude)
    cuts = counts(sparsity, scope, pools_of(scores, scope))
    flat = {name: array.ravel() for name, array in scores.items()}
    if scope == "global" and scores:
        pool = np.concatenate(list(flat.values()))
        flat, gone = parted(pool, scores), parted(least(pool, cuts[""]), scores)
    else:
        gone = {name: least(array, cuts[name]) for name, array in flat.items()}
    kept: dict[str, BoolArray] = {}
    for name, array in flat.items():
        wanted = min(keep_at_least, array.size)
        if array.size - np.count_nonzero(gone[name]) < wanted:
            gone[name] = least(array, array.size - wanted)
        kept[name] = ~gone[name].reshape(scores[name].shape)
    return Mask(kept, importance.granularity)
