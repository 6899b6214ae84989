"""Strict JSON: what is not plainly one JSON object in UTF-8 is refused with a sentence, never with a fault."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import orjson
from pydantic import BaseModel, ValidationError

from app.error_codes import ErrorCode
from app.http.answers import BAD_REQUEST, UNPROCESSABLE, Refused

if TYPE_CHECKING:
    from app.domain.json_values import Json

B = TypeVar("B", bound=BaseModel)

DEEPEST = 32


def decode_object(content: bytes | str, *, what: str = "The request body") -> dict[str, Json]:
    """Return the JSON object in some text; `what` names the text in the refusal.

    NaN, Infinity, numbers beyond a double, lone surrogates and a byte order mark are no JSON here.

    :raises Refused: with status 400 when it is not one JSON object nested at most 32 levels deep.
    """
    try:
        decoded = orjson.loads(content)
    except orjson.JSONDecodeError:
        raise _bad(f"{what} is not JSON in UTF-8. Send one JSON object, with the document as `query`.") from None
    if not isinstance(decoded, dict):
        raise _bad(f"{what} is JSON, but not an object. Send one operation as an object; batches are not served.")
    if _is_too_deep(decoded):
        raise _bad(f"{what} is nested more than {DEEPEST} levels deep. Send flatter variables.")
    return decoded


def read_as(model: type[B], body: bytes) -> B:
    """Return a body as what a model describes.

    :raises Refused: with status 422 when it is not that; the sentence names the first field that is wrong.
    """
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "body"
        raise Refused(UNPROCESSABLE, ErrorCode.BAD_INPUT, f"{place}: {first['msg'].rstrip('.')}.") from error


def _is_too_deep(decoded: dict[str, Json]) -> bool:
    level: list[Json] = [decoded]
    for _ in range(DEEPEST):
        level = [child for parent in level for child in _children(parent) if isinstance(child, dict | list)]
        if not level:
            return False
    return True


def _children(parent: Json) -> list[Json]:
    if isinstance(parent, dict):
        return list(parent.values())
    return parent if isinstance(parent, list) else []


def _bad(message: str) -> Refused:
    return Refused(BAD_REQUEST, ErrorCode.BAD_REQUEST, message)
