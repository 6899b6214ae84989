"""The field's terms: words that only we used stand in no description, message or name; and one name is one class.

The left column of the list in `WORDS` is what a reader from billing would not know, the right what to say instead.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict

from tests.architecture.source import APP, ROOT, place, python_files

WORDS = {
    r"trail": "audit log",
    r"patience": "bounded wait",
    r"money[ _]?back": "reversal, refund, chargeback or returned payment",
    r"quote[ _]?desk|vault[ _]?desk|cashier": "quote signer, vault service, payment runner",
    r"till(?!er|ed)": "payment runner",
    r"(?:gateway[ _]?)?notices?": "webhook event",
    r"standing|situation": "account snapshot, collection snapshot",
    r"judge[sd]?|verdicts?": "evaluate, result",
    r"adopt(?:s|ed)?|take[ _]in": "match",
    r"single[ _]charges?|extra[ _]?charges?": "one-time charge",
    r"calls[ _]?behind|usage[ _]?behind": "underlying calls, underlying usage",
    r"duty|troubles?": "on-call queue, operations alert",
    r"what (?:became|becomes|came|comes) of": "the outcome",
    r"stands? so": "has this status",
}


def unknown_words(text: str) -> list[str]:
    """Name the words of ours in a text, each as a whole word."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text).replace("_", " ").lower()
    return [
        f"{word[0]!r}: say {better}"
        for ours, better in WORDS.items()
        if (word := re.search(rf"\b(?:{ours})\b", spaced))
    ]


def public_names() -> dict[str, str]:
    """Give every public module, class, function and method of the product with its place."""
    found = {}
    for path in python_files(APP):
        if "migrations" in path.parts or "braintree_gateway" in path.parts:
            continue
        found[f"{place(path)} (module)"] = path.stem
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith(
                "_"
            ):
                found[f"{place(path)}: {node.name}"] = node.name
    return found


class TestWords:
    def test_no_description_of_the_schema_has_a_word_of_ours(self):
        text = (ROOT / "schema.graphql").read_text(encoding="utf-8")
        descriptions = re.findall(r'"""(.*?)"""', text, re.DOTALL)
        assert len(descriptions) > 500
        assert {each.strip(): found for each in descriptions if (found := unknown_words(each))} == {}

    def test_no_message_to_people_has_a_word_of_ours(self):
        pages = [path for path in (APP / "messages" / "templates").rglob("*") if path.suffix in {".txt", ".html"}]
        said = {place(path): re.sub(r"{[{%].*?[%}]}", " ", path.read_text(encoding="utf-8")) for path in pages}
        assert len(said) > 70
        assert {name: found for name, text in said.items() if (found := unknown_words(text))} == {}

    def test_no_public_name_has_a_word_of_ours(self):
        names = public_names()
        assert {where: found for where, name in names.items() if (found := unknown_words(name))} == {}

    def test_the_words_are_found(self):
        assert unknown_words("What became of a MoneyBack") != []
        assert unknown_words("CallsBehind") == ["'calls behind': say underlying calls, underlying usage"]
        assert unknown_words("A trailer is installed, until it is noticed") == []


class TestNames:
    def test_no_two_public_classes_of_a_room_have_one_name(self):
        places = defaultdict(list)
        for path in python_files(APP):
            room = path.relative_to(APP).parts[0]
            if room == "migrations":
                continue
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    places[room, node.name].append(place(path))
        assert {names: where for names, where in places.items() if len(where) > 1} == {}
