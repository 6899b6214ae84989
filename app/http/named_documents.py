"""Which text a request runs: the one that it sends, or the one that it names. A mode decides about unknown texts."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import structlog

from app.error_codes import ErrorCode
from app.graphql.persisted_documents import hash_of
from app.http.answers import VALIDATION_FAILED, Refused

if TYPE_CHECKING:
    from app.graphql.persisted_documents import PersistedDocuments
    from app.http.graphql_request import GraphQLRequest

log = structlog.get_logger("http")


class DocumentsMode(StrEnum):
    """How far documents have to be known.

    `off` takes texts alone; `prefer` takes texts and ids; `log-unknown` does too, and logs texts that no manifest has;
    `enforce` refuses those.
    """

    OFF = "off"
    PREFER = "prefer"
    LOG_UNKNOWN = "log-unknown"
    ENFORCE = "enforce"


class DocumentNotRun(Refused):
    """The document is not known, or may not be sent as it was."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(VALIDATION_FAILED, code, message)


class NamedDocuments:
    """Finds the texts of documents."""

    def __init__(self, known: PersistedDocuments, mode: DocumentsMode) -> None:
        self._known = known
        self._mode = mode

    def text_of(self, request: GraphQLRequest, *, is_free: bool = False) -> str:
        """Return the document to run; who is free may send any text, whatever the mode.

        :raises DocumentNotRun: when no document has the id that was sent, the id is not that of the text sent with it,
            or the mode does not allow it.
        """
        if request.document_id is not None:
            return self._named(request.document_id, request.query)
        text = request.query or ""
        if self._mode in {DocumentsMode.OFF, DocumentsMode.PREFER} or is_free:
            return text
        if self._known.find(hash_of(text)) is None:
            if self._mode is DocumentsMode.ENFORCE:
                message = "Only documents of our apps are run here. Send `documentId`, the id of one in a manifest."
                raise DocumentNotRun(ErrorCode.PERSISTED_DOCUMENT_REQUIRED, message)
            log.info("unknown document", sha256=hash_of(text), operation=request.operation_name)
        return text

    def _named(self, document_id: str, text: str | None) -> str:
        """Return the text of an id.

        Apollo's link first sends the id alone, and after `PersistedQueryNotFound` id and text together, to have the
        server remember it. We remember none; told so, the link sends texts alone from then on.
        """
        if self._mode is DocumentsMode.OFF:
            raise DocumentNotRun(ErrorCode.PERSISTED_QUERY_NOT_SUPPORTED, "PersistedQueryNotSupported")
        if text is not None and hash_of(text) != document_id:
            message = "The id is not the SHA-256 of the document sent with it. Send one of them."
            raise DocumentNotRun(ErrorCode.PERSISTED_DOCUMENT_MISMATCH, message)
        known = self._known.find(document_id)
        if known is not None:
            return known
        if text is not None:
            raise DocumentNotRun(ErrorCode.PERSISTED_QUERY_NOT_SUPPORTED, "PersistedQueryNotSupported")
        raise DocumentNotRun(ErrorCode.PERSISTED_DOCUMENT_NOT_FOUND, "PersistedQueryNotFound")
