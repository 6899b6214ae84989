"""Headers of mails, written so that every parser reads back what went in.

Python's own folding loses blanks between encoded words, and encodes a long link until no mail provider finds it.
"""

from __future__ import annotations

import re
from email.charset import BASE64, Charset
from email.header import Header
from email.policy import SMTP, EmailPolicy
from email.utils import quote
from typing import TYPE_CHECKING, Any

import idna

if TYPE_CHECKING:
    from email.headerregistry import Address

LONGEST_PLAIN = 60
_PHRASE = re.compile(r"[\w !#$%&'*+/=?^`{|}~-]+", re.ASCII)
"""A name that needs no quotes (RFC 5322)."""

_BLANKS = re.compile(r"\s+")

_UNFOLDED = frozenset({"list-unsubscribe", "message-id"})
_ADDRESSES = frozenset({"from", "to"})


class MailPolicy(EmailPolicy):
    """SMTP's policy, with links on one line, and names and subjects as they are or as base64."""

    def fold(self, name: str, value: Any) -> str:  # noqa: ANN401  (a header's value, of a class for each header)
        """Return a header as it goes over the wire."""
        if name.lower() in _UNFOLDED:
            return f"{name}: {value}{self.linesep}"
        if name.lower() == "subject":
            return f"{name}: {self._words(str(value), name)}{self.linesep}"
        if name.lower() in _ADDRESSES:
            return f"{name}: {', '.join(self._address(each, name) for each in value.addresses)}{self.linesep}"
        folded: str = super().fold(name, value)
        return folded

    def fold_binary(self, name: str, value: Any) -> bytes:  # noqa: ANN401  (as above)
        """Return a header's bytes; all of them are ASCII, but for an address that no other way can be written."""
        return self.fold(name, value).encode()

    def _address(self, address: Address, header: str) -> str:
        name = address.display_name
        if not name:
            return address.addr_spec
        words = self._words(name, header)
        needs_quotes = _is_plain(name) and _PHRASE.fullmatch(name) is None
        return f'"{quote(name)}" <{address.addr_spec}>' if needs_quotes else f"{words} <{address.addr_spec}>"

    def _words(self, text: str, header: str) -> str:
        """Return a text for a header; blanks of any kind and number become one."""
        text = _BLANKS.sub(" ", text)
        if _is_plain(text):
            return text
        charset = Charset("utf-8")
        charset.header_encoding = BASE64
        return Header(text, charset, header_name=header).encode(linesep=self.linesep)


MAIL_POLICY = MailPolicy(linesep=SMTP.linesep, cte_type="7bit")


def written_address(address: str, *, speaks_utf8: bool = False) -> str:
    """Return an address as mail servers know it: an international domain in its ASCII form.

    :raises ValueError: when it is none, or its local part is not ASCII and the server does not speak SMTPUTF8.
    """
    local, _, domain = address.rpartition("@")
    if not local or not domain or not (speaks_utf8 or local.isascii()):
        raise ValueError(address)
    return f"{local}@{domain if domain.isascii() else idna.encode(domain, uts46=True).decode()}"


def _is_plain(text: str) -> bool:
    return len(text) <= LONGEST_PLAIN and text.isascii() and text.isprintable() and text == " ".join(text.split())
