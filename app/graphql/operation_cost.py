"""What an operation costs: points, worked out from the document and its variables before anything is run.

A field costs its weight; what a list holds counts once for each item that may come. Each fragment is looked at once, so
that the work is linear in the document.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLArgument,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
)

from app.graphql.cost import LEAF, OBJECT, ROOT, ListSize, declared_cost

INTROSPECTION = 1_000
"""The cost of `__schema` and `__type`, whatever is selected below them."""

KEPT_COSTS = 64
"""How many sets of variables an operation remembers its cost for."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A cost in points: `fixed`, and `per_item` for each item of the page that encloses the fields."""

    fixed: int = 0
    per_item: int = 0

    def __add__(self, other: "Estimate") -> "Estimate":
        return Estimate(self.fixed + other.fixed, self.per_item + other.per_item)

    def of(self, items: int) -> int:
        """Return the points for a page of so many items."""
        return self.fixed + items * self.per_item


NOTHING = Estimate()


@dataclass(frozen=True, slots=True)
class FieldCost:
    """The weight of a field and the size of its list."""

    type_name: str
    weight: int
    item_weight: int
    size: ListSize | None
    is_list: bool
    default: int | None

    def items(self, node: FieldNode, variables: Mapping[str, Any], largest: int) -> int:
        """Return how many items the field, or the lists below it, may have."""
        size = self.size
        if size is None:
            return 1
        if size.assumed_size is not None:
            return size.assumed_size
        name = size.slicing_arguments[0] if size.slicing_arguments else ""
        value = next((_value(each.value, variables) for each in node.arguments or () if each.name.value == name), None)
        if not isinstance(value, int) or isinstance(value, bool):
            value = self.default or 1
        return max(1, min(value, largest))


def _value(node: object, variables: Mapping[str, Any]) -> object:
    if isinstance(node, IntValueNode):
        return int(node.value)
    return variables.get(node.name.value) if isinstance(node, VariableNode) else None


class CostModel:
    """The weights and sizes of a schema. `largest_page` is the most that any argument can ask a list for."""

    def __init__(self, schema: GraphQLSchema, largest_page: int = 100) -> None:
        self.schema = schema
        self.largest_page = largest_page
        roots = {schema.query_type, schema.mutation_type, schema.subscription_type}
        self._fields = {
            type_.name: {name: _declared(field, is_root=type_ in roots) for name, field in type_.fields.items()}
            for type_ in schema.type_map.values()
            if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType) and not type_.name.startswith("__")
        }

    def field(self, type_name: str, name: str) -> FieldCost | None:
        """Return the cost of a field; None for those of introspection."""
        return self._fields.get(type_name, {}).get(name)

    def type_of(self, type_name: str, name: str) -> str:
        """Return the name of the type of a field's values."""
        return self._fields[type_name][name].type_name

    def types_of(self, type_name: str) -> Iterable[str]:
        """Return the object types that a value of the type may have."""
        type_ = self.schema.type_map[type_name]
        return (
            [each.name for each in self.schema.get_possible_types(type_)] if is_abstract_type(type_) else (type_name,)
        )

    def declarations(self) -> Iterator[tuple[str, str, FieldCost]]:
        """Yield every field with its type."""
        for type_name, fields in self._fields.items():
            for name, field in fields.items():
                yield type_name, name, field


def _declared(field: GraphQLField, *, is_root: bool) -> FieldCost:
    weight, size = declared_cost(field)
    item_weight = LEAF if is_leaf_type(get_named_type(field.type)) else OBJECT
    argument = field.args.get(size.slicing_arguments[0]) if size is not None and size.slicing_arguments else None
    return FieldCost(
        type_name=get_named_type(field.type).name,
        weight=weight if weight is not None else ROOT if is_root else item_weight,
        item_weight=item_weight,
        size=size,
        is_list=is_list_type(get_nullable_type(field.type)),
        default=None if argument is None else _default(argument),
    )


def _default(argument: GraphQLArgument) -> int | None:
    value = argument.default.value if argument.default is not None else argument.default_value
    return value if isinstance(value, int) else None


class OperationCost:
    """The cost of one operation, for any variables; a set of variables that decides it is looked up once."""

    def __init__(self, model: CostModel, document: DocumentNode, operation: OperationDefinitionNode) -> None:
        self._model = model
        self._operation = operation
        self._fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self._names = tuple(_slicing_variables(model, document))
        self._defaults = {
            each.variable.name.value: _value(each.default_value, {})
            for each in operation.variable_definitions or ()
            if each.default_value is not None
        }
        self._kept: dict[tuple[object, ...], int] = {}

    def points(self, variables: Mapping[str, Any]) -> int:
        """Return the cost with these variables, in points."""
        key = tuple(_hashable(variables.get(name)) for name in self._names)
        known = self._kept.get(key)
        if known is None:
            known = self._walk(variables).selections(self._operation.selection_set, self._root).fixed
            if len(self._kept) < KEPT_COSTS:
                self._kept[key] = known
        return known

    def heaviest(self, variables: Mapping[str, Any]) -> str:
        """Return the path of the field that costs most, down to the list that makes it so."""
        return self._walk(variables).heaviest(self._operation.selection_set, self._root)

    @cached_property
    def _root(self) -> str:
        root = self._model.schema.get_root_type(self._operation.operation)
        return root.name if root else ""

    def _walk(self, variables: Mapping[str, Any]) -> "_Walk":
        return _Walk(self._model, self._fragments, {**self._defaults, **variables})


