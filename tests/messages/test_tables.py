"""Tables for spreadsheets: nothing in them is a formula, and everything comes back as it was."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.messages.tables import BEGINS_A_FORMULA, Figure, guarded, write_rows


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
        ],
    )
    def test_a_cell_that_would_be_a_formula_stands_behind_an_apostrophe(self, text):
        assert read(write_rows([[text]])) == [["'" + text]]

    @pytest.mark.parametrize(
        "text", ["", "Harbor Dental", "a=b", "'=1", "1-2", "שירותי מענה", 'O"Hara, "Sons"', "a\r\nb"]
    )
    def test_any_other_cell_comes_back_as_it_was(self, text):
        assert read(write_rows([[text, "end"]])) == [[text, "end"]]

    def test_a_negative_figure_is_a_number(self):
        assert write_rows([[Figure("-12.00"), "-12.00"]]) == "-12.00,'-12.00\r\n"

    @given(st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), min_size=2)))
    def test_no_text_begins_a_formula_and_none_is_lost(self, rows):
        found = read(write_rows(rows))
        assert found == [[guarded(cell) for cell in row] for row in rows]
        assert not any(cell.startswith(BEGINS_A_FORMULA) for row in found for cell in row)
