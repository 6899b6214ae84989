"""Bearer tokens: what is accepted, and everything that is not, with keys that are given or fetched."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
import time
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from app.gateways.identity import TOKEN_TYPE, JwtVerifier, TokenRules
from app.gateways.signing_keys import FetchedKeys, FixedKeys, KeysUnusable, fetch_document, read_keys
from app.ports import Claims, InvalidToken
from app.sandbox.tokens import KEY_FILE, SANDBOX_RULES, SandboxTokens

KEY = ECKey.generate_key("P-256", {"kid": "first"})
OTHER = ECKey.generate_key("P-256", {"kid": "first"})
NEXT = ECKey.generate_key("P-256", {"kid": "next"})
RULES = TokenRules(issuer="https://id.test", audience="flex-billing")
NOW = 1_788_000_000


def jwks(*keys: ECKey) -> str:
    return json.dumps({"keys": [key.as_dict(private=False) for key in keys]})


def a_token(key=KEY, *, header: dict | None = None, without: str = "", **changes: object) -> str:
    claims = {
        "iss": RULES.issuer,
        "aud": RULES.audience,
        "sub": "user-1",
        "account": "AA0101",
        "iat": NOW,
        "exp": NOW + 3_600,
        **changes,
    }
    claims.pop(without, None)
    head = {"alg": "ES256", "typ": TOKEN_TYPE, "kid": "first", **(header or {})}
    head = {name: value for name, value in head.items() if value is not None}
    return jwt.encode(head, claims, key, algorithms=[head["alg"]], default_type=None)


def a_verifier(keys: object = None, now: float = NOW) -> JwtVerifier:
    return JwtVerifier(keys or FixedKeys(jwks(KEY)), RULES, real_time=lambda: now)


async def reason_of(token: str, verifier: JwtVerifier | None = None) -> str:
    with pytest.raises(InvalidToken, match="missing, expired or not ours") as caught:
        await (verifier or a_verifier()).verify(token)
    return caught.value.reason


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


class TestVerifier:
    async def test_a_good_token_gives_user_and_account(self):
        assert await a_verifier().verify(a_token()) == Claims(subject="user-1", account="AA0101")
        assert await a_verifier().verify(a_token(aud=["flex-billing"])) == Claims(subject="user-1", account="AA0101")

    @pytest.mark.parametrize("claim", ["iss", "aud", "sub", "account", "iat", "exp"])
    async def test_every_claim_is_required(self, claim):
        assert await reason_of(a_token(without=claim)) == "MissingClaimError"

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"iss": "https://id.test.evil.test"}, "InvalidClaimError"),
            ({"aud": "another"}, "InvalidClaimError"),
            ({"aud": ["flex-billing", "a-stranger"]}, "meant for others too"),
            ({"sub": 7}, "InvalidClaimError"),
            ({"sub": ""}, "InvalidClaimError"),
            ({"account": ["AA0101"]}, "no subject or account"),
            ({"account": ""}, "InvalidClaimError"),
            ({"account": "A" * 201}, "no subject or account"),
            ({"account": "AA\x000101"}, "no subject or account"),
            ({"exp": NOW - 31}, "ExpiredTokenError"),
            ({"exp": str(NOW + 60)}, "InvalidClaimError"),
            ({"exp": float("nan")}, "InvalidClaimError"),
            ({"exp": NOW + 3_601}, "lives too long"),
            ({"exp": NOW + 100 * 365 * 86_400}, "lives too long"),
            ({"iat": NOW + 31, "exp": NOW + 60}, "InvalidClaimError"),
            ({"iat": True}, "InvalidClaimError"),
            ({"nbf": NOW + 31}, "InvalidClaimError"),
        ],
    )
    async def test_claims_that_are_wrong_are_refused(self, changes, reason):
        assert await reason_of(a_token(**changes)) == reason

    async def test_clocks_may_differ_by_thirty_seconds(self):
        await a_verifier(now=NOW + 3_629).verify(a_token())
        await a_verifier(now=NOW - 30).verify(a_token())
        await reason_of(a_token(), a_verifier(now=NOW + 3_630))
        await reason_of(a_token(), a_verifier(now=NOW - 31))

    @pytest.mark.parametrize(
        ("header", "reason"),
        [
            ({"kid": None}, "no key id"),
            ({"kid": ""}, "no key id"),
            ({"kid": "unknown"}, "unknown key id"),
            ({"typ": None}, "wrong type"),
            ({"typ": "JWT"}, "wrong type"),
        ],
    )
    async def test_the_header_names_a_key_of_ours_and_the_kind_of_token(self, header, reason):
        assert await reason_of(a_token(header=header)) == reason

    async def test_another_key_under_the_same_id_does_not_sign(self):
        assert await reason_of(a_token(OTHER)) == "BadSignatureError"

    async def test_no_other_algorithm_is_taken(self):
        claims = a_token().split(".")[1]
        unsigned = f"{part({'alg': 'none', 'typ': TOKEN_TYPE, 'kid': 'first'})}.{claims}."
        assert await reason_of(unsigned) != ""
        secret = OctKey.import_key(jwks(KEY))
        assert await reason_of(a_token(secret, header={"alg": "HS256"})) != ""
        assert await reason_of(a_token(RSAKey.generate_key(2048), header={"alg": "RS256"})) != ""

    async def test_a_critical_header_that_nobody_knows_is_refused(self):
        head, claims, signature = a_token().split(".")
        decoded = json.loads(base64.urlsafe_b64decode(head + "=="))
        forged = part({**decoded, "crit": ["x"], "x": 1})
        assert await reason_of(f"{forged}.{claims}.{signature}") != ""

    async def test_a_changed_claim_breaks_the_signature(self):
        head, _, signature = a_token().split(".")
        claims = part({"iss": RULES.issuer, "aud": RULES.audience, "sub": "root", "account": "AA0101"})
        assert await reason_of(f"{head}.{claims}.{signature}") == "BadSignatureError"

    @pytest.mark.parametrize(
        "token", ["", ".", "..", "a.b", "a.b.c", "a.b.c.d", "e30.e30.", "W10.W10.W10", "bnVsbA.a.b"]
    )
    async def test_what_is_no_token_is_refused(self, token):
        await reason_of(token)

    @given(st.text(max_size=60) | st.builds("{}.{}.{}".format, *[st.text("eyJhW10-_=", max_size=20)] * 3))
    def test_no_text_makes_it_fail_in_another_way(self, text):
        with pytest.raises(InvalidToken):
            asyncio.run(a_verifier().verify(text))

    @given(
        st.dictionaries(
            st.sampled_from(["alg", "kid", "typ", "crit", "b64"]),
            st.none() | st.booleans() | st.text() | st.lists(st.text()),
        )
    )
    def test_no_header_makes_it_fail_in_another_way(self, header):
        with pytest.raises(InvalidToken):
            asyncio.run(a_verifier().verify(f"{part(header)}.{part({})}.AAAA"))


class TestRememberedTokens:
    async def test_a_remembered_token_still_expires(self):
        moment = [float(NOW)]
        verifier = JwtVerifier(FixedKeys(jwks(KEY)), RULES, real_time=lambda: moment[0])
        token = a_token()
        await verifier.verify(token)
        moment[0] = NOW + 3_629
        await verifier.verify(token)
        moment[0] = NOW + 3_630
        assert await reason_of(token, verifier) == "expired"

    async def test_a_remembered_token_dies_with_its_key(self):
        provider = Provider(jwks(KEY))
        verifier = a_verifier(provider.keys())
        token = a_token()
        await verifier.verify(token)
        provider.document = jwks(NEXT)
        provider.moment = 300.0
        assert await reason_of(token, verifier) == "unknown key id"


class Provider:
    """An identity provider's key address, with a clock."""

    def __init__(self, document: str | None) -> None:
        self.document = document
        self.moment = 0.0
        self.fetched = 0

    def keys(self) -> FetchedKeys:
        return FetchedKeys("https://id.test/keys", fetch=self.fetch, now=lambda: self.moment)

    def fetch(self, _url: str) -> bytes:
        self.fetched += 1
        if self.document is None:
            raise OSError("down")
        return self.document.encode()


