"""Which entries stay: importance, ranking, thresholds and exact counts. NumPy only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

import numpy as np

from pruneviz.core.arrays import Array, BoolArray, names_in, number_to_prune, refuse_unknown, whole
from pruneviz.core.sorting import parted, places_in_rows, places_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pruneviz.core.units import Units

Scope: TypeAlias = str | Mapping[str, float]
_A = TypeVar("_A", bound=Array)


class _Arrays(Mapping[str, _A], Generic[_A]):
    """Read-only arrays by layer name."""

    def __init__(
        self, arrays: Mapping[str, _A], granularity: str = "weight", units: Units | None = None
    ) -> None:
        self._arrays = {name: self._validated(name, array) for name, array in arrays.items()}
        self.granularity, self.units = granularity, units

    def _validated(self, name: str, array: Array) -> _A:
        raise NotImplementedError

    def __getitem__(self, name: str) -> _A:
        if name not in self._arrays:
            raise KeyError(f"no layer {name!r} here: there is {', '.join(self._arrays) or 'none'}")
        return self._arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def __eq__(self, other: object) -> bool:
        """Equal when layers, granularity and every entry are."""
        if not isinstance(other, type(self)):
            return NotImplemented
        return (
            self.granularity == other.granularity
            and self.keys() == other.keys()
            and all(np.array_equal(array, other[name]) for name, array in self.items())
        )

    __hash__ = None  # type: ignore[assignment]

    @property
    def total(self) -> int:
        """Number of entries, over all layers; a unit that several layers share counts once."""
        if self.units is None:
            return sum(array.size for array in self.values())
        return len(self._first_entries(self.units))

    def _first_entries(self, tied: Units) -> Array:
        """Find one entry for each unit in all arrays laid end to end."""
        ids = np.concatenate([tied.ids(name) for name in self] or [np.array([-1])])
        units, places = np.unique(ids, return_index=True)
        first: Array = places[units >= 0]
        return first

    def to_dict(self) -> dict[str, _A]:
        """Give plain, writable copies of the arrays by layer name."""
        return {name: array.copy() for name, array in self.items()}


class Importance(_Arrays[Array]):
    """How much each entry of each layer matters: higher means keep.

    Parameters
    ----------
    arrays
        Layer name -> scores; the shape of the layer's weight for granularity ``"weight"``.
    granularity
        What one entry stands for.
    units
        For structured scores, which entries are tied; those that must stay are not counted.

    Raises
    ------
    ValueError
        If a score is NaN or infinite; the message names the layer.
    """

    def _validated(self, name: str, array: Array) -> Array:
        scores = np.array(array)
        if not np.isfinite(scores).all():
            raise ValueError(f"the importance of layer {name!r} is NaN or infinite in places")
        scores.flags.writeable = False
        return scores

    def __repr__(self) -> str:
        return f"Importance of {self.total:,} {self.granularity}s in {len(self)} layers"


class Mask(_Arrays[BoolArray]):
    """Which entries of each layer are kept: True means kept.

    Parameters
    ----------
    arrays
        Layer name -> bool array; layers that are absent are left alone.
    granularity
        What one entry stands for.
    units
        For structured masks, which are tied; without it every entry counts for itself.

    Raises
    ------
    TypeError
        If an array is not bool; the message names the layer.
    """

    def _validated(self, name: str, array: Array) -> BoolArray:
        fixed = isinstance(array, np.ndarray) and array.base is None and not array.flags.writeable
        kept = array if fixed else np.array(array)  # a copy of many entries takes its time
        if kept.dtype != np.bool_:
            raise TypeError(f"the mask of layer {name!r} is {kept.dtype}, not bool: True means kept")
        kept.flags.writeable = False
        return kept

    @property
    def kept(self) -> int:
        """Number of entries kept."""
        if self.units and len(self):
            return int(np.count_nonzero(np.concatenate(list(self.values()))[self._first_entries(self.units)]))
        return sum(int(np.count_nonzero(array)) for array in self.values())

    @property
    def pruned(self) -> int:
        """Number of entries pruned."""
        return self.total - self.kept

    @property
    def sparsity(self) -> float:
        """Share of the entries that is pruned; 0 for an empty mask."""
        return self.pruned / self.total if self.total else 0.0

    def __and__(self, other: Mask) -> Mask:
        """Keep what both keep; a layer that only one names counts as kept in the other."""
        if not isinstance(other, Mask):
            return NotImplemented
        if self.granularity != other.granularity:
            raise ValueError(f"cannot combine masks of {self.granularity}s and {other.granularity}s")
        both = {**self, **other}
        for name in self.keys() & other.keys():
            if self[name].shape != other[name].shape:
                raise ValueError(f"the masks of layer {name!r} differ in shape")
            both[name] = self[name] & other[name]
        units = self.units or other.units
        if self.units and other.units:
            units = replace(self.units, counted=self.units.counted | other.units.counted)
        return Mask(both, self.granularity, units)

    def __repr__(self) -> str:
        lines = [
            f"{name}: kept {np.count_nonzero(kept):,} of {kept.size:,}, {1 - kept.mean():.1%} pruned"
            for name, kept in self.items()
            if kept.size
        ]
        summary = f"kept {self.kept:,} of {self.total:,} {self.granularity}s, {self.sparsity:.1%} pruned"
        return "\n".join([*lines, summary])


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
        self.ranks = dict(ranks)
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
            cuts = {
                row: min(cuts[row], max(0, size - self.keep_at_least)) for row, size in self.pools.values()
            }
        kept = {name: ranks >= cuts[self.pools[name][0]] for name, ranks in self.ranks.items()}
        if self.keep_at_least or self.units:
            kept = self._with_the_best(kept)
        for array in kept.values():
            array.flags.writeable = False
        return Mask(kept, self.granularity, self.units)

    def _with_the_best(self, kept: dict[str, BoolArray]) -> dict[str, BoolArray]:
        """Give back to each layer its best `keep_at_least` entries; tied ones have one rank in one pool."""
        best: dict[str, list[Array]] = {}
        for name, ranks in self.ranks.items():
            wanted = min(self.keep_at_least, ranks.size)
            have = np.count_nonzero(kept[name])
            if not have and not self.keep_at_least:
                raise ValueError(
                    f"this sparsity leaves layer {name!r} without {self.granularity}s: lower it, exclude the "
                    "layer, or pass keep_at_least=1"
                )
            if have < wanted:
                best.setdefault(self.pools[name][0], []).append(np.sort(ranks, axis=None)[-wanted:])
        for name, ranks in self.ranks.items():
            if self.pools[name][0] in best:
                kept[name] = kept[name] | np.isin(ranks, np.concatenate(best[self.pools[name][0]]))
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
        ``"output"``, for weights, compares only those of one output, and takes the share from each.
    exclude
        Layers to leave alone; they are absent from the masks and from the count, and so are units they share.
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
    if units is not None:
        return _rank_units(scores, units, scope, importance.granularity, keep_at_least)
    flat = {name: array.ravel() for name, array in scores.items()}
    if scope == "output":
        places = {name: places_in_rows(array.reshape(len(array), -1)) for name, array in scores.items()}
    elif scope == "global" and scores:
        places = parted(places_of(np.concatenate(list(flat.values()))), scores)
    else:
        places = {name: places_of(array) for name, array in flat.items()}
    ranks = {name: array.reshape(scores[name].shape) for name, array in places.items()}
    return Ranking(ranks, scope, importance.granularity, keep_at_least)


def compared(
    importance: Importance, scope: Scope, exclude: Iterable[str]
) -> tuple[dict[str, Array], Units | None]:
    """Check the words of `rank`; give the scores and the units that are not left alone."""
    left_alone = set(names_in(exclude))
    units = importance.units
    refuse_unknown("exclude", left_alone, importance if units is None else units.of)
    if units is not None:
        units = units.without(left_alone)
        units.refuse_obstacles()
        left_alone = importance.keys() - set(units.names())
    scores = {name: array for name, array in importance.items() if name not in left_alone}
    if isinstance(scope, Mapping):
        refuse_unknown("scope", scope, scores)
        for name, sparsity in scope.items():
            number_to_prune(sparsity, scores[name].size)
    elif scope == "output" and units is not None:
        raise ValueError('scope "output" compares weights: for units, choose "global" or "layer"')
    elif scope not in ("global", "layer", "output"):
        raise ValueError(f'scope {scope!r} is not "global", "layer", "output" or a dict layer -> sparsity')
    return scores, units


def pools_of(arrays: Mapping[str, Array], scope: Scope) -> dict[str, tuple[str, int]]:
    """Tell with what each layer's weights are compared, and how many those are."""
    if scope == "global":
        return dict.fromkeys(arrays, ("", sum(array.size for array in arrays.values())))
    return {name: (name, a.size // (len(a) if scope == "output" else 1)) for name, a in arrays.items()}


def counts(sparsity: float | None, scope: Scope, pools: Mapping[str, tuple[str, int]]) -> dict[str, int]:
    """Tell how many entries of each pool to prune."""
    if isinstance(scope, Mapping):
        if sparsity is not None:
            raise ValueError("scope says each layer's sparsity already: leave sparsity out")
        shares = {pools[name][0]: share for name, share in scope.items()}
        return {pool: number_to_prune(shares.get(pool, 0), size) for pool, size in pools.values()}
    if sparsity is None:
        raise ValueError(f"scope {scope!r} needs a sparsity, such as 0.9")
    return {pool: number_to_prune(sparsity, size) for pool, size in pools.values()}


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
                raise ValueError(
                    f"scope gives {name!r} and {other!r} different sparsities, but their units are tied"
                )
