"""Five pages of one screen, each with a live view of a lesson: predict, drag, see, and go on to the lesson.

Their addresses are ``explore/NAME.html``, and stay. What a page says of its view, the lesson has measured.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Explorable(NamedTuple):
    """One of the five: the view is the lesson's first, second, … from 0, with what is to differ here.

    What would tell the answer is not there until a guess is made: then `revealed` is set.
    """

    name: str
    title: str
    lesson: str
    view: int
    ask: str
    see: str
    state: Mapping[str, object] = MappingProxyType({})
    guesses: tuple[str, ...] = ()
    revealed: Mapping[str, object] = MappingProxyType({})

    @property
    def address(self) -> str:
        """Where it is."""
        return f"explore/{self.name}.html"


EXPLORABLES = (
    Explorable(
        "flats",
        "Which weight goes first?",
        "00_start_here",
        0,
        "A model multiplies five facts about a flat by five weights and adds up. It is right about "
        "every flat. **Predict:** which weight costs least to cut? **Then click a line**, and again to "
        "put it back.",
        "To cut a weight is to set it to zero: that is pruning. The thinnest line, the smallest weight, "
        "is the area's, and it costs by far the most, since an area is a large number. The floor's "
        "costs least. And costs do not add up: cut the balcony, the garden, then both.",
    ),
    Explorable(
        "threshold",
        "Where is the threshold?",
        "01a_weight_pruning_thresholds",
        0,
        "This network has 266,200 weights and reads handwritten digits. Half of them are to go, the "
        "smallest first. **Predict:** how large is the largest that goes, beside the largest that "
        "stays? **Then drag the slider.**",
        "Most weights are small: in the first layer the threshold for one half is about an eighteenth "
        "of the largest. In the mask, a row is a neuron and a column a pixel. The columns that go first "
        "are the edges of the picture, which are black in nearly every image.",
    ),
    Explorable(
        "joint-silence",
        "Harmless one by one?",
        "02a_neuron_pruning_choosing",
        0,
        "Each dot is a neuron of a network that reads digits. Alone, each of the 200 most harmless of "
        "the first layer changes two of 5,000 answers at most when it falls silent. **Predict:** how many "
        "answers are right when half of all neurons fall silent together? **Then drag the slider.** Click "
        "a dot to see what it looks at.",
        "An answer changes when another output overtakes the leader, and the lead is long. One neuron "
        "is hardly ever enough to use it up. Many together are, and a count of right answers sees "
        "little until then.",
        MappingProxyType({"basic": ["slider", "network"], "sparsity": 0.0}),
    ),
    Explorable(
        "cliff",
        "How far can you go?",
        "01a_weight_pruning_thresholds",
        1,
        "**Predict:** which share of the weights can go before the network gets more than 250 of 5,000 "
        "digits wrong? **Set your guess** in the view, and the curve appears. **Then drag.**",
        "The curve has three parts: a long flat one, a knee, and a fall. Behind the knee the same small "
        "step costs hundreds of digits, and nothing on the flat part warns you. So do not extrapolate: "
        "measure, after every cut.",
    ),
    Explorable(
        "schedule",
        "All at once, or little by little?",
        "05_iterative_pruning",
        0,
        "98% of the weights go in three rounds, an epoch of training after each. **Drag the rings:** the "
        "columns say how many go when. **Predict:** which way keeps most digits right? **Choose**, and see "
        "three trained runs.",
        "All three keep equally many weights, trained as long. The one that takes most early is far "
        "ahead: the straight line has to take 16 of every 17 weights that are left in its last round, "
        "and little training comes after.",
        MappingProxyType({"show": ["curve", "card"]}),
        ("a third in each round", "most of them early", "all in round 1"),
        MappingProxyType({"show": ["curve", "runs"]}),
    ),
)
