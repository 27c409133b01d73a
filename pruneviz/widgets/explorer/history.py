"""The states of an explorer, and what changed between two of them: which images, and of which classes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import traitlets as t

from pruneviz.widgets.frame.given import pictures

if TYPE_CHECKING:
    from pruneviz.core.arrays import Array

PICTURES = 24


@dataclass(frozen=True)
class State:
    """What a measurement is about; it stays the same while the view moves on.

    Attributes
    ----------
    sparsity, scope, criterion
        As the traits of `Explorer`.
    hand
        ``(layer, cut, kept)`` for each layer that was changed by hand.
    shares
        ``(group, share)`` for each group with a share of its own; None where there are no groups.
    """

    sparsity: float
    scope: str
    criterion: str
    hand: tuple[tuple[str, tuple[int, ...], tuple[int, ...]], ...] = ()
    shares: tuple[tuple[str, float], ...] | None = None

    @classmethod
    def of(cls, traits: Mapping[str, Any]) -> State:
        """Freeze what a view or a kept state says."""
        hand = [
            (name, tuple(lists.get("cut", ())), tuple(lists.get("kept", ())))
            for name, lists in traits["by_hand"].items()
        ]
        shares = tuple(traits["sparsities"].items()) if "sparsities" in traits else None
        return cls(float(traits["sparsity"]), traits["scope"], traits["criterion"], tuple(hand), shares)

    @property
    def by_rule(self) -> bool:
        """Whether nothing overrules the rule."""
        return not (self.hand or self.shares)

    def at(self, sparsity: float) -> State:
        """Give what the rule alone does at a sparsity."""
        return replace(self, sparsity=sparsity, hand=(), shares=self.shares and ())

    def key(self, alike: tuple[float, ...]) -> State:
        """Give one value to states with one mask: at the sparsities `alike` no ranking changes it."""
        return replace(self, scope="", criterion="") if self.by_rule and self.sparsity in alike else self

    def by_hand(self) -> dict[str, dict[str, list[int]]]:
        """Give what was changed by hand, as the trait has it."""
        return {name: {"cut": list(cut), "kept": list(kept)} for name, cut, kept in self.hand}

    def traits(self) -> dict[str, Any]:
        """Give the traits of a view in this state."""
        own = {} if self.shares is None else {"sparsities": dict(self.shares)}
        rule = {"scope": self.scope, "criterion": self.criterion}
        return {"sparsity": self.sparsity, **own, **rule, "by_hand": self.by_hand()}


def by_hand(value: Mapping[str, Any], sizes: Mapping[str, int], noun: str) -> dict[str, dict[str, list[int]]]:
    """Read what is changed by hand, as the trait has it, in layers of so many entries.

    Raises
    ------
    TraitError
        If it is something else, or there are no such entries.
    """
    found = {}
    for name, lists in value.items():
        if not isinstance(lists, Mapping) or not lists.keys() <= {"cut", "kept"}:
            raise t.TraitError(f'by_hand[{name!r}] takes "cut" and "kept", not {lists!r}')
        found[name] = {
            word: _places(lists.get(word, ()), sizes[name], name, noun) for word in ("cut", "kept")
        }
    return {name: lists for name, lists in found.items() if lists["cut"] or lists["kept"]}


def _places(value: object, size: int, name: str, noun: str) -> list[int]:
    places = []
    for index in value if isinstance(value, Iterable) else [value]:
        if not isinstance(index, int | np.integer) or not 0 <= index < size:
            raise t.TraitError(f"by_hand: layer {name!r} has no {noun} {index}")
        places.append(int(index))
    return places


def comparison(before: Array, after: Array, labels: Array, x: Array) -> dict[str, Any]:
    """Count what the later predictions lost and won, in all and by class.

    Parameters
    ----------
    before, after, labels
        (n,) classes.
    x
        The images.

    Returns
    -------
    dict
        lost, won, other (wrong in a new way), and the same in ``by_class``; ``images``: up to 24 of those
        whose prediction changed, lost ones first, and their ``pictures``.
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
    counts = _counts(kinds, np.ones(len(labels), bool))
    return {**counts, "by_class": rows, "images": images, "pictures": pictures(x[chosen])}


def _counts(kinds: dict[str, Array], where: Array) -> dict[str, int]:
    return {kind: int(np.count_nonzero(found & where)) for kind, found in kinds.items()}
