"""Writes the Python source that completes the values of one operation: a function for each object and selection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
    GraphQLUnionType,
    OperationDefinitionNode,
    VariableNode,
    Visitor,
    visit,
)
from graphql.execution.collect_fields import (
    FieldDetails,
    FragmentDetails,
    GroupedFieldSet,
    collect_fields,
    collect_subfields,
)
from graphql.execution.values import VariableValues, get_argument_values
from strawberry.types.arguments import convert_arguments

from app.graphql.compiled.leaves import CHECKS, DECIMAL_CHECK, names_of, writer_of
from app.graphql.permissions import SectionGuard
from app.graphql.scalars import DECIMAL

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from graphql import GraphQLResolveInfo, GraphQLSchema, Node
    from strawberry.types.field import StrawberryField

DEFINITION = "strawberry-definition"
TYPENAME = "__typename"
NO_VARIABLES = VariableValues({}, {})


class NotCompiled(Exception):
    """The operation holds something that is left to graphql-core."""


class Surprise(Exception):
    """A value is not what the ordinary case has: graphql-core is to say what is wrong with it."""


@dataclass(frozen=True, slots=True)
class FieldPlan:
    """A field of the operation: its definition, the type that it is on, and the nodes that select it."""

    definition: GraphQLField
    parent: GraphQLObjectType
    nodes: list[FieldNode]

    @property
    def declared(self) -> StrawberryField:
        """The field as the resolver's module declares it."""
        field: StrawberryField = self.definition.extensions[DEFINITION]
        return field

    def resolve(self, info: GraphQLResolveInfo[Any], arguments: dict[str, Any]) -> Coroutine[Any, Any, Any]:
        """Start a root field's resolver, which is asynchronous."""
        resolve = cast("Callable[..., Coroutine[Any, Any, Any]]", self.definition.resolve)
        return resolve(None, info, **arguments)

    @property
    def depends_on_variables(self) -> bool:
        """Tell whether an argument is a variable, or holds one."""
        return any(_Variables.are_in(argument) for argument in self.nodes[0].arguments or ())

    def arguments(self, variables: VariableValues, *, hides_suggestions: bool = False) -> dict[str, Any]:
        """Return the coerced arguments, by their names in the schema.

        :raises GraphQLError: when one does not fit.
        """
        return get_argument_values(self.definition, self.nodes[0], variables, None, hides_suggestions)


@dataclass(frozen=True, slots=True)
class Written:
    """What was written for an operation.

    `roots` has each root field by its response key, with the function that completes its value. `informed` are the
    fields whose resolvers want to know about the operation, and `varying` those whose arguments hold variables; the
    source refers to both by place.
    """

    roots: dict[str, tuple[FieldPlan, Callable[[Any, Any], Any]]]
    informed: list[FieldPlan]
    varying: list[FieldPlan]
    source: str


