"""The budget challenge: what is measured, what is refused, and a leaderboard that forty people write to."""

import json
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import pruneviz as pv
from pruneviz.files import storage
from pruneviz.teaching import challenge, leaderboard, submit

SIZES = {"conv1": (2, 1, 5, 5), "conv2": (8, 2, 5, 5), "fc1": (20, 200), "fc2": (10, 20), "fc3": (10, 10)}
MACS = 2 * 25 * 28**2 + 8 * 2 * 25 * 10**2 + 200 * 20 + 20 * 10 + 10 * 10  # of LeNet-5 with these


def cut(scale=0.1, **changed):
    """Give the arrays of a LeNet-5 of few units, with random weights."""
    noise, arrays = np.random.default_rng(0), {}
    for name, shape in {**SIZES, **changed}.items():
        arrays[f"{name}.weight"] = noise.normal(0, scale, shape).astype("f4")
        arrays[f"{name}.bias"] = np.zeros(shape[0], "f4")
    return arrays


def written(path, arrays, values="exact"):
    path.write_bytes(storage.packed(arrays, values, [name for name in arrays if name.endswith("weight")]))
    return path


def rows(folder):
    return [json.loads(path.read_bytes()) for path in folder.glob("*.json")]


def row(name="Kim", validation=4_900, size=19_000, macs=90_000, test=None, **other):
    made = {"name": name, "network": "lenet_5", "framework": "torch", "size": size, "macs": macs}
    return {**made, "validation": validation, "test": test, **other}


def put(folder, *made):
    for number, one in enumerate(made):
        (folder / f"{number}.json").write_bytes(one if isinstance(one, bytes) else json.dumps(one).encode())


@pytest.fixture
def quick(monkeypatch):
    """Measure on the first hundred images."""
    digits = pv.datasets.mnist()
    few = {part: tuple(array[:100] for array in getattr(digits, part)) for part in ("validation", "test")}
    monkeypatch.setattr(pv.datasets, "mnist", lambda: replace(digits, **few))


def test_a_small_model_is_rebuilt_measured_and_listed(framework, tmp_path, capsys):
    path, board = written(tmp_path / "m.pv", cut()), tmp_path / "new" / "board"
    submit(path, "Kim", board, "lenet_5", framework)
    digits = pv.datasets.mnist()
    model = pv.load(path, pv.zoo.lenet_5(framework), digits.train[0][:1])
    right, size = pv.scorecard(model, digits.validation).correct, path.stat().st_size
    assert rows(board) == [row(validation=right, size=size, macs=MACS, framework=framework)]
    assert MACS == 83_500
    told = f"Kim: {size:,} bytes, 83,500 MACs, right on {right:,} of 5,000 validation images.\n"
    assert capsys.readouterr().out == told
    leaderboard(board)
    assert capsys.readouterr().out.splitlines()[1].split() == f"1 Kim {right} {size:,} 83,500 – – 1".split()


def test_a_file_of_one_track_is_handed_in_from_the_other(tmp_path):
    example, limits = pv.datasets.mnist().train[0][:1], {"max_bytes": 200_000, "max_macs": 10**6}
    for saver, checker in (("torch", "keras"), ("keras", "torch")):
        model = pv.zoo.lenet_5(saver)
        mask = pv.prune(model, 0.2, granularity="filter", example=example)
        pv.save(pv.remove(model, mask, example=example), tmp_path / "m.pv")
        submit(tmp_path / "m.pv", saver, tmp_path, "lenet_5", checker, **limits)
    one, other = rows(tmp_path)
    assert one["macs"] == other["macs"]
    assert one["size"] == pytest.approx(other["size"], rel=0.002)  # their layouts differ, and so the order
    assert abs(one["validation"] - other["validation"]) <= 3
    assert one["validation"] > 4_500


@pytest.mark.usefixtures("quick")
def test_every_network_for_digits_is_taken_and_no_other(tmp_path):
    for network in challenge.NETWORKS:
        pv.save(getattr(pv.zoo, network)("torch", pretrained=False), tmp_path / "m.pv")
        with pytest.raises(ValueError, match=r"over the 1; .* MACs: .* over the 2$"):
            submit(tmp_path / "m.pv", "Kim", tmp_path, network, "torch", max_bytes=1, max_macs=2)
    for network in ("resnet_20", "card", "__name__", None, pv.zoo.lenet_5("torch")):
        with pytest.raises(
            ValueError, match="network must be the name of one of the zoo's for digits: lenet_3"
        ):
            submit(tmp_path / "m.pv", "Kim", tmp_path, network, "torch")
    with pytest.raises(ValueError, match=r'framework is .jax.: choose "torch"'):
        submit(tmp_path / "m.pv", "Kim", tmp_path, "lenet_5", "jax")
    assert not rows(tmp_path)