def _hashable(value: object) -> object:
    return value if isinstance(value, int) else None


def _slicing_variables(model: CostModel, document: DocumentNode) -> list[str]:
    """Return the variables that state the size of a list anywhere in the document."""
    arguments = {
        name for *_, field in model.declarations() if field.size for name in field.size.slicing_arguments or ()
    }
    found: dict[str, None] = {}
    waiting: list[SelectionSetNode] = [
        node.selection_set
        for node in document.definitions
        if isinstance(node, OperationDefinitionNode | FragmentDefinitionNode)
    ]
    while waiting:
        for selection in waiting.pop().selections:
            if isinstance(selection, FieldNode):
                for argument in selection.arguments or ():
                    if argument.name.value in arguments and isinstance(argument.value, VariableNode):
                        found[argument.value.name.value] = None
            if isinstance(selection, FieldNode | InlineFragmentNode) and selection.selection_set:
                waiting.append(selection.selection_set)
    return list(found)


class _Walk:
    """One pass over an operation; each fragment is looked at once, however often it is spread."""

    def __init__(
        self, model: CostModel, fragments: Mapping[str, FragmentDefinitionNode], variables: Mapping[str, Any]
    ) -> None:
        self._model = model
        self._fragments = fragments
        self._variables = variables
        self._known: dict[str, Estimate] = {}

    def selections(self, selection_set: SelectionSetNode, parent: str) -> Estimate:
        """Return the cost of the fields of one value: of the dearest type that it may have."""
        common, by_type = NOTHING, dict[str, Estimate]()
        for selection in selection_set.selections:
            if isinstance(selection, FieldNode):
                common += self.field(selection, parent)
                continue
            condition, brought = self._fragment(selection, parent)
            if condition == parent:
                common += brought
            else:
                for name in self._model.types_of(condition):
                    by_type[name] = by_type.get(name, NOTHING) + brought
        if not by_type:
            return common
        return common + max(by_type.values(), key=lambda each: each.of(self._model.largest_page))

    def field(self, node: FieldNode, parent: str) -> Estimate:
        """Return the cost of a field with all that is below it."""
        found = self._model.field(parent, node.name.value)
        if found is None:
            return Estimate(INTROSPECTION if node.name.value in {"__schema", "__type"} else LEAF)
        below = NOTHING
        if node.selection_set is not None:
            below = self.selections(node.selection_set, self._model.type_of(parent, node.name.value))
        items = found.items(node, self._variables, self._model.largest_page)
        if found.size is not None and found.size.sized_fields:
            return Estimate(found.weight + below.of(items))
        if found.is_list and found.size is None:  # a list of its connection: as many as the page has
            return Estimate(0, found.item_weight + below.fixed)
        return Estimate(found.weight + items * (below.fixed + (found.item_weight if found.is_list else 0)))

    def heaviest(self, selection_set: SelectionSetNode, parent: str) -> str:
        """Follow the dearest field down, as long as it is most of what its parent costs."""
        path: list[str] = []
        while True:
            fields = [(self.field(node, owner), node, owner) for node, owner in self._fields(selection_set, parent)]
            if not fields:
                return ".".join(path)
            dearest, node, owner = max(fields, key=lambda each: each[0].of(1))
            whole = sum(each.of(1) for each, *_ in fields)
            if path and 2 * dearest.of(1) < whole:
                return ".".join(path)
            if path and node.selection_set is None:
                return ".".join(path)
            path.append(node.name.value if node.alias is None else f"{node.alias.value}: {node.name.value}")
            if node.selection_set is None:
                return path[0]
            selection_set, parent = node.selection_set, self._model.type_of(owner, node.name.value)

    def _fields(self, selection_set: SelectionSetNode, parent: str) -> Iterator[tuple[FieldNode, str]]:
        seen: set[str] = set()
        waiting = [(selection_set, parent)]
        while waiting:
            current, owner = waiting.pop()
            for selection in current.selections:
                if isinstance(selection, FieldNode):
                    yield selection, owner
                elif isinstance(selection, InlineFragmentNode):
                    waiting.append((selection.selection_set, _condition(selection, owner)))
                elif isinstance(selection, FragmentSpreadNode) and selection.name.value not in seen:
                    seen.add(selection.name.value)
                    fragment = self._fragments[selection.name.value]
                    waiting.append((fragment.selection_set, fragment.type_condition.name.value))

    def _fragment(self, selection: object, parent: str) -> tuple[str, Estimate]:
        if isinstance(selection, InlineFragmentNode):
            condition = _condition(selection, parent)
            return condition, self.selections(selection.selection_set, condition)
        assert isinstance(selection, FragmentSpreadNode)  # noqa: S101
        name = selection.name.value
        fragment = self._fragments[name]
        condition = fragment.type_condition.name.value
        if name not in self._known:
            self._known[name] = self.selections(fragment.selection_set, condition)
        return condition, self._known[name]


def _condition(node: InlineFragmentNode, parent: str) -> str:
    return parent if node.type_condition is None else node.type_condition.name.value
