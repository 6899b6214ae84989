"""Tables for spreadsheets: nothing in them is a formula, and everything comes back as it was."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.messages.tables import (
    BEGINS_A_FORMULA,
    END_OF_LINE_ON_A_TERMINAL,
    MOVES_ON,
    Figure,
    guarded,
    plain_dollars,
    write_rows,
)


def read(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


class TestTables:
    @pytest.mark.parametrize(
        "text",
        [
            "=1+1",
            "+1",
            "-1",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            "\n=1",
            "\N{FULLWIDTH EQUALS SIGN}1",
            '=HYPERLINK("http://x","y")',
            "-2+3",
            " =1+1",
            "  \t@SUM(A1)",
            "\N{NO-BREAK SPACE}+1",
            "\N{ZERO WIDTH SPACE}\N{RIGHT-TO-LEFT MARK}-1",
            "\x00=1",
            " \tHarbor Dental",
            "\r",
        ],
    )
    def test_a_cell_that_would_be_a_formula_stands_behind_an_apostrophe(self, text):
        assert read(write_rows([[text]])) == [["'" + text]]

    @pytest.mark.parametrize(
        "text",
        ["", "Harbor Dental", "a=b", "'=1", "1-2", "שירותי מענה", 'O"Hara, "Sons"', "a\r\nb", "  Harbor", " ", "1 =1"],
    )
    def test_any_other_cell_comes_back_as_it_was(self, text):
        assert read(write_rows([[text, "end"]])) == [[text, "end"]]

    def test_a_negative_figure_is_a_number(self):
        assert write_rows([[Figure("-12.00"), "-12.00"]]) == "-12.00,'-12.00\r\n"

    @pytest.mark.parametrize(
        ("cents", "dollars"), [(0, "0.00"), (-5, "-0.05"), (1_234_567_89, "1234567.89"), (-12_00, "-12.00")]
    )
    def test_amounts_are_figures_in_plain_dollars(self, cents, dollars):
        assert write_rows([[plain_dollars(cents)]], end_of_line=END_OF_LINE_ON_A_TERMINAL) == f"{dollars}\n"

    @given(st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), min_size=2)))
    def test_no_text_begins_a_formula_and_none_is_lost(self, rows):
        found = read(write_rows(rows))
        assert found == [[guarded(cell) for cell in row] for row in rows]
        cells = [cell for row in found for cell in row]
        assert not any(cell.lstrip()[:1] in BEGINS_A_FORMULA for cell in cells if cell.strip())
        assert not any(cell[:1] in MOVES_ON for cell in cells if cell)
