"""The document store: text in, a parsed and validated document out, each text examined once and then remembered
within bounds. A store is made for one rule set, so no answer of one mode can leak into another.
"""

from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    OperationType,
    parse,
    specified_rules,
    validate,
)
from graphql.validation import NoSchemaIntrospectionCustomRule

from app.error_codes import ErrorCode
from app.graphql.compiled.operation import CompiledOperation
from app.graphql.compiled.writer import NotCompiled
from app.graphql.limits import Limits, excess, find_excess
from app.graphql.operation_cost import CostModel, OperationCost

DOCUMENTS_KEPT = 256
CHARACTERS_KEPT = 500_000
REFUSALS_KEPT = 64

NO_OPERATION = "The document has no operation. Begin it with `query`, or with an opening brace."


@dataclass(frozen=True, slots=True)
class RuleSet:
    """What documents are held to in one mode of the server."""

    allows_introspection: bool
    shows_suggestions: bool
    limits: Limits = field(default_factory=Limits)


COMPILED_AT_RUN = 2
"""Writing an operation's functions takes as long as some runs of it: it has to be asked for again."""


@dataclass(frozen=True, slots=True)
class Document:
    """A document that may be executed."""

    node: DocumentNode
    operations: Mapping[str | None, OperationDefinitionNode]
    costs: Mapping[str | None, OperationCost] = field(default_factory=dict)
    _runs: Counter[str | None] = field(default_factory=Counter)
    _compiled: dict[str | None, CompiledOperation | None] = field(default_factory=dict)

    def find_operation(self, name: str | None) -> OperationDefinitionNode | None:
        """Return the operation to run, or None when the name does not decide it."""
        if name is None:
            return next(iter(self.operations.values())) if len(self.operations) == 1 else None
        return self.operations.get(name)

    def cost_of(self, operation: OperationDefinitionNode) -> OperationCost:
        """Return the cost of one of its operations."""
        return self.costs[operation.name.value if operation.name else None]

    def compiled(self, schema: GraphQLSchema, operation: OperationDefinitionNode) -> CompiledOperation | None:
        """Return an operation as it was written down, or None on its first run and for what is left to graphql-core."""
        name = operation.name.value if operation.name else None
        if name in self._compiled:
            return self._compiled[name]
        self._runs[name] += 1
        if self._runs[name] < COMPILED_AT_RUN:
            return None
        try:
            self._compiled[name] = CompiledOperation(schema, self.node, operation)
        except NotCompiled:
            self._compiled[name] = None
        return self._compiled[name]


class DocumentRefused(Exception):
    """The document cannot be executed; `errors` say why and `code` which kind of fault it is."""

    def __init__(self, code: ErrorCode, errors: list[GraphQLError]) -> None:
        super().__init__(errors[0].message)
        self.code = code
        self.errors = errors


class DocumentStore:
    """Examines documents, and keeps those that people actually send."""

    def __init__(self, schema: GraphQLSchema, rules: RuleSet) -> None:
        self._schema = schema
        self._costs = CostModel(schema)
        self._rules = rules
        self._pinned: dict[str, Document | None] = {}
        self._kept: OrderedDict[str, Document] = OrderedDict()
        self._kept_characters = 0
        self._refused: OrderedDict[str, DocumentRefused] = OrderedDict()
        self.examined = 0

    @property
    def rules(self) -> RuleSet:
        """The rule set that every document here was held to."""
        return self._rules

    def pin(self, documents: Iterable[str]) -> None:
        """Keep our own screens' documents for good, each from its first use on."""
        self._pinned.update(dict.fromkeys(documents))

    def knows(self, text: str) -> bool:
        """Tell whether the text is one of our own, or was examined before and is remembered with what came of it."""
        return text in self._pinned or text in self._kept or text in self._refused

    def prepare(self, text: str) -> Document:
        """Return the document, examined now or before.

        :raises DocumentRefused: when it cannot be executed.
        """
        if text in self._pinned:
            pinned = self._pinned[text] = self._pinned[text] or self._examine(text)
            return pinned
        if (kept := self._kept.get(text)) is not None:
            self._kept.move_to_end(text)
            return kept
        if len(text) > self._rules.limits.source_characters:
            most = self._rules.limits.source_characters
            raise DocumentRefused(ErrorCode.LIMIT_EXCEEDED, [excess("characters", len(text), most)])
        return self._prepare_new(text)

    def _prepare_new(self, text: str) -> Document:
        refusal = self._refused.get(text)
        if refusal is not None:
            self._refused.move_to_end(text)
            raise DocumentRefused(refusal.code, refusal.errors)
        try:
            document = self._examine(text)
        except DocumentRefused as refused:
            self._refused[text] = DocumentRefused(refused.code, refused.errors)
            if len(self._refused) > REFUSALS_KEPT:
                self._refused.popitem(last=False)
            raise
        self._keep(text, document)
        return document

    def _keep(self, text: str, document: Document) -> None:
        self._kept[text] = document
        self._kept_characters += len(text)
        while len(self._kept) > DOCUMENTS_KEPT or self._kept_characters > CHARACTERS_KEPT:
            dropped, _ = self._kept.popitem(last=False)
            self._kept_characters -= len(dropped)

    def _examine(self, text: str) -> Document:
        self.examined += 1
        node = self._parse(text)
        if too_large := find_excess(node, self._rules.limits):
            raise DocumentRefused(ErrorCode.LIMIT_EXCEEDED, too_large)
        rules = (*specified_rules, *(() if self._rules.allows_introspection else (NoSchemaIntrospectionCustomRule,)))
        errors = validate(
            self._schema,
            node,
            rules,
            max_errors=self._rules.limits.validation_errors,
            hide_suggestions=not self._rules.shows_suggestions,
        )
        if errors:
            raise DocumentRefused(ErrorCode.GRAPHQL_VALIDATION_FAILED, errors)
        operations = [found for found in node.definitions if isinstance(found, OperationDefinitionNode)]
        if not operations:
            raise DocumentRefused(ErrorCode.GRAPHQL_VALIDATION_FAILED, [GraphQLError(NO_OPERATION)])
        by_name = {found.name.value if found.name else None: found for found in operations}
        costs = {name: OperationCost(self._costs, node, found) for name, found in by_name.items()}
        return Document(node, by_name, costs)

    def _parse(self, text: str) -> DocumentNode:
        limits = self._rules.limits
        try:
            return parse(
                text,
                max_lexical_tokens=limits.tokens,
                max_comments=limits.comments,
                max_source_length=limits.source_characters,
            )
        except GraphQLSyntaxError as error:
            # graphql-core has no class for its limits; this is how all of their messages end.
            is_limit = error.message.endswith("Parsing aborted.")
            code = ErrorCode.LIMIT_EXCEEDED if is_limit else ErrorCode.GRAPHQL_PARSE_FAILED
            raise DocumentRefused(code, [error.with_traceback(None)]) from None


def is_mutation(operation: OperationDefinitionNode) -> bool:
    """Tell whether an operation changes things."""
    return operation.operation is OperationType.MUTATION


def is_subscription(operation: OperationDefinitionNode) -> bool:
    """Tell whether an operation is answered again and again."""
    return operation.operation is OperationType.SUBSCRIPTION
