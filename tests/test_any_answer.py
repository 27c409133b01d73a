"""Whatever a learner writes, a check says one line about it: no traceback, no praise, no flood of text."""

import inspect
import itertools
import os
import random
import re

import numpy as np
import pytest

import pruneviz as pv
from pruneviz.lessons import HOME
from pruneviz.teaching.exercises import Check

ANSWERS = 500 if "PRUNEVIZ_LONG" in os.environ else 12  # for each check


class Odd:
    """Behaves as nothing that a check has to expect."""

    def __init__(self, error):
        self._error = error

    def _fail(self, *_, **__):
        raise self._error("odd")

    __eq__ = __ne__ = __lt__ = __len__ = __iter__ = __float__ = __int__ = __index__ = __bool__ = _fail
    __array__ = __repr__ = __str__ = __format__ = __contains__ = __getitem__ = __getattr__ = __sub__ = _fail
    __hash__ = None


class Alike:
    """Equal to everything, and never a number."""

    def __eq__(self, _other):
        return True

    __hash__ = object.__hash__


def endless():
    """Yield for ever."""
    yield from itertools.count()


NUMBERS = (
    0,
    1,
    -1,
    2.5,
    0.8,
    885,
    float("nan"),
    float("inf"),
    -float("inf"),
    10**400,
    -(10**18),
    1e308,
    1j,
    True,
)
PLAIN = (
    "",
    "seven",
    "block5.conv2",
    "a\nb",
    "x" * 10**6,
    b"bytes",
    type,
    object(),
    NotImplemented,
    Odd,
    range(10**9),
)
SHAPES = ((), (0,), (4,), (5,), (2, 3), (3, 4, 4), (784,), (12, 28, 28, 1), (200, 1))
TYPES = ("float64", "int64", "bool", "uint8", "U3", "object", "complex128", "datetime64[s]", "float32")
KEYS = (("a", "b", "c"), ("conv1", "conv2", "dense"), ("price", "epochs"), (1, None))


def array(rng):
    """Draw an array of some shape and type, often of what is no number."""
    drawn = np.zeros(rng.choice(SHAPES), rng.choice(TYPES))
    if drawn.dtype.kind in "fc" and rng.random() < 0.5:
        drawn += rng.choice((np.nan, np.inf, 1.0))
    return drawn


def anything(rng, context, depth=2):
    """Draw an answer that somebody could give, or nobody would."""

    def inner(*counts):
        return [anything(rng, context, depth - 1) for _ in range(rng.choice(counts))]

    flat = (
        lambda: rng.choice(NUMBERS),
        lambda: rng.choice(PLAIN),
        lambda: rng.choice((Odd(RuntimeError), Odd(TypeError), Alike(), endless(), None, ...)),
        lambda: array(rng),
        lambda: rng.choice((*context.values(), 3)),
    )
    nested = (
        lambda: inner(0, 1, 2, 3, 4, 9),
        lambda: tuple(inner(2, 3, 8)),
        lambda: dict(zip(rng.choice(KEYS), inner(4), strict=False)),
    )
    return rng.choice((*flat, *nested, *nested) if depth else flat)()


def function(rng, context):
    """Draw a function that raises, spoils or gives back what it is given, or returns what it likes."""

    def answer(*given):
        kind = rng.randrange(8)
        if kind == 0:
            raise rng.choice((RecursionError, KeyError, SystemExit, MemoryError, Odd(ValueError)._error))(
                "on purpose"
            )
        if kind == 1:
            return rng.choice(given)
        if kind == 2 and isinstance(given[0], np.ndarray):
            given[0][...] = 0
        return anything(rng, context)

    return answer


