"""A contact whose domain is international hears of billing through a mail server that knows ASCII alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.domain.alerts import CONTACT_KINDS, AlertKind
from app.domain.contacts import Channel, ContactDetails, InvalidContact
from app.gateways.smtp import MailServer, SmtpMailer
from app.services.common.caller import Caller
from app.services.notifications.deliver_messages import deliver_messages
from app.services.notifications.payment_contacts import add_contact
from tests.fakes.mail_server import running_mail_server
from tests.services.post import Post
from tests.world import ACCOUNT, World

JORG = "jorg@m\u00fcller.de"
UMLAUT = "j\u00f6rg@m\u00fcller.de"


async def add(world: World, email: str, *, mails_utf8: bool = False) -> None:
    details = ContactDetails("Jorg", "", email, None, frozenset({Channel.EMAIL}), CONTACT_KINDS)
    services = replace(world.services, mails_utf8=mails_utf8)
    await add_contact(services, Caller(ACCOUNT, "user:ann"), details)


async def deliver(post: Post, email: str, *, speaks_utf8: bool) -> list[str]:
    """Ask the address, agree, tell that service is back, and return the addresses that a real server was given."""
    async with running_mail_server(speaks_utf8=speaks_utf8) as server:
        around = MailServer("127.0.0.1", server.port, needs_start_tls=False)
        mailer = SmtpMailer(around, sender="notifications@sasdesk.com", sender_name="Us", speaks_utf8=speaks_utf8)
        await deliver_messages(replace(post.delivery, mailer=mailer))
        await post.agree(email)
        await post.announce(AlertKind.REACTIVATED)
        await deliver_messages(replace(post.delivery, mailer=mailer))
    return server.envelopes


@pytest.fixture
async def post(world: World) -> Post:
    await world.add_account()
    return Post(world)


async def test_the_address_is_kept_as_it_was_typed_and_gets_its_mail(post):
    await add(post.world, JORG)
    assert await post.world.data("{ paymentContacts { email } }") == {"paymentContacts": [{"email": JORG}]}
    assert (await deliver(post, JORG, speaks_utf8=False)).count("jorg@xn--mller-kva.de") == 2
    assert {state for _, address, state in await post.rows("kind, address, state") if address == JORG} == {"SENT"}


async def test_other_letters_before_the_at_are_refused_where_no_server_would_take_them(post):
    with pytest.raises(InvalidContact, match="not an e-mail address") as refused:
        await add(post.world, UMLAUT)
    assert refused.value.field == "email"
    assert await post.world.data("{ paymentContacts { email } }") == {"paymentContacts": []}


async def test_they_get_their_mail_where_the_server_takes_them(post):
    await add(post.world, UMLAUT, mails_utf8=True)
    assert (await deliver(post, UMLAUT, speaks_utf8=True)).count("j\u00f6rg@xn--mller-kva.de") == 2