class TestFetchedKeys:
    async def test_they_are_kept_for_five_minutes(self):
        provider = Provider(jwks(KEY))
        verifier = a_verifier(provider.keys())
        for moment, fetched in [(0, 1), (299, 1), (300, 2), (301, 2)]:
            provider.moment = float(moment)
            await verifier.verify(a_token())
            assert provider.fetched == fetched

    async def test_an_unknown_id_is_looked_up_once_a_minute(self):
        provider = Provider(jwks(KEY))
        verifier = a_verifier(provider.keys())
        await verifier.verify(a_token())
        provider.document = jwks(KEY, NEXT)
        token = a_token(NEXT, header={"kid": "next"})
        provider.moment = 59.0
        assert await reason_of(token, verifier) == "unknown key id"
        assert provider.fetched == 1
        provider.moment = 60.0
        await verifier.verify(token)
        for number in range(20):
            await reason_of(a_token(header={"kid": f"forged-{number}"}), verifier)
        assert provider.fetched == 2

    async def test_old_keys_serve_for_a_day_while_the_provider_is_down(self):
        provider = Provider(jwks(KEY))
        verifier = a_verifier(provider.keys())
        await verifier.verify(a_token())
        for document in (None, "not JSON", '{"keys": []}'):
            provider.document = document
            provider.moment += 400.0
            await verifier.verify(a_token())
        provider.moment = 86_400.0
        assert await reason_of(a_token(), verifier) == "unknown key id"

    async def test_many_at_once_fetch_once(self):
        provider = Provider(jwks(KEY))
        verifier = a_verifier(provider.keys())
        await asyncio.gather(*(verifier.verify(a_token()) for _ in range(20)))
        assert provider.fetched == 1

    @pytest.mark.parametrize("url", ["http://id.test/keys", "file:///etc/passwd", "ftp://id.test/keys", "keys.json"])
    def test_an_address_that_others_can_answer_for_is_refused(self, url):
        with pytest.raises(KeysUnusable, match="must begin with https"):
            FetchedKeys(url)


