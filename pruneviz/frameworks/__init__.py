"""Everything pruneviz asks of a framework, behind one protocol.

Only the packages below this one import a framework, and none of them imports the other's.
"""

from __future__ import annotations

import dis
import importlib
import itertools
import re
from contextlib import contextmanager
from types import CellType, CodeType, FunctionType
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from pruneviz.core.arrays import Array, BoolArray, Checked, Images
    from pruneviz.core.graph import Graph
    from pruneviz.core.layers import Layer
    from pruneviz.core.plan import Plan

    # Is given a layer's name, how often each weight is multiplied, and what averages the squares of what the
    # weights meet there, (in, *kernel) float64; a number that it returns is what the layer gives instead.
    Watcher = Callable[[str, int, Callable[[], Array]], float | None]

BATCH = 1000
QUICK = 256  # for what PyTorch makes of a thousand images, malloc asks the system for memory each time
PRECISIONS = ("bfloat16", "float16", "float32", "float64")  # from coarse to fine
_HOME_OF = {"torch": "torch", "keras": "keras", "tf_keras": "keras"}


class Adapter(Protocol):
    """A model seen through its framework; the model changes only by `write`, `zeroing` and `keep_pruned`."""

    name: str  # "torch", "keras" or "tf_keras"
    threads: int  # that an operation may use; 0 is one for each core
    slow_to_call: bool  # whether calling a small model takes as long as a thousand of its images

    def layers(self) -> list[Layer]:
        """List the prunable layers with canonical, read-only weights."""

    def predict(self, x: Images, batch: int = BATCH) -> Array:
        """Compute the outputs (n, classes) in evaluation mode, batch by batch."""

    def outputs(self, x: Images) -> list[Array]:
        """Compute all outputs, of a model that gives one array or several in any structure."""

    def forward(self, x: Images) -> Callable[[], object]:
        """Prepare a pass over one batch, in evaluation mode, compiled where that is the usual way."""

    def gradients(self, data: Checked, loss: Callable[..., Any] | None) -> dict[str, Array]:
        """Differentiate the mean loss by each prunable weight that it reaches; float64, canonical."""

    def watch(self, x: Images, see: Watcher) -> Array:
        """Compute the outputs and show each call of a layer, before its activation, to `see`."""

    def products(self, x: Images) -> Mapping[str, int]:
        """Count the products of matrices in each layer for one image, but the own ones of prunable layers."""

    def parameters(self) -> dict[str, Array]:
        """Give the trainable arrays by name, each once; "layer.weight" is canonical."""

    def buffers(self) -> dict[str, Array]:
        """Give the other stored arrays by name."""

    def arrays(self) -> dict[str, Array]:
        """Give all stored arrays by name, parameters first."""

    def serialised(self) -> bytes:
        """Give all stored arrays, in their own types, as the bytes of a safetensors file."""

    def precision(self) -> str:
        """Name the coarsest type of numbers that the model computes with."""

    def copy_with(self, arrays: Mapping[str, Array]) -> object:
        """Copy the model with the named arrays, named and shaped as in `parameters` and `buffers`."""

    def write(self, arrays: Mapping[str, Array]) -> None:
        """Overwrite the named arrays in place; only for a copy that nobody else holds."""

    def keep_pruned(self, pruned: Mapping[str, BoolArray], optimizer: object) -> AbstractContextManager[None]:
        """Keep entries of the named arrays at zero through every optimizer step in the context."""

    def zeroing(self, pruned: Mapping[str, BoolArray]) -> Callable[[], None]:
        """Make a quick function that sets entries of the named arrays to zero in place."""

    def after_steps(self, call: Callable[[], None], optimizer: object) -> AbstractContextManager[object]:
        """Call after every optimizer step in the context; gives the callback that Keras's fit needs."""

    def seed(self, seed: int) -> None:
        """Seed the generators of Python, NumPy and the framework."""

    def norms(self) -> dict[str, dict[str, str]]:
        """Name for each BatchNorm those of the arrays "scale", "shift" and "mean" that it has."""

    def wiring(self) -> object:
        """Tell, without running it, what decides how units run through the model; copies agree."""

    def graph(self, example: Images | None) -> Graph:
        """Export what flows into what; the example gives the shapes."""

    def activations(
        self, x: Images, nodes: set[str], edit: Callable[[str, Array], Array] | None = None
    ) -> Iterator[dict[str, Array]]:
        """Compute the outputs of some nodes of the graph in evaluation mode, batch by batch.

        What `edit` makes of the output of one of these nodes takes its place, for what follows too.
        """

    def patches(self, name: str, array: Array) -> Array:
        """Turn what a dense layer or a convolution of images reads into (places, columns of its weight)."""

    def rebuilt(self, plan: Plan, example: Images | None) -> object:
        """Build the smaller model that a plan, made for an example, describes."""

    def recalibrated(self, x: Images) -> object:
        """Copy the model and set the statistics of its BatchNorms to averages over x."""