@pytest.fixture(scope="module")
def contexts(tmp_path_factory):
    """What each check is given beside the answers: small, and of the right kinds."""
    lenet = pv.zoo.lenet_300_100("torch", pretrained=False)
    x, y = (array[:12] for array in pv.datasets.mnist().validation)
    path = tmp_path_factory.mktemp("saved") / "m.pv"
    pv.save(lenet, path)
    run = {"seed": 0, "epochs": 3, "sparsity": 0.9, "correct": 4000}
    weights = {layer.name: layer.weight for layer in pv.network(lenet).layers}
    mask = pv.prune(lenet, 0.5)
    return {
        "four_weights": {"right": lambda _: 0, "weights": np.arange(9.0)},
        "pixels_cut": {"model": lenet, "validation": (x, y), "at_least": 13},
        "empties_the_first": {"sizes": pv.importance(lenet)},
        "ninety_one": {"model": lenet, "validation": (x, y), "at_least": 13},
        "zeros_kept": {"before": weights, "mask": mask},
        "small_file": {"at_least": 13},
        "clothes": {"at_least": 13},
        "quiet_specialist": {"activity": np.arange(8.0), "lost": np.zeros((8, 10), int)},
        "average_left_behind": {"framework": "torch"},
        "no_labels": {
            "sent": np.ones((9, 300)),
            "into": np.ones((100, 300)),
            "right": lambda _: 0,
            "target": 1,
        },
        "neuron_removed": {"fewer": 885, "framework": "torch"},
        "half_of_the_parameters": {"share": 0.48},
        "half_the_time": {"macs": 10, "target": 13},
        "filter_scores": {"track": "pytorch"},
        "three_filters": {"right_without": sum},
        "block_dropped": {
            "network": pv.zoo.resnet_20("torch", pretrained=False),
            "data": (np.zeros((2, 32, 32, 3), np.uint8), y[:2]),
        },
        "statistics": {"network": pv.zoo.lenet_5_bn("torch", pretrained=False), "x": x},
        "without_labels": {"count_right": lambda _: 0},
        "few_and_right": {"refitted": lambda _: 0},
        "worth_its_price": {
            "at_least": 13,
            "fine_tuned": lambda **_: 0,
            "right": lambda _: 0,
            "halved": lambda _: 0,
        },
        "beats_the_cubic": {"cubic": [run]},
        "csr_bytes": {"from_share": 0.8},
        "packed": {"arrays": {"w": np.eye(20, dtype=np.float32)}, "target": 10},
        "sixty_kilobytes": {"fits": (x, y), "target": 13},
        "weatherproof": {"model": lenet, "share": 0.99, "loss": -1},
        "three_digits": {"model": lenet, "test": (x, y)},
        "within_the_budget": {"framework": "torch", "target": 1},
        "useless_inputs": {"useless": np.arange(1000) < 500, "by_size": 380, "target": 501},
    }


CHECKS = {
    f"{path.stem}.{name}": check
    for path in sorted((HOME / "checks").glob("lesson_*.py"))
    for name, check in vars(__import__(f"pruneviz.lessons.checks.{path.stem}", fromlist=["*"])).items()
    if isinstance(check, Check)
}


@pytest.fixture
def judge(contexts, request):
    """Judge answers, and look at what is said of them."""
    check = CHECKS[request.param]
    context = contexts.get(request.param.partition(".")[2], {})
    parameters = inspect.signature(check.__wrapped__).parameters.values()
    asked = [one for one in parameters if one.annotation == "Answer"]

    def judged(draw):
        answers = {one.name: draw(context) for one in asked}
        by_name = {one.name: answers.pop(one.name) for one in asked if one.kind is one.KEYWORD_ONLY}
        told = check.verdict(*answers.values(), **{**context, **by_name})
        assert told.startswith(("Not yet: ", "Not answered yet: ")), answers
        assert "\n" not in told
        assert len(told) < 1_000
        assert not re.search("with this answer: (NameError|Unbound)", told)  # a fault of the check itself

    return judged


@pytest.mark.parametrize("judge", CHECKS, indirect=True)
def test_any_answer_is_judged_in_one_line(judge):
    rng = random.Random(0)
    for _ in range(ANSWERS):
        judge(lambda context: rng.choice((anything, function, function))(rng, context))


@pytest.mark.parametrize("judge", CHECKS, indirect=True)
def test_no_number_is_right_where_it_stands_for_all(judge):
    for number in NUMBERS:
        judge(lambda _, number=number: number)
        judge(lambda _, number=number: lambda *given: ([one() for one in given if callable(one)], number)[1])


@pytest.mark.parametrize(("truth", "share"), [(4000, False), (0.5, True), (1.7, True), ("fc1", False)])
def test_any_guess_is_set_beside_the_truth_in_one_line(truth, share, capsys):
    rng = random.Random(0)
    for guess in (*NUMBERS, *PLAIN, -0.1, 0.3, 10**5000, *(anything(rng, {}) for _ in range(ANSWERS))):
        pv.teaching.compare(guess, truth, "right", share=share)
        told = capsys.readouterr().out
        assert told.count("\n") == 1
        assert told.count("Measured: ") == 1
        assert len(told) < 1_000 or isinstance(guess, str)
        assert "nan too" not in told
