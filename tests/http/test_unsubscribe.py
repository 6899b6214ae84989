"""The link in a mail: a look changes nothing, a POST switches the alert off, and only our own links do (RFC 8058)."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from app.domain.accounts import AccountStatus
from app.domain.alerts import AlertKind
from app.http.unsubscribe import unsubscribe_routes
from app.messages.render import Renderer
from app.repositories import unit_of_work
from app.repositories.unit_of_work import UnitOfWork
from tests.fakes.edge import client
from tests.services.post import Post
from tests.world import ACCOUNT, World


@pytest.fixture
async def post(world: World) -> Post:
    await world.add_account()
    post = Post(world)
    links = post.delivery.links
    world.application.router.routes.extend(unsubscribe_routes(world.services, links=links, renderer=Renderer()))
    return post


async def link_of(post: Post, kind: AlertKind, address: str = "admin@example.com") -> str | None:
    await post.announce(kind, subject=f"for {address}")
    await post.deliver()
    mail = next(mail for mail in reversed(post.mailer.sent) if mail.to_address == address)
    return mail.unsubscribe_url and urlsplit(mail.unsubscribe_url).path


async def ask(post: Post, path: str, method: str = "GET", **options):
    async with client(post.world.application) as http:
        return await http.request(method, path, **options)


class TestAdmin:
    async def test_a_look_changes_nothing_and_asks(self, post):
        path = await link_of(post, AlertKind.INVOICE_READY)
        answer = await ask(post, path)
        assert (answer.status_code, "Invoice ready" in answer.text, "<button" in answer.text) == (200, True, True)
        assert "form-action 'self'" in answer.headers["content-security-policy"]
        await ask(post, path, "HEAD")
        assert await post.announce(AlertKind.INVOICE_READY, subject="next") == 1

    async def test_one_click_switches_it_off_for_this_admin_alone_and_twice_is_once(self, post):
        path = await link_of(post, AlertKind.INVOICE_READY)
        for _ in range(2):
            answer = await ask(post, path, "POST", content=b"List-Unsubscribe=One-Click")
            assert (answer.status_code, "Done" in answer.text) == (200, True)
        assert await post.announce(AlertKind.INVOICE_READY, subject="next") == 0
        assert [event.kind for event in await post.world.trail()].count("alerts.switched") == 1
        assert await post.announce(AlertKind.PAYMENT_FAILED) == 1

    async def test_what_cannot_be_switched_off_has_no_link(self, post):
        assert await link_of(post, AlertKind.PAYMENT_METHOD_CHANGED) is None

    async def test_who_is_no_admin_any_more_is_answered_all_the_same(self, post):
        path = await link_of(post, AlertKind.INVOICE_READY)
        from datetime import date

        from app.services.usage.put_account import AccountParticulars, put_account

        nobody = AccountParticulars("AA0101", "Harbor Dental", "100", None, date(2026, 7, 1), ())
        await put_account(post.world.services, particulars=nobody, actor="key:flex")
        assert (await ask(post, path, "POST")).status_code == 200


class TestContact:
    async def test_a_contact_loses_the_kind(self, post):
        await post.add_contact()
        path = await link_of(post, AlertKind.INVOICE_READY, "carla@example.com")
        await ask(post, path, "POST")
        await post.clear()
        await post.announce(AlertKind.INVOICE_READY, subject="next")
        assert await post.told() == [("INVOICE_READY", "admin@example.com")]

    @pytest.mark.parametrize("kind", [AlertKind.PAYMENT_FAILED, AlertKind.SUSPENDED])
    async def test_a_duty_has_no_link(self, post, kind):
        await post.add_contact()
        await suspend(post)
        assert await link_of(post, kind, "carla@example.com") is None


async def suspend(post: Post) -> None:
    """Suspend the account: of what is not so, nobody is told."""

    async def work(uow: UnitOfWork) -> None:
        account = await uow.accounts.get_by_external_id(ACCOUNT)
        await uow.accounts.set_status(account.id, AccountStatus.SUSPENDED)

    await unit_of_work.write(post.world.database, work)


class TestForgery:
    @pytest.mark.parametrize("method", ["GET", "POST"])
    async def test_a_link_that_is_not_ours_does_nothing(self, post, method):
        path = await link_of(post, AlertKind.INVOICE_READY)
        content, _, signature = path.removeprefix("/unsubscribe/").rpartition(".")
        for token in (
            f"{content}.",
            f"{content}.{signature[:-2]}AA",
            f".{signature}",
            "x",
            "é" * 9,
            "A" * 4000,
            content,
        ):
            answer = await ask(post, f"/unsubscribe/{token}", method)
            assert (answer.status_code, "<button" in answer.text) == (404, False)
        assert await post.announce(AlertKind.INVOICE_READY, subject="next") == 1
