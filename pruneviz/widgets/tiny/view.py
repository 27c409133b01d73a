"""TinyNetwork: cut the weights of a model so small that every number can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, cast

import numpy as np
import traitlets as t

from pruneviz.widgets.frame import assets, code
from pruneviz.widgets.frame.given import Whole
from pruneviz.widgets.frame.names import called
from pruneviz.widgets.frame.view import View
from pruneviz.widgets.tiny.models import Linear, TinyModel, TwoLayers, floats, spec

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

    from pruneviz.core.arrays import BoolArray
    from pruneviz.core.masks import Mask


class Examples(NamedTuple):
    """The examples that a view was given, as it was given them."""

    x: object
    y: object


class TinyNetwork(View):
    """A live view of a tiny model; `TinyNetwork.linear` and `TinyNetwork.two_layers` make one.

    Click a connection, or press Enter on it, to cut it, and again to put it back.

    Attributes
    ----------
    cut
        Names of the weights that are cut, in the model's order. The name of a hidden neuron stands for all
        weights that go into it and out of it. Assign a new list; appending to it does nothing.
    example
        Place in x of the example whose arithmetic is written out.
    changes
        Whether the drawing says by how much the loss would change if each weight were cut, or put back, next.
    output, noun
        What the model predicts, and what one example is.
    given
        The examples ``x`` and ``y``, as it was given them.
    """

    _esm = assets.script("tiny/view.js")
    _css = assets.read("frame/style.css") + assets.read("tiny/view.css")
    state_names: ClassVar = ("cut",)

    cut = t.List(t.Unicode()).tag(sync=True, echo_update=False)
    example = Whole(0).tag(sync=True, echo_update=False)
    changes = t.Bool(default_value=False).tag(sync=True, echo_update=False)
    output = t.Unicode("output").tag(sync=True)
    noun = t.Unicode("example").tag(sync=True)
    spec = t.Dict(read_only=True).tag(sync=True)
    x: t.List[Any] = t.List(read_only=True).tag(sync=True)
    y: t.List[Any] = t.List(read_only=True).tag(sync=True)

    def __init__(self, model: TinyModel, given: Examples, **traits: Any) -> None:  # noqa: ANN401
        self._model, self.given = model, given
        self._names = [wire.name for wire in model.wires]
        title = {"linear": "Linear model", "network": f"{_sizes(model)} network"}[model.kind]
        super().__init__(
            title=traits.pop("title", f"{title} · {len(self._names)} weights"),
            spec=spec(model),
            x=model.x.tolist(),
            y=model.y.tolist(),
            **traits,
        )
        self._recode()

    @classmethod
    def linear(
        cls,
        weights: ArrayLike,
        names: Sequence[str],
        x: ArrayLike,
        y: ArrayLike,
        **options: Any,  # noqa: ANN401
    ) -> TinyNetwork:
        """Show a model that multiplies each input by a weight and adds up.

        Parameters
        ----------
        weights
            (inputs,) one for each input.
        names
            What the inputs are called; their weights have the same names.
        x
            (n, inputs) examples.
        y
            (n,) the numbers to predict. The loss is the mean squared error.
        **options
            ``output`` and ``noun``: what is predicted, and what one example is, such as "price" and "flat";
            ``title``, ``cut``, ``example``, ``changes``.

        Returns
        -------
        TinyNetwork
            Displayed by ending a cell with it.

        Raises
        ------
        TypeError, ValueError
            If an argument is not one of these, or does not fit the others.

        Examples
        --------
        >>> view = pv.TinyNetwork.linear([0.02, 0.5], ["area", "garden"], [[50, 0], [80, 1]], [1.0, 2.1])
        >>> view.cut = ["garden"]
        >>> view.loss
        0.125
        """
        model = Linear(floats(weights, "weights"), tuple(names), floats(x, "x"), floats(y, "y"))
        return cls(model, Examples(x, y), **_known(options))

    @classmethod
    def two_layers(
        cls,
        weights1: ArrayLike,
        bias1: ArrayLike,
        weights2: ArrayLike,
        bias2: ArrayLike,
        x: ArrayLike,
        y: ArrayLike,
        *,
        names: Sequence[str] = ("input 0", "input 1"),
        **options: Any,  # noqa: ANN401
    ) -> TinyNetwork:
        """Show a network of two inputs, a few hidden ReLU neurons and one output, over its decisions.

        Parameters
        ----------
        weights1
            (hidden, 2) one row for each hidden neuron. They are named w0, w1, … row by row.
        bias1
            (hidden,) their constants, which are never cut.
        weights2
            (hidden,) from the hidden neurons to the output; their names go on counting.
        bias2
            The output's constant.
        x
            (n, 2) examples.
        y
            (n,) 1 for yes, 0 for no. The network says yes where its output is above 0; the loss is the mean
            cross-entropy.
        names
            What the two inputs are called.
        **options
            ``output`` and ``noun``: what is predicted, and what one example is, such as "thrives" and
            "plant"; ``title``, ``cut``, ``example``, ``changes``.

        Returns
        -------
        TinyNetwork
            Displayed by ending a cell with it.

        Raises
        ------
        TypeError, ValueError
            If an argument is not one of these, or does not fit the others.
        """
        last = floats(weights2, "weights2")
        model = TwoLayers(
            floats(weights1, "weights1"),
            floats(bias1, "bias1"),
            last[0] if last.ndim == 2 and len(last) == 1 else last,  # a dense layer keeps it as one row
            cast("float", floats(bias2, "bias2").squeeze()),
            tuple(names),
            floats(x, "x"),
            floats(y, "y"),
        )
        return cls(model, Examples(x, y), **_known(options))

    @t.validate("cut")
    def _check_cut(self, proposal: dict[str, Any]) -> list[str]:
        neurons, wanted = self._model.neurons, set()
        for name in proposal["value"]:
            if name not in self._names and name not in neurons:
                known = ", ".join([*self._names, *neurons])
                raise t.TraitError(f"cut names {name!r}, which is not one of {known}")
            wanted |= set(neurons.get(name, [name]))
        return [name for name in self._names if name in wanted]

    @t.validate("example")
    def _check_example(self, proposal: dict[str, Any]) -> int:
        number = len(self._model.x)
        if not 0 <= proposal["value"] < number:
            raise t.TraitError(f"example {proposal['value']} is not a place in x: give 0 to {number - 1}")
        return int(proposal["value"])

    @property
    def loss(self) -> float:
        """How wrong the model is at present."""
        return self._model.loss(self._flags())

    @property
    def right(self) -> int | None:
        """How many examples the network gets right; None for a model that predicts a number."""
        return self._model.right(self._flags())

    @property
    def snippet(self) -> str:
        """What Show code shows at present."""
        return code.filled(self.code, cut=code.listed(self.cut))

    def loss_without(self, cut: Iterable[str]) -> float:
        """Compute the loss without some weights, whatever is cut at present.

        Parameters
        ----------
        cut
            Their names, or those of hidden neurons.
        """
        return self._model.loss(self._flags(self._check_cut({"value": list(cut)})))

    def result(self) -> Mask:
        """Give the present mask: of one layer, ``weights``, or of two, ``hidden`` and ``output``."""
        return self._model.mask(self._flags())

    def sentence(self) -> str:
        """Say in one sentence what the view shows."""
        model, digits, number = self._model, self._model.digits, len(self._model.x)
        words = f"without {', '.join(self.cut)}" if self.cut else "with all weights"
        text = f"{self.title}: {words}, the {model.loss_name} is {self.loss:.{digits}f}"
        if self.cut:
            text += f" instead of {self.loss_without([]):.{digits}f}"
        text += f" on {number} {self.noun}{'s' * (number != 1)}"
        return f"{text}, {self.right} of them right." if self.right is not None else f"{text}."

    def snapshot(self) -> Figure:
        """Draw the present state with matplotlib: the weights, and the predictions or decisions.

        Returns
        -------
        matplotlib.figure.Figure
            Not known to pyplot.
        """
        from pruneviz.widgets.tiny.still import draw  # noqa: PLC0415  # matplotlib is slow to import

        return draw(self._model, self._flags(), output=self.output, noun=self.noun, title=self.title)

    def _recode(self) -> None:
        x, y = (called(part, self, name) for name, part in self.given._asdict().items())
        self._tell(code=self._model.code(x, y))

    def _flags(self, cut: Iterable[str] | None = None) -> BoolArray:
        gone = set(self.cut if cut is None else cut)
        return np.array([name not in gone for name in self._names])


def _sizes(model: TinyModel) -> str:
    return "-".join(str(size) for size in (len(model.names), len(model.neurons), 1))


def _known(options: dict[str, Any]) -> dict[str, Any]:
    unknown = set(options) - {"output", "noun", "title", "cut", "example", "changes"}
    if unknown:
        raise TypeError(f"TinyNetwork takes no {', '.join(sorted(unknown))}")
    return options
