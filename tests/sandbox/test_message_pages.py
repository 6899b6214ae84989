"""The sandbox catches mails and calls in files, and shows them and a gallery of every kind."""

from __future__ import annotations

import re

import pytest

from app.domain.alerts import AlertKind
from app.domain.contacts import Channel
from app.messages.compose import Composer
from app.messages.render import Renderer
from app.sandbox.catcher import CallCatcher, MailCatcher
from app.sandbox.message_pages import GALLERY, LIST, message_pages
from app.sandbox.sample_messages import SAMPLES
from tests.fakes.edge import client
from tests.services.post import Post
from tests.world import World, pacific


@pytest.fixture
async def post(world: World, tmp_path) -> Post:
    await world.add_account()
    world.clock.instant = pacific(2026, 7, 2, 9)
    post = Post(world)
    post.mailer = MailCatcher(tmp_path, sender="notifications@sasdesk.com", sender_name="Answering Service")
    post.caller = CallCatcher(tmp_path)
    composer = Composer("https://portal.example")
    pages = message_pages(folder=tmp_path, composer=composer, renderer=Renderer())
    world.application.router.routes.extend(pages)
    return post


async def ask(post: Post, path: str):
    async with client(post.world.application) as http:
        return await http.get(path)


class TestCaught:
    async def test_nothing_yet(self, post):
        assert "Nothing was sent yet." in (await ask(post, LIST)).text

    async def test_mails_and_calls_are_listed_and_can_be_read(self, post):
        await post.add_contact(channels=frozenset({Channel.PHONE_CALL}))
        await post.announce(AlertKind.PAYMENT_FAILED)
        await post.deliver()
        page = (await ask(post, LIST)).text
        assert "Invoice 100001 could not be paid" in page
        assert "Carla Coe, +12025550143" in page
        addresses = [address.replace("&amp;", "&") for address in re.findall(r'href="([^"]+)"', page)]
        answers = {address: await ask(post, address) for address in addresses}
        assert {answer.status_code for answer in answers.values()} == {200}
        mail = next(answer for address, answer in answers.items() if address.endswith(".eml"))
        assert "<strong" in mail.text
        assert "script-src" not in mail.headers["content-security-policy"]
        text = next(answer for address, answer in answers.items() if address.endswith("part=text"))
        assert "Invoice: 100001\nAmount: $237.50" in text.text
        source = next(answer for address, answer in answers.items() if address.endswith("part=source"))
        assert "From: Answering Service <notifications@sasdesk.com>" in source.text
        call = next(answer for address, answer in answers.items() if address.endswith(".json"))
        assert call.json()["number"] == "+12025550143"

    @pytest.mark.parametrize("name", ["nobody.eml", "ntf_1.eml", "..%2F..%2Fetc%2Fpasswd", "ntf_1.db"])
    async def test_nothing_else_is_read(self, post, name):
        assert (await ask(post, f"{LIST}/{name}")).status_code == 404


class TestGallery:
    async def test_every_kind_is_there_in_every_form(self, post):
        page = (await ask(post, GALLERY)).text
        other_page, *addresses = re.findall(r'href="([^"]+)"', page)
        assert other_page == LIST
        assert len(addresses) == 4 * len(SAMPLES)
        for address in addresses:
            assert (await ask(post, address)).status_code == 200

    async def test_an_unknown_kind_or_form_is_not_found(self, post):
        for path in ("NOTHING/html", "SUSPENDED/pdf"):
            assert (await ask(post, f"{GALLERY}/{path}")).status_code == 404
