"""In which order entries leave, and how many go: ranking, thresholds and exact counts. NumPy only."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from pruneviz.core.arrays import Array, BoolArray, names_in, number_to_prune, refuse_unknown, whole
from pruneviz.core.masks import Importance, Mask
from pruneviz.core.sorting import InOrder, places_in_rows, places_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pruneviz.core.units import Units

Scope: TypeAlias = str | Mapping[str, float]


class Ranking:
    """The entries in the order in which they would be pruned; `mask` costs one comparison an entry.

    Parameters
    ----------
    ranks
        Layer name -> place in the order of pruning, 0 first. Under ``"global"`` scope the places run
        through all layers; otherwise each layer, or each group of tied layers, has its own.
    scope
        As for `rank`.
    granularity
        What one entry stands for.
    keep_at_least
        As for `rank`.
    pools
        For structured entries: layer name -> (what its places run through, how many they are).
    units
        For structured entries, which are tied.
    """

    def __init__(
        self,
        ranks: Mapping[str, Array],
        scope: Scope,
        granularity: str,
        keep_at_least: int = 0,
        pools: Mapping[str, tuple[str, int]] | None = None,
        units: Units | None = None,
    ) -> None:
        self.ranks = ranks
        self.scope = scope
        self.granularity = granularity
        self.keep_at_least = keep_at_least
        self.units = units
        self.pools = pools or pools_of(ranks, scope)

    def mask(self, sparsity: float | None = None) -> Mask:
        """Prune the first entries of the ranking.

        Parameters
        ----------
        sparsity
            Share to prune, from 0 to 1; exact, rounded half up. None with a dict scope, which says it itself.

        Returns
        -------
        Mask
            Exactly that share pruned, up to `keep_at_least`; of equal scores the lowest index goes first.

        Raises
        ------
        TypeError, ValueError
            If the sparsity is not a number from 0 to 1, is given twice, or would empty a layer of units.
        """
        cuts = counts(sparsity, self.scope, self.pools)
        if self.scope == "output":
            most = {row: max(0, size - self.keep_at_least) for row, size in self.pools.values()}
            cuts = {row: min(cut, most[row]) for row, cut in cuts.items()}
        if isinstance(self.ranks, InOrder):
            kept = self.ranks.beyond(cuts)
        else:
            kept = {name: ranks >= cuts[self.pools[name][0]] for name, ranks in self.ranks.items()}
        if self.keep_at_least or self.units:
            kept = self._with_the_best(kept)
        for array in kept.values():
            array.flags.writeable = False
        return Mask(kept, self.granularity, self.units)

    def _with_the_best(self, kept: dict[str, BoolArray]) -> dict[str, BoolArray]:
        """Give back to each layer its best `keep_at_least` entries; tied ones have one rank in one pool."""
        best: dict[str, list[Array]] = {}
        for name, array in kept.items():
            wanted, have = min(self.keep_at_least, array.size), np.count_nonzero(array)
            if not have and not self.keep_at_least:
                raise ValueError(
                    f"this sparsity leaves layer {name!r} without {self.granularity}s: lower it, exclude the "
                    "layer, or pass keep_at_least=1"
                )
            if have < wanted:
                last = np.sort(self.ranks[name], axis=None)[-wanted:]
                best.setdefault(self.pools[name][0], []).append(last)
        for name, array in kept.items():
            if self.pools[name][0] in best:
                kept[name] = array | np.isin(self.ranks[name], np.concatenate(best[self.pools[name][0]]))
        return kept

    def __repr__(self) -> str:
        entries = sum(dict(self.pools.values()).values())
        return f"Ranking of {entries:,} {self.granularity}s in {len(self.ranks)} layers, scope {self.scope!r}"


def rank(
    importance: Importance, scope: Scope = "global", exclude: Iterable[str] = (), keep_at_least: int = 0
) -> Ranking:
    """Sort entries by importance, the least important first.

    Parameters
    ----------
    importance
        The scores.
    scope
        ``"global"`` compares all entries with each other, ``"layer"`` only those of one layer, and a dict
        of layer -> sparsity gives each layer its own share (0 where it names none). For units, tied layers
        form a group: ``"global"`` divides scores by their group's mean first, ``"layer"`` takes the same
        share from each group, and a dict names one layer of a group, or gives all of them one share.
        ``"output"``, for weights, compares only those of one output, and takes the share from each; ``"2:4"``
        compares only those that meet four consecutive inputs, for one output and at one place of the kernel,
        and keeps two of them. It leaves layers out whose inputs four does not divide.
    exclude
        Layers to leave alone; they are absent from the masks and from the count, and so are units they share.
        ``"auto"``, alone or among names, leaves alone whatever stands in the way of removing units.
    keep_at_least
        How many entries every layer keeps, its best (every output, where outputs are what is compared); 0
        refuses to empty a layer of units.

    Returns
    -------
    Ranking
        Of equal scores the lowest index comes first.

    Raises
    ------
    ValueError
        If scope is none of these, a layer is unknown, or units reach what pruneviz does not know.
    """
    keep_at_least = whole("keep_at_least", keep_at_least)
    scores, units = compared(importance, scope, exclude)
    if pattern_of(scope) and keep_at_least:
        raise ValueError(f"{scope} says how many weights stay: leave keep_at_least out")
    if units is not None:
        return _rank_units(scores, units, scope, importance.granularity, keep_at_least)
    ranks: Mapping[str, Array]
    if scope == "output":
        ranks = {n: places_in_rows(a.reshape(len(a), -1)).reshape(a.shape) for n, a in scores.items()}
    elif pattern := pattern_of(scope):
        ranks = {name: _places_of_inputs(array, pattern[1]) for name, array in scores.items()}
    else:
        ranks = InOrder(scores, together=scope == "global")
    return Ranking(ranks, scope, importance.granularity, keep_at_least, pools_of(scores, scope))


def pattern_of(words: object) -> tuple[int, int] | None:
    """Read "n:m": of every m consecutive inputs n stay; None for other words."""
    found = re.fullmatch(r"([1-9]\d*):([1-9]\d*)", words) if isinstance(words, str) else None
    n, m = map(int, found.groups()) if found else (0, 0)
    return (n, m) if n < m else None


def _places_of_inputs(scores: Array, m: int) -> Array:
    """Rank weights, (out, in, *kernel), among those that meet m consecutive inputs."""
    inputs_last = np.moveaxis(scores, 1, -1)
    places = places_in_rows(inputs_last.reshape(-1, m)).reshape(inputs_last.shape)
    return np.moveaxis(places, -1, 1)


def compared(
    importance: Importance, scope: Scope, exclude: Iterable[str]
) -> tuple[dict[str, Array], Units | None]:
    """Check the words of `rank`; give the scores and the units that are not left alone."""
    units, left_alone = importance.units, set(names_in(exclude))
    refuse_unknown("exclude", left_alone - {"auto"}, importance if units is None else units.of)
    if units is not None:
        units = units.without(units.left_alone(left_alone))
        units.refuse_obstacles()
        left_alone = importance.keys() - set(units.names())
    scores = {name: array for name, array in importance.items() if name not in left_alone}
    if isinstance(scope, Mapping):
        for name in scope.keys() & (units.stays if units else {}):
            raise ValueError(f"scope names layer {name!r}, whose outputs {units.stays[name]}")  # type: ignore[union-attr]
        refuse_unknown("scope", scope, scores)
        for name, sparsity in scope.items():
            number_to_prune(sparsity, scores[name].size)
    elif (scope == "output" or pattern_of(scope)) and units is not None:
        raise ValueError(f'scope "{scope}" compares weights: for units, choose "global" or "layer"')
    elif pattern := pattern_of(scope):
        scores = {name: array for name, array in scores.items() if array.shape[1] % pattern[1] == 0}
    elif scope not in ("global", "layer", "output"):
        raise ValueError(f'scope {scope!r} is not "global", "layer", "output" or a dict layer -> sparsity')
    return scores, units


def pools_of(arrays: Mapping[str, Array], scope: Scope) -> dict[str, tuple[str, int]]:
    """Tell with what each layer's weights are compared, and how many those are."""
    if scope == "global":
        return dict.fromkeys(arrays, ("", sum(array.size for array in arrays.values())))
    if pattern := pattern_of(scope):
        return {name: (name, pattern[1]) for name in arrays}
    return {name: (name, a.size // (len(a) if scope == "output" else 1)) for name, a in arrays.items()}


def check_share(sparsity: float | None, scope: Scope) -> float:
    """Refuse what is not a share from 0 to 1, one that is missing, and one that is given twice."""
    if isinstance(scope, Mapping):
        if sparsity is not None:
            raise ValueError("scope says each layer's sparsity already: leave sparsity out")
        return 0
    n, m = pattern_of(scope) or (0, 0)
    own = 1 - n / m if m else None
    share = own if sparsity is None else sparsity
    if share is None:
        raise ValueError(f"scope {scope!r} needs a sparsity, such as 0.9")
    number_to_prune(share, 0)
    if own is not None and not math.isclose(share, own):
        raise ValueError(f"{scope} prunes {own:g} of the weights, not {sparsity}: leave sparsity out")
    return share


def counts(sparsity: float | None, scope: Scope, pools: Mapping[str, tuple[str, int]]) -> dict[str, int]:
    """Tell how many entries of each pool to prune."""
    share = check_share(sparsity, scope)
    shares = {pools[name][0]: own for name, own in scope.items()} if isinstance(scope, Mapping) else {}
    return {pool: number_to_prune(shares.get(pool, share), size) for pool, size in pools.values()}


def _rank_units(
    scores: Mapping[str, Array], units: Units, scope: Scope, granularity: str, keep_at_least: int
) -> Ranking:
    """Rank units, each once; what must stay comes after all of them."""
    values = np.zeros(len(units.groups))
    counted = np.zeros(len(units.groups), bool)
    for name, array in scores.items():
        ids = units.ids(name)
        values[ids[ids >= 0]] = array[ids >= 0]
        counted[ids[ids >= 0]] = True
    places = np.full(len(values) + 1, np.iinfo(np.uint32).max, np.uint32)
    group_of = {name: int(units.groups[units.ids(name).max()]) for name in scores}
    sizes = {}
    for group in sorted(set(group_of.values())):
        members = np.flatnonzero(counted & (units.groups == group))
        sizes[group] = len(members)
        mean = values[members].mean()
        values[members] /= mean if mean > 0 else 1
        places[members] = places_of(values[members])
    if scope == "global":
        places[np.flatnonzero(counted)] = places_of(values[counted])
        pools = dict.fromkeys(scores, ("", int(counted.sum())))
    else:
        pools = {name: (str(group), sizes[group]) for name, group in group_of.items()}
    if isinstance(scope, Mapping):
        _refuse_two_shares(scope, pools)
    ranks = {name: places[units.ids(name)] for name in scores}
    return Ranking(ranks, scope, granularity, keep_at_least, pools, units)


def _refuse_two_shares(scope: Mapping[str, float], pools: Mapping[str, tuple[str, int]]) -> None:
    for name, share in scope.items():
        for other, another in scope.items():
            if pools[name] == pools[other] and share != another:
                raise ValueError(f"scope gives {name!r} and {other!r} different sparsities: they are tied")
