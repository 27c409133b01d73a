"""What lessons print: tables, and guesses beside what was measured."""

import pytest

import pruneviz as pv


def test_a_table_is_aligned_and_marks_thousands(capsys):
    pv.teaching.table(["pruned", "right", "lost"], [["80%", 4484, 444], ["none", "4,928", 0]])
    assert capsys.readouterr().out == (
        "pruned  right  lost\n80%     4,484   444\nnone    4,928     0\n"  # as a page shows it
    )


@pytest.mark.parametrize(
    ("header", "row", "message"),
    [
        (["a", "b"], ["1"], "has 1 cells: there are 2 columns"),
        (["a" * 60, "b" * 40], ["1", "2"], "102 characters wide, more than 96"),
    ],
)
def test_a_table_that_no_page_shows_is_refused(header, row, message, capsys):
    with pytest.raises(ValueError, match=message):
        pv.teaching.table(header, [row])
    assert not capsys.readouterr().out


@pytest.mark.parametrize(
    ("guess", "truth", "share", "text"),
    [
        (..., 4484, False, "No guess. Measured: 4,484 right."),
        (None, 4484, False, "No guess. Measured: 4,484 right."),
        (4900, 4484, False, "Your guess: 4,900. Measured: 4,484 right. You were 416 too high."),
        (4484, 4484, False, "Your guess: 4,484. Measured: 4,484 right. Exactly right."),
        (0.4, 0.4425, False, "Your guess: 0.4. Measured: 0.4425 right. You were 0.0425 too low."),
        (0.85, 0.762, True, "Your guess: 85.0%. Measured: 76.2% right. You were 8.8 points too high."),
        (76, 0.762, True, "Your guess, 76, is no share from 0 to 1: write 0.76. Measured: 76.2% right."),
        (1.2, 1.063, True, "Your guess: 120.0%. Measured: 106.3% right. You were 13.7 points too high."),
        (0.9, 1.063, True, "Your guess: 90.0%. Measured: 106.3% right. You were 16.3 points too low."),
        (110, 1.063, True, "Your guess, 110, is no share from 0 to 3: write 1.1. Measured: 106.3% right."),
        ("many", 3, False, "Your guess, 'many', is no number: write one, such as 4000. Measured: 3 right."),
    ],
)
def test_a_guess_stands_beside_what_was_measured(guess, truth, share, text, capsys):
    pv.teaching.compare(guess, truth, "right", share=share)
    assert capsys.readouterr().out == f"{text}\n"
