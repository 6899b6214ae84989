"""What operations cost: by weights and list sizes that every list declares, for any variables, in one linear pass."""

from __future__ import annotations

import pytest
from graphql import OperationDefinitionNode, build_schema, parse

from app.graphql.cost import print_costs
from app.graphql.operation_cost import CostModel, OperationCost
from app.graphql.schema import graphql_schema, schema_text
from app.http.guard import GuardOptions
from tests.contract.examples import CONTRACT

MODEL = CostModel(graphql_schema)
SHARE_OF_A_SCREEN = 0.2


def cost_of(text: str) -> OperationCost:
    document = parse(text)
    (operation,) = (node for node in document.definitions if isinstance(node, OperationDefinitionNode))
    return OperationCost(MODEL, document, operation)


def points(text: str, **variables: object) -> int:
    return cost_of(text).points(variables)


class TestDeclarations:
    def test_every_list_has_a_size(self):
        paged = {
            (field.type_name, name)
            for _, _, field in MODEL.declarations()
            if field.size is not None
            for name in field.size.sized_fields or ()
        }
        unsized = {
            (type_name, name) for type_name, name, field in MODEL.declarations() if field.is_list and field.size is None
        }
        assert unsized - paged == set()

    def test_what_takes_first_is_a_page(self):
        for type_ in (graphql_schema.query_type, *graphql_schema.type_map.values()):
            for name, field in getattr(type_, "fields", {}).items():
                if "first" in getattr(field, "args", {}):
                    assert MODEL.field(type_.name, name).size.sized_fields == ["nodes", "edges"]

    def test_the_schema_says_them(self):
        text = schema_text()
        assert "payments: [InvoicePayment!]! @listSize(assumedSize: 2)" in text
        assert '): InvoiceConnection @listSize(slicingArguments: ["first"], sizedFields: ["nodes", "edges"])' in text
        assert 'billingSummary: BillingSummary @cost(weight: "300")' in text
        build_schema(text)

    def test_a_schema_without_any_is_printed_as_it_is(self):
        text = "type Query {\n  a: Int\n}\n"
        assert print_costs(build_schema(text), text) == text


class TestPoints:
    def test_values_and_objects_weigh_something(self):
        assert points("{ viewer { role } }") == 101
        assert points("{ viewer { user { name email } } }") == 105
        assert points("{ __typename }") == 1

    def test_a_page_counts_its_items(self):
        assert points("{ invoices(first: 1) { nodes { number } } }") == 104
        assert points("{ invoices(first: 50) { nodes { number } } }") == 100 + 50 * 4
        assert points("{ invoices(first: 50) { totalCount pageInfo { hasNextPage } nodes { number } } }") == 305

    def test_nested_lists_multiply(self):
        calls = "... on UsageLine { calls(first: 100) { nodes { id } } }"
        nested = f"{{ invoices(first: 10) {{ nodes {{ lines {{ {calls} }} }} }} }}"
        assert points(nested) == 100 + 10 * (3 + 3 + 6 * (3 + 3 + 100 * 4))

    def test_variables_count_with_their_defaults(self):
        text = "query A($n: Int! = 5) { invoices(first: $n) { nodes { number } } }"
        assert [points(text), points(text, n=50)] == [120, 300]
        without = "query A { invoices { nodes { number } } }"
        assert points(without) == 100 + 20 * 4

    @pytest.mark.parametrize("n", [0, -5, 10**9, "20", None, True])
    def test_a_size_that_is_none_counts_at_least_one_and_at_most_a_page(self, n):
        assert 104 <= points("query A($n: Int!) { invoices(first: $n) { nodes { number } } }", n=n) <= 500

    def test_of_the_kinds_of_a_thing_the_dearest_counts(self):
        both = "{ node(id: 1) { ... on Invoice { number } ... on CardPaymentMethod { id last4 brand } } }"
        alone = "{ node(id: 1) { ... on CardPaymentMethod { id last4 brand } } }"
        assert points(both) == points(alone)

    def test_an_interface_counts_for_every_kind(self):
        text = "{ node(id: 1) { ... on Node { id } ... on Invoice { number } } }"
        assert points(text) == points("{ node(id: 1) { ... on Invoice { id number } } }")

    def test_a_fragment_is_looked_at_once(self):
        links = [f"fragment F{n} on Invoice {{ ...F{n + 1} ...F{n + 1} }}" for n in range(25)]
        text = "{ invoice(id: 1) { ...F0 } } " + " ".join(links) + " fragment F25 on Invoice { number }"
        assert points(text) == 250 + 2**25

    def test_a_cost_is_remembered_for_the_variables_that_decide_it(self):
        fields = "invoices(first: $n) { nodes { number } } invoice(id: $id) { id }"
        cost = cost_of(f"query A($n: Int!, $id: ID!) {{ {fields} }}")
        assert cost.points({"n": 5, "id": "a"}) == cost.points({"n": 5, "id": "b"}) == 100 + 20 + 251
        assert len(cost._kept) == 1

    def test_introspection_has_a_price(self):
        assert points("{ __schema { types { fields { name } } } }") == 1_000


class TestHeaviest:
    def test_names_the_way_down_to_the_list_that_costs(self):
        text = (
            "{ viewer { role } a: invoices(first: 100) { nodes { number lines { ...L } } } }"
            " fragment L on UsageLine { calls(first: 100) { nodes { id startedAt } } }"
        )
        assert cost_of(text).heaviest({}) == "a: invoices.nodes.lines.calls.nodes"

    def test_stops_where_several_share(self):
        assert cost_of("{ viewer { role user { name email } } }").heaviest({}) == "viewer.user"


@pytest.mark.parametrize("operation", CONTRACT.operations, ids=lambda operation: operation.name)
def test_a_screen_costs_a_fifth_of_the_limit_at_most(operation):
    assert points(operation.document, **operation.variables) <= SHARE_OF_A_SCREEN * GuardOptions().cost
