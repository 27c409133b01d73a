"""The checks of lesson 06b let right answers pass, and name each mistake by its own sentence."""

from pathlib import Path

import numpy as np
import pytest

from pruneviz.lessons.checks import lesson_06b


def kept_if(beats):
    """Make a front of those that nobody beats."""
    return lambda costs: [n for n, own in costs.items() if not any(beats(c, own) for c in costs.values())]


def in_order(costs):
    """Go through by errors, and keep who is smaller than all before; twins share a place."""
    kept, least = [], np.inf
    for name, cost in sorted(costs.items(), key=lambda item: item[1]):
        if cost[1] < least or (kept and costs[kept[-1]] == cost):
            kept, least = [*kept, name], cost[1]
    return kept


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (kept_if(lambda a, b: a[0] <= b[0] and a[1] <= b[1] and a != b), "Right."),
        (lambda costs: set(in_order(costs)), "Right."),
        (kept_if(lambda a, b: a[0] <= b[0] and a[1] <= b[1]), "does each beat itself"),
        (kept_if(lambda a, b: a[0] < b[0] and a[1] < b[1]), "no better in anything"),
        (kept_if(lambda a, b: a[0] >= b[0] and a[1] >= b[1] and a != b), "fewer errors and fewer bytes"),
        (kept_if(lambda a, b: a[0] < b[0] or a[1] < b[1]), "nobody is left"),
        (lambda costs: {min(costs, key=lambda n: costs[n][i]) for i in (0, 1)}, "best in one currency"),
        (lambda costs: [*costs], "somebody beats 'bad'"),
        (lambda _: ["thin"], "nobody beats 'dense'"),
        (lambda costs: list(costs.values()), "are no names"),
        (lambda _: "thin", "in a list"),
        (lambda _: 3, "in a list"),
        (lambda _: None, "returns nothing"),
        (..., "Not answered yet"),
    ],
)
def test_nobody_better(answer, told):
    assert told in lesson_06b.nobody_better.verdict(answer)


def timer(summary, *, warm=True, turns=True):
    """Time two calls, and sum up their rounds; without warming up, or one after the other."""

    def times_faster(one, other, clock, rounds):
        def spent(call):
            start = clock()
            call()
            return clock() - start

        if warm:
            one(), other()
        if turns:
            pairs = np.array([(spent(one), spent(other)) for _ in range(rounds)])
        else:
            first = [spent(one) for _ in range(rounds)]
            pairs = np.array([first, [spent(other) for _ in range(rounds)]]).T
        return summary(pairs)

    return times_faster


def ratio_of(how):
    return lambda pairs: np.divide(*how(pairs, axis=0))


def middle(pairs):
    return np.median(pairs[:, 0] / pairs[:, 1])


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (timer(middle), "Right."),
        (timer(middle, warm=False), "Right."),  # one round of forty does not move a median
        (timer(ratio_of(np.min)), "Right."),
        (timer(lambda pairs: float(middle(pairs))), "Right."),
        (timer(lambda pairs: 1 / middle(pairs)), "turn it round"),
        (timer(ratio_of(np.mean)), "a mean believes it"),
        (timer(ratio_of(np.median)), "falls between the two"),
        (timer(ratio_of(np.median), turns=False), "Let them take turns"),
        (timer(ratio_of(np.min), turns=False), "Let them take turns"),
        (timer(lambda pairs: pairs[0, 0] / pairs[0, 1], warm=False), "call both once before"),
        (timer(lambda pairs: pairs[:, 0] / pairs[:, 1]), "return one number"),
        (lambda *_: 2.0, "calls neither"),
        (lambda _one, _other: 2.0, "stops with TypeError"),
        (lambda *_: None, "returns nothing"),
        (..., "Not answered yet"),
    ],
)
def test_fair_timing(answer, told):
    assert told in lesson_06b.fair_timing.verdict(answer)


def test_a_world_tells_the_same_every_time():
    assert lesson_06b.World(3, 40).truth == lesson_06b.World(3, 40).truth
    assert len({lesson_06b.World(n, 40).truth for n in range(10)}) == 10


IMAGES, LABELS = np.zeros((20, 28, 28, 1), np.uint8), np.arange(20) % 10


def reads(path, images):
    return np.frombuffer(Path(path).read_bytes(), np.uint8)[: len(images)]


@pytest.mark.parametrize(
    ("content", "answers", "told"),
    [
        (LABELS, reads, "Right."),
        (np.arange(60_001), reads, "60,001 bytes are more"),
        (np.full(20, 3), reads, "20 bytes, and 2 of 20 right: 19 are asked for"),
        (LABELS, lambda *_: 3, "a digit for each of the 20 images"),
        (LABELS, lambda _path: LABELS, "stops with TypeError"),
        (LABELS, ..., "Not answered yet"),
    ],
)
def test_sixty_kilobytes(content, answers, told, tmp_path):
    path = tmp_path / "model.file"
    path.write_bytes(content.astype(np.uint8).tobytes())
    fits = IMAGES, LABELS
    assert told in lesson_06b.sixty_kilobytes.verdict(path, answers, fits=fits, target=19)
    assert "path of a file" in lesson_06b.sixty_kilobytes.verdict("nowhere", reads, fits=fits, target=19)
