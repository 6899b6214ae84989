"""Runs a prepared document on the schema with graphql-core, and turns the outcome into JSON values."""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeGuard, cast

import structlog
from graphql import GraphQLSchema, OperationDefinitionNode, execute
from graphql.execution import ExecutionResult
from strawberry.execution import optimized_is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from app.domain.json_values import JsonObject
from app.graphql.compiled.replay import Replay
from app.graphql.context import Context
from app.graphql.documents import Document, RuleSet
from app.graphql.errors import field_entries, root_cause
from app.repositories.database import DatabaseProblem, ReadTimedOut

log = structlog.get_logger("graphql")

# Strawberry's own faster test, under the type that graphql-core asks for.
IS_AWAITABLE = cast("Callable[[Any], TypeGuard[Awaitable[Any]]]", optimized_is_awaitable)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came out; `was_executed` is false when the variables did not fit, and then there is no `data`."""

    body: JsonObject
    was_executed: bool


class ExecutionMode(StrEnum):
    """How operations are executed: as written down for them, by graphql-core alone, or by both, which must agree."""

    COMPILED = "compiled"
    PLAIN = "plain"
    COMPARED = "compared"


class Executor:
    """Executes documents that the store has examined; no parsing and no validation happens here."""

    def __init__(self, schema: GraphQLSchema, rules: RuleSet, mode: ExecutionMode = ExecutionMode.COMPILED) -> None:
        self._schema = schema
        self._hides_suggestions = not rules.shows_suggestions
        self._mode = mode

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
        compiled = None if self._mode is ExecutionMode.PLAIN else document.compiled(self._schema, operation)
        hides = self._hides_suggestions
        outcome = None if compiled is None else await compiled.run(context, variables, hides_suggestions=hides)
        if outcome is None:
            return await self._execute(document, operation, variables, context, StrawberryGraphQLCoreExecutionContext)
        if outcome.data is not None and self._mode is ExecutionMode.COMPILED:
            return Answer({"data": outcome.data}, was_executed=True)
        answer = await self._execute(document, operation, variables, context, Replay, outcome.roots)
        if outcome.data is not None and answer.body != {"data": outcome.data}:
            log.error("compiled execution differs", operation=operation.name.value if operation.name else None)
        return answer

    async def _execute(
        self,
        document: Document,
        operation: OperationDefinitionNode,
        variables: JsonObject,
        context: Context,
        executor_class: type[StrawberryGraphQLCoreExecutionContext],
        root_value: object = None,
    ) -> Answer:
        name = operation.name.value if operation.name else None
        pending = execute(
            self._schema,
            document.node,
            root_value=root_value,
            context_value=context,
            variable_values=dict(variables),
            operation_name=name,
            executor_class=executor_class,
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
