"""What changed between two states: which images, and of which classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pruneviz.core.arrays import Array

PICTURES = 24


def key(state: dict[str, Any], alike: tuple[float, ...] = (0, 1)) -> tuple[Any, ...]:
    """Give a state a name under which its predictions are remembered.

    Parameters
    ----------
    state
        Sparsity, scope, criterion and what was changed by hand.
    alike
        The sparsities whose mask no ranking changes.
    """
    edits = tuple(
        (name, tuple(lists.get("cut", ())), tuple(lists.get("kept", ())))
        for name, lists in sorted(state["by_hand"].items())
        if lists.get("cut") or lists.get("kept")
    )
    if not edits and state["sparsity"] in alike:
        return (state["sparsity"],)
    return (state["sparsity"], state["scope"], state["criterion"], edits)


def comparison(before: Array, after: Array, labels: Array) -> dict[str, Any]:
    """Count what the later predictions lost and won, in all and by class.

    Parameters
    ----------
    before, after, labels
        (n,) classes.

    Returns
    -------
    dict
        lost, won, other (wrong in a new way), and the same in ``by_class``; ``images``: up to 24 of those
        whose prediction changed, lost ones first.
    """
    was, now = before == labels, after == labels
    kinds = {"lost": was & ~now, "won": now & ~was, "other": ~was & ~now & (before != after)}
    rows = [
        {"name": str(c), "n": int(np.count_nonzero(labels == c)), **_counts(kinds, labels == c)}
        for c in np.unique(labels)
    ]
    found = [np.flatnonzero(where) for where in kinds.values()]
    # A few of every kind first, then what is left, lost ones first.
    chosen = np.concatenate([f[: PICTURES // 3] for f in found] + [f[PICTURES // 3 :] for f in found])[
        :PICTURES
    ]
    chosen = np.concatenate([np.intersect1d(f, chosen) for f in found])
    images = [
        {"index": int(i), "truth": int(labels[i]), "before": int(before[i]), "after": int(after[i])}
        for i in chosen
    ]
    return {**_counts(kinds, np.ones(len(labels), bool)), "by_class": rows, "images": images}


def pictures(x: Array, images: list[dict[str, Any]]) -> tuple[list[int], bytes]:
    """Give the images as uint8 pixels, grey or RGB.

    Parameters
    ----------
    x
        (n, height, width, channels) in [0, 1]; of other shapes there are no pictures.
    images
        As in `comparison`.

    Returns
    -------
    shape
        [height, width, channels], or [].
    pixels
        The images, one after the other.
    """
    if x.ndim != 4 or x.shape[-1] not in (1, 3) or not images:
        return [], b""
    chosen = x[[image["index"] for image in images]]
    return list(x.shape[1:]), np.round(255 * np.clip(chosen, 0, 1)).astype(np.uint8).tobytes()


def _counts(kinds: dict[str, Array], where: Array) -> dict[str, int]:
    return {kind: int(np.count_nonzero(found & where)) for kind, found in kinds.items()}