class Writer:
    """Writes the functions of one operation."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode) -> None:
        self._schema = schema
        self._operation = operation
        definitions = [found for found in document.definitions if isinstance(found, FragmentDefinitionNode)]
        self._fragments = {found.name.value: FragmentDetails(found) for found in definitions}
        self._namespace: dict[str, Any] = {"Surprise": Surprise}
        self._functions: dict[object, str] = {}
        self._source: list[str] = []
        self._informed: list[FieldPlan] = []
        self._varying: list[FieldPlan] = []

    def write(self) -> Written:
        """Return the functions of the operation.

        :raises NotCompiled: when it holds something that is left to graphql-core.
        """
        if any(_VaryingDirectives.are_in(node) for node in (self._operation, *self._definitions())):
            raise NotCompiled("a directive depends on a variable")
        root = self._schema.get_root_type(self._operation.operation)
        if root is None:
            raise NotCompiled("there is no such operation")
        fields = collect_fields(self._schema, self._fragments, NO_VARIABLES, root, self._operation)[0]
        if not all(self._plan(root, details).declared.is_async for details in fields.values()):
            raise NotCompiled("a root field that is not asynchronous")
        roots = {
            key: (self._plan(root, details), self._value_function(root, details)) for key, details in fields.items()
        }
        source = "\n".join(self._source)
        exec(compile(source, f"<compiled {self._name}>", "exec"), self._namespace)  # noqa: S102 -- our own source
        found = {key: (plan, self._namespace[function]) for key, (plan, function) in roots.items()}
        return Written(found, self._informed, self._varying, source)

    @property
    def _name(self) -> str:
        return self._operation.name.value if self._operation.name else "operation"

    def _definitions(self) -> list[FragmentDefinitionNode]:
        return [details.definition for details in self._fragments.values()]

    def _plan(self, parent: GraphQLObjectType, details: Sequence[FieldDetails]) -> FieldPlan:
        definition = parent.fields.get(details[0].node.name.value)
        if definition is None or DEFINITION not in definition.extensions:
            raise NotCompiled("a field of introspection")
        return FieldPlan(definition, parent, [found.node for found in details])

    def _value_function(self, parent: GraphQLObjectType, details: list[FieldDetails]) -> str:
        """Write the function that completes the value of a field, and return its name."""
        type_ = self._plan(parent, details).definition.type
        return self._function("value", ["x"], [*self._complete(type_, details, "x"), "return x"])

    def _object_function(self, type_: GraphQLObjectType, details: list[FieldDetails]) -> str:
        """Write the function that completes an object with its selection, and return its name.

        A fragment that is spread in several places is written once.
        """
        fields = collect_subfields(
            self._schema, self._fragments, NO_VARIABLES, self._operation, type_, details
        ).grouped_field_set
        selected = tuple((key, *(id(each.node) for each in found)) for key, found in fields.items())
        key = (type_.name, selected)
        if key not in self._functions:
            self._functions[key] = self._write_object(type_, fields)
        return self._functions[key]

    def _write_object(self, type_: GraphQLObjectType, fields: GroupedFieldSet) -> str:
        lines = [f"if o.__class__ is not {self._bind('T', _class_of(type_))}: raise Surprise"]
        values, later = [], []
        for place, (key, found) in enumerate(fields.items()):
            if found[0].node.name.value == TYPENAME:
                values.append(f"{key!r}: {type_.name!r}")
                continue
            value = f"v{place}"
            plan = self._plan(type_, found)
            if plan.declared.is_async:
                # Started when the rest is done, so that none is started in vain.
                complete = self._value_function(type_, found)
                later.append(f"{value} = {self._read(plan)}")
                later.append(f"if {value} is not None: c.waiting.append(({value}, {complete}, out, {key!r}))")
                values.append(f"{key!r}: None")
            else:
                lines.append(f"{value} = {self._read(plan)}")
                lines += self._complete(plan.definition.type, found, value)
                values.append(f"{key!r}: {value}")
        answer = f"{{{', '.join(values)}}}"
        lines += [f"out = {answer}", *later, "return out"] if later else [f"return {answer}"]
        return self._function(type_.name, ["o"], lines)

    def _read(self, plan: FieldPlan) -> str:
        """Return the expression that reads a field of `o`: an attribute, or the call of its resolver."""
        field = plan.declared
        resolver = field.base_resolver
        if resolver is None:
            return f"o.{field.python_name}"
        if resolver.root_parameter or resolver.parent_parameter:
            raise NotCompiled("a resolver that asks for its parent by another name")
        arguments = ["o"] if resolver.self_parameter else []
        if resolver.info_parameter:
            arguments.append(f"{resolver.info_parameter.name}=c.info({_place(self._informed, plan)})")
        if plan.depends_on_variables:
            arguments.append(f"**c.keywords[{_place(self._varying, plan)}]")
        elif keywords := keywords_of(self._schema, plan, NO_VARIABLES):
            arguments.append(f"**{self._bind('k', keywords)}")
        call = f"{self._bind('m', resolver.wrapped_func)}({', '.join(arguments)})"
        for extension in field.extensions:
            if not isinstance(extension, SectionGuard):
                raise NotCompiled("an extension that is not known here")
            call = f"{call} if {self._bind('g', extension.allows)}(c.context) else None"
        return call

    def _complete(self, type_: GraphQLOutputType, details: list[FieldDetails], value: str) -> list[str]:
        """Return the lines that make of a variable's value what the answer holds."""
        if isinstance(type_, GraphQLNonNull):
            return self._complete_present(type_.of_type, details, value)
        lines = self._complete_present(type_, details, value)
        return [f"if {value} is not None:", *(f"    {line}" for line in lines)]

    def _complete_present(self, type_: GraphQLOutputType, details: list[FieldDetails], value: str) -> list[str]:
        """As `_complete`, for a value that may not be None: each line that meets None raises."""
        if isinstance(type_, GraphQLScalarType):
            return self._complete_scalar(type_, value)
        if isinstance(type_, GraphQLEnumType):
            members, names = names_of(type_)
            return [
                f"if {value}.__class__ is not {self._bind('E', members)}: raise Surprise",
                f"{value} = {self._bind('n', names)}[{value}]",
            ]
        if isinstance(type_, GraphQLList):
            return [
                f"if {value}.__class__ is not list and {value}.__class__ is not tuple: raise Surprise",
                f"{value} = [{self._item(type_.of_type, details)} for x in {value}]",
            ]
        return [f"{value} = {self._call(type_, details, value)}"]

    def _complete_scalar(self, type_: GraphQLScalarType, value: str) -> list[str]:
        if type_ in CHECKS:
            return [f"if {CHECKS[type_].format(value)}: raise Surprise"]
        written = f"{value} = {self._bind('w', writer_of(type_))}({value})"
        if type_.name == DECIMAL.name:
            return [f"if {DECIMAL_CHECK.format(value)}: {written}"]
        return [f"if {value} is None: raise Surprise", written]

    def _item(self, type_: GraphQLOutputType, details: list[FieldDetails]) -> str:
        """Return the expression that completes `x`, an item of a list."""
        inner = type_.of_type if isinstance(type_, GraphQLNonNull) else None
        if isinstance(inner, GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType):
            return self._call(inner, details, "x")
        return f"{self._function('item', ['x'], [*self._complete(type_, details, 'x'), 'return x'])}(x, c)"

    def _call(self, type_: GraphQLOutputType, details: list[FieldDetails], value: str) -> str:
        """Return the expression that completes an object; the function for an abstract type goes by the class."""
        if isinstance(type_, GraphQLObjectType):
            return f"{self._object_function(type_, details)}({value}, c)"
        if not isinstance(type_, GraphQLInterfaceType | GraphQLUnionType):
            raise NotCompiled(f"values of {type_}")
        functions = {
            _class_of(each): self._object_function(each, details) for each in self._schema.get_possible_types(type_)
        }
        table = self._bind("t", {})
        entries = ", ".join(f"{self._bind('T', cls)}: {function}" for cls, function in functions.items())
        self._source.append(f"{table}.update({{{entries}}})")
        return f"{table}[{value}.__class__]({value}, c)"

    def _function(self, about: str, parameters: list[str], lines: list[str]) -> str:
        name = f"{about}_{len(self._source)}"
        body = "\n".join(f"    {line}" for line in lines)
        self._source.append(f"def {name}({', '.join([*parameters, 'c'])}):\n{body}")
        return name

    def _bind(self, about: str, value: object) -> str:
        """Return the name of a value in the source."""
        for name, bound in self._namespace.items():
            if bound is value:
                return name
        name = f"{about}{len(self._namespace)}"
        self._namespace[name] = value
        return name


