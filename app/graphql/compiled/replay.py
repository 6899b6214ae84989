"""Completes what the root fields returned with graphql-core, which says exactly what is wrong with it and where."""

from __future__ import annotations

from typing import TYPE_CHECKING

from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

if TYPE_CHECKING:
    from graphql import GraphQLObjectType
    from graphql.execution.collect_fields import DeferUsage, FieldDetails
    from graphql.execution.incremental.incremental_executor import DeliveryGroup
    from graphql.pyutils import Path, RefMap

    Position = RefMap[DeferUsage, DeliveryGroup]


class Replay(StrawberryGraphQLCoreExecutionContext):
    """An execution whose root value holds, by response key, what each root field returned or raised before."""

    def execute_field(
        self,
        parent_type: GraphQLObjectType,
        source: object,
        field_details_list: list[FieldDetails],
        path: Path,
        position_context: Position | None,
    ) -> object:
        """Complete a root field's value; below the root, fields are resolved as always."""
        if path.prev is not None or not isinstance(source, dict):
            return super().execute_field(parent_type, source, field_details_list, path, position_context)
        definition = parent_type.fields[field_details_list[0].node.name.value]
        info = self.build_resolve_info(definition, [each.node for each in field_details_list], parent_type, path)
        return self.complete_awaitable_value(
            definition.type, field_details_list, info, path, _settled(source[path.key]), position_context
        )


async def _settled(outcome: object) -> object:
    if isinstance(outcome, Exception):
        raise outcome
    return outcome
