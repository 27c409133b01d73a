"""Models that came from one another, for tests of what compares them: cards without networks."""

import numpy as np

import pruneviz as pv

LABELS = np.arange(200) % 10
STEPS = (  # name, parent, step, share of its weights, how many images it gets wrong, milliseconds
    ("dense", None, "", 1.0, 6, 0.9),
    ("half", "dense", "prune 50%", 0.5, 9, 0.91),
    ("tenth", "dense", "prune 90%", 0.1, 90, None),
    ("tenth, tuned", "tenth", "fine-tune", 0.1, 12, 0.88),
    ("small", "half", "remove", 0.5, 9, 0.5),
)


def timed(ms):
    """Make the time of a pass, with what three rounds found."""
    return pv.Latency((ms, 0.95 * ms, 1.2 * ms), "wall", "PyTorch, 1 thread")


def card(name, predictions, labels=LABELS, *, share=1.0, ms=None):
    """Make the card of a model of two layers that keeps a share of its weights."""
    correct = int(np.count_nonzero(predictions == labels))
    costs = {
        name: round(share * whole)
        for name, whole in (("nonzero", 110_000), ("macs", 100_000), ("compact_bytes", 400_000))
    }
    return pv.Scorecard(
        **{**costs, "name": name, "accuracy": correct / len(labels), "n": len(labels)},
        interval=pv.wilson(correct, len(labels)),
        parameters=110_000,
        buffers=0,
        sparsity=1 - share,
        nonzero_macs=costs["macs"],
        raw_bytes=440_000,
        gzip_bytes=400_000,
        predictions=predictions,
        labels=labels,
        latency_ms={} if ms is None else {1: timed(ms)},
        weights={"fc1": (round(share * 100_000), 100_000), "fc2": (round(share * 10_000), 10_000)},
    )


def family(mark=""):
    """Give five models in three generations; the smallest answers as the one that it was removed from.

    Their names end in the mark.
    """
    found = []
    for name, parent, step, share, wrong, ms in STEPS:
        draw = np.random.default_rng(wrong)
        places = draw.permutation(len(LABELS))[:wrong]
        predictions = LABELS.copy()
        predictions[places] = (LABELS[places] + 1 + draw.integers(0, 9, wrong)) % 10
        named = card(f"{name}{mark}", predictions, share=share, ms=ms)
        found.append(pv.Variant(named, parent and f"{parent}{mark}", step))
    return found


def pictures():
    """Give an image of noise for each label."""
    return np.random.default_rng(0).integers(0, 255, (len(LABELS), 28, 28, 1), dtype=np.uint8), LABELS
