"""The two models of lesson 00, small enough that every number can be checked by hand. NumPy only."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import numpy as np

from pruneviz.core.masks import Mask

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pruneviz.core.arrays import Array, BoolArray

_WRITTEN_OUT = 60  # entries of x that still fit into a snippet
_MOST_HIDDEN = 6


@dataclass(frozen=True)
class Wire:
    """One weight: what it is called, what it joins, and its value."""

    name: str
    start: str
    end: str
    value: float


@dataclass(frozen=True, eq=False)
class Linear:
    """A number, predicted as a sum of weighted inputs.

    Both models take `kept`, one flag for each of their `wires`, and compute with those weights only.
    `neurons` maps a hidden neuron to the names of the weights that go into it and out of it; `biases` maps
    neurons to their constants; `code` has ``{cut}`` where the list of cut weights belongs, and takes what
    gives the examples in the notebook, for those that are too many to be written out.
    """

    weights: Array
    names: tuple[str, ...]
    x: Array
    y: Array

    kind: ClassVar[str] = "linear"
    loss_name: ClassVar[str] = "mean squared error"
    digits: ClassVar[int] = 4
    neurons: ClassVar[Mapping[str, list[str]]] = {}
    biases: ClassVar[Mapping[str, float]] = {}

    def __post_init__(self) -> None:
        _check("weights", self.weights, (len(self.names),))
        _check_data(self.x, self.y, self.names)

    @property
    def wires(self) -> list[Wire]:
        """All weights, named after their inputs."""
        pairs = zip(self.names, self.weights, strict=True)
        return [Wire(name, name, "output", float(weight)) for name, weight in pairs]

    def predict(self, kept: BoolArray, x: Array) -> Array:
        """Give the weighted sum for each row of x."""
        prediction: Array = x @ (self.weights * kept)
        return prediction

    def loss(self, kept: BoolArray) -> float:
        """Average the squared errors."""
        return float(np.mean((self.predict(kept, self.x) - self.y) ** 2))

    def right(self, _kept: BoolArray) -> int | None:
        """Give None: a predicted number is not right or wrong."""
        return None

    def mask(self, kept: BoolArray) -> Mask:
        """Give these weights as a Mask of one layer, ``weights``."""
        return Mask({"weights": kept})

    def code(self, x: str, y: str) -> str:
        """Write NumPy code that gives the same loss, and changes no name of the notebook."""
        takes, given, examples = _data(self, x, y)
        return f"""\
def shown_loss({takes}):
    import numpy as np

    names = {json.dumps(self.names, ensure_ascii=False)}
{examples}
    weights = np.array({self.weights.tolist()})

    cut = {{cut}}
    kept = np.array([name not in cut for name in names])
    prediction = x @ (weights * kept)
    return np.mean((prediction - y) ** 2)


shown_now = shown_loss({given})
print(f"{{shown_now:.4f}}")
"""


@dataclass(frozen=True, eq=False)
class TwoLayers:
    """Yes or no, decided by one layer of ReLU neurons and an output; weights w0, w1, … in row order."""

    weights1: Array
    bias1: Array
    weights2: Array
    bias2: float
    names: tuple[str, ...]
    x: Array
    y: Array

    kind: ClassVar[str] = "network"
    loss_name: ClassVar[str] = "mean cross-entropy"
    digits: ClassVar[int] = 3

    def __post_init__(self) -> None:
        hidden = self.weights1.shape[0] if self.weights1.ndim == 2 else 0
        if len(self.names) != 2:
            raise ValueError(f"names has {len(self.names)} inputs: the decision picture needs exactly two")
        if not 1 <= hidden <= _MOST_HIDDEN:
            raise ValueError(
                f"weights1 has shape {self.weights1.shape}: it needs one row for each hidden neuron, "
                f"1 to {_MOST_HIDDEN} of them"
            )
        _check("weights1", self.weights1, (hidden, 2))
        _check("bias1", self.bias1, (hidden,))
        _check("weights2", self.weights2, (hidden,))
        _check("bias2", np.asarray(self.bias2), ())
        _check_data(self.x, self.y, self.names)
        if not np.isin(self.y, (0, 1)).all():
            raise ValueError("y has entries other than 0 and 1: the network answers yes (1) or no (0)")

    @property
    def wires(self) -> list[Wire]:
        """All weights: first those into the hidden neurons, neuron by neuron, then those out of them."""
        hidden = len(self.weights1)
        ends = [(name, f"h{h}") for h in range(hidden) for name in self.names]
        ends += [(f"h{h}", "output") for h in range(hidden)]
        values = [*self.weights1.ravel(), *self.weights2]
        return [Wire(f"w{i}", *ends[i], float(value)) for i, value in enumerate(values)]

    @property
    def neurons(self) -> Mapping[str, list[str]]:
        """Hidden neuron -> the names of the weights that go in and out."""
        names = [f"h{h}" for h in range(len(self.weights1))]
        return {name: [w.name for w in self.wires if name in (w.start, w.end)] for name in names}

    @property
    def biases(self) -> Mapping[str, float]:
        """Neuron -> its constant."""
        return {**{f"h{h}": float(b) for h, b in enumerate(self.bias1)}, "output": float(self.bias2)}

    def predict(self, kept: BoolArray, x: Array) -> Array:
        """Give the output for each row of x: above 0 means yes."""
        first, last = self._split(kept)
        hidden = np.maximum(x @ (self.weights1 * first).T + self.bias1, 0)
        z: Array = hidden @ (self.weights2 * last) + self.bias2
        return z

    def loss(self, kept: BoolArray) -> float:
        """Average minus the logarithm of the probability of the right answer."""
        z = self.predict(kept, self.x)
        return float(np.mean(np.logaddexp(0, z) - self.y * z))

    def right(self, kept: BoolArray) -> int:
        """Count the examples on the right side of 0."""
        return int(np.count_nonzero((self.predict(kept, self.x) > 0) == self.y))

    def mask(self, kept: BoolArray) -> Mask:
        """Give these weights as a Mask of two layers, ``hidden`` and ``output``."""
        first, last = self._split(kept)
        return Mask({"hidden": first, "output": last[np.newaxis]})

    def code(self, x: str, y: str) -> str:
        """Write NumPy code that gives the same loss, and changes no name of the notebook."""
        hidden, size = len(self.weights1), self.weights1.size
        rows = "".join(f"\n        {row}," for row in self.weights1.tolist())
        takes, given, examples = _data(self, x, y)
        return f"""\
