"""Names that customers type: in one script, and nothing that is taken for a link (rule 39)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.contacts import InvalidContact
from app.messages.defused import defused
from app.services.notifications.typed_names import _links, check_typed_name, is_link_like

LINKS = [
    "Visit www.evil.example",
    "https://evil",
    "evil.com",
    "a@b",
    "bit.ly/x",
    "Pay at evil.co",
    "t.me/abc",
    "x.com",
    "see our-portal.example/pay",
    "pay.ca",
    "bank.fr",
    "(shop.online)",
    "my_evil.com",
    "Mr.Green",
    "пример.рф",
    "例え.みんな",
    "evil.co.uk",
    "Call us: tel.bank",
]
ALIKE = [
    "evil。com",
    "evil．com",
    "evil｡com",
    "evil․com",
    "evil٠com",
    "ｅｖｉｌ．ｃｏｍ",
    "𝐞𝐯𝐢𝐥.com",
    "ev\u200dil.c\u200com",
    "evil.c\ufe0fom",
    "ｈｔｔｐ：／／evil",
    "a＠b",
]
NAMES = [
    "Carla Coe",
    "Dr. J.R. O'Neil-Smith",
    "مريم الزهراء",
    "李小龙",
    '<b>Bob</b> & "Co"',
    "J.R. Smith",
    "Dr.Smith",
    "Acme Inc.",
    "St. Mary's",
    "A/B Partners",
    "J.de Vries",
    "P.in 't Veld",
    "A.de la Cruz",
    "Accts.Payable/AR",
    "Ünal & Co.",
    "Head of I.T., 24/7",
    "А. П. Чехов",
    "Ελένη Παππά",
    "김철수 Lee",
    "李小龙 Bruce Lee",
    "トム・クルーズ",
    "ㄅㄆㄇ 漢字 A",
    "Zoë 🦷",
]


class TestLinks:
    @pytest.mark.parametrize("text", [*LINKS, *ALIKE])
    def test_what_is_or_looks_like_one_is_refused_by_its_field(self, text):
        with pytest.raises(InvalidContact, match="looks like a link") as refused:
            check_typed_name("title", text)
        assert refused.value.field == "title"

    @pytest.mark.parametrize("name", NAMES)
    def test_names_initials_and_titles_are_none(self, name):
        check_typed_name("name", name)


class TestScripts:
    @pytest.mark.parametrize(
        "name", ["Pаypal", "Anna Иванова", "مريم Smith", "Ρaul", "한글 カナ", "Иванова 漢", "ΑБ"], ids=ascii
    )
    def test_letters_of_two_scripts_are_refused(self, name):
        with pytest.raises(InvalidContact, match="mixes letters"):
            check_typed_name("name", name)


class TestDefused:
    @pytest.mark.parametrize("text", LINKS)
    def test_no_link_is_left_of_one_and_it_reads_the_same(self, text):
        assert not _links().test(defused(text))
        assert defused(text).replace("\u2060", "") == text

    @given(st.text("ab.:/@。 -", max_size=20).flatmap(lambda text: st.just(f"{text}http://a.com {text}b@a.de")))
    def test_nor_of_anything(self, text):
        assert not _links().test(defused(text))

    @pytest.mark.parametrize("name", ["Harbor Dental", "Acme Inc.", "Due on: today", "24 / 7"])
    def test_what_is_no_link_stays_as_it_is(self, name):
        assert defused(name) == name

    def test_the_recogniser_finds_what_is_not_defused(self):
        assert is_link_like("https://a.com")
        assert _links().test("b@a.de")
