"""The questions to Braintree's sandbox, put to the local gateway: each gets an answer, and nothing is left behind."""

from __future__ import annotations

import pytest

from app.gateways.braintree_sdk import open_gateway, sdk
from scripts import sandbox_smoke
from scripts.sandbox_smoke import Smoke, print_table


class TestSmoke:
    def test_every_question_is_answered(self, gateway, capsys):
        findings = Smoke(open_gateway(gateway.config(), (1.0, 2.0)), sdk.TransactionSearch).ask_everything()
        assert [each.question for each in findings if "failed" in each.answer] == []
        answers = {each.question.split()[0]: each.answer for each in findings}
        assert answers["Is"] == "gateway_rejected (duplicate)"
        assert "yes, the same transaction" in {each.answer for each in findings}
        assert gateway.server.gateway.state.store.all("customer") == []
        print_table(findings)
        assert len(capsys.readouterr().out.splitlines()) == len(findings) == 11

    def test_without_request_keys_it_says_so(self, gateway):
        gateway.settings(request_keys=False)
        findings = Smoke(open_gateway(gateway.config(), (1.0, 2.0)), sdk.TransactionSearch).ask_everything()
        assert "no: refused: 915231" in {each.answer for each in findings}

    @pytest.mark.parametrize(
        ("settings", "sentence"),
        [
            ({}, "set FLEX_BRAINTREE_MERCHANT_ID"),
            (
                {**dict.fromkeys(sandbox_smoke.KEYS, "x"), "FLEX_BRAINTREE_ENVIRONMENT": "production"},
                "on Braintree's sandbox alone",
            ),
        ],
    )
    def test_refuses_politely(self, monkeypatch, capsys, settings, sentence):
        for name in (*sandbox_smoke.KEYS, "FLEX_BRAINTREE_ENVIRONMENT"):
            monkeypatch.delenv(name, raising=False)
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit):
            sandbox_smoke.main()
        assert sentence in capsys.readouterr().err
