"""Show code for units: the present mask, made with the framework's own tools.

Scores are summed in float64 and in one order, as pruneviz does it, so that the mask is the same to the bit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pruneviz.core import criteria
from pruneviz.widgets.frame.code import filled, listed, mapped, wrapped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pruneviz.core.layers import Layer
    from pruneviz.core.ranking import Ranking

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
    prune.remove(layers[name], "weight")  # the mask goes, its zeros stay
    if layers[name].bias is not None:
        prune.custom_from_mask(layers[name], "bias", kept)
        prune.remove(layers[name], "bias")
{norms}"""
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
{norms}"""
_TORCH_NORMS = """\
for norm, name in {norm_of}.items():  # a BatchNorm would turn their zeros into a constant
    kept, norm = torch.from_numpy(keep[name]), thin.get_submodule(norm)
    for part in ("weight", "bias"):
        prune.custom_from_mask(norm, part, kept)
        prune.remove(norm, part)
    norm.running_mean[~kept] = 0
"""
_KERAS_NORMS = """\
for norm, name in {norm_of}.items():  # a BatchNorm would turn their zeros into a constant
    norm = thin.get_layer(norm)
    for part in (norm.gamma, norm.beta, norm.moving_mean):
        part.assign(np.where(keep[name], part.numpy(), 0))
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
scores = pv.importance(model, granularity="{granularity}", criterion={criterion}, data=images).to_dict()
scores = {name: scores[name] for name in layers}"""
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
mask = pv.prune(
    model, {sparsity}, granularity="{granularity}", criterion={criterion}, scope="{scope}",
    data=images, example=images[0][:1], exclude={exclude}, keep_at_least=1,
)
keep = mask.to_dict(){by_hand}
mask = pv.Mask(keep, "{granularity}", mask.units)
thin = pv.apply(model, mask)
"""


def template(
    framework: str,
    layers: Mapping[str, Layer],
    norms: Mapping[str, Mapping[str, str]],
    ranking: Ranking,
    criterion: str,
    exclude: Sequence[str],
    names: Mapping[str, str],
) -> str:
    """Write the snippet for a ranking of units, with places for what the slider decides.

    Parameters
    ----------
    framework
        ``"torch"``, ``"keras"`` or ``"tf_keras"``.
    layers
        Those that are ranked.
    norms
        The BatchNorms of the model and their arrays, as an adapter names them.
    ranking
        The ranking.
    criterion
        A built-in name, or that of the learner's own function.
    exclude
        Layers that are left alone.
    names
        As for `code.wrapped`.

    Returns
    -------
    str
        Framework code where a unit is one row of one layer, and perhaps of a BatchNorm; pruneviz's
        own where units are tied, or sit in layers that the framework does not find by name.
    """
    norm_of = _norm_of(layers, norms, ranking)
    words = {
        "unit": ranking.granularity,
        "granularity": ranking.granularity,
        "criterion": f'"{criterion}"' if criterion in criteria.names("neuron") else criterion,
        "scope": str(ranking.scope),
        "exclude": listed(exclude),
        "names": listed(layers),
        "keras": framework,
        "norm_of": mapped(norm_of or {}),
    }
    if norm_of is None or not _plain(framework, layers, ranking):
        return wrapped(filled(_OWN, **words), ranking.granularity, names)
    known = criterion in _FROM_ROWS
    weights = _TORCH_WEIGHTS if framework == "torch" else _KERAS_WEIGHTS
    parts = {
        "imports": "import zlib\n" if criterion == "random" else "",
        "scores": f"{weights}\n{_FROM_ROWS[criterion]}" if known else _ASKED,
        "norms": (_TORCH_NORMS if framework == "torch" else _KERAS_NORMS) if norm_of else "",
        "keep": _RELATIVE + (_GLOBAL if ranking.scope == "global" else _LAYER),
    }
    text = filled(_TORCH if framework == "torch" else _KERAS, **parts)
    return wrapped(filled(text, **words), ranking.granularity, names)


def _plain(framework: str, layers: Mapping[str, Layer], ranking: Ranking) -> bool:
    """Whether each unit is one output of one layer, and nothing else."""
    units = ranking.units
    assert units is not None  # noqa: S101  # a ranking of units has them
    ids = np.concatenate([units.ids(name) for name in layers])
    elsewhere = [of for name, of in units.of.items() if name not in layers]
    alone = len(np.unique(ids)) == len(ids) and (ids >= 0).all()
    return bool(
        alone
        and not any(np.isin(ids, of).any() for of in elsewhere)
        and all(layer.kind in ("dense", "conv") for layer in layers.values())
        and (framework == "torch" or not any("." in name for name in layers))
    )


def _norm_of(
    layers: Mapping[str, Layer], norms: Mapping[str, Mapping[str, str]], ranking: Ranking
) -> dict[str, str] | None:
    """Find the layer that each BatchNorm follows; None if one mixes units, or has not all of its arrays."""
    units = ranking.units
    assert units is not None  # noqa: S101  # a ranking of units has them
    found = {}
    for norm, ids in units.norms.items():
        owner = next((name for name in layers if np.array_equal(units.ids(name), ids)), None)
        if owner is not None and len(norms.get(norm, ())) == 3:
            found[norm] = owner
        elif any(np.isin(units.ids(name), ids[ids >= 0]).any() for name in layers):
            return None
    return found
