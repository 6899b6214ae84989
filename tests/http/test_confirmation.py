"""The link by which an address confirms: a look changes nothing, a button answers and can take it back (rule 41)."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from app.http.confirmation import confirmation_routes
from app.messages.render import Renderer
from tests.fakes.edge import client
from tests.graphql.test_alerts import add
from tests.services.post import Post
from tests.world import World

STATE = "{ paymentContacts { emailState } }"


@pytest.fixture
async def post(world: World) -> Post:
    await world.add_account(name='Booking.com "24/7" <b>')
    post = Post(world)
    links = post.delivery.confirmation_links
    world.application.router.routes.extend(confirmation_routes(world.services, links=links, renderer=Renderer()))
    return post


async def link_of(post: Post, **changes) -> str:
    """Add a contact, and return the path of the link in the one mail that it gets."""
    await add(post.world, **{"channels": ["EMAIL"], **changes})
    await post.deliver()
    (mail,) = [mail for mail in post.mailer.sent if mail.to_address == "Carla@example.com"]
    (url,) = [line for line in mail.text.splitlines() if line.startswith("https://flex.example/")]
    return urlsplit(url).path


async def ask(post: Post, path: str, method: str = "GET", **options):
    async with client(post.world.application) as http:
        return await http.request(method, path, **options)


async def state(post: Post) -> str:
    (contact,) = (await post.world.data(STATE))["paymentContacts"]
    return contact["emailState"]


class TestAnswering:
    async def test_a_look_changes_nothing_and_asks(self, post):
        path = await link_of(post)
        for method in ("GET", "HEAD"):
            answer = await ask(post, f"{path}?answer=confirm", method)
            assert answer.status_code == 200
        answer = await ask(post, path)
        assert answer.text.count("<button") == 2
        assert "Booking.com &#34;24/7&#34; &lt;b&gt; would like its billing messages to go to Carla@example.com" in (
            answer.text
        )
        assert "form-action 'self'" in answer.headers["content-security-policy"]
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert await state(post) == "UNCONFIRMED"

    async def test_a_button_confirms_and_the_same_page_takes_it_back(self, post):
        path = await link_of(post)
        for answer, expected in (("confirm", "CONFIRMED"), ("decline", "DECLINED"), ("confirm", "CONFIRMED")):
            for _ in range(2):
                page = await ask(post, f"{path}?answer={answer}", "POST")
                assert (page.status_code, page.text.count("<button")) == (200, 1)
            assert await state(post) == expected
        kinds = [event.kind for event in await post.world.trail()]
        assert kinds[-3:] == ["contact.confirmed", "contact.declined", "contact.confirmed"]
        activity = (await post.world.data("{ activity(first: 1) { nodes { who what } } }"))["activity"]["nodes"]
        assert activity == [
            {
                "who": "The payment contact",
                "what": "Confirmed that billing messages may go to Carla@example.com.",
            }
        ]

    @pytest.mark.parametrize("query", ["", "?answer=", "?answer=yes"])
    async def test_a_post_without_an_answer_changes_nothing(self, post, query):
        path = await link_of(post)
        assert (await ask(post, path + query, "POST")).status_code == 200
        assert await state(post) == "UNCONFIRMED"

    async def test_it_is_good_for_seven_days(self, post):
        path = await link_of(post)
        post.world.clock.instant += timedelta(days=7, seconds=-1)
        assert (await ask(post, path)).status_code == 200
        post.world.clock.instant += timedelta(seconds=1)
        for method in ("GET", "POST"):
            answer = await ask(post, f"{path}?answer=confirm", method)
            assert (answer.status_code, "has expired" in answer.text, "<button" in answer.text) == (410, True, False)
        assert await state(post) == "UNCONFIRMED"


class TestForgery:
    @pytest.mark.parametrize("method", ["GET", "POST"])
    async def test_a_link_that_is_not_ours_does_nothing(self, post, method):
        path = await link_of(post)
        token = path.removeprefix("/contacts/confirm/")
        content, _, signature = token.rpartition(".")
        foreign = post.delivery.links._serializer.dumps(["acc", "Carla@example.com", 9_999_999_999])
        for forged in (f"{content}.", f"{content}.{signature[:-2]}AA", "x", "é" * 9, "A" * 4_000, content, foreign):
            answer = await ask(post, f"/contacts/confirm/{forged}?answer=confirm", method)
            assert (answer.status_code, "<button" in answer.text) == (404, False)
        assert await state(post) == "UNCONFIRMED"
