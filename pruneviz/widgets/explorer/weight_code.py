"""Show code for weights: the present mask, made with the framework's own tools."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pruneviz.core import criteria
from pruneviz.widgets.frame.code import filled, listed, mapped, wrapped

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pruneviz.core.layers import Layer

_TORCH = """\
import copy
{imports}
import torch
from torch.nn.utils import prune

thin = copy.deepcopy(model)  # the original stays whole
{scores}
{keep}{by_hand}
for name, kept in keep.items():
    layer = thin.get_submodule(name)
    prune.custom_from_mask(layer, "weight", kept.view(layer.weight.shape))
    prune.remove(layer, "weight")  # the mask goes, its zeros stay
"""
_TORCH_GLOBAL = """\
everything = torch.cat([score.flatten() for score in scores.values()])
order = torch.argsort(everything, stable=True)  # of equal scores the lowest index goes first
kept = torch.ones(len(order), dtype=torch.bool)
kept[order[:{cut}]] = False  # {share} of all weights
keep = dict(zip(scores, kept.split([score.numel() for score in scores.values()])))"""
_TORCH_LAYER = """\
keep = {}
for name, cut in {cuts}.items():  # {share} of each layer
    order = torch.argsort(scores[name].flatten(), stable=True)  # of equal scores the lowest index goes first
    keep[name] = torch.ones(len(order), dtype=torch.bool)
    keep[name][order[:cut]] = False"""
_TORCH_MAGNITUDE = "scores = {name: thin.get_submodule(name).weight.detach().abs() for name in {names}}"
_TORCH_SLOPES = """\
x, y = images  # NumPy arrays
weights = {name: thin.get_submodule(name).weight for name in {names}}
slopes = {name: torch.zeros(weight.shape, dtype=torch.float64) for name, weight in weights.items()}
thin.eval()
for start in range(0, len(x), 1000):
    batch = torch.tensor(x[start : start + 1000]).float() / {scale}
    batch = batch.permute(0, 3, 1, 2).contiguous() if batch.ndim == 4 else batch
    labels = torch.tensor(y[start : start + 1000]).long()
    loss = torch.nn.functional.cross_entropy(thin(batch), labels)
    for slope, part in zip(slopes.values(), torch.autograd.grad(loss, list(weights.values()))):
        slope += part.double() * (len(batch) / len(x))
scores = {name: {formula} for name, slope in slopes.items()}"""
_TORCH_INPUTS = """\
x = images[0]  # a NumPy array; their labels are not needed
squares, rows = dict.fromkeys({names}, 0), dict.fromkeys({names}, 0)
watched = copy.deepcopy(model).eval()
for name in squares:

    def watch(layer, read, made, name=name):
        seen = read[0].double().flatten(0, -2)
        squares[name], rows[name] = squares[name] + seen.square().sum(0), rows[name] + len(seen)

    watched.get_submodule(name).register_forward_hook(watch)
for start in range(0, len(x), 1000):
    batch = torch.tensor(x[start : start + 1000]).float() / {scale}
    batch = batch.permute(0, 3, 1, 2).contiguous() if batch.ndim == 4 else batch
    with torch.no_grad():
        watched(batch)
means = {name: (squares[name] / rows[name]).sqrt() for name in squares}
scores = {name: thin.get_submodule(name).weight.detach().abs() * means[name] for name in means}"""

_KERAS = """\
{imports}
import {keras}
import numpy as np

thin = {keras}.models.clone_model(model)  # the original stays whole
thin.set_weights(model.get_weights())
{scores}
{keep}{by_hand}
for name, kept in keep.items():
    kernel = thin.get_layer(name).kernel
    mask = np.moveaxis(kept.reshape(scores[name].shape), (0, 1), (-1, -2))  # back to inputs first
    kernel.assign(np.where(mask, kernel.numpy(), 0))
