"""Settings: read once from the environment, told in full when production lacks them, and never showing a secret."""

from __future__ import annotations

import os

import pytest

from app.settings import SettingsUnusable, read_settings

SECRET = "0123456789-a secret of tests-9876543210"
PRODUCTION = {
    "FLEX_ENV": "production",
    "FLEX_DATABASE_URL": "postgresql://billing:hunter2@db/flex",
    "FLEX_JWKS_URL": "https://id.example/jwks",
    "FLEX_TOKEN_ISSUER": "https://id.example",
    "FLEX_TOKEN_AUDIENCE": "flex-billing",
    "FLEX_SIGNING_SECRET": SECRET,
    "FLEX_BRAINTREE_ENVIRONMENT": "production",
    "FLEX_BRAINTREE_MERCHANT_ID": "sas",
    "FLEX_BRAINTREE_PUBLIC_KEY": "public",
    "FLEX_BRAINTREE_PRIVATE_KEY": "private",
    "FLEX_PUBLIC_URL": "https://billing.example",
    "FLEX_PORTAL_URL": "https://portal.example",
    "FLEX_SMTP_URL": "smtps://flex:hunter2@mail.example",
    "FLEX_ALLOWED_HOSTS": "billing.example, billing.internal",
}


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch):
    for name in [name for name in os.environ if name.startswith("FLEX_")]:
        monkeypatch.delenv(name)


def given(monkeypatch, **settings):
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    return read_settings()


class TestSandbox:
    def test_needs_no_setting_at_all(self):
        settings = read_settings()
        settings.require_complete()
        assert (settings.is_sandbox, settings.shows_graphiql) == (True, True)
        assert settings.database == "sqlite+aiosqlite:///.demo/flex-billing.db"

    def test_the_database_lies_in_the_data_folder_unless_told(self, monkeypatch):
        assert given(monkeypatch, FLEX_DATA="/srv/flex").database == "sqlite+aiosqlite:////srv/flex/flex-billing.db"
        assert given(monkeypatch, FLEX_DATABASE_URL="sqlite:///other.db").database == "sqlite:///other.db"

    def test_an_empty_setting_is_an_unset_one(self, monkeypatch):
        assert given(monkeypatch, FLEX_ENV="", FLEX_DATABASE_URL="").is_sandbox


class TestWhatIsUnsafe:
    @pytest.mark.parametrize(
        ("setting", "value"),
        [
            ("FLEX_PUBLIC_URL", "http://billing.example"),
            ("FLEX_PORTAL_URL", "http://portal.example"),
            ("FLEX_CORS_ORIGINS", "https://portal.example, http://portal.example"),
        ],
    )
    def test_production_is_reached_by_https_alone(self, monkeypatch, setting, value):
        with pytest.raises(SettingsUnusable, match=rf"{setting} .*https://"):
            given(monkeypatch, **{**PRODUCTION, setting: value}).require_complete()

    @pytest.mark.parametrize(
        ("setting", "value", "why"),
        [
            ("FLEX_CORS_ORIGINS", "null", "any local file"),
            ("FLEX_SIGNING_SECRET", "abc" * 20, "can be guessed"),
            ("FLEX_SIGNING_SECRET", "0123456789ab" * 3, "can be guessed"),
            ("FLEX_RATE_LIMITS_URL", "postgres://there", "memory://"),
        ],
    )
    def test_what_guards_nothing_is_refused(self, monkeypatch, setting, value, why):
        with pytest.raises(SettingsUnusable, match=why):
            given(monkeypatch, **{**PRODUCTION, setting: value})

    def test_rate_limits_can_be_off(self, monkeypatch):
        assert given(monkeypatch, FLEX_RATE_LIMITS_URL="off").rate_limits_url == "off"

    def test_calls_go_to_the_united_states_and_canada_unless_told(self, monkeypatch):
        assert read_settings().phone_regions == ("US", "CA")
        assert given(monkeypatch, FLEX_PHONE_REGIONS="GB, IE").phone_regions == ("GB", "IE")
        for wrong in ("us", "USA", ","):
            with pytest.raises(SettingsUnusable, match="FLEX_PHONE_REGIONS: name countries by"):
                given(monkeypatch, FLEX_PHONE_REGIONS=wrong)