@pytest.mark.usefixtures("quick")
def test_over_the_budget_is_one_sentence_with_both_numbers(tmp_path):
    path = written(tmp_path / "m.pv", cut())
    size = path.stat().st_size
    for most_bytes, most_macs, said in (
        (size - 487, MACS, f"{size:,} bytes: 487 over the {size - 487:,}"),
        (size, MACS - 3_500, "83,500 MACs: 3,500 over the 80,000"),
        (size - 1, 1, f"{size:,} bytes: 1 over the {size - 1:,}; 83,500 MACs: 83,499 over the 1"),
    ):
        with pytest.raises(ValueError, match="over the") as error:
            submit(
                path, "Kim", tmp_path / "board", "lenet_5", "torch", max_bytes=most_bytes, max_macs=most_macs
            )
        assert str(error.value) == said
    assert not (tmp_path / "board").exists()
    submit(path, "Kim", tmp_path / "board", "lenet_5", "torch", max_bytes=size, max_macs=MACS)


def by_hand(array):
    step = np.abs(array).max() / 127 or 1
    return (np.rint(array / step) * step).astype("f4")


@pytest.mark.parametrize(
    ("values", "rounded"),
    [
        ("float16", lambda array: array),
        ("int8", lambda array: array),
        ("exact", lambda array: array.astype("f2").astype("f4")),
        ("exact", by_hand),
        ("exact", lambda array: (array.view("<u4") & 0xFFFFFF00).view("<f4")),
        (
            "exact",
            lambda array: np.where(np.arange(array.size).reshape(array.shape) % 2, array, by_hand(array)),
        ),
    ],
    ids=["float16", "int8", "float16 by hand", "int8 by hand", "three bytes", "every second one"],
)
def test_rounded_weights_are_refused_whoever_rounded_them(values, rounded, tmp_path):
    path = written(tmp_path / "m.pv", {name: rounded(array) for name, array in cut().items()}, values)
    with pytest.raises(ValueError, match=r"holds rounded weights: .* hand in float32 as training leaves it"):
        submit(path, "Kim", tmp_path, "lenet_5", "torch")
    assert not rows(tmp_path)


@pytest.mark.parametrize("network", ["lenet_300_100", "lenet_5", "lenet_5_bn", "tiny_cnn"])
@pytest.mark.parametrize("sparsity", [0.0, 0.9, 0.999])
def test_what_training_left_is_not_taken_for_rounded(network, sparsity):
    model = getattr(pv.zoo, network)("torch")
    challenge._refuse_rounded("m.pv", pv.apply(model, pv.prune(model, sparsity)))


def test_one_final_submission_counts(tmp_path, capsys, monkeypatch):
    path = tmp_path / "m.pv"
    pv.save(pv.zoo.lenet_5("torch"), path)
    limits = {"max_bytes": 10**6, "max_macs": 10**6}
    submit(path, "Kim", tmp_path, "lenet_5", "torch", final=True, **limits)
    (made,) = rows(tmp_path)
    assert (made["validation"], made["test"]) == pytest.approx(
        (4_970, 9_934), abs=2
    )  # as the zoo's card says
    assert capsys.readouterr().out.endswith(
        f" of 5,000 validation images and {made['test']:,} of 10,000 test images, which counts.\n"
    )
    monkeypatch.setattr(challenge, "measured", None)  # a second one is refused before it is measured
    with pytest.raises(ValueError, match=r"^Kim has handed in a final submission already: one counts"):
        submit(path, "Kim", tmp_path, "lenet_5", "torch", final=True, **limits)
    assert rows(tmp_path) == [made]


def test_the_board_is_ranked_by_validation_then_bytes_then_macs(tmp_path, capsys):
    put(
        tmp_path,
        row("later", 4_931, 19_757, 91_000),
        row("slow", 4_931, 17_258, 99_000),
        row("smaller", 4_931, 17_259, 91_000),
        row("quicker", 4_931, 17_259, 83_500),
        row("level", 4_931, 17_259, 83_500),
        row("best", 4_951, 20_000, 100_000),
        row("best", 4_950, 1, 1),
    )
    leaderboard(tmp_path)
    assert [line.split()[:3] for line in capsys.readouterr().out.splitlines()[1:]] == [
        ["1", "best", "4,951"],
        ["2", "slow", "4,931"],
        ["3", "level", "4,931"],
        ["3", "quicker", "4,931"],
        ["5", "smaller", "4,931"],
        ["6", "later", "4,931"],
    ]


