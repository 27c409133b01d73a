"""How large a compact file of LeNet-300-100 is after a cut and an epoch of fine-tuning."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rows import Row
from unit_criteria import trained

import pruneviz as pv

if TYPE_CHECKING:
    from collections.abc import Iterator

SPARSITIES, LIMIT = (0.8, 0.9, 0.95, 0.99), 0.88


def rows() -> Iterator[Row]:
    """Weigh a file at each sparsity, in the three kinds of values."""
    mnist, model = pv.datasets.mnist(), pv.zoo.lenet_300_100("torch")
    for sparsity in SPARSITIES:
        mask = pv.prune(model, sparsity)
        thin = pv.apply(model, mask)
        with pv.keep_pruned(thin, mask):
            trained(thin, mnist.train)
        card = pv.scorecard(thin, mnist.validation)
        entropy = -sum(share * np.log2(share) for share in (sparsity, 1 - sparsity))
        bound = 4 * card.nonzero + entropy * mask.total / 8
        what, sizes = f"pv.save, {sparsity:.0%} of LeNet-300-100 pruned", written(thin)
        yield Row(what, sizes["exact"], "B", "4 B a value, entropy of the mask", bound, LIMIT)
        yield Row(what, sizes["exact"], "B", "gzip of all numbers", float(card.gzip_bytes), 1.0)
        for values in ("float16", "int8"):
            yield Row(f"{what}, {values}", sizes[values], "B", "exact values", sizes["exact"], 1.0)


def written(model: object) -> dict[str, float]:
    """Write a model's file in each kind of values; give their sizes in bytes."""
    with tempfile.TemporaryDirectory() as folder:
        path, sizes = Path(folder) / "model.pv", {}
        for values in ("exact", "float16", "int8"):
            pv.save(model, path, values=values)
            sizes[values] = float(path.stat().st_size)
    return sizes
