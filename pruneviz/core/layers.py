"""A framework-neutral, read-only view of a model's prunable layers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pruneviz.core.arrays import few

if TYPE_CHECKING:
    from pruneviz.core.arrays import Array


@dataclass(frozen=True, eq=False)
class Layer:
    r"""One prunable layer.

    Attributes
    ----------
    name
        The name the framework gives it; nested layers are ``"outer.inner"``.
    kind
        ``"dense"``, ``"conv"``, ``"depthwise"`` or ``"transposed"``.
    weight
        Outputs first: (out, in) for dense layers, (out, in / groups, \*kernel) for convolutions,
        (in · multiplier, 1, \*kernel) for depthwise ones. Read-only.
    bias
        (out,), or None. Read-only.
    """

    name: str
    kind: str
    weight: Array = field(repr=False)
    bias: Array | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        for array in (self.weight, self.bias):
            if array is not None:
                array.flags.writeable = False

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the weight."""
        return self.weight.shape

    def __str__(self) -> str:
        return f"{self.name}: {self.kind}, {' × '.join(map(str, self.shape))} = {self.weight.size:,} weights"


class Network(Mapping[str, Layer]):
    """The prunable layers of a model by name, in the framework's order.

    Parameters
    ----------
    layers
        The layers; names must differ.
    uncovered
        Layer name -> how many numbers it holds, of layers with matrices or kernels that are not prunable.

    Raises
    ------
    ValueError
        If two layers share a name.
    """

    def __init__(self, layers: Iterable[Layer], uncovered: Mapping[str, int] | None = None) -> None:
        self.layers = tuple(layers)
        self._by_name = {layer.name: layer for layer in self.layers}
        if len(self._by_name) < len(self.layers):
            raise ValueError("two layers of the model share a name: give each its own")
        self.uncovered: Counter[str] = Counter()
        for name, numbers in (uncovered or {}).items():
            self.uncovered[outermost(name, self._by_name)] += numbers

    def __getitem__(self, name: str) -> Layer:
        if name not in self._by_name:
            raise KeyError(f"no prunable layer {name!r}: the model has {', '.join(self._by_name) or 'none'}")
        return self._by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self.layers)

    def __repr__(self) -> str:
        total = sum(layer.weight.size for layer in self.layers)
        lines = [*map(str, self.layers), f"{len(self)} prunable layers, {total:,} weights"]
        return "\n".join([*lines, *not_covered(self.uncovered)])


def outermost(name: str, prunable: Iterable[str]) -> str:
    """Name the outermost layer around one that holds none of the prunable ones."""
    parts = name.split(".")
    around = [".".join(parts[: i + 1]) for i in range(len(parts))]
    return next((path for path in around if not any(f"{p}.".startswith(f"{path}.") for p in prunable)), name)


def not_covered(uncovered: Mapping[str, int]) -> list[str]:
    """Write the line that names layers whose numbers pruneviz does not prune; none if there are none."""
    named = [f"{name} ({number:,} numbers)" for name, number in uncovered.items()]
    return [f"not covered: {few(named, ', ')}"] if named else []
