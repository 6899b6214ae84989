"""Lists in pages: cursors that hold the sort keys of a row, so that a page is one indexed range however far down it is,
and nothing shifts when rows are added.
"""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

import orjson
import strawberry
from graphql import FieldNode, FragmentSpreadNode, GraphQLResolveInfo, InlineFragmentNode, SelectionSetNode

from app.graphql.context import Context, Info
from app.graphql.errors import BadInput
from app.graphql.fields import computed
from app.graphql.selections import raw_info

Node = TypeVar("Node")
Row = TypeVar("Row")

Keys = tuple[str | int, ...]

LONGEST_CURSOR = 512
DEFAULT_PAGE = 20

FirstArgument = Annotated[
    int, strawberry.argument(description="The maximum number of items to return, from 1 to 100. Defaults to 20.")
]
AfterArgument = Annotated[
    str | None,
    strawberry.argument(description="Returns the items after this cursor: `pageInfo.endCursor` of the previous page."),
]


@strawberry.type(description="The position of a page in its list.")
class PageInfo:
    """The Relay page information, forward only."""

    has_next_page: bool = strawberry.field(description="Whether more items follow.")
    has_previous_page: bool = strawberry.field(description="Whether the page was requested with a cursor.")
    start_cursor: str | None = strawberry.field(description="The cursor of the first item. Null on an empty page.")
    end_cursor: str | None = strawberry.field(
        description="The cursor of the last item, to continue with. Null on an empty page."
    )


@strawberry.type(description="One item of a list, with its cursor.")
class Edge(Generic[Node]):
    """An item and where it stands."""

    cursor: str = strawberry.field(description="The position of this item in the list. Opaque; pass it as `after`.")
    node: Node = strawberry.field(description="The item.")


@strawberry.type(description="One page of a list.")
class Connection(Generic[Node]):
    """`Connection[Invoice]` becomes `InvoiceConnection` in the schema."""

    nodes: list[Node] = strawberry.field(description="The items on this page, in list order.")
    edges: list[Edge[Node]] = strawberry.field(description="The items on this page, each with its cursor.")
    page_info: PageInfo = strawberry.field(description="The position of this page in the list.")
    counted: strawberry.Private[int | None] = None

    @computed(description="The number of items in the whole list. It is counted only if requested.")
    def total_count(self) -> int:
        """Return the count that the page query brought.

        :raises ValueError: when the resolver did not ask the query to count.
        """
        if self.counted is None:
            raise ValueError("The count was selected, but the query was not asked to count.")
        return self.counted


@dataclass(frozen=True, slots=True)
class Window:
    """The part of a list that a request asks for; `fetch` is one row more than it will see, to know if more follow."""

    kind: str
    first: int
    after: Keys | None
    is_counted: bool

    @property
    def fetch(self) -> int:
        """How many rows the page query has to return at most."""
        return self.first + 1


def open_window(info: Info, *, kind: str, first: int, after: str | None, keys: tuple[type, ...]) -> Window:
    """Read the arguments of a list; `kind` names the list, so that the cursor of another list is refused.

    :raises BadInput: when `first` is out of bounds, or `after` is no cursor of this list.
    """
    largest = info.context.options.largest_page
    if not 1 <= first <= largest:
        raise BadInput(f"`first` is {first}. Ask for 1 to {largest} items, and for more of them with `after`.")
    position = None if after is None else read_cursor(after, kind=kind, keys=keys)
    return Window(kind, first, position, is_counted=is_selected(info, "totalCount"))


def page_of(
    rows: Sequence[Row],
    window: Window,
    *,
    node: Callable[[Row], Node],
    keys: Callable[[Row], Keys],
    total: int | None = None,
) -> Connection[Node]:
    """Return the connection for the rows of a window, of which there may be one too many."""
    shown = rows[: window.first]
    edges = [Edge(cursor=write_cursor(window.kind, keys(row)), node=node(row)) for row in shown]
    return Connection(
        nodes=[edge.node for edge in edges],
        edges=edges,
        page_info=PageInfo(
            has_next_page=len(rows) > window.first,
            has_previous_page=window.after is not None,
            start_cursor=edges[0].cursor if edges else None,
            end_cursor=edges[-1].cursor if edges else None,
        ),
        counted=total,
    )


def write_cursor(kind: str, keys: Keys) -> str:
    """Return the cursor of a row by its sort keys."""
    return base64.urlsafe_b64encode(orjson.dumps([kind, *keys])).rstrip(b"=").decode()


def read_cursor(cursor: str, *, kind: str, keys: tuple[type, ...]) -> Keys:
    """Return the sort keys in a cursor.

    :raises BadInput: when it is not a cursor that this list has given out.
    """
    refusal = BadInput("This cursor is not one of this list's. Start again without `after`.")
    if len(cursor) > LONGEST_CURSOR:
        raise refusal
    try:
        plain = base64.b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        found = orjson.loads(plain)
    except (UnicodeEncodeError, binascii.Error, orjson.JSONDecodeError):
        raise refusal from None
    if not isinstance(found, list) or [type(key) for key in found] != [str, *keys] or found[0] != kind:
        raise refusal
    return tuple(found[1:])


def is_selected(info: Info, name: str) -> bool:
    """Tell whether a field directly below the current one is asked for, also by way of a fragment."""
    raw = raw_info(info)
    waiting: list[SelectionSetNode] = [node.selection_set for node in raw.field_nodes if node.selection_set]
    seen: set[str] = set()
    while waiting:
        for selection in waiting.pop().selections:
            if isinstance(selection, FieldNode):
                if selection.name.value == name:
                    return True
            elif isinstance(selection, InlineFragmentNode):
                waiting.append(selection.selection_set)
            elif isinstance(selection, FragmentSpreadNode) and selection.name.value not in seen:
                seen.add(selection.name.value)
                waiting.append(_fragment(raw, selection.name.value))
    return False


def _fragment(raw: GraphQLResolveInfo[Context], name: str) -> SelectionSetNode:
    return raw.fragments[name].selection_set