def shown_loss({takes}):
    import numpy as np

{examples}
    weights1 = np.array([  # one row for each hidden neuron{rows}
    ])
    bias1 = np.array({self.bias1.tolist()})
    weights2 = np.array({self.weights2.tolist()})
    bias2 = {float(self.bias2)!r}

    cut = {{cut}}
    kept = np.array([f"w{{i}}" not in cut for i in range({size + hidden})])
    hidden = np.maximum(x @ (weights1 * kept[:{size}].reshape({hidden}, 2)).T + bias1, 0)
    z = hidden @ (weights2 * kept[{size}:]) + bias2
    return np.mean(np.logaddexp(0, z) - y * z), np.sum((z > 0) == y), len(y)


shown_now = shown_loss({given})
print("{{:.3f}}, {{}} of {{}} right".format(*shown_now))
"""

    def _split(self, kept: BoolArray) -> tuple[BoolArray, BoolArray]:
        return kept[: self.weights1.size].reshape(self.weights1.shape), kept[self.weights1.size :]


TinyModel: TypeAlias = Linear | TwoLayers


def spec(model: TinyModel) -> dict[str, Any]:
    """Say all of a model but its examples in plain numbers and words, for the browser."""
    smallest = min((abs(w.value) for w in model.wires if w.value), default=1.0)
    low, high = np.floor(model.x.min(0)), np.ceil(model.x.max(0))
    return {
        "kind": model.kind,
        "names": list(model.names),
        "wires": [vars(wire) for wire in model.wires],
        "neurons": dict(model.neurons),
        "biases": dict(model.biases),
        "lossName": model.loss_name,
        "digits": model.digits,
        "decimals": int(np.clip(-np.floor(np.log10(smallest)), 2, 6)),
        "extent": [[float(a), float(b) if b > a else float(a) + 1] for a, b in zip(low, high, strict=True)],
    }


def floats(values: object, name: str) -> Array:
    """Copy numbers into a read-only float64 array, rows one after the other."""
    try:
        array = np.array(values, dtype=np.float64, order="C")
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name} must be numbers: {error}") from None
    array.flags.writeable = False
    return array


def _check(name: str, array: Array, shape: tuple[int, ...]) -> None:
    if array.shape != shape:
        raise ValueError(f"{name} has shape {array.shape}, where {shape} fits the other arguments")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} is NaN or infinite in places")


def _check_data(x: Array, y: Array, names: Sequence[str]) -> None:
    if len(set(names)) != len(names) or not all(names):
        raise ValueError(f"names must all differ and not be empty: {', '.join(names)}")
    if len(x) == 0:
        raise ValueError("x is empty: give at least one example")
    _check("x", x, (len(x), len(names)))
    _check("y", y, (len(x),))


def _data(model: TinyModel, x: str, y: str) -> tuple[str, str, str]:
    """Write what a snippet's function takes, what it is given, and the lines that make x and y of it."""
    if model.x.size > _WRITTEN_OUT:
        return "x, y", f"{x}, {y}", f"    x, y = np.array(x), np.array(y)  # {len(model.x)} examples"
    rows = "".join(f"\n        {row}," for row in model.x.tolist())
    return "", "", f"    x = np.array([{rows}\n    ])\n    y = np.array({model.y.tolist()})"