"""
_KERAS_GLOBAL = """\
everything = np.concatenate([score.ravel() for score in scores.values()])
order = np.argsort(everything, kind="stable")  # of equal scores the lowest index goes first
kept = np.ones(len(order), dtype=bool)
kept[order[:{cut}]] = False  # {share} of all weights
ends = np.cumsum([score.size for score in scores.values()])
keep = dict(zip(scores, np.split(kept, ends[:-1])))"""
_KERAS_LAYER = """\
keep = {}
for name, cut in {cuts}.items():  # {share} of each layer
    order = np.argsort(scores[name].ravel(), kind="stable")  # of equal scores the lowest index goes first
    keep[name] = np.ones(len(order), dtype=bool)
    keep[name][order[:cut]] = False"""
_KERAS_MAGNITUDE = """\
kernels = {name: thin.get_layer(name).kernel.numpy() for name in {names}}
scores = {name: np.abs(np.moveaxis(kernel, (-1, -2), (0, 1))) for name, kernel in kernels.items()}"""

_RANDOM = """\
shapes = {shapes}
scores = {
    name: {wrap}np.random.default_rng([{seed}, zlib.crc32(name.encode())]).random(shape){close}
    for name, shape in shapes.items()
}"""

_OWN = """\
mask = pv.prune(model, {sparsity}, criterion={criterion}, scope="{scope}"{more})
shapes = {name: kept.shape for name, kept in mask.items()}
keep = {name: kept.ravel() for name, kept in mask.to_dict().items()}{by_hand}
mask = pv.Mask({name: kept.reshape(shapes[name]) for name, kept in keep.items()})
thin = pv.apply(model, mask)
"""


def template(
    framework: str,
    layers: Mapping[str, Layer],
    names: Mapping[str, str],
    *,
    criterion: str,
    scope: str,
    x_is_bytes: bool = True,
) -> str:
    """Write the snippet for a ranking, with places for what the slider decides.

    Parameters
    ----------
    framework
        ``"torch"``, ``"keras"`` or ``"tf_keras"``.
    layers
        Those that are ranked.
    names
        As for `code.wrapped`.
    criterion, scope
        As for `prune`; a criterion that is not a built-in name is taken for a function of that name.
    x_is_bytes
        Whether images are uint8, for criteria that look at some.

    Returns
    -------
    str
        Framework code where that is short, and pruneviz's own where it would not be (criteria of one's own,
        gradients and inputs in Keras, inputs of convolutions, transposed and nested layers).
    """
    body = _body(framework, layers, criterion=criterion, scope=scope, x_is_bytes=x_is_bytes)
    return wrapped(body, "weight", names)


def _body(
    framework: str, layers: Mapping[str, Layer], *, criterion: str, scope: str, x_is_bytes: bool
) -> str:
    plain = all(layer.kind in ("dense", "conv") for layer in layers.values())
    if plain and framework == "torch":
        scores = _torch_scores(layers, criterion, x_is_bytes=x_is_bytes)
        if scores is not None:
            keep = _TORCH_GLOBAL if scope == "global" else _TORCH_LAYER
            return filled(_TORCH, scores=scores, keep=keep, imports=_imports(scores))
    elif plain and not any("." in name for name in layers):
        scores = _keras_scores(layers, criterion)
        if scores is not None:
            keep = _KERAS_GLOBAL if scope == "global" else _KERAS_LAYER
            text = filled(_KERAS, scores=scores, keep=keep, imports="import zlib\n" * ("zlib" in scores))
            return filled(text, keras=framework)
    return _own(criterion, scope)


def _torch_scores(layers: Mapping[str, Layer], criterion: str, *, x_is_bytes: bool) -> str | None:
    names = listed(layers)
    if criterion in ("magnitude", "l2"):
        return filled(_TORCH_MAGNITUDE, names=names)
    if criterion in ("gradient", "taylor"):
        formula = (
            "slope.abs()" if criterion == "gradient" else "(weights[name].detach().double() * slope).abs()"
        )
        return filled(_TORCH_SLOPES, names=names, formula=formula, scale="255" if x_is_bytes else "1")
    if criterion == "wanda" and all(layer.kind == "dense" for layer in layers.values()):
        return filled(_TORCH_INPUTS, names=names, scale="255" if x_is_bytes else "1")
    return _random(layers, "torch.from_numpy(", ")") if criterion == "random" else None


def _keras_scores(layers: Mapping[str, Layer], criterion: str) -> str | None:
    if criterion in ("magnitude", "l2"):
        return filled(_KERAS_MAGNITUDE, names=listed(layers))
    return _random(layers, "", "") if criterion == "random" else None


def _random(layers: Mapping[str, Layer], wrap: str, close: str) -> str:
    shapes = mapped({name: tuple(layer.shape) for name, layer in layers.items()})
    return filled(_RANDOM, shapes=shapes, wrap=wrap, close=close, seed="0")


def _own(criterion: str, scope: str) -> str:
    rule = criteria.TABLE.get(criterion)
    more = ", data=images" if rule and rule.asks_for_data else ""
    word = f'"{criterion}"' if rule else criterion
    return filled(_OWN, criterion=word, scope=scope, more=more)


def _imports(scores: str) -> str:
    standard = "import zlib\n" if "zlib" in scores else ""
    return f"{standard}\nimport numpy as np" if "np." in scores else standard
