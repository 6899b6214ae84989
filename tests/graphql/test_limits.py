"""Limits on documents: each is kept to the figure, and no document makes the check itself expensive."""

from __future__ import annotations

import pytest
from graphql import get_introspection_query, parse
from hypothesis import given
from hypothesis import strategies as st

from app.graphql.limits import Limits, Ruler, find_excess

LIMITS = Limits()


def excess_of(text: str) -> list[str]:
    return [error.message for error in find_excess(parse(text), LIMITS)]


def nested(levels: int) -> str:
    return "{" + "a{" * (levels - 1) + "a" + "}" * levels


def chained(fragments: int, spreads: str = "...F{next} ...F{next}") -> str:
    """Fragments that each spread the next one twice: as text short, as a tree 2^n."""
    links = [
        f"fragment F{number} on Query {{ a {spreads.format(next=number + 1)} }}" for number in range(fragments - 1)
    ]
    return " ".join(["{ ...F0 }", *links, f"fragment F{fragments - 1} on Query {{ a }}"])


class TestLimits:
    @pytest.mark.parametrize(
        ("within", "beyond", "what"),
        [
            (nested(10), nested(11), "11 levels of depth; at most 10"),
            (
                "{ a { ...F } } fragment F on A " + nested(9),
                "{ a { ...F } } fragment F on A " + nested(10),
                "11 levels of depth; at most 10",
            ),
            (
                "{ a { " + " ".join(f"x{n}: a" for n in range(30)) + " } }",
                "{ a { " + " ".join(f"x{n}: a" for n in range(31)) + " } }",
                "31 aliases; at most 30",
            ),
            (
                "{ a { ...F b { ...F } } } fragment F on A { " + " ".join(f"x{n}: a" for n in range(15)) + " }",
                "{ a { ...F b { ...F } } } fragment F on A { " + " ".join(f"x{n}: a" for n in range(16)) + " }",
                "32 aliases; at most 30",
            ),
            (
                "{" + " ".join(f"f{n}" for n in range(15)) + "}",
                "{" + " ".join(f"f{n}" for n in range(15)) + " ... on Query { last } }",
                "16 root fields; at most 15",
            ),
            (
                "{ a " + "@skip(if: false) " * 20 + "}",
                "query @x { a " + "@skip(if: false) " * 20 + "}",
                "21 directives; at most 20",
            ),
            (
                "{ a { ...F } } " + " ".join(f"fragment F{n} on A {{ a }}" for n in range(30)),
                "{ a { ...F } } " + " ".join(f"fragment F{n} on A {{ a }}" for n in range(31)),
                "31 fragments; at most 30",
            ),
            (
                " ".join(f"query Q{n} {{ a }}" for n in range(5)),
                " ".join(f"query Q{n} {{ a }}" for n in range(6)),
                "6 operations; at most 5",
            ),
            ("{ a { " + "b " * 31 + "} }", "{ a { " + "b " * 32 + "} }", "31 repeated fields; at most 30"),
        ],
    )
    def test_each_limit_is_kept_to_the_figure(self, within, beyond, what):
        assert excess_of(within) == []
        assert len(excess_of(beyond)) == 1
        assert what in excess_of(beyond)[0]

    def test_an_error_carries_its_code_and_its_limit(self):
        (error,) = find_excess(parse(nested(11)), LIMITS)
        assert error.extensions == {"code": "LIMIT_EXCEEDED", "limit": 10}

    def test_introspection_has_a_bound_of_its_own(self):
        assert excess_of(get_introspection_query(input_value_deprecation=True)) == []
        assert excess_of("{ __schema " + nested(19) + " }") == []
        (message,) = excess_of("{ __schema " + nested(20) + " }")
        assert message == (
            "This document has 21 levels of introspection depth; at most 20 are allowed. "
            "Ask for less, or split it in two."
        )

    def test_a_fragment_counts_as_introspection_only_where_it_is_spread_so(self):
        body = "fragment F on A " + nested(12)
        assert excess_of("{ __schema { ...F } } " + body) == []
        assert "levels of depth" in excess_of("{ a { ...F } } " + body)[0]


class TestWork:
    @pytest.mark.parametrize("spreads", ["...F{next} ...F{next}", "x{{ ...F{next} }} y{{ ...F{next} }} ...F{next}"])
    def test_fragments_that_double_are_looked_at_once_each(self, spreads):
        document = parse(chained(30, spreads))
        ruler = Ruler(document)
        ruler.operation_measures()
        assert ruler.visited_nodes <= 1 + 30 * 8

    def test_what_they_bring_in_is_still_counted(self):
        assert any("root fields" in message for message in excess_of(chained(30)))

    @pytest.mark.parametrize(
        "text",
        [
            "{ ...Missing }",
            "{ ...A } fragment A on Query { ...A }",
            "{ ...A } fragment A on Query { ...B ...C } fragment B on Query { ...A } fragment C on Query { ...B a }",
            "fragment A on Query { a }",
            "type A { a: Int }",
        ],
    )
    def test_unknown_and_circular_fragments_are_left_to_validation(self, text):
        assert excess_of(text) == []

    @given(st.lists(st.lists(st.integers(0, 12), max_size=4), min_size=1, max_size=12))
    def test_any_graph_of_fragments_is_measured(self, graph):
        links = [f"fragment F{n} on Q {{ a {' '.join(f'...F{m}' for m in to)} }}" for n, to in enumerate(graph)]
        document = parse(" ".join(["{ ...F0 }", *links]))
        ruler = Ruler(document)
        (measures,) = ruler.operation_measures()
        assert measures.depth == 1
        assert ruler.visited_nodes == 1 + len(graph) + sum(len(to) for to in graph)
