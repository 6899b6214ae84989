"""Every kind of message in words: all of it, escaped, on one subject line, and the same to read without HTML."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from app.domain.alerts import CATALOGUE, AlertKind
from app.domain.announcements import FACTS, OPERATOR_ALERT, write_facts
from app.domain.confirmations import ABOUT_ADDRESSES, CONFIRMATION, REMOVAL
from app.formatting import format_money
from app.messages.compose import PAGES, Addressee, Composer, one_line
from app.messages.render import TEMPLATES
from app.services.notifications.typed_names import _links
from tests.factories.announcements import LONG, NASTY, OTHERS, USUAL, extreme

ANN = Addressee("Ann Ames", "Harbor Dental", "AA0101", is_contact=False)
CARLA = Addressee("Carla Coe", "Harbor Dental", "AA0101", is_contact=True)
PARTS = {"subject.txt", "body.txt", "body.html", "call.txt"}

ALL = [(kind, facts) for kind in USUAL for facts in (USUAL[kind], *OTHERS.get(kind, ()))]


@pytest.fixture(scope="module")
def composer() -> Composer:
    return Composer("https://portal.example/app/")


class Plain(HTMLParser):
    """Collects what a reader of the page sees, and every tag."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.tags: list[str] = []
        self._hidden = 0
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self._hidden += tag in {"style", "title"}

    def handle_endtag(self, tag):
        self._hidden -= tag in {"style", "title"}

    def handle_data(self, data):
        if not self._hidden:
            self.seen.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.seen).split())


class TestEveryKind:
    @pytest.mark.parametrize("kind", FACTS)
    def test_it_has_its_templates_and_its_page(self, kind):
        assert {path.name for path in (TEMPLATES / kind.lower()).iterdir()} == PARTS
        assert kind in PAGES or kind in {OPERATOR_ALERT, *ABOUT_ADDRESSES}

    @pytest.mark.parametrize("kind", USUAL)
    def test_every_fact_is_told_in_both_forms(self, composer, kind):
        mail = composer.mail(kind, write_facts(kind, USUAL[kind]), ANN)
        html = Plain(mail.html).text
        for figure in re.findall(r"\$[\d,.]+|\d+ min(?: \d+ s)?|[A-Z][a-z]+ \d+, \d{4}", mail.text):
            assert figure in html
        assert mail.subject in html
        assert mail.text.count("\n\n\n") == 0

    @pytest.mark.parametrize(("kind", "facts"), ALL)
    @pytest.mark.parametrize("number", [0, 1, 10**15, -(10**9)])
    @pytest.mark.parametrize("text", ["", NASTY, LONG, "\u202eevil", "a\r\nBcc: x@y.example"], ids=range(5))
    def test_it_renders_whatever_its_facts_are(self, composer, kind, facts, number, text):
        who = Addressee(text, text, text, is_contact=False)
        data = write_facts(kind, extreme(facts, number, text))
        mail = composer.mail(kind, data, who, unsubscribe_url="https://flex.example/unsubscribe/t")
        assert len(mail.subject) <= 150
        assert "\n" not in mail.subject
        assert "\r" not in mail.subject
        assert "script" not in Plain(mail.html).tags
        assert "<script" not in mail.html
        assert composer.script(kind, data, who)

    @pytest.mark.parametrize(("kind", "facts"), ALL)
    def test_its_html_is_styled_in_line_and_keeps_the_rules_for_the_dark(self, composer, kind, facts):
        html = composer.mail(kind, write_facts(kind, facts), ANN).html
        assert 'style="' in html
        assert "prefers-color-scheme: dark" in html
        assert 'lang="en"' in html
        assert "http://" not in html


class TestFigures:
    def test_amounts_are_exact_and_dates_are_written_out(self, composer):
        mail = composer.mail(AlertKind.INVOICE_READY, write_facts("INVOICE_READY", USUAL["INVOICE_READY"]), ANN)
        assert mail.subject == "Invoice 100001: $200.00 due"
        assert "Total: $237.50\nCredit applied: $37.50\nAmount due: $200.00\nDue on: August 1, 2026" in mail.text
        assert "https://portal.example/app/billing/invoices" in mail.text

    @pytest.mark.parametrize(
        ("changes", "subject", "closing"),
        [
            ({"open_cents": 0, "is_paid": True}, "Invoice 100001: paid", "It is paid."),
            ({"open_cents": 50_00}, "Invoice 100001: $50.00 due", "It is due on receipt."),
            ({"open_cents": 0}, "Invoice 100001: nothing is due", "There is nothing to pay."),
        ],
    )
    def test_an_invoice_says_what_is_left_to_pay_of_it_by_now(self, composer, changes, subject, closing):
        kind, facts = AlertKind.INVOICE_READY, replace(USUAL[AlertKind.INVOICE_READY], **changes)
        mail = composer.mail(kind, write_facts(kind, facts), ANN)
        assert (mail.subject, closing in mail.text) == (subject, True)
        assert f"Amount due: $200.00\nBalance due: {format_money(changes['open_cents'])}" in mail.text

    def test_a_payment_that_is_gone_again_is_not_told_as_a_card_to_replace(self, composer):
        """Decision 0008: it is not charged again by itself."""
        kind = AlertKind.PAYMENT_FAILED
        mail = composer.mail(kind, write_facts(kind, replace(USUAL[kind], is_undone=True, next_try_on=None)), ANN)
        text = " ".join(mail.text.split())
        assert mail.subject == "Invoice 100001 is open again"
        assert "was reversed, so the invoice is open again." in text
        assert "It will not be charged again automatically." in text
        assert "new card" not in text

    def test_durations_are_exact_to_the_second(self, composer):
        kind = AlertKind.ALLOWANCE_EXCEEDED
        mail = composer.mail(kind, write_facts(kind, USUAL[kind]), ANN)
        assert "Used so far: 104 min 5 s\nIncluded: 100 min\nOverage per minute: $1.29" in mail.text

    def test_a_number_is_read_out_digit_by_digit(self, composer):
        kind = AlertKind.PAYMENT_FAILED
        script = composer.script(kind, write_facts(kind, USUAL[kind]), CARLA)
        assert "Invoice 1 0 0 0 0 1 over $237.50 could not be paid." in script
        assert script.startswith("Hello, this is Specialty Answering Service with a message about billing for Harbor")


