"""The operations of the reads bench, as a portal would send them, and who sends them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

SUMMARY = """
query BenchSummary {
  viewer { id banner role user { id name } account { id name status } }
  billingSummary {
    id
    currentPlan {
      id code displayName includedMinutes costEffectiveToMinutes
      base { amount currencyCode formatted }
      overageRate { amount currencyCode formatted per }
    }
    usage {
      id
      period { startsOn endsBefore }
      allowance { seconds minutes }
      live { seconds minutes }
      remaining { minutes }
      overage { minutes }
      patch { minutes }
      ivr { minutes }
      overageCost { formatted }
      totalCost { amount formatted }
      callCount
      freeCallCount
      lastEventAt
      days { on live { minutes } cumulativeLive { minutes } patch { minutes } ivr { minutes } callCount }
    }
    openBalance { amount formatted }
    creditBalance { amount formatted }
    paymentMethod {
      __typename id displayName status
      ... on CardPaymentMethod { brand last4 expiryMonth expiryYear }
    }
    nextInvoice {
      id
      period { startsOn endsBefore }
      issuesAt
      lines { kind displayName amount { amount formatted } }
      total { amount formatted }
      amountDue { formatted }
    }
  }
}
"""

BREAKDOWN = """
query BenchBreakdown($id: ID!) {
  invoice(id: $id) {
    id number status statusDisplayName issuedAt dueOn
    total { amount formatted }
    balance { amount formatted }
    lines {
      id kind displayName
      amount { amount currencyCode formatted }
      period { startsOn endsBefore }
    }
  }
}
"""

LIST = """
query BenchList($first: Int!) {
  invoices(first: $first) {
    nodes {
      id number status statusDisplayName issuedAt dueOn paidAt
      period { startsOn }
      total { formatted }
      balance { formatted }
    }
    pageInfo { hasNextPage }
  }
}
"""

SWITCH = """
mutation BenchSwitch($changes: [AlertSwitchInput!]!) {
  updateAlertSubscriptions(input: { changes: $changes }) {
    __typename
    ... on AlertSubscriptionsUpdated { alertSubscriptions { kind isOn } }
  }
}
"""

CALLS = """
query BenchCalls($first: Int!) {
  calls(first: $first) {
    nodes {
      id startedAt on disposition isBilled isCorrected
      live { seconds minutes }
      patch { minutes }
      ivr { minutes }
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""

ACTIVITY = """
query BenchActivity($first: Int!) {
  activity(first: $first) {
    nodes { id kind who what occurredAt details { name value } }
    pageInfo { hasNextPage endCursor }
  }
}
"""

SWITCHED_KIND = "ALLOWANCE_NEARLY_USED"


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who asks: their token, and the newest invoice of their account."""

    token: str
    invoice_id: str


@dataclass(frozen=True, slots=True)
class Operation:
    """A document with its name; `title` is what the figures call it, `listed` how long a list is."""

    title: str
    document: str
    is_write: bool = False
    listed: int = 50

    @property
    def name(self) -> str:
        """The operation's name."""
        return self.document.split()[1].partition("(")[0]

    def variables(self, reader: Reader, turn: int) -> Mapping[str, object]:
        """Return the variables of a reader's `turn`th request, counted from zero; a switch goes off and on in turns."""
        if self.is_write:
            return {"changes": [{"kind": SWITCHED_KIND, "isOn": turn % 2 == 1}]}
        if "$id" in self.document:
            return {"id": reader.invoice_id}
        return {"first": self.listed} if "$first" in self.document else {}


READS = (Operation("Summary", SUMMARY), Operation("breakdown", BREAKDOWN), Operation("list", LIST))
MUTATION = Operation("mutation", SWITCH, is_write=True)
GROWING = (
    *READS[:2],
    Operation("list", LIST, listed=20),
    Operation("calls", CALLS, listed=20),
    Operation("activity", ACTIVITY, listed=20),
)
"""What is asked where an account has grown; no list is longer than in an account that has not."""


def requests(address: str, operation: Operation, readers: Sequence[Reader]) -> Iterator[bytes]:
    """Yield what goes over the wire, for the readers in turn and without an end."""
    host = address.removeprefix("http://")
    for number in count():
        turn, place = divmod(number, len(readers))
        reader = readers[place]
        variables = operation.variables(reader, turn)
        body = orjson.dumps({"query": operation.document, "operationName": operation.name, "variables": variables})
        head = (
            "POST /graphql HTTP/1.1",
            f"host: {host}",
            "accept: application/json",
            "content-type: application/json",
            f"authorization: Bearer {reader.token}",
            f"content-length: {len(body)}",
            "",
            "",
        )
        yield "\r\n".join(head).encode() + body
