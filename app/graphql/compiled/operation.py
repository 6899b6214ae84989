"""Runs an operation with the functions that were written for it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from graphql import FragmentDefinitionNode, GraphQLError, GraphQLResolveInfo, OperationType
from graphql.execution.values import VariableValues, get_variable_values
from graphql.pyutils import Path
from graphql.pyutils import is_awaitable as default_is_awaitable
from graphql.type import GraphQLResolveInfoHelpers
from strawberry import Info

from app.graphql.compiled.writer import NO_VARIABLES, FieldPlan, NotCompiled, Writer, keywords_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Sequence

    from graphql import DocumentNode, GraphQLSchema, OperationDefinitionNode

    from app.domain.json_values import JsonObject
    from app.graphql.context import Context


NO_PATH = Path(None, "", None)


async def _gather(values: Sequence[Awaitable[Any]]) -> list[Any]:
    return await asyncio.gather(*values)


NO_HELPERS = GraphQLResolveInfoHelpers(_gather, lambda _values: None)


@dataclass(frozen=True, slots=True)
class Completion:
    """What the root fields returned or raised, by response key; `data` is None where graphql-core is to complete it."""

    roots: dict[str, Any]
    data: JsonObject | None


@dataclass(slots=True)
class Run:
    """One run: what the written functions reach beside the value at hand.

    `keywords` are the arguments of the fields that depend on variables. `waiting` are fields that read: each with what
    is waited for, the function that completes it, and its place in the answer.
    """

    operation: CompiledOperation
    context: Context
    variables: VariableValues
    keywords: list[dict[str, Any]]
    waiting: list[tuple[Coroutine[Any, Any, Any], Callable[[Any, Run], Any], dict[str, Any], str]] = field(
        default_factory=list
    )
    _infos: dict[int, Info] = field(default_factory=dict)

    def info(self, place: int) -> Info:
        """Return what a resolver below the root is told of the operation."""
        if place not in self._infos:
            plan = self.operation.informed[place]
            self._infos[place] = Info(_raw_info=self.operation.raw_info(plan, self), _field=plan.declared)
        return self._infos[place]

    async def wait(self) -> None:
        """Wait for the fields that read, until none is left; those asked for together are read in one trip."""
        while self.waiting:
            waiting, self.waiting = self.waiting, []
            values = await asyncio.gather(*(coroutine for coroutine, *_ in waiting), return_exceptions=True)
            for value, (_, complete, answer, key) in zip(values, waiting, strict=True):
                answer[key] = complete(value, self)  # an exception is no value of any type


class CompiledOperation:
    """One operation of a document."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode) -> None:
        """Write the operation's functions.

        :raises NotCompiled: when it holds something that is left to graphql-core.
        """
        if operation.operation is OperationType.SUBSCRIPTION:
            raise NotCompiled("a subscription")
        written = Writer(schema, document, operation).write()
        self._schema = schema
        self._operation = operation
        self._fragments = {
            found.name.value: found for found in document.definitions if isinstance(found, FragmentDefinitionNode)
        }
        self._roots = written.roots
        self._arguments = {
            key: plan.arguments(NO_VARIABLES)
            for key, (plan, _) in written.roots.items()
            if not plan.depends_on_variables
        }
        self._varying = written.varying
        self.informed = written.informed
        self.source = written.source

    async def run(self, context: Context, given: JsonObject, *, hides_suggestions: bool) -> Completion | None:
        """Return what the root fields came to and the data of the answer, or None when the variables do not fit."""
        variables = NO_VARIABLES
        if definitions := self._operation.variable_definitions:
            coerced = get_variable_values(self._schema, definitions, dict(given), hide_suggestions=hides_suggestions)
            if not isinstance(coerced, VariableValues):
                return None
            variables = coerced
        try:
            keywords = [keywords_of(self._schema, plan, variables) for plan in self._varying]
            arguments = {
                key: plan.arguments(variables, hides_suggestions=hides_suggestions)
                for key, (plan, _) in self._roots.items()
                if plan.depends_on_variables
            }
        except GraphQLError:
            return None
        started = Run(self, context, variables, keywords)
        roots = await self._resolve_roots(started, self._arguments | arguments)
        return Completion(roots, await self._complete(roots, started))

    async def _resolve_roots(self, started: Run, arguments: dict[str, dict[str, Any]]) -> dict[str, Any]:
        """Return the value of each root field, or what it raised; after a mutation that raised, no other is run."""
        pending = {
            key: plan.resolve(self.raw_info(plan, started), arguments[key]) for key, (plan, _) in self._roots.items()
        }
        if self._operation.operation is OperationType.QUERY and len(pending) > 1:
            found = await asyncio.gather(*pending.values(), return_exceptions=True)
            return dict(zip(pending, found, strict=True))
        return await _one_by_one(pending)

    async def _complete(self, roots: dict[str, Any], started: Run) -> JsonObject | None:
        """Return the data, or None when something is not as in the ordinary case."""
        try:
            data = {key: complete(roots[key], started) for key, (_, complete) in self._roots.items()}
            await started.wait()
        except Exception:  # noqa: BLE001 -- graphql-core is to say what is wrong
            for coroutine, *_ in started.waiting:
                coroutine.close()
            return None
        return data

    def raw_info(self, plan: FieldPlan, started: Run) -> GraphQLResolveInfo[Context]:
        """Return what graphql-core would tell a resolver, but for the path: errors get theirs from graphql-core."""
        return GraphQLResolveInfo(
            plan.nodes[0].name.value,
            plan.nodes,
            plan.definition.type,
            plan.parent,
            NO_PATH,
            self._schema,
            self._fragments,
            None,
            self._operation,
            cast("VariableValues", started.variables.coerced),  # as Strawberry hands them on
            started.context,
            default_is_awaitable,
            None,
            NO_HELPERS,
        )


async def _one_by_one(pending: dict[str, Coroutine[Any, Any, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, coroutine in pending.items():
        if any(isinstance(value, Exception) for value in found.values()):
            coroutine.close()
            continue
        try:
            found[key] = await coroutine
        except Exception as error:  # noqa: BLE001 -- kept for graphql-core, which says where it belongs
            found[key] = error
    return found
