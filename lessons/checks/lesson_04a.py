"""Checks of the exercises of lesson 04a."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pruneviz import frameworks
from pruneviz.core.masks import Mask
from pruneviz.files.storage import arrays_of, is_model
from pruneviz.measures.scorecards import scorecard
from pruneviz.methods.recalibration import recalibrate
from pruneviz.teaching.exercises import close, exercise, members

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pruneviz.core.arrays import Array, Data

# Answers come from learners: they can be anything.
Answer = Any

_MAKES = {
    "block4.conv2": "it makes the body of block4, the first sum of the stage.",
    "block4.shortcut": "in block4 the shortcut is a convolution, and it is added too.",
    "block5.conv2": "you set out to cut its own channel 5.",
    "block6.conv2": "the sum that leaves block5 is the shortcut of block6, where it is added to.",
}
_NORMALISES = {
    "block4.bn2": "it follows block4.conv2.",
    "block4.shortcut_bn": "it follows block4.shortcut.",
    "block5.bn2": "it follows block5.conv2.",
    "block6.bn2": "it follows block6.conv2.",
}
_READS = {
    "block5.conv1": "the sum that leaves block4 is what it reads.",
    "block6.conv1": "the sum that leaves block5 is what it reads.",
    "block7.conv1": "the sum that leaves block6 is what it reads.",
    "block7.shortcut": "block7 reads the sum that leaves block6 twice, once on each path.",
}
_ROLES = {"makes": _MAKES, "normalises": _NORMALISES, "reads": _READS}
_BLOCK = 8
_PARAMETERS = 2 * 9 * 64 * 64 + 2 * 2 * 64
_MACS = 2 * 9 * 64 * 64 * 8 * 8
_CHANNELS, _ENOUGH = 0.3, 700


@exercise(right="Four make it, four normalise it, four read it: one channel, twelve layers.")
def tied(makes: Answer, normalises: Answer, reads: Answer) -> str | None:
    """Judge the layers that change with channel 5 of block5.conv2."""
    answers = {"makes": makes, "normalises": normalises, "reads": reads}
    hint = "give a list of names, such as ['block5.conv2']."
    given = {role: list(map(str, members(answer, f"{role}: {hint}"))) for role, answer in answers.items()}
    for role, layers in _ROLES.items():
        for name, why in layers.items():
            if name not in given[role]:
                elsewhere = next((other for other in given if name in given[other]), None)
                moved = f", not to {elsewhere}" if elsewhere else ""
                return f"{name} belongs to {role}{moved}: {why}"
    for role, layers in _ROLES.items():
        for name in given[role]:
            if name not in layers:
                return f"{name} does not belong to {role}: {_why_not(name)}"
    return None


def _why_not(name: str) -> str:
    block, _, layer = name.rpartition(".")
    if block in ("block7", "block8", "block9"):
        return "the third stage has wires of its own: block7 puts other channels on them."
    if block not in ("block4", "block5", "block6"):
        return "the first stage has wires of its own, which end in block4."
    if layer in ("conv1", "bn1", "conv2"):
        return (
            f"between conv1 and conv2 of {block} there are channels of its own, which are added to nothing."
        )
    return "the sum is read by what comes after it."


@exercise(
    right="Without the block the network computes what it did with the block silent, and a quarter of the "
    "parameters is gone."
)
def block_dropped(
    dropped: Answer, parameters: Answer, macs: Answer, lost: Answer, *, network: object, data: Data
) -> str | None:
    """Judge ``dropped(network, number)``, and what block8 is worth: parameters, MACs, images lost."""
    before = arrays_of(network)
    x = data[0][:100]
    for number in (_BLOCK, 2):
        small = dropped(network, number)
        after = arrays_of(network)
        if before.keys() != after.keys() or _changed(before, after):
            return "the network that it was given has changed. Work on a copy."
        wrong = _computes(small, network, number, x)
        if wrong:
            return wrong
    whole, small = scorecard(network, data), scorecard(dropped(network, _BLOCK), data)
    if small.parameters == whole.parameters:
        return "the answers are right, but the parameters are all there still: the block is silent, not gone."
    for name, answer, right, known in (
        ("fewer_parameters", parameters, _PARAMETERS, _OF_PARAMETERS),
        ("fewer_macs", macs, _MACS, _OF_MACS),
    ):
        if not close(answer, right):
            hint = next((sentence for mistake, sentence in known.items() if close(answer, mistake)), None)
            return f"dropped is right. But {name} is not {answer}: {hint or 'count both convolutions.'}"
    if not close(lost, whole.correct - small.correct):
        return (
            f"the counts are right. But lost is not {lost}: subtract the right answers without block8, "
            "pv.scorecard(…, few).correct, from dense.correct."
        )
    return None


_OF_PARAMETERS = {
    2 * 9 * 64 * 64: "BatchNorm's scales and shifts go too.",
    9 * 64 * 64: "that is one convolution. There are two, and two BatchNorms.",
    9 * 64 * 64 + 2 * 64: "that is one convolution and its BatchNorm. There are two of each.",
    2 * 9 * 64 * 64 + 2 * 64: "there are two BatchNorms.",
    2 * 9 * 64 * 64 + 2 * 4 * 64: "means and variances are no parameters: nothing trains them.",
    2 * 64 * 64 + 2 * 2 * 64: "each kernel has 3 × 3 weights.",
}
_OF_MACS = {
    _MACS // 2: "that is one convolution. There are two.",
    2 * 9 * 64 * 64: "these are weights. Each is used once for every place of the map, 8 × 8 here.",
    _MACS * 4: "the maps of block8 have 8 × 8 places, not 16 × 16.",
    _MACS * 16: "the maps of block8 have 8 × 8 places, not 32 × 32.",
    _PARAMETERS * 64: "BatchNorm has no MACs.",
}


def _computes(small: Answer, network: object, number: int, x: Array) -> str | None:
    """Say how the outputs differ from those of the network whose block is silent."""
    if not is_model(small):
        return f"dropped should return a network; it returns {type(small).__name__}."
    try:
        given = frameworks.adapter(small).predict(x)
    except Exception as error:  # noqa: BLE001  (whatever the learner's network does)
        found = error.__cause__ or error  # what PyTorch or Keras says, not what that means of other networks
        return f"without block{number} the network stops with {type(found).__name__}: {found}"
    if close(given, _silent(network, number, x), 1e-4):
        return None
    if close(given, frameworks.adapter(network).predict(x), 1e-4):
        return f"asked to drop block{number}, it returns a network that computes what it did before."
    for other in (1, 2, 3, 5, 6, 8, 9):
        if close(given, _silent(network, other, x), 1e-4):
            return f"asked to drop block{number}, it drops block{other}."
    return (
        f"without block{number} the network should pass on what the block would have read. Yours computes "
        "something else: compare it with silenced(model, number)."
    )


def _silent(network: object, number: int, x: Array) -> Array:
    """Compute the outputs when a block adds nothing."""
    adapter = frameworks.adapter(network)
    names = adapter.norms()[f"block{number}.bn2"]
    arrays = adapter.arrays()
    quiet = adapter.copy_with({names[part]: 0 * arrays[names[part]] for part in ("scale", "shift")})
    return frameworks.adapter(quiet).predict(x)


@exercise(
    right="The weights are the same to the bit, the statistics are those of the images, and no label was "
    "needed."
)
def statistics(recalibrated: Answer, *, network: object, x: Array) -> str | None:
    """Judge ``recalibrated(network, x)``."""
    adapter = frameworks.adapter(network)
    weights, old = adapter.parameters(), adapter.buffers()
    weights, old = ({k: v.copy() for k, v in arrays.items()} for arrays in (weights, old))
    twin = recalibrated(network, x)
    if not is_model(twin):
        return f"it should return a network; it returns {type(twin).__name__}."
    if _changed(old, adapter.buffers()) or _changed(weights, adapter.parameters()):
        return "the network that it was given has changed. Work on a copy."
    if getattr(twin, "training", False):
        return "the copy is left in training mode: it would go on changing. Hand it back by .eval()."
    now = frameworks.adapter(twin)
    learned = _changed(weights, now.parameters())
    if learned:
        return (
            f"{learned[0]} has changed. It is learned; only running means and variances are to be measured."
        )
    return _moved(old, now.buffers(), frameworks.adapter(recalibrate(network, x)).buffers())


def _changed(before: Mapping[str, Array], after: Mapping[str, Array]) -> list[str]:
    return [name for name, array in before.items() if not np.array_equal(array, after[name])]


def _moved(old: Mapping[str, Array], given: Mapping[str, Array], right: Mapping[str, Array]) -> str | None:
    """Say how far the statistics have come."""
    names = [name for name in old if old[name].ndim]
    way = {
        name: float(np.linalg.norm(given[name] - old[name]) / np.linalg.norm(right[name] - old[name]))
        for name in names
    }
    off = {
        name: float(np.linalg.norm(given[name] - right[name]) / np.linalg.norm(right[name] - old[name]))
        for name in names
    }
    worst = max(off, key=lambda name: off[name])
    if not any(way.values()):
        return (
            "the statistics are as they were. A BatchNorm updates them in training mode, while images pass."
        )
    if off[worst] > 0.2 and way[worst] < 0.8:
        return (
            f"{worst} has gone only a part of the way: the running average still holds much of the old "
            "network. Let it forget, or average over the batches."
        )
    if off[worst] > 0.2:
        return (
            f"{worst} is far from what these images give. Do the pixels go in as numbers from 0 to 1, and "
            "all images, in batches of fifty or more?"
        )
    return None


@exercise(right="No label and no training: where nothing is tied, a channel is cheap to take.")
def without_labels(mask: Answer, *, count_right: Callable[[Mask], int]) -> str | None:
    """Judge a mask of ResNet-20's channels; ``count_right(mask)`` counts right images, recalibrated."""
    if not isinstance(mask, Mask) or mask.granularity not in ("filter", "channel"):
        return "give a mask of filters or channels, as pv.prune(…, granularity='filter') returns it."
    if mask.sparsity < _CHANNELS:
        return f"this cuts {mask.pruned} of {mask.total} channels, {mask.sparsity:.1%}. Cut at least 30%."
    right = count_right(mask)
    if right > _ENOUGH:
        return None
    return (
        f"{right} are right, and more than {_ENOUGH} have to be. The same share everywhere takes wires, "
        "which many layers read: where is a channel tied to no other layer?"
    )
