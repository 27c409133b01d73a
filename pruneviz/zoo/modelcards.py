"""Model cards: what each trained network learned from, how, and how well it does."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from pruneviz.measures.intervals import wilson

_CARDS = Path(__file__).parent / "cards"


@dataclass(frozen=True)
class Card:
    """What to know about trained weights before using them.

    Attributes
    ----------
    name : str
        The network, for example ``"lenet_5"``.
    data, recipe : str
        What it was trained on, and how.
    seed, parameters : int
        The training's seed; the number of trainable parameters.
    precision : str
        The type in which the weights are stored.
    validation_correct, validation_images, test_correct, test_images : int
        Images classified correctly by the stored weights, and images looked at.
    """

    name: str
    data: str
    recipe: str
    seed: int
    parameters: int
    precision: str
    validation_correct: int
    validation_images: int
    test_correct: int
    test_images: int

    def __str__(self) -> str:
        """Write the card as text; Jupyter shows the same lines as a table."""
        return "\n".join(f"{label}: {text}" for label, text in self._rows())

    def _repr_markdown_(self) -> str:
        rows = "\n".join(f"| {label} | {text} |" for label, text in self._rows())
        return f"| model card | |\n|:--|:--|\n{rows}"

    def _rows(self) -> list[tuple[str, str]]:
        return [
            ("network", f"{self.name}, {self.parameters:,} parameters, stored as {self.precision}"),
            ("data", self.data),
            ("recipe", f"{self.recipe}; seed {self.seed}"),
            ("validation", _share(self.validation_correct, self.validation_images)),
            ("test", _share(self.test_correct, self.test_images)),
        ]

    def write(self, folder: Path = _CARDS) -> None:
        """Store the card as JSON in `folder`."""
        (folder / f"{self.name}.json").write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")


def card(name: str) -> Card:
    """Return the model card of a network of the zoo.

    Parameters
    ----------
    name : str
        For example ``"lenet_5"``.

    Returns
    -------
    Card
        Data, recipe, parameters and measured accuracy.

    Raises
    ------
    ValueError
        If there is no such network.
    """
    path = _CARDS / f"{name}.json"
    if not path.exists():
        known = ", ".join(sorted(other.stem for other in _CARDS.glob("*.json")))
        raise ValueError(f"no model card for {name!r}: choose one of {known}")
    return Card(**json.loads(path.read_text(encoding="utf-8")))


def _share(correct: int, n: int) -> str:
    low, high = (100 * end for end in wilson(correct, n))
    return f"{correct:,} of {n:,} correct, {100 * correct / n:.2f}% (95% interval {low:.2f}–{high:.2f}%)"
