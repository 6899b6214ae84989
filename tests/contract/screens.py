"""Every screen of the portal on one account: the queries that it would have open, asked as clients with a cache ask."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

from graphql import FieldNode, NameNode, OperationType, SelectionSetNode, Visitor, parse, print_ast, visit

from app.graphql.documents import Document, DocumentStore, RuleSet
from app.graphql.execution import Executor
from app.graphql.schema import graphql_schema
from tests.contract.cache import TYPE, Asked
from tests.contract.examples import CONTRACT, Example, Play

RULES = RuleSet(allows_introspection=False, shows_suggestions=False)
STORE = DocumentStore(graphql_schema, RULES)
EXECUTOR = Executor(graphql_schema, RULES)

DIALOGS = {"AddOnPreview", "PlanChangePreview"}
"""Quotes: a dialog asks for a new one whenever it opens, and no cache keeps it."""

NO_SCREENS = {"PaymentAgreementShow", "NodeShow"}
"""What shows nothing of the account, or again what other screens show."""


class _AddTypenames(Visitor):
    def leave_selection_set(self, node: SelectionSetNode, *_: object) -> SelectionSetNode:
        return SelectionSetNode(selections=(FieldNode(name=NameNode(value=TYPE)), *node.selections))


@cache
def with_typenames(name: str) -> str:
    """The text of an operation as a client with a cache sends it: every object says its type."""
    return print_ast(visit(parse(CONTRACT.find(name).document), _AddTypenames()))


@dataclass(frozen=True)
class Screen:
    """A query of the contract with its variables."""

    operation: str
    variables: dict[str, Any]

    @property
    def asked(self) -> Asked:
        return Asked(examined(self.operation).node, self.variables)

    def __str__(self) -> str:
        return f"{self.operation}{self.variables or ''}"


@cache
def examined(name: str) -> Document:
    """The parsed operation as a client with a cache sends it."""
    return STORE.prepare(with_typenames(name))


async def ask(play: Play, like: Example, screen: Screen) -> Any:
    """Return the data that a screen is answered with, for the person of an example at its moment; what the role may not
    see is null.

    :raises ValueError: when anything else goes wrong.
    """
    document = examined(screen.operation)
    operation = document.find_operation(screen.operation)
    answer = await EXECUTOR.run(document, operation, screen.variables, play.open_context(like))
    if any(error["extensions"]["code"] != "FORBIDDEN" for error in answer.body.get("errors", ())):
        raise ValueError(f"{screen} was answered with {answer.body['errors']}.")
    return answer.body["data"]


async def open_screens(play: Play, like: Example) -> list[Screen]:
    """Every screen that the person of an example can have open: each query as usual, and each invoice."""
    listed = await ask(play, like, Screen("InvoicesList", CONTRACT.find("InvoicesList").variables))
    connection = (listed or {}).get("invoices") or {"nodes": []}
    invoices = [node["id"] for node in connection["nodes"]]
    screens = []
    for operation in CONTRACT.operations:
        if operation.kind is OperationType.QUERY and operation.name not in DIALOGS | NO_SCREENS:
            screens += _screens_of(operation.name, operation.variables, invoices)
    return screens


def _screens_of(name: str, variables: dict[str, Any], invoices: list[str]) -> Iterator[Screen]:
    if name == "LineCallsList":
        yield from (Screen(name, variables | {"line": f"line_{one.partition('_')[2]}_2"}) for one in invoices[:1])
    elif name == "InvoiceDifferenceShow":
        yield from (Screen(name, {"from": old, "to": new}) for new, old in pairwise(invoices))
    elif "id" in variables:
        yield from (Screen(name, variables | {"id": one}) for one in invoices)
    else:
        yield Screen(name, dict(variables))