def keywords_of(schema: GraphQLSchema, plan: FieldPlan, variables: VariableValues) -> dict[str, Any]:
    """Return the arguments of a field as its resolver takes them.

    :raises GraphQLError: when one does not fit.
    """
    converter = schema._strawberry_schema.schema_converter  # type: ignore[attr-defined]  # noqa: SLF001 -- no other way to it
    return convert_arguments(
        plan.arguments(variables),
        plan.declared.arguments,
        scalar_registry=converter.scalar_registry,
        config=converter.config,
    )


def _class_of(type_: GraphQLObjectType) -> type:
    """Return the class of a type's values; a generic class is the same for all that it holds."""
    definition = type_.extensions[DEFINITION]
    origin: type = (definition.concrete_of or definition).origin
    return origin


def _place(plans: list[FieldPlan], plan: FieldPlan) -> int:
    plans.append(plan)
    return len(plans) - 1


class _Search(Visitor):
    """Looks for something below a node."""

    def __init__(self) -> None:
        super().__init__()
        self.has_found = False

    @classmethod
    def are_in(cls, node: Node) -> bool:
        search = cls()
        visit(node, search)
        return search.has_found


class _Variables(_Search):
    def enter_variable(self, *_: object) -> None:
        self.has_found = True


class _VaryingDirectives(_Search):
    def enter_directive(self, node: DirectiveNode, *_: object) -> None:
        self.has_found |= any(isinstance(argument.value, VariableNode) for argument in node.arguments or ())