class TestFetching:
    @pytest.fixture
    def server(self):
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                if self.path == "/moved":
                    self.send_response(302)
                    self.send_header("location", "/keys")
                    self.end_headers()
                    return
                self.send_response(200)
                self.end_headers()
                self.wfile.write(jwks(KEY).encode() if self.path == "/keys" else b" " * 300_000)

            def log_message(self, *_args):
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
        server.server_close()

    async def test_keys_come_from_an_address(self, server):
        assert await a_verifier(FetchedKeys(f"{server}/keys")).verify(a_token()) == Claims("user-1", "AA0101")

    @pytest.mark.parametrize("path", ["moved", "large"])
    def test_a_redirect_or_a_flood_is_an_error(self, server, path):
        with pytest.raises(OSError, match=r"302|too large"):
            fetch_document(f"{server}/{path}")


class TestKeyDocuments:
    @pytest.mark.parametrize(
        "document", ["", "null", "[]", "{}", '{"keys": 1}', '{"keys": [1]}', '{"keys": [{"kty": "EC"}]}']
    )
    def test_a_document_without_a_key_for_us_is_refused(self, document):
        with pytest.raises(KeysUnusable, match="Give a JWKS document"):
            read_keys(document)

    def test_keys_of_other_kinds_are_passed_over(self):
        rsa = {**RSAKey.generate_key(2048).as_dict(private=False), "kid": "rsa"}
        curve = ECKey.generate_key("P-384", {"kid": "curve"}).as_dict(private=False)
        purpose = {**NEXT.as_dict(private=False), "use": "enc"}
        nameless = {**OTHER.as_dict(private=False)}
        del nameless["kid"]
        ours = {**KEY.as_dict(private=False), "use": "sig", "alg": "ES256"}
        assert list(read_keys(json.dumps({"keys": [rsa, curve, purpose, nameless, ours]}))) == ["first"]


class TestSandboxTokens:
    async def test_its_tokens_are_good_for_thirty_days(self, tmp_path):
        tokens = SandboxTokens.open(tmp_path)
        token = tokens.sign(subject="user-1", account="AA0101")
        later = time.time() + timedelta(days=30).total_seconds()
        for moment, is_good in [(time.time(), True), (later - 60, True), (later + 60, False)]:
            verifier = JwtVerifier(FixedKeys(tokens.public_keys()), SANDBOX_RULES, real_time=lambda at=moment: at)
            if is_good:
                assert await verifier.verify(token) == Claims("user-1", "AA0101")
            else:
                assert await reason_of(token, verifier) == "ExpiredTokenError"

    async def test_the_key_stays_and_is_for_its_owner_alone(self, tmp_path):
        first, second = SandboxTokens.open(tmp_path / "new"), SandboxTokens.open(tmp_path / "new")
        assert first.public_keys() == second.public_keys()
        assert '"d"' not in first.public_keys()
        assert (tmp_path / "new" / KEY_FILE).stat().st_mode & 0o777 == 0o600
        assert [path.name for path in (tmp_path / "new").iterdir()] == [KEY_FILE]

    async def test_production_does_not_take_them(self, tmp_path):
        tokens = SandboxTokens.open(tmp_path)
        verifier = JwtVerifier(FixedKeys(tokens.public_keys()), RULES)
        await reason_of(tokens.sign(subject="user-1", account="AA0101"), verifier)
