"""Runs a prepared document on the schema with graphql-core, and turns the outcome into JSON values."""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeGuard, cast

from graphql import GraphQLSchema, OperationDefinitionNode, execute
from graphql.execution import ExecutionResult
from strawberry.execution import optimized_is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from app.domain.json_values import JsonObject
from app.graphql.context import Context
from app.graphql.documents import Document, RuleSet
from app.graphql.errors import field_entries, root_cause
from app.repositories.database import DatabaseProblem, ReadTimedOut

# Strawberry's own faster test, under the type that graphql-core asks for.
IS_AWAITABLE = cast("Callable[[Any], TypeGuard[Awaitable[Any]]]", optimized_is_awaitable)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came out; `was_executed` is false when the variables did not fit, and then there is no `data`."""

    body: JsonObject
    was_executed: bool


class Executor:
    """Executes documents that the store has examined; no parsing and no validation happens here."""

    def __init__(self, schema: GraphQLSchema, rules: RuleSet) -> None:
        self._schema = schema
        self._hides_suggestions = not rules.shows_suggestions

    async def run(
        self,
        document: Document,
        operation: OperationDefinitionNode,
        variables: JsonObject,
        context: Context,
    ) -> Answer:
        """Return the answer of one operation; failures of its fields are entries of `errors`, never exceptions.

        Where the database is away, the operation as a whole has no answer, whatever could be found before:
        :raises DatabaseProblem: when a field could not reach the database.
        :raises ReadTimedOut: when the database took too long for a field.
        """
        name = operation.name.value if operation.name else None
        pending = execute(
            self._schema,
            document.node,
            context_value=context,
            variable_values=dict(variables),
            operation_name=name,
            executor_class=StrawberryGraphQLCoreExecutionContext,
            is_awaitable=IS_AWAITABLE,
            hide_suggestions=self._hides_suggestions,
        )
        result: ExecutionResult = await pending if inspect.isawaitable(pending) else pending
        return _answer(result, context.request_id, name)


def _answer(result: ExecutionResult, request_id: str, operation_name: str | None) -> Answer:
    if not result.errors:
        return Answer({"data": result.data}, was_executed=True)
    for error in result.errors:
        cause = root_cause(error)
        if isinstance(cause, DatabaseProblem | ReadTimedOut):
            raise cause
    entries = field_entries(result.errors, request_id, operation_name)
    was_executed = result.data is not None or any(error.path is not None for error in result.errors)
    return Answer({"errors": entries, "data": result.data} if was_executed else {"errors": entries}, was_executed)
