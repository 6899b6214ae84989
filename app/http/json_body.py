"""Bodies as JSON: what is not plainly that is refused with a sentence, never with a fault."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ValidationError

from app.error_codes import ErrorCode
from app.http.answers import BAD_REQUEST, UNPROCESSABLE, Refused
from app.json_text import NotJson, read_json, without_mark

if TYPE_CHECKING:
    from app.domain.json_values import Json

B = TypeVar("B", bound=BaseModel)

BODY = "The request body"


def decode_object(content: bytes | str, *, what: str = BODY) -> dict[str, Json]:
    """Return the JSON object in some text; `what` names the text in the refusal.

    :raises Refused: with status 400 when it is not one JSON object, as `read_json` reads it.
    """
    decoded = _decode(content, what)
    if not isinstance(decoded, dict):
        raise _bad(f"{what} is JSON, but not an object. Send one operation as an object; batches are not served.")
    return decoded


def decode_array(content: bytes, *, of: str) -> list[Json]:
    """Return the JSON array in a body; `of` names the items in the refusal.

    :raises Refused: with status 400 when it is not one JSON array, as `read_json` reads it.
    """
    decoded = _decode(content, BODY)
    if not isinstance(decoded, list):
        raise _bad(f"{BODY} is JSON, but not an array of {of}.")
    return decoded


def read_as(model: type[B], body: bytes) -> B:
    """Return a body as what a model describes.

    :raises Refused: with status 400 when it is not JSON, as `read_json` reads it; with 422 when it is not what the
        model describes, and then the sentence names the first field that is wrong.
    """
    _decode(body, BODY)
    try:
        return model.model_validate_json(without_mark(body))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "body"
        raise Refused(UNPROCESSABLE, ErrorCode.BAD_INPUT, f"{place}: {first['msg'].rstrip('.')}.") from error


def _decode(content: bytes | str, what: str) -> Json:
    try:
        return read_json(content)
    except NotJson as error:
        raise _bad(f"{what} is not JSON in UTF-8: {error.reason}.") from None


def _bad(message: str) -> Refused:
    return Refused(BAD_REQUEST, ErrorCode.BAD_REQUEST, message)