def test_medals_are_for_the_final_submission(tmp_path, capsys):
    tests = {"a": 9_699, "b": 9_700, "c": 9_789, "d": 9_790, "e": 9_880, "f": 9_900, "g": None}
    put(tmp_path, *(row(name, test=test) for name, test in tests.items()), row("f", 5_000))
    for medals, earned in (
        ({}, ["–", "pass", "pass", "bronze", "silver", "gold", "–"]),
        ({"medals": {"gold": 9_789, "wood": 1}}, ["wood", "wood", "gold", "gold", "gold", "gold", "–"]),
        ({"medals": {}}, ["–"] * 7),
    ):
        leaderboard(tmp_path, **medals)
        lines = [line.split() for line in capsys.readouterr().out.splitlines()[1:]]
        assert [(line[1], line[-2]) for line in lines] == list(zip(tests, earned, strict=True))
    assert lines[5][2:] == ["4,900", "19,000", "90,000", "9,900", "–", "2"]  # the better one is not the final


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "..",
        "../x",
        "/etc/passwd",
        "C:\\x",
        "a\nb",
        "a\tb",
        "<b>Kim</b>",
        "**Kim**",
        "\x1b[2J",
        "Kim ",
        "K" * 25,
        "\u202eKim",
        "K\u200bim",
        "\ud800",
        "\ufdfa" * 2,
        "|",
        "a`b",
        "$x$",
        "&amp;",
        None,
        7,
        b"Kim",
    ],
)
def test_a_name_that_could_be_more_is_refused_and_its_row_skipped(name, tmp_path, monkeypatch):
    monkeypatch.setattr(challenge, "measured", None)
    with pytest.raises(
        ValueError, match=r"^name must be up to 24 letters, digits, spaces, and - _ ' \. in a line$"
    ):
        submit("m.pv", name, tmp_path, "lenet_5", "torch")
    assert not list(tmp_path.iterdir())
    if not isinstance(name, bytes):
        put(tmp_path, row(name), row("Kim"))
        assert challenge._rows(tmp_path)[1] == 1


def test_names_of_the_world_are_taken_in_one_spelling():
    for name in ("José", "Zoë-Ann O'Neil", "李 明", "नेहा", "J. Smith_2", "Łukasz", "محمد"):
        assert challenge._called(name) == name
    assert challenge._called("Jose\u0301") == "José"
    assert challenge._called("\uff2b\uff49\uff4d") == "Kim"


GARBAGE = {
    "empty": b"",
    "no JSON": b"{",
    "no text": b"\xff\xfe\x00",
    "a list": b"[1, 2]",
    "a number": b"70",
    "of many digits": b"1" * 1_900,
    "nothing": b"null",
    "depth": b"[" * 1_900,
    "huge": json.dumps(row()).encode() + b" " * 2_000,
    "another part": row(path="/etc/passwd"),
    "a part less": {"name": "Kim"},
    "a part of no name": row(**{"a b": 1}),
    "more right than there are": row(validation=5_001),
    "more of the test": row(test=10_001),
    "less than nothing": row(size=-1),
    "wide": row(macs=10**30),
    "half an image": row(validation=4_900.5),
    "no number": b'{"name":"Kim","network":"","framework":"","size":1,"macs":1,"validation":NaN}',
    "a truth": row(validation=True),
    "words": row(validation="4,900"),
    "none": row(validation=None),
    "a name in lists": row(name=["Kim"]),
}


@pytest.mark.parametrize("what", GARBAGE)
def test_garbage_in_the_folder_is_skipped_and_counted(what, tmp_path, capsys):
    put(tmp_path, row("Ada"), GARBAGE[what])
    leaderboard(tmp_path)
    told = capsys.readouterr().out.splitlines()
    assert told[1].split()[1] == "Ada"
    assert told[2:] == ["Skipped: 1 .json file that no submission wrote."]


def test_what_is_no_file_is_skipped_too(tmp_path, capsys):
    with pytest.raises(
        ValueError, match=r"nobody has handed in a model in .*: there are 0 \.json files that"
    ):
        leaderboard(tmp_path / "nowhere")
    put(tmp_path, row())
    (tmp_path / "folder.json").mkdir()
    os.mkfifo(tmp_path / "pipe.json")  # reading it would never end
    (tmp_path / "zeros.json").symlink_to("/dev/zero")
    (tmp_path / "gone.json").symlink_to("gone")
    with (tmp_path / "large.json").open("wb") as file:
        file.truncate(2**40)
    leaderboard(tmp_path)
    assert capsys.readouterr().out.endswith("Skipped: 5 .json files that no submission wrote.\n")