def adapter(model: object) -> Adapter:
    """Find the adapter for a model's framework, and import no other; a model of another type is refused."""
    for ancestor in type(model).__mro__:
        home = _HOME_OF.get(ancestor.__module__.partition(".")[0])
        if home and ancestor.__name__ in ("Module", "Model"):
            return cast("Adapter", importlib.import_module(f"{__name__}.{home}").Adapter(model))
    raise TypeError(
        f"model is a {type(model).__module__}.{type(model).__qualname__}, not a torch.nn.Module, "
        "a keras.Model or a tf_keras.Model"
    )


def held(name: str, layer: object, parts: Mapping[str, str]) -> dict[str, str]:
    """Name those arrays of a layer that it has, part by part."""
    return {part: f"{name}.{own}" for part, own in parts.items() if getattr(layer, own, None) is not None}


def read_by(function: FunctionType) -> list[Any]:
    """List what a function reads that it is not called with: in its closure, its defaults, and globals."""
    cells = [cell.cell_contents for cell in function.__closure__ or () if cell != CellType()]
    defaults = [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
    codes = [function.__code__]
    for code in codes:
        codes += [inner for inner in code.co_consts if isinstance(inner, CodeType)]
    steps = itertools.chain.from_iterable(map(dis.get_instructions, codes))
    names = [step.argval for step in steps if step.opname == "LOAD_GLOBAL"]
    return [*cells, *defaults, *map(function.__globals__.get, names)]


def in_columns(outputs: Any) -> Any:
    """Give (n,) outputs, of one for two classes, as (n, 1), and others as they are."""
    return outputs[:, None] if outputs.ndim == 1 else outputs


def single(output: Any, tensor: type[Any], images: int) -> Any:
    """Give the outputs, (images, …), also where a squeeze() took the axis of one image; refuse several."""
    if not isinstance(output, tensor):
        raise TypeError(
            f"the model gives a {type(output).__name__}, not one array of outputs: wrap it in a model that "
            "gives the one to look at"
        )
    return output[None] if images == 1 and tuple(output.shape[:1]) != (1,) else output


@contextmanager
def taking(model: object, batch: Sequence[Any]) -> Iterator[None]:
    """Say in one sentence that a model does not take a batch, whatever its framework or its code says."""
    try:
        yield
    except Exception as error:
        if isinstance(error, MemoryError) or "memory" in str(error):
            raise
        lines = re.sub(r"\x1b\[\d*m", "", str(error)).splitlines()
        said = [line.strip() for line in lines if line.strip() and "Exception encountered" not in line]
        shapes = " and ".join(str(tuple(part.shape[1:])) for part in batch)
        raise ValueError(
            f"{type(model).__name__} does not take images of shape {shapes} (as its framework lays them "
            f"out): give it such as it was trained on; {said[0] if said else repr(error)}"
        ) from error


def refuse_number(inputs: Sequence[str], given: int) -> None:
    """Refuse another number of arrays than a model has inputs, by their names."""
    if given != len(inputs):
        raise ValueError(
            f"x is {given} array{'s' * (given > 1)}, and the model has {len(inputs)} input"
            f"{'s' * (len(inputs) > 1)}, {', '.join(inputs)}: pass one for each, several as a tuple"
        )


def probable(adapter: Adapter, data: Checked, outputs: Array) -> bool:
    """Tell probabilities from logits by their values; one output is for two classes.

    One that stays from 0 to 1 is a probability if it does so too where each layer gives a large number: the
    logits of a network of which little is left may lie there.

    Raises
    ------
    ValueError
        If the outputs are not (n, classes), or a label is none of these classes.
    """
    (x, labels), n = data, len(data[1])
    if outputs.ndim != 2 or len(outputs) != n or not outputs.size:
        raise ValueError(f"the model's output for {n} images has shape {outputs.shape}, not ({n}, classes)")
    known = max(2, outputs.shape[1])
    for label in (labels.min(), labels.max()):
        if not 0 <= label < known:
            raise ValueError(f"y has the label {label}, and the model tells classes 0 to {known - 1} apart")
    if outputs.shape[1] == 1:
        ends = (adapter.watch(x[:1], lambda *_, end=end: end) for end in (-1e3, 1e3))
        return all(given.min() >= 0 and given.max() <= 1 for given in itertools.chain([outputs], ends))
    return bool(outputs.min() >= 0 and (np.abs(outputs.sum(axis=1, dtype=np.float64) - 1) < 1e-2).all())