class TestReasons:
    """Why somebody gets a message, and why some cannot be unsubscribed from."""

    def test_an_admin_is_told_which_alert_it_is(self, composer):
        kind = AlertKind.INVOICE_READY
        mail = composer.mail(kind, write_facts(kind, USUAL[kind]), ANN, unsubscribe_url="https://flex.example/u/t")
        assert "administrator of Harbor Dental (AA0101) and have the alert “Invoice ready” on." in mail.text
        assert mail.text.endswith("Do not tell me about this any more:\nhttps://flex.example/u/t\n")

    def test_what_was_asked_for_says_so_and_nothing_of_alerts(self, composer):
        """A bookkeeper who has it sent again has no alert that could be switched off."""
        kind = AlertKind.INVOICE_READY
        mail = composer.mail(kind, write_facts(kind, replace(USUAL[kind], is_asked_for=True)), ANN)
        assert "looks after Harbor Dental (AA0101) asked for it to be sent again." in " ".join(mail.text.split())
        assert "administrator" not in mail.text

    def test_a_duty_says_why_it_stays(self, composer):
        kind = AlertKind.PAYMENT_FAILED
        mail = composer.mail(kind, write_facts(kind, USUAL[kind]), CARLA)
        assert "ask an administrator of the account" in " ".join(mail.text.split())
        assert "any more" not in mail.text
        assert CATALOGUE[kind].is_mandatory

    def test_a_change_of_payment_methods_says_that_it_protects(self, composer):
        kind = AlertKind.PAYMENT_METHOD_CHANGED
        assert "cannot be switched off" in composer.mail(kind, write_facts(kind, USUAL[kind]), ANN).text


class TestConfirmation:
    """What an address gets that has not agreed: one plain mail."""

    URL = "https://flex.example/contacts/confirm/t"

    def test_it_leads_to_the_page_that_asks(self, composer):
        nobody = replace(CARLA, name="", is_contact=False)
        data = write_facts(CONFIRMATION, USUAL[CONFIRMATION])
        mail = composer.mail(CONFIRMATION, data, nobody, confirmation_url=self.URL)
        assert mail.text.startswith("Hello,\n")
        assert f"Confirm or decline:\n{self.URL}\n" in mail.text
        assert f'href="{self.URL}"' in mail.html
        assert mail.html.count("<a ") == 1

    def test_the_call_asks_and_names_nobody(self, composer):
        script = composer.script(CONFIRMATION, write_facts(CONFIRMATION, USUAL[CONFIRMATION]), CARLA)
        assert "Do you agree that we call this number about billing for Harbor Dental?" in script
        assert "Carla" not in script

    def test_the_last_mail_has_no_button(self, composer):
        mail = composer.mail(REMOVAL, write_facts(REMOVAL, USUAL[REMOVAL]), CARLA)
        assert "last message to this address" in mail.text
        assert "<a " not in mail.html


class TestNames:
    """A name that looks like a link is written so that no mail program makes one of it; a subject stays as it is."""

    @pytest.mark.parametrize("kind", AlertKind)
    @pytest.mark.parametrize("name", ["Booking.com", "https://evil.example/x?y", "www.evil.com", "a@evil.co"])
    def test_no_link_is_made_of_a_name(self, composer, kind, name):
        who = Addressee(name, name, name, is_contact=False)
        mail = composer.mail(kind, write_facts(kind, extreme(USUAL[kind], 1, name)), who)
        html, own = Plain(mail.html).text, "https://portal.example/app/billing/"
        plain = re.sub(rf"{own}\S+", "", mail.text)
        assert not _links().test(plain)
        assert not _links().test(html)

    def test_a_subject_and_a_script_say_it_as_it_is(self, composer):
        kind, who = AlertKind.CONTACT_CHANGED, replace(ANN, account_name="Booking.com")
        data = write_facts(kind, replace(USUAL[kind], contact="J.P. Coe-Ltd.Co"))
        mail = composer.mail(kind, data, who)
        assert mail.subject == "Payment contact changed: J.P. Coe-Ltd.Co"
        assert "of Booking.\u2060com." in mail.text
        assert "Booking.com" in composer.script(kind, data, who)


class TestOneLine:
    def test_breaks_and_controls_become_spaces_and_the_rest_is_cut(self):
        assert one_line(" a\r\nBcc: b\t\u2028c\0 ", 50) == "a Bcc: b c"
        assert one_line("x" * 20, 10) == "xxxxxxxxx…"
