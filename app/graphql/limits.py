"""How large a document may be, checked in one linear walk before validation: each fragment is measured once however
often it is spread, so a document cannot grow by referring to itself.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

INTROSPECTION_FIELDS = frozenset({"__schema", "__type"})
COUNT_CEILING = 1_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that one document may hold; counts follow fragments, so a spread counts what it brings in."""

    source_characters: int = 20_000
    tokens: int = 2_000
    comments: int = 50
    depth: int = 10
    introspection_depth: int = 20
    aliases: int = 30
    root_fields: int = 15
    directives: int = 20
    fragments: int = 30
    operations: int = 5
    repeated_fields: int = 30
    validation_errors: int = 5


@dataclass(slots=True)
class Spread:
    """One use of a fragment, with what the place adds to the fragment's own measures."""

    name: str
    depth: int
    is_root: bool
    in_introspection: bool


@dataclass(slots=True)
class Walk:
    """What one definition holds by itself, before the fragments it spreads are added."""

    depth: int = 0
    introspection_depth: int = 0
    aliases: int = 0
    root_fields: int = 0
    directives: int = 0
    repeated_fields: int = 0
    nodes: int = 0
    spreads: list[Spread] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Measures:
    """What one definition holds with everything that its fragments bring in."""

    depth: int
    introspection_depth: int
    aliases: int
    root_fields: int


NOTHING = Measures(depth=0, introspection_depth=0, aliases=0, root_fields=0)


class Ruler:
    """Measures one document; `visited_nodes` tells how much work that was."""

    def __init__(self, document: DocumentNode) -> None:
        self.operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
        self.fragments = [node for node in document.definitions if isinstance(node, FragmentDefinitionNode)]
        self.operation_walks = [walk(node.selection_set) for node in self.operations]
        self.fragment_walks = {node.name.value: walk(node.selection_set) for node in self.fragments}
        self._measured: dict[str, Measures] = {}
        self._open: set[str] = set()

    @property
    def visited_nodes(self) -> int:
        """The number of selections looked at, each once."""
        return sum(found.nodes for found in self.walks())

    def walks(self) -> Iterator[Walk]:
        """All definitions' own findings."""
        yield from self.operation_walks
        yield from self.fragment_walks.values()

    def operation_measures(self) -> list[Measures]:
        """Every operation's measures, in the document's order."""
        return [self._total(found) for found in self.operation_walks]

    def _fragment(self, name: str) -> Measures:
        known = self._measured.get(name)
        if known is not None:
            return known
        if name in self._open or name not in self.fragment_walks:
            return NOTHING  # a cycle or an unknown name: validation says so, in words for the caller
        self._open.add(name)
        total = self._total(self.fragment_walks[name])
        self._open.discard(name)
        self._measured[name] = total
        return total

    def _total(self, found: Walk) -> Measures:
        depth, introspection_depth = found.depth, found.introspection_depth
        aliases, root_fields = found.aliases, found.root_fields
        for spread in found.spreads:
            brought = self._fragment(spread.name)
            reach = spread.depth + brought.depth
            introspection_reach = spread.depth + brought.introspection_depth if brought.introspection_depth else 0
            if spread.in_introspection:
                introspection_depth = max(introspection_depth, reach, introspection_reach)
            else:
                depth = max(depth, reach)
                introspection_depth = max(introspection_depth, introspection_reach)
            aliases = min(aliases + brought.aliases, COUNT_CEILING)
            root_fields = min(root_fields + (brought.root_fields if spread.is_root else 0), COUNT_CEILING)
        return Measures(depth, introspection_depth, aliases, root_fields)


def walk(selection_set: SelectionSetNode) -> Walk:
    """Look once at every selection below, without entering fragments and without recursion."""
    found = Walk()
    waiting: list[tuple[SelectionSetNode, int, bool]] = [(selection_set, 0, False)]
    while waiting:
        current, depth, in_introspection = waiting.pop()
        seen: Counter[str] = Counter()
        for selection in current.selections:
            found.nodes += 1
            found.directives += len(selection.directives or ())
            if isinstance(selection, FieldNode):
                _count_field(found, selection, seen, depth, in_introspection=in_introspection)
                inside = in_introspection or selection.name.value in INTROSPECTION_FIELDS
                if selection.selection_set:
                    waiting.append((selection.selection_set, depth + 1, inside))
            elif isinstance(selection, InlineFragmentNode):
                waiting.append((selection.selection_set, depth, in_introspection))
            elif isinstance(selection, FragmentSpreadNode):
                found.spreads.append(Spread(selection.name.value, depth, depth == 0, in_introspection))
        found.repeated_fields += sum(count - 1 for count in seen.values())
    return found


def _count_field(found: Walk, node: FieldNode, seen: Counter[str], depth: int, *, in_introspection: bool) -> None:
    if in_introspection:
        found.introspection_depth = max(found.introspection_depth, depth + 1)
    else:
        found.depth = max(found.depth, depth + 1)
    if depth == 0:
        found.root_fields += 1
    if node.alias:
        found.aliases += 1
    seen[node.alias.value if node.alias else node.name.value] += 1


def find_excess(document: DocumentNode, limits: Limits) -> list[GraphQLError]:
    """Return one error for each limit that the document exceeds.

    Fragments are counted before they are followed, so that the recursion over them is bounded.
    """
    definitions = document.definitions
    fragments = sum(isinstance(node, FragmentDefinitionNode) for node in definitions)
    operations = sum(isinstance(node, OperationDefinitionNode) for node in definitions)
    counted = [("fragments", fragments, limits.fragments), ("operations", operations, limits.operations)]
    if fragments <= limits.fragments:
        counted += _followed(document, limits)
    return [excess(what, size, most) for what, size, most in counted if size > most]


def _followed(document: DocumentNode, limits: Limits) -> list[tuple[str, int, int]]:
    ruler = Ruler(document)
    measures = ruler.operation_measures() or [NOTHING]
    directives = sum(found.directives for found in ruler.walks())
    directives += sum(len(node.directives or ()) for node in (*ruler.operations, *ruler.fragments))
    directives += sum(
        len(variable.directives or ()) for node in ruler.operations for variable in node.variable_definitions or ()
    )
    repeated = sum(found.repeated_fields for found in ruler.walks())
    return [
        ("levels of depth", max(one.depth for one in measures), limits.depth),
        (
            "levels of introspection depth",
            max(one.introspection_depth for one in measures),
            limits.introspection_depth,
        ),
        ("aliases", max(one.aliases for one in measures), limits.aliases),
        ("root fields", max(one.root_fields for one in measures), limits.root_fields),
        ("directives", directives, limits.directives),
        ("repeated fields", repeated, limits.repeated_fields),
    ]


def excess(what: str, size: int, most: int) -> GraphQLError:
    """Return the error that names a limit and says how to keep it."""
    found = f"at least {size:,}" if size >= COUNT_CEILING else f"{size:,}"
    message = f"This document has {found} {what}; at most {most:,} are allowed. Ask for less, or split it in two."
    return GraphQLError(message, extensions={"code": "LIMIT_EXCEEDED", "limit": most})