class TestProduction:
    def test_starts_when_everything_is_said(self, monkeypatch):
        settings = given(monkeypatch, **PRODUCTION)
        settings.require_complete()
        assert settings.allowed_hosts == ("billing.example", "billing.internal")
        assert not settings.shows_graphiql

    def test_names_everything_that_is_missing_at_once(self, monkeypatch):
        with pytest.raises(SettingsUnusable) as refused:
            given(monkeypatch, FLEX_ENV="production").require_complete()
        assert [problem.partition(" is missing")[0] for problem in refused.value.problems] == [
            "FLEX_DATABASE_URL or FLEX_DATA",
            "FLEX_JWKS_URL or FLEX_JWKS",
            "FLEX_TOKEN_ISSUER",
            "FLEX_TOKEN_AUDIENCE",
            "FLEX_PUBLIC_URL",
            "FLEX_SIGNING_SECRET",
            "FLEX_PORTAL_URL",
            "FLEX_SMTP_URL",
            "FLEX_ALLOWED_HOSTS",
            "FLEX_BRAINTREE_ENVIRONMENT",
            "FLEX_BRAINTREE_MERCHANT_ID",
            "FLEX_BRAINTREE_PUBLIC_KEY",
            "FLEX_BRAINTREE_PRIVATE_KEY",
        ]

    @pytest.mark.parametrize("name", sorted(PRODUCTION.keys() - {"FLEX_ENV"}))
    def test_refuses_to_start_without_any_one_of_them(self, monkeypatch, name):
        with pytest.raises(SettingsUnusable, match=name):
            given(monkeypatch, **{key: value for key, value in PRODUCTION.items() if key != name}).require_complete()

    def test_calls_are_signed(self, monkeypatch):
        calls = {"FLEX_CALLS_WEBHOOK_URL": "https://calls.example"}
        with pytest.raises(SettingsUnusable, match="FLEX_CALLS_WEBHOOK_SECRET is missing"):
            given(monkeypatch, **PRODUCTION, **calls).require_complete()
        given(monkeypatch, **PRODUCTION, **calls, FLEX_CALLS_WEBHOOK_SECRET=SECRET).require_complete()


BRAINTREE = {name: value for name, value in PRODUCTION.items() if name.startswith("FLEX_BRAINTREE_")}


class TestBraintree:
    def test_is_a_gateway_of_this_machine_in_a_sandbox_that_was_told_nothing(self, monkeypatch):
        assert read_settings().has_own_gateway
        assert not given(monkeypatch, **PRODUCTION).has_own_gateway

    def test_is_its_own_sandbox_for_a_laptop_with_keys(self, monkeypatch):
        settings = given(monkeypatch, **{**BRAINTREE, "FLEX_BRAINTREE_ENVIRONMENT": "sandbox"})
        settings.require_complete()
        assert not settings.has_own_gateway

    def test_a_chosen_gateway_needs_to_know_who_we_are(self, monkeypatch):
        with pytest.raises(SettingsUnusable, match="FLEX_BRAINTREE_MERCHANT_ID is missing"):
            given(monkeypatch, FLEX_BRAINTREE_ENVIRONMENT="sandbox").require_complete()

    def test_a_sandbox_never_takes_real_money(self, monkeypatch):
        with pytest.raises(SettingsUnusable, match="nothing here may be real"):
            given(monkeypatch, **BRAINTREE).require_complete()


class TestBadValues:
    @pytest.mark.parametrize(
        ("name", "value", "sentence"),
        [
            ("FLEX_ENV", "staging", "FLEX_ENV: Input should be 'sandbox' or 'production'"),
            ("FLEX_CORS_ORIGINS", "https://*.example", "FLEX_CORS_ORIGINS: name each origin exactly"),
            ("FLEX_SIGNING_SECRET", "hunter2", "FLEX_SIGNING_SECRET: it needs 32 characters or more"),
            ("FLEX_PUBLIC_URL", "billing.example", "FLEX_PUBLIC_URL: it begins with https://"),
            ("FLEX_MAIL_FROM", "us", "FLEX_MAIL_FROM: it is a mail address"),
            ("FLEX_SES_TOPIC", "arn:aws:sqs:us-east-1:123456789012:bounces", "FLEX_SES_TOPIC: it is the ARN of an SNS"),
            ("FLEX_OPERATOR_MAIL", "a@b.example\nBcc: c@d.example", "FLEX_OPERATOR_MAIL: it is a mail address"),
            ("FLEX_CALLS_WEBHOOK_URL", "calls.example", "FLEX_CALLS_WEBHOOK_URL: it begins with https://"),
            ("FLEX_TICKER_SECONDS", "0", "FLEX_TICKER_SECONDS: Input should be greater than or equal to 0.05"),
        ],
    )
    def test_are_told_by_name_without_repeating_them(self, monkeypatch, name, value, sentence):
        with pytest.raises(SettingsUnusable) as refused:
            given(monkeypatch, **{name: value})
        assert sentence in str(refused.value)
        assert "hunter2" not in str(refused.value)


class TestTable:
    def test_shows_where_values_come_from_and_no_secret(self, monkeypatch):
        rows = {name: (value, origin) for name, value, origin, _ in given(monkeypatch, **PRODUCTION).table()}
        assert rows["FLEX_SIGNING_SECRET"] == rows["FLEX_DATABASE_URL"] == ("(set, not shown)", "environment")
        assert rows["FLEX_TOKEN_ISSUER"] == ("https://id.example", "environment")
        assert rows["FLEX_CORS_ORIGINS"] == ("(none)", "default")
        assert SECRET not in str(rows)
        assert "hunter2" not in str(rows)

    def test_describes_every_setting(self):
        assert [row for row in read_settings().table() if not row[3]] == []
