"""The operations of the screens: each fits the schema, keeps the limits, and together they use all that there is."""

from __future__ import annotations

import pytest
from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLNamedType,
    GraphQLUnionType,
    OperationDefinitionNode,
    Visitor,
    get_named_type,
    parse,
    print_ast,
    validate,
    visit,
)
from graphql.language import FieldNode
from graphql.validation import NoDeprecatedCustomRule

from app.graphql.contract import FOLDER, ContractUnreadable, read_contract
from app.graphql.documents import DocumentStore, RuleSet
from app.graphql.schema import graphql_schema
from tests.contract.examples import CONTRACT

OPERATIONS = {operation.name: operation for operation in CONTRACT.operations}
FRAGMENTS = {path.stem: path for path in sorted((FOLDER / "fragments").glob("*.graphql"))}


class Spreads(Visitor):
    """Which fragments a document spreads."""

    def __init__(self, node: DocumentNode) -> None:
        super().__init__()
        self.names: set[str] = set()
        visit(node, self)

    def enter_fragment_spread(self, node: FragmentSpreadNode, *_: object) -> None:
        self.names.add(node.name.value)


def result_of(operation: OperationDefinitionNode, field: FieldNode) -> GraphQLNamedType:
    root = graphql_schema.get_root_type(operation.operation)
    return get_named_type(root.fields[field.name.value].type)


def definition(text: str) -> OperationDefinitionNode | FragmentDefinitionNode:
    (found,) = parse(text).definitions
    return found


class TestOperations:
    @pytest.mark.parametrize("name", OPERATIONS)
    def test_a_file_holds_one_operation_of_its_own_name(self, name):
        text = (FOLDER / "operations" / f"{name}.graphql").read_text(encoding="utf-8")
        operation = definition(text)
        assert isinstance(operation, OperationDefinitionNode)
        assert operation.name.value == name
        assert text.endswith("}\n")

    @pytest.mark.parametrize("name", OPERATIONS)
    def test_a_file_begins_with_its_screen_and_its_states(self, name):
        comment = OPERATIONS[name].comment
        assert comment[0].isupper()
        assert comment.endswith(".")

    @pytest.mark.parametrize("name", OPERATIONS)
    def test_it_is_valid_and_within_the_limits_of_production(self, name):
        rules = RuleSet(allows_introspection=False, shows_suggestions=False)
        document = DocumentStore(graphql_schema, rules).prepare(OPERATIONS[name].document)
        assert set(document.operations) == {name}

    @pytest.mark.parametrize("name", OPERATIONS)
    def test_nothing_deprecated_is_used(self, name):
        node = parse(OPERATIONS[name].document)
        assert [error.message for error in validate(graphql_schema, node, [NoDeprecatedCustomRule])] == []

    @pytest.mark.parametrize("name", OPERATIONS)
    def test_the_values_to_try_it_with_are_those_it_declares(self, name):
        operation = definition((FOLDER / "operations" / f"{name}.graphql").read_text(encoding="utf-8"))
        declared = {variable.variable.name.value for variable in operation.variable_definitions or ()}
        assert set(OPERATIONS[name].variables) == declared

    def test_every_root_field_is_used(self):
        used = {
            selection.name.value
            for operation in CONTRACT.operations
            for part in parse(operation.document).definitions
            if isinstance(part, OperationDefinitionNode)
            for selection in part.selection_set.selections
            if isinstance(selection, FieldNode)
        }
        roots = (graphql_schema.query_type, graphql_schema.mutation_type, graphql_schema.subscription_type)
        assert used == {name for root in roots for name in root.fields}


class TestFragments:
    @pytest.mark.parametrize("name", FRAGMENTS)
    def test_a_file_holds_one_fragment_of_its_own_name_and_says_what_it_is_for(self, name):
        text = FRAGMENTS[name].read_text(encoding="utf-8")
        fragment = definition(text)
        assert isinstance(fragment, FragmentDefinitionNode)
        assert fragment.name.value == name
        assert text.startswith("# ")

    def test_every_result_asks_for_the_refusals_it_may_not_know(self):
        """Whatever answers with a union selects the interface of all refusals, so that a newer one still has words."""
        silent = [
            (operation.name, selection.name.value)
            for operation in CONTRACT.operations
            for part in parse(operation.document).definitions
            if isinstance(part, OperationDefinitionNode)
            for selection in part.selection_set.selections
            if isinstance(selection, FieldNode)
            and isinstance(result_of(part, selection), GraphQLUnionType)
            and "... on UserError { code message }" not in " ".join(print_ast(selection).split())
        ]
        assert silent == []

    def test_every_fragment_is_used(self):
        used = {name for operation in CONTRACT.operations for name in Spreads(parse(operation.document)).names}
        assert used == set(FRAGMENTS)

    def test_no_fragment_leads_back_to_itself(self):
        spreads = {name: Spreads(parse(path.read_text(encoding="utf-8"))).names for name, path in FRAGMENTS.items()}
        settled: set[str] = set()
        while ready := {name for name, below in spreads.items() if name not in settled and below <= settled}:
            settled |= ready
        assert settled == set(FRAGMENTS)


class TestReading:
    def test_without_the_folder_there_are_no_operations(self, tmp_path):
        assert read_contract(tmp_path / "nowhere").operations == ()

    def test_fragments_come_along_once_and_those_below_them_too(self, tmp_path):
        write(tmp_path, "operations/A.graphql", '# Screen.\n# More.\n# variables: {"n": 1}\nquery A { ...F ...G }\n')
        write(tmp_path, "fragments/F.graphql", "fragment F on Query { ...G }\n")
        write(tmp_path, "fragments/G.graphql", "fragment G on Query { viewer { role } }\n")
        write(tmp_path, "fragments/H.graphql", "fragment H on Query { viewer { banner } }\n")
        (operation,) = read_contract(tmp_path).operations
        assert (operation.name, operation.comment, operation.variables) == ("A", "Screen. More.", {"n": 1})
        assert [part.name.value for part in parse(operation.document).definitions] == ["A", "F", "G"]

    def test_the_fingerprint_changes_with_a_fragment(self, tmp_path):
        write(tmp_path, "operations/A.graphql", "query A { ...F }\n")
        write(tmp_path, "fragments/F.graphql", "fragment F on Query { viewer { role } }\n")
        before = read_contract(tmp_path).fingerprint
        write(tmp_path, "fragments/F.graphql", "fragment F on Query { viewer { banner } }\n")
        assert read_contract(tmp_path).fingerprint != before

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("query A {", "operations/A.graphql of the frontend contract cannot be used: Syntax Error"),
            ("query A { a } query B { a }", "it has to hold one operation and nothing else"),
            ("query A { ...F }", "there is no fragments/F.graphql"),
            ("# variables: {x}\nquery A { a }", "its `variables:` line is not a JSON object"),
            ("# variables: [1]\nquery A { a }", "its `variables:` line is not a JSON object"),
        ],
    )
    def test_a_file_that_cannot_be_used_is_named(self, tmp_path, text, reason):
        write(tmp_path, "operations/A.graphql", text)
        with pytest.raises(ContractUnreadable, match=reason):
            read_contract(tmp_path)


def write(folder, place, text):
    path = folder / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
