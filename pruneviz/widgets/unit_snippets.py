"""Show code for units: the present mask, made with the framework's own tools.

Scores are summed in float64 and in one order, as pruneviz does it, so that the mask is the same to the bit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pruneviz import criteria

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pruneviz.layers import Layer
    from pruneviz.masks import Ranking

_TORCH = """\
import copy
{imports}
import numpy as np
import torch
from torch.nn.utils import prune

thin = copy.deepcopy(model)  # the original stays whole
layers = {name: thin.get_submodule(name) for name in {names}}
{scores}
{keep}{by_hand}
for name, kept in keep.items():  # a pruned {unit} loses its weights and its bias
    kept, weight = torch.from_numpy(kept), layers[name].weight
    rows = kept.view(-1, *[1] * (weight.ndim - 1)).expand_as(weight)
    prune.custom_from_mask(layers[name], "weight", rows)
    if layers[name].bias is not None:
        prune.custom_from_mask(layers[name], "bias", kept)
"""
_KERAS = """\
{imports}
import {keras}
import numpy as np

thin = {keras}.models.clone_model(model)  # the original stays whole
thin.set_weights(model.get_weights())
layers = {name: thin.get_layer(name) for name in {names}}
{scores}
{keep}{by_hand}
for name, kept in keep.items():  # a pruned {unit} loses its weights and its bias
    layers[name].kernel.assign(np.where(kept, layers[name].kernel.numpy(), 0))
    if layers[name].use_bias:
        layers[name].bias.assign(np.where(kept, layers[name].bias.numpy(), 0))
"""
_TORCH_WEIGHTS = """\
weights = {name: layer.weight.detach().cpu().numpy().astype(np.float64) for name, layer in layers.items()}
rows = {name: weight.reshape(len(weight), -1) for name, weight in weights.items()}  # one a {unit}"""
_KERAS_WEIGHTS = """\
kernels = {name: layer.kernel.numpy().astype(np.float64) for name, layer in layers.items()}
first = {name: np.moveaxis(kernel, (-1, -2), (0, 1)) for name, kernel in kernels.items()}  # outputs first
rows = {name: np.ascontiguousarray(weight.reshape(len(weight), -1)) for name, weight in first.items()}"""
_FROM_ROWS = {
    "magnitude": "scores = {name: np.abs(row).sum(axis=1) for name, row in rows.items()}",
    "l2": "scores = {name: np.sqrt(np.square(row).sum(axis=1)) for name, row in rows.items()}",
    "fpgm": """\
scores = {  # the sum of distances to the layer's other {unit}s
    name: np.array([np.sqrt(np.square(row - own).sum(axis=1)).sum() for own in row])
    for name, row in rows.items()
}""",
    "random": """\
scores = {
    name: np.random.default_rng([0, zlib.crc32(name.encode())]).random(len(row)) for name, row in rows.items()
}""",
}
_ASKED = """\
scores = pv.importance(model, granularity="{granularity}", criterion={criterion}, data=data).to_dict()
scores = {name: scores[name] for name in layers}  # data: the images that score, as NumPy arrays (x, y)"""
_RELATIVE = """\
means = {name: score.mean() for name, score in scores.items()}  # layers differ in scale: compare shares
scores = {name: score / (means[name] if means[name] > 0 else 1) for name, score in scores.items()}
"""
_GLOBAL = """\
everything = np.concatenate(list(scores.values()))
order = np.argsort(everything, kind="stable")  # of equal scores the lowest index goes first
kept = np.ones(len(order), dtype=bool)
kept[order[:{cut}]] = False  # {share} of all {unit}s
ends = np.cumsum([len(score) for score in scores.values()])
keep = dict(zip(scores, np.split(kept, ends[:-1])))
for name, score in scores.items():
    keep[name][np.argsort(score, kind="stable")[-1]] = True  # every layer keeps its best"""
_LAYER = """\
keep = {}
for name, cut in {cuts}.items():  # {share} of each layer
    order = np.argsort(scores[name], kind="stable")  # of equal scores the lowest index goes first
    keep[name] = np.ones(len(order), dtype=bool)
    keep[name][order[:cut]] = False
    keep[name][order[-1]] = True  # every layer keeps its best"""
_OWN = """\
import pruneviz as pv

x, y = data  # images like those that the model takes, as NumPy arrays
mask = pv.prune(
    model, {sparsity}, granularity="{granularity}", criterion={criterion}, scope="{scope}",
    data=data, example=x[:1], exclude={exclude}, keep_at_least=1,
)
keep = mask.to_dict(){by_hand}
mask = pv.Mask(keep, "{granularity}", mask.units)
thin = pv.apply(model, mask)
"""


def template(
    framework: str, layers: Mapping[str, Layer], ranking: Ranking, criterion: str, exclude: Sequence[str]
) -> str:
    """Write the snippet for a ranking of units, with places for what the slider decides.

    Parameters
    ----------
    framework
        ``"torch"``, ``"keras"`` or ``"tf_keras"``.
    layers
        Those that are ranked.
    ranking
        The ranking.
    criterion
        A built-in name, or that of the learner's own function.
    exclude
        Layers that are left alone.

    Returns
    -------
    str
        Framework code where a unit is one row of one layer; pruneviz's own where units are tied, pass a
        BatchNorm, or sit in layers that the framework does not find by name.
    """
    words = {
        "unit": ranking.granularity,
        "granularity": ranking.granularity,
        "criterion": f'"{criterion}"' if criterion in criteria.UNIT_NAMES else criterion,
        "scope": str(ranking.scope),
        "exclude": repr(list(exclude)),
        "names": "[" + ", ".join(f'"{name}"' for name in layers) + "]",
        "keras": framework,
    }
    if not _plain(framework, layers, ranking):
        return _filled(_OWN, words)
    known = criterion in _FROM_ROWS
    weights = _TORCH_WEIGHTS if framework == "torch" else _KERAS_WEIGHTS
    imports = "import zlib\n" if criterion == "random" else "" if known else "\nimport pruneviz as pv"
    parts = {
        "imports": imports,
        "scores": f"{weights}\n{_FROM_ROWS[criterion]}" if known else _ASKED,
        "keep": _RELATIVE + (_GLOBAL if ranking.scope == "global" else _LAYER),
    }
    text = _filled(_TORCH if framework == "torch" else _KERAS, parts)
    return _filled(text, words).lstrip("\n")


def _plain(framework: str, layers: Mapping[str, Layer], ranking: Ranking) -> bool:
    """Whether each unit is one output of one layer, and nothing else."""
    units = ranking.units
    assert units is not None  # noqa: S101  # a ranking of units has them
    ids = np.concatenate([units.ids(name) for name in layers])
    elsewhere = [of for name, of in units.of.items() if name not in layers] + list(units.norms.values())
    alone = len(np.unique(ids)) == len(ids) and (ids >= 0).all()
    return bool(
        alone
        and not any(np.isin(ids, of).any() for of in elsewhere)
        and all(layer.kind in ("dense", "conv") for layer in layers.values())
        and (framework == "torch" or not any("." in name for name in layers))
    )


def _filled(text: str, words: Mapping[str, str]) -> str:
    for word, value in words.items():
        text = text.replace(f"{{{word}}}", value)
    return text
