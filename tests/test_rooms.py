"""The guesses of a room: many hands at once, nothing torn, one guess a kernel."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from pruneviz.teaching import hand_in, plot_room


def test_forty_people_hand_in_at_once_while_the_instructor_looks(tmp_path):
    def person(number):
        for guess in (number, number + 0.5):  # the second one counts
            hand_in(guess, tmp_path, "knee", who=f"seat {number}")
            assert all(json.loads(path.read_bytes()) >= 0 for path in (tmp_path / "knee").glob("*.json"))

    with ThreadPoolExecutor(40) as people:
        list(people.map(person, range(40)))
    ax = plot_room(tmp_path, "knee", 20.0)
    assert sum(bar.get_height() for bar in ax.patches) == 40
    assert [line.get_xdata()[0] for line in ax.lines] == [20.0]
    assert "40 guesses" in ax.get_xlabel()
    assert min(json.loads(path.read_bytes()) for path in (tmp_path / "knee").iterdir()) == 0.5


def test_handing_in_again_replaces_the_guess(tmp_path):
    hand_in(70, tmp_path, "knee")
    hand_in(80, tmp_path, "knee")
    (file,) = (tmp_path / "knee").iterdir()
    assert json.loads(file.read_bytes()) == 80
    assert plot_room(tmp_path, "knee", 80).get_title(loc="left") == "knee"


@pytest.mark.parametrize("guess", [..., "many", None, float("nan"), True, 10**400, 1j])
def test_what_is_no_number_is_refused(guess, tmp_path):
    with pytest.raises(ValueError, match="guess must be a number"):
        hand_in(guess, tmp_path, "knee")
    assert not list(tmp_path.iterdir())


def test_an_empty_room_is_named(tmp_path):
    with pytest.raises(ValueError, match="nobody has handed in a guess for 'knee'"):
        plot_room(tmp_path, "knee", 1)


def test_what_is_no_guess_is_not_counted(tmp_path):
    hand_in(70, tmp_path, "knee")
    for name, content in {
        "a": b"",
        "b": b"NaN",
        "c": b"[1]",
        "d": b"1e999",
        "e": b"\xff",
        "f": b"[" * 100_000,
    }.items():
        (tmp_path / "knee" / f"{name}.json").write_bytes(content)
    (tmp_path / "knee" / "folder.json").mkdir()
    assert plot_room(tmp_path, "knee", 80).get_xlabel().startswith("1 guesses")