HOSTILE = {
    "another network": cut(conv1=(2, 1, 3, 3)),
    "a broken chain": cut(conv2=(8, 1, 5, 5)),
    "more units than there are": cut(conv1=(7, 1, 5, 5)),
    "no unit": cut(fc1=(0, 200), fc2=(10, 0)),
    "fewer classes": cut(fc3=(3, 10)),
    "a part less": {name: array for name, array in cut().items() if name != "fc2.bias"},
    "a part more": cut(mine=(9, 9)),
    "nothing": {},
    "infinite": {**cut(), "fc3.weight": np.full((10, 10), np.inf, "f4")},
    "no numbers": {**cut(), "fc3.bias": np.full(10, np.nan, "f4")},
    "beyond all numbers": cut(scale=1e37),
}


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("lie", HOSTILE)
def test_a_file_that_lies_is_one_sentence_and_nothing_is_written(lie, framework, tmp_path):
    path = written(tmp_path / "m.pv", HOSTILE[lie])
    with pytest.raises(ValueError, match=r"\w") as error:
        submit(path, "Kim", tmp_path / "board", "lenet_5", framework, final=True)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 300
    assert not (tmp_path / "board").exists()


@pytest.mark.usefixtures("quick")
def test_a_file_that_is_none_is_refused(tmp_path):
    good = written(tmp_path / "m.pv", cut()).read_bytes()
    os.mkfifo(tmp_path / "pipe.pv")
    for path in (tmp_path / "gone.pv", tmp_path, tmp_path / "pipe.pv"):
        with pytest.raises(
            FileNotFoundError, match=r"is no file: save the model first, pv.save\(model, path\)"
        ):
            submit(path, "Kim", tmp_path, "lenet_5", "torch")
    for data in (good[:-1], good + b"!", good[:11] + bytes(32) + good[43:], b"", b"GIF89a"):
        (tmp_path / "m.pv").write_bytes(data)
        with pytest.raises(ValueError, match=r"damaged|not a file that pruneviz.save wrote"):
            submit(tmp_path / "m.pv", "Kim", tmp_path, "lenet_5", "torch")
    with (tmp_path / "m.pv").open("r+b") as file:
        file.write(good)
        file.truncate(2**40)
    with pytest.raises(ValueError, match="damaged"):
        submit(tmp_path / "m.pv", "Kim", tmp_path, "lenet_5", "torch")
    assert not rows(tmp_path)


WRITERS = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from pruneviz.teaching import challenge

challenge.measured = lambda path, who, *_, **__: challenge.Submission(who, "", "", 1, 1, int(who), None)
board, start = sys.argv[1], int(sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
with ThreadPoolExecutor(10) as people:
    for number in range(start, start + 10):
        for _ in range(3):
            people.submit(challenge.submit, "m.pv", str(number), board, "lenet_5", "torch")
"""


def test_forty_people_hand_in_at_once_and_nothing_is_lost(tmp_path):
    command = [sys.executable, "-c", WRITERS, str(tmp_path)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    home = {**os.environ, "PYTHONPATH": str(Path(pv.__file__).parents[1])}
    rooms = [subprocess.Popen([*command, str(start)], env=home, **pipes) for start in (0, 10, 20, 30)]
    assert all(room.stdout.readline() == "ready\n" for room in rooms)
    for room in rooms:
        room.stdin.write("go\n")
        room.stdin.flush()
    while any(room.poll() is None for room in rooms):
        assert not challenge._rows(tmp_path)[1]  # whole at any moment
    for room in rooms:
        room.communicate()
    found, strange = challenge._rows(tmp_path)
    assert [(one.name, one.validation, tries) for one, tries in found] == [
        (str(number), number, 3) for number in reversed(range(40))
    ]
    assert not strange
    assert len(list(tmp_path.iterdir())) == 120


def test_of_forty_final_submissions_of_one_name_one_counts(tmp_path, monkeypatch):
    made = challenge.Submission("Kim", "lenet_5", "torch", 1, 1, 1, 1)
    all_of_them = threading.Barrier(40)  # have seen that there is none, before the first is written
    monkeypatch.setattr(challenge, "measured", lambda *_, **__: (all_of_them.wait(30), made)[1])

    def person(_):
        try:
            submit("m.pv", "Kim", tmp_path, "lenet_5", "torch", final=True)
        except ValueError as error:
            return "one counts, and it stays" in str(error)
        return None

    with ThreadPoolExecutor(40) as people:
        told = list(people.map(person, range(40)))
    assert (told.count(None), told.count(True)) == (1, 39)
    assert len(rows(tmp_path)) == 1


@pytest.mark.usefixtures("quick")
def test_a_final_submission_that_could_not_be_written_may_be_tried_again(tmp_path, monkeypatch):
    path, board = written(tmp_path / "m.pv", cut()), tmp_path / "board"
    with monkeypatch.context() as patch:
        patch.setattr(challenge, "whole", lambda _: (_ for _ in ()).throw(OSError("disk full")))
        with pytest.raises(OSError, match="disk full"):
            submit(path, "Kim", board, "lenet_5", "torch", final=True)
    assert not list(board.iterdir())
    submit(path, "Kim", board, "lenet_5", "torch", final=True)
    assert len(rows(board)) == 1
