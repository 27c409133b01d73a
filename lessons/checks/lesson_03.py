"""Checks of the exercises of lesson 03."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from pruneviz.teaching.exercises import close, exercise, known_mistake, whole_numbers, wrong_count

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# Answers come from learners: they can be anything.
Answer = Any

_TO_TRACK = {"pytorch": (0, 1, 2, 3), "tensorflow": (2, 3, 1, 0)}
_AXES = {"pytorch": "(filters, channels, rows, columns)", "tensorflow": "(rows, columns, channels, filters)"}
_BEST = 28  # five per cent of the 560 ways to take three of sixteen


@exercise(right="One number for each filter: the sizes of all its weights, added up.")
def filter_scores(l1_scores: Answer, *, track: str) -> str | None:
    """Judge ``l1_scores(weight)`` for a convolution's weights, laid out as the track's framework does."""
    rng = np.random.default_rng(3)
    # In the first array all axes are equally long: a wrong axis shows in the values alone.
    for shape in ((4, 4, 4, 4), (6, 1, 5, 5), (3, 7, 2, 3)):
        weight = rng.normal(size=shape)
        sums = {axis: np.abs(weight).sum(axis=tuple({0, 1, 2, 3} - {axis})) for axis in range(4)}
        given = l1_scores(weight.transpose(_TO_TRACK[track]).copy())
        if close(given, sums[0]):
            continue
        known = {
            "these are the scores of the channels that go in. The filters are along the "
            f"{'first' if track == 'pytorch' else 'last'} axis: the layout is {_AXES[track]}.": sums[1],
            f"these are sums for the rows of the kernels: the layout is {_AXES[track]}.": sums[2],
            f"these are sums for the columns of the kernels: the layout is {_AXES[track]}.": sums[3],
            "positive and negative weights cancel. Take sizes first: np.abs.": weight.sum(axis=(1, 2, 3)),
            "that is the size of the sum. Take sizes first, then add up.": np.abs(weight.sum(axis=(1, 2, 3))),
            "this is L2, the root of the sum of squares. L1 adds up sizes.": np.sqrt(
                (weight**2).sum(axis=(1, 2, 3))
            ),
            "these are sums of squares. L1 adds up sizes.": (weight**2).sum(axis=(1, 2, 3)),
            "these are means. They rank alike within a layer, but L1 is a sum.": np.abs(weight).mean(
                axis=(1, 2, 3)
            ),
            "that is one number for the layer. Each filter needs its own: add up three axes.": sums[0].sum(),
        }
        if sentence := known_mistake(given, known):
            return sentence
        size = np.shape(given)
        if size != (shape[0],):
            return (
                f"for {shape[0]} filters it should return {shape[0]} numbers, not an array of shape {size}."
            )
        return f"for {shape[0]} filters of {shape[1]} kernels the scores are not the sums of their sizes."
    return None


@exercise(right="Your three are among the best twenty-eight of 560 choices.")
def three_filters(chosen: Answer, *, right_without: Callable[[list[int]], int]) -> str | None:
    """Judge three of conv2's sixteen filters; ``right_without(filters)`` counts right answers."""
    mine = whole_numbers(chosen, "give the numbers of three filters, such as [0, 1, 2].")
    if len(mine) != 3 or len(set(mine)) != 3:
        return f"choose three different filters; this is {chosen}."
    if not set(mine) <= set(range(16)):
        return f"conv2 has the filters 0 to 15; this is {chosen}."
    counts: dict[tuple[int, ...], int] = {
        three: right_without(list(three)) for three in combinations(range(16), 3)
    }
    own, best = counts[tuple(sorted(mine))], max(counts.values())
    better = sum(count > own for count in counts.values())
    if better < _BEST:
        return None
    alone = [right_without([number]) for number in range(16)]
    single = set(np.argsort(alone)[-3:].tolist())
    why = (
        "These are the three that cost least alone, and costs do not add up."
        if set(mine) == single
        else "Measure: right_without takes a list of filters."
    )
    return (
        f"{own:,} are right without your three. {better} other choices leave more, the best {best:,}. {why}"
    )


@exercise(right="237,720 instead of 416,520: conv2 has half as much to read, and nothing else changes.")
def macs_after(answer: Answer) -> str | None:
    """Judge the MACs of conv1, conv2 and the dense layers of LeNet-5 with half of conv1's filters."""
    parts: Mapping[str, int] = {"conv1": 58_800, "conv2": 120_000, "dense": 58_920}
    known: dict[str, dict[str, float]] = {
        "conv1": {
            "this is conv1 with all six filters.": 117_600,
            "one weight meets every place of the map, and the map is 28 × 28: padding keeps its size.": 3
            * 25
            * 24**2,
            "these are conv1's weights. Each is used once for every place of the feature map.": 75,
            "the bias is added, not multiplied: it is no MAC.": 58_800 + 3 * 28**2,
        },
        "conv2": {
            "this is conv2 as it was. There are only three maps to read: its filters lose kernels.": 240_000,
            "only the input is halved; conv2 keeps its sixteen filters.": 60_000,
            "without padding the map of conv2 is 10 × 10, not 14 × 14.": 16 * 3 * 25 * 14**2,
            "these are conv2's weights. Each is used once for every place of the feature map.": 1_200,
            "the bias is added, not multiplied: it is no MAC.": 120_000 + 16 * 100,
        },
        "dense": {
            "conv2 has as many filters as before, so fc1 reads as many numbers as before.": 34_920,
            "biases are added, not multiplied: they are no MACs.": 58_920 + 214,
            "that is fc1 alone. There are three dense layers.": 48_000,
        },
    }
    return wrong_count(answer, parts, known, "Weights times places of the feature map.")
