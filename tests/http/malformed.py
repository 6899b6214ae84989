"""Requests that nobody should send, for every door: readable tables, multiplied.

`corpus(doors)` gives each its name; what is wrong with it is refused with a status of 400 to 499, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from urllib.parse import urlencode

import orjson

from app.domain.accounts import KeyPurpose, Role
from tests.doors import FORM, JSON, NDJSON, Doors, Request

JSON_DOORS = ("query", "mutation", "ingest", "account", "tax", "taxes", "report of a call", "bounce", "clock forward")
KEYED_DOORS = (*JSON_DOORS[2:-1], "ingest of lines", "entitlements", "metrics")

Spoil = Callable[[bytes], bytes]

# What is done to a body that would be good.
BODIES: dict[str, Spoil] = {
    "nothing": lambda _: b"",
    "blanks": lambda _: b" \r\n",
    "half of it": lambda good: good[: len(good) // 2],
    "twice": lambda good: good + good,
    "a comma too many": lambda good: good[:-1] + b"," + good[-1:],
    "the other bracket": lambda good: good[:-1] + (b"}" if good.endswith(b"]") else b"]"),
    "null": lambda _: b"null",
    "true": lambda _: b"true",
    "a number": lambda _: b"7",
    "a text": lambda good: orjson.dumps(good.decode()),
    "NaN": lambda _: b'{"a":NaN}',
    "minus Infinity": lambda _: b"[-Infinity]",
    "beyond a double": lambda _: b'{"a":1e999}',
    "9,000 digits": lambda _: b"[" + b"9" * 9_000 + b"]",
    "40 levels": lambda _: b"[" * 40 + b"]" * 40,
    "9,000 levels": lambda _: b"[" * 9_000,
    "9,000 objects": lambda _: b'{"a":' * 9_000,
    "a key twice": lambda good: good.replace(b"{", b'{"a":1,"a":2,', 1),
    "two marks": lambda good: b"\xef\xbb\xbf" * 2 + good,
    "UTF-16": lambda good: good.decode().encode("utf-16"),
    "latin-1": lambda _: '{"a":"ü"}'.encode("latin-1"),
    "half of a pair": lambda _: b'{"a":"\\ud83d"}',
    "NUL": lambda good: b"\0" + good,
    "XML": lambda _: b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b SYSTEM 'file:///private'>]><a>&b;</a>",
    "a form": lambda _: b"a=1&b=2",
}

# Headers that do not fit a body; `None` takes one away.
HEADERS: dict[str, dict[str, str]] = {
    "packed by an unknown art": {"content-encoding": "br"},
    "packed twice": {"content-encoding": "gzip, gzip"},
    "no number as length": {"content-length": "many"},
    "below zero as length": {"content-length": "-1"},
    "a length without end": {"content-length": "9" * 40},
    "another host": {"host": "evil.test"},
    "no host": {"host": ""},
    "a host with a path": {"host": "127.0.0.1/../evil"},
}

CREDENTIALS = {
    "nothing": "",
    "a scheme alone": "Bearer",
    "blanks": "Bearer    ",
    "another scheme": "Basic YTpi",
    "rubbish": "Bearer a.b.c",
    "no secret": "Bearer flex_ingest_made-up",
    "a long one": "Bearer " + "a" * 9_000,
    "NUL": "Bearer a\0b",
    "letters of another alphabet": "Bearer \u00e9\u00e8",
    "a token that signs nothing": "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJBRE1JTiJ9.",
}

DOCUMENTS = {
    "no document": {},
    "an empty one": {"query": ""},
    "a number": {"query": 1},
    "a list": {"query": ["{ viewer { role } }"]},
    "variables as a list": {"query": "{ viewer { role } }", "variables": [1]},
    "variables as text": {"query": "{ viewer { role } }", "variables": "{}"},
    "a name that is none": {"query": "{ viewer { role } }", "operationName": {}},
    "extensions as text": {"query": "{ viewer { role } }", "extensions": "x"},
    "an operation that is not there": {"query": "query A { viewer { role } }", "operationName": "B"},
    "one of two": {"query": "query A { viewer { role } } query B { viewer { role } }"},
    "half": {"query": "{ viewer { role "},
    "a letter of no alphabet": {"query": "{ viewer { role } } \0"},
    "an unknown field": {"query": "{ viewer { salary } }"},
    "an unknown argument": {"query": "{ viewer(id: 1) { role } }"},
    "an unknown fragment": {"query": "{ ...Gone }"},
    "a circle of fragments": {"query": "{...A} fragment A on Query {...B} fragment B on Query {...A}"},
    "a schema": {"query": "type A { a: Int }"},
    "a subscription": {"query": "subscription { viewer { role } }"},
    "deep": {"query": "{a" * 950},
    "many tokens": {"query": "{" + "a " * 3_000 + "}"},
    "long": {"query": "{ viewer { role } }" + " " * 30_000},
    "a card number": {"query": "{ viewer { role } }", "variables": {"a": "4111 1111 1111 1111"}},
    "a wrong variable": {"query": "query($a: Int!) { invoices(first: $a) { nodes { id } } }", "variables": {"a": "x"}},
    "a variable of 9,000 digits": {
        "query": "query($a: Int!) { invoices(first: $a) { nodes { id } } }",
        "variables": {"a": 10**300},
    },
    "no variable": {"query": "query($a: Int!) { invoices(first: $a) { nodes { id } } }"},
    "a directive without end": {"query": "{ viewer { role " + "@skip(if: false) " * 100 + "} }"},
    "many aliases": {"query": "{" + " ".join(f"a{at}: viewer {{ role }}" for at in range(100)) + "}"},
}

QUERY_STRINGS = {
    "nothing": "",
    "an empty document": "query=",
    "no UTF-8": "query=%ff",
    "half of an escape": "query=%7",
    "twice": "query={a}&query={b}",
    "many": "&".join(f"p{at}=1" for at in range(20)),
    "variables as a list": "query={viewer{role}}&variables=[1]",
    "variables cut off": "query={viewer{role}}&variables={",
    "variables with a key twice": 'query={viewer{role}}&variables={"a":1,"a":2}',
    "a mutation": urlencode({"query": "mutation { payOpenBalance(input: {idempotencyKey: 1}) { __typename } }"}),
}

# Addresses that lead nowhere, with the method of the door beside them.
PATHS = (
    ("GET", "/nothing"),
    ("GET", "/graphql/"),
    ("POST", "/graphql/x"),
    ("GET", "/health"),
    ("GET", "/health/live/"),
    ("GET", "/internal"),
    ("GET", "/internal/accounts"),
    ("GET", "/internal/accounts//entitlements"),
    ("POST", "/ingest"),
    ("POST", "/ingest/calls/"),
    ("GET", "/documents/"),
    ("GET", "/documents/x"),
    ("GET", "/documents/" + "a" * 4_000),
    ("GET", "/documents/%00"),
    ("GET", "/documents/WyJBQTAxMDEiXQ.x"),
    ("GET", "/documents/..%2f..%2fetc%2fpasswd"),
    ("GET", "/unsubscribe/"),
    ("GET", "/unsubscribe/x"),
    ("POST", "/unsubscribe/x"),
    ("POST", "/unsubscribe/" + "a" * 4_000),
    ("POST", "/unsubscribe/%F0%9F%92%A9"),
    ("POST", "/unsubscribe/WyJhIl0.AAAA"),
    ("GET", "/contacts/confirm/x"),
    ("POST", "/contacts/confirm/x?answer=confirm"),
    ("POST", "/contacts/confirm/" + "a" * 4_000),
    ("POST", "/contacts/confirm/WyJhIl0.AAAA?answer=decline"),
    ("GET", "/sandbox/messages/..%2f..%2fsandbox-key.json"),
    ("GET", "/sandbox/messages/%2e%2e"),
    ("GET", "/sandbox/gallery/NOTHING/html"),
    ("GET", "/sandbox/gallery/INVOICE_READY/pdf"),
    ("GET", "/static/../main.py"),
    ("GET", "/static/%2e%2e/main.py"),
    ("GET", "/webhooks/braintree"),
    ("GET", "/webhooks/braintree?bt_challenge="),
    ("GET", "/webhooks/braintree?bt_challenge=not+hexadecimal"),
    ("GET", "/webhooks/braintree?bt_challenge=a&bt_challenge=b"),
    ("GET", "/webhooks/braintree?bt_challenge=%ff"),
    ("POST", "/webhooks"),
)

ACCOUNTS = ("%00", "%20", "%0A", "%7F", "A%09B", "A" * 129, "%C3%A9", "%E2%80%8B")

FORMS = {
    "nothing": b"",
    "no payload": b"bt_signature=x",
    "no signature": b"bt_payload=x",
    "a payload twice": b"bt_signature=a&bt_payload=b&bt_payload=c",
    "not signed": b"bt_signature=integration_public_key%7C00&bt_payload=PGE%2BPC9hPg%3D%3D",
    "no UTF-8": b"bt_signature=%ff&bt_payload=%ff",
    "NUL": b"bt_signature=%00&bt_payload=%00",
    "not ASCII": "bt_signature=ü&bt_payload=ü".encode(),
    "many fields": b"&".join([b"a=1"] * 1_000),
    "JSON": b'{"bt_signature": 1}',
}

# Bodies that are JSON, and not what the door takes.
VALUES: dict[str, tuple[object, ...]] = {
    "account": (
        {},
        {"name": "A"},
        {"name": 1, "plan": "100", "paidSinceOn": "2026-08-01"},
        {"name": "A\u0000", "plan": "100", "paidSinceOn": "2026-08-01"},
        {"name": "A", "plan": "101", "paidSinceOn": "2026-08-01"},
        {"name": "A", "plan": "100", "paidSinceOn": "2026-02-30"},
        {"name": "A", "plan": "100", "paidSinceOn": 0},
        {"name": "A", "plan": "100", "paidSinceOn": "9999-12-31"},
        {"name": "A", "plan": "100", "paidSinceOn": "2026-08-01", "users": {}},
        {"name": "A", "plan": "100", "paidSinceOn": "2026-08-01", "status": "CLOSED"},
    ),
    "tax": (
        {},
        {"name": "", "percent": 1, "validFrom": "2026-08-01"},
        {"name": "A", "percent": -1, "validFrom": "2026-08-01"},
        {"name": "A", "percent": "NaN", "validFrom": "2026-08-01"},
        {"name": "A", "percent": "1e9999", "validFrom": "2026-08-01"},
        {"name": "A", "percent": 1, "validFrom": "yesterday"},
        {"name": "A", "percent": 1, "validFrom": "0001-01-01"},
    ),
    "taxes": (
        {},
        {"taxes": None, "validFrom": "2026-09-01"},
        {"taxes": [1], "validFrom": "2026-09-01"},
        {"taxes": [{"name": "A", "percent": 1, "kinds": ["NOTHING"]}], "validFrom": "2026-09-01"},
        {"taxes": [{"name": "A", "percent": 1}] * 21, "validFrom": "2026-09-01"},
    ),
    "report of a call": (
        {},
        {"outcome": "MAYBE"},
        {"outcome": "BUSY", "attempts": -1},
        {"outcome": "BUSY", "note": "\n"},
    ),
    "bounce": ({}, {"address": "nobody", "reason": "x"}, {"address": "a@example.com", "reason": ""}),
    "ingest": ({}, {"eventId": "1"}),
}


def corpus(doors: Doors) -> dict[str, Request]:
    """Every malformed request under its name."""
    groups = (_bodies, _values, _headers, _credentials, _methods, _documents, _addresses)
    return {f"{group.__name__.strip('_')}: {name}": request for group in groups for name, request in group(doors)}


def _bodies(doors: Doors) -> Iterator[tuple[str, Request]]:
    for door in JSON_DOORS:
        good = doors.requests[door]
        for name, spoil in BODIES.items():
            yield f"{door}, {name}", replace(good, content=spoil(good.content))


def _values(doors: Doors) -> Iterator[tuple[str, Request]]:
    for door, values in VALUES.items():
        for at, value in enumerate(values):
            yield f"{door}, {at}", replace(doors.requests[door], content=orjson.dumps(value))


def _headers(doors: Doors) -> Iterator[tuple[str, Request]]:
    for door in (*JSON_DOORS, "webhook"):
        for name, changed in HEADERS.items():
            good = doors.requests[door]
            yield f"{door}, {name}", replace(good, headers={**good.headers, **changed})
    for door, kind in (
        ("query", FORM),
        ("query", "text/plain"),
        ("query", NDJSON),
        ("query", f"{JSON}; charset=latin-1"),
    ):
        yield f"{door} as {kind}", doors.requests[door].with_headers(content_type=kind)
    yield "ingest as a form", doors.requests["ingest"].with_headers(content_type=FORM)
    yield "query for a picture", doors.requests["query"].with_headers(accept="image/png")


def _credentials(doors: Doors) -> Iterator[tuple[str, Request]]:
    person = doors.bearer(Role.ADMIN)["authorization"]
    for door in ("query", "mutation", *KEYED_DOORS):
        good = doors.requests[door]
        others = {f"a key for {purpose.lower()}": doors.key(purpose)["authorization"] for purpose in KeyPurpose}
        given = {**CREDENTIALS, **others, "a person's token": person}
        for name, credential in given.items():
            if credential != good.headers["authorization"] and not (
                door in {"query", "mutation"} and credential == person
            ):
                yield f"{door}, {name}", good.with_headers(authorization=credential)


def _methods(doors: Doors) -> Iterator[tuple[str, Request]]:
    for door, good in doors.requests.items():
        for method in ("DELETE", "PATCH", "PROPFIND"):
            if not door.endswith(("live", "ready")):
                yield f"{door} by {method}", replace(good, method=method)


def _documents(doors: Doors) -> Iterator[tuple[str, Request]]:
    strict = doors.requests["query"].with_headers(accept="application/graphql-response+json")
    for name, body in DOCUMENTS.items():
        yield name, replace(strict, content=_loose(body))
    by_get = doors.requests["query by GET"].with_headers(accept="application/graphql-response+json")
    for name, text in QUERY_STRINGS.items():
        yield f"{name}, by GET", replace(by_get, path=f"/graphql?{text}")


def _addresses(doors: Doors) -> Iterator[tuple[str, Request]]:
    service = {**doors.key(KeyPurpose.SERVICE), "content-type": JSON}
    for method, path in PATHS:
        yield f"{method} {path[:60]}", Request(method, path, service)
    for account in ACCOUNTS:
        good = doors.requests["account"]
        yield f"account {account[:20]}", replace(good, path=f"/internal/accounts/{account}")
        yield f"entitlements of {account[:20]}", Request("GET", f"/internal/accounts/{account}/entitlements", service)
        yield f"tax of {account[:20]}", replace(doors.requests["tax"], path=f"/internal/accounts/{account}/tax")
    for name, form in FORMS.items():
        yield f"webhook with {name}", replace(doors.requests["webhook"], content=form)


def _loose(value: object) -> bytes:
    """JSON with numbers of any length."""
    import json

    return json.dumps(value).encode()
