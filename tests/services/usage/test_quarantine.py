"""What could not be used: released to another try, or discarded, once and with a reason."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from app.domain.metering import Outcome
from app.domain.usage import RefusalReason
from app.repositories import unit_of_work
from app.repositories.calls import QuarantinedCall
from app.services.usage.call_items import Unreadable
from app.services.usage.import_calls import read_mended, read_payload
from app.services.usage.quarantine import NotInQuarantine, Released, discard, release
from app.services.usage.record_calls import Item, record_calls
from tests.factories.calls import a_call
from tests.services.books import days, differences, dump, rows
from tests.world import World, pacific

NEW_ACCOUNT_CALL = '{"eventId":"1","account":"AA0102","startedAt":"2026-07-13T09:00:00-07:00","scriptSeconds":90}'


async def send(world: World, payload: str) -> str:
    """A call whose source could not be understood at once; returns its id in quarantine."""
    item = Item(1, read_payload("east", payload), payload)
    await record_calls(world.services, source="east", items=[item], actor="key:east")
    return (await waiting(world))[-1]


async def waiting(world: World) -> list[str]:
    return [call.id for call in await unit_of_work.read(world.database, lambda uow: uow.quarantine.list_open(100))]


async def let_go(world: World, quarantined_id: str) -> Released:
    return await release(
        world.services, quarantined_id=quarantined_id, parse=read_payload, actor="staff:ann", reason="Account is there."
    )


async def throw_away(world: World, quarantined_id: str) -> QuarantinedCall:
    return await discard(world.services, quarantined_id=quarantined_id, actor="staff:ann", reason="A test call.")


def resolutions(world: World) -> list[tuple[str | None, ...]]:
    return rows(world.database, "SELECT resolution, resolved_by, resolution_note FROM quarantined_call ORDER BY id")


@pytest.fixture
async def july(world: World) -> World:
    await world.add_account()
    await world.advance_to(pacific(2026, 7, 14, 12))
    return world


class TestReleasing:
    async def test_a_call_whose_account_has_come_is_recorded(self, july):
        quarantined = await send(july, NEW_ACCOUNT_CALL)
        await july.add_account("AA0102")

        released = await let_go(july, quarantined)

        assert (released.is_released, released.metered.outcome, released.message) == (
            True,
            Outcome.ACCEPTED,
            "",
        )
        assert days(july.database) == {date(2026, 7, 13): (90, 0, 0, 1, 0)}
        assert resolutions(july) == [("RELEASED", "staff:ann", "Account is there.")]
        kinds = [kind for (kind,) in rows(july.database, "SELECT kind FROM event ORDER BY id")]
        assert kinds[-2:] == ["usage.recorded", "quarantine.released"]
        assert await waiting(july) == []
        assert await differences(july.database) == []

    async def test_a_call_that_came_again_in_the_meantime_is_not_counted_twice(self, july):
        quarantined = await send(july, NEW_ACCOUNT_CALL)
        await july.add_account("AA0102")
        await record_calls(
            july.services, source="east", items=[Item(1, read_payload("east", NEW_ACCOUNT_CALL))], actor="key:east"
        )

        released = await let_go(july, quarantined)

        assert (released.is_released, released.metered.outcome) == (True, Outcome.DUPLICATE)
        assert days(july.database) == {date(2026, 7, 13): (90, 0, 0, 1, 0)}

    async def test_a_call_that_fails_again_stays_and_nothing_is_written(self, july):
        quarantined = await send(july, NEW_ACCOUNT_CALL)
        before = dump(july.database)

        released = await let_go(july, quarantined)

        assert not released.is_released
        assert released.message == "No account has this id. Create the account, then release the call."
        assert dump(july.database) == before

    async def test_rule_25_a_call_that_waited_too_long_is_too_old(self, july):
        quarantined = await send(july, NEW_ACCOUNT_CALL)
        await july.add_account("AA0102")
        await july.advance_to(pacific(2026, 7, 13, 9) + timedelta(days=60))

        released = await let_go(july, quarantined)

        assert (released.is_released, released.metered.reason) == (False, RefusalReason.TOO_OLD)
        assert await waiting(july) == [quarantined]

    async def test_what_cannot_be_read_stays(self, july):
        quarantined = await send(july, "AA0101\tnonsense")

        assert (await let_go(july, quarantined)).message == "The record cannot be read."


ROW = "AA0101 33118 27997683 2 PS 260713 6:55:20 6:55:26 6 6:55:26 6:55:43 17 {} 6:55:43 6:56:37 54 GRETA".replace(
    " ", "\t"
)


class TestMending:
    @pytest.mark.parametrize("mended", [ROW.format("AGENT"), ROW.format("AGENT").replace("\t", r"\t")])
    async def test_a_row_of_a_file_is_recorded_as_a_person_has_mended_it(self, july, mended):
        quarantined = await send(july, ROW.format("agent"))

        released = await mend(july, quarantined, mended)

        assert (released.is_released, released.message) == (True, "")
        assert rows(july.database, "SELECT source, event_id, disposition, live_seconds FROM call") == [
            ("east", "AA0101/33118/260713", "AGENT", 54)
        ]
        assert resolutions(july) == [("RELEASED", "staff:ann", "The outcome was in small letters.")]
        assert rows(july.database, "SELECT payload FROM quarantined_call") == [(ROW.format("agent"),)]
        assert await differences(july.database) == []

    async def test_an_item_of_another_system_is_mended_alike(self, july):
        quarantined = await send(july, '{"eventId":"1"}')
        assert (await mend(july, quarantined, NEW_ACCOUNT_CALL.replace("AA0102", "AA0101"))).is_released

    @pytest.mark.parametrize(
        ("mended", "message"),
        [
            (ROW.format("Agent"), "outcome 'Agent' is not an outcome; known are AGENT, HANG, PHANTOM."),
            ("AA0101", "The row has 1 fields instead of 17."),
            (" ", "The row is empty."),
            ('{"eventId":"1"}', "account: Field required."),
            (ROW.replace("AA0101", "AA0999").format("AGENT"), "No account has this id. Create the account, then"),
        ],
    )
    async def test_what_is_mended_and_still_cannot_be_used_leaves_everything_as_it_was(self, july, mended, message):
        quarantined = await send(july, ROW.format("agent"))
        before = dump(july.database)

        released = await mend(july, quarantined, mended)

        assert not released.is_released
        assert released.message.startswith(message)
        assert dump(july.database) == before


async def mend(world: World, quarantined_id: str, mended: str) -> Released:
    return await release(
        world.services,
        quarantined_id=quarantined_id,
        parse=read_mended,
        actor="staff:ann",
        reason="The outcome was in small letters.",
        mended=mended,
    )


class TestDiscarding:
    async def test_a_call_is_kept_with_the_reason(self, july):
        quarantined = await send(july, NEW_ACCOUNT_CALL)

        call = await throw_away(july, quarantined)

        assert (call.id, call.payload) == (quarantined, NEW_ACCOUNT_CALL)
        assert resolutions(july) == [("DISCARDED", "staff:ann", "A test call.")]
        assert rows(july.database, "SELECT kind, data FROM event ORDER BY id")[-1] == (
            "quarantine.discarded",
            '{"reason":"A test call."}',
        )

    async def test_a_discarded_call_that_comes_again_does_not_wait_again(self, july):
        await discard(
            july.services, quarantined_id=await send(july, NEW_ACCOUNT_CALL), actor="staff:ann", reason="A test call."
        )
        before = dump(july.database)
        item = Item(1, a_call(account="AA0102", source="east"), NEW_ACCOUNT_CALL)

        await record_calls(july.services, source="east", items=[item], actor="key:east")

        assert dump(july.database) == before


class TestOnce:
    @pytest.mark.parametrize("settle", [let_go, throw_away])
    async def test_what_is_settled_or_was_never_there_is_refused_and_nothing_is_written(self, july, settle):
        quarantined = await send(july, NEW_ACCOUNT_CALL)
        await throw_away(july, quarantined)
        before = dump(july.database)

        for unknown in (quarantined, "qua_never"):
            with pytest.raises(NotInQuarantine, match=f"Nothing waits in quarantine as '{unknown}'"):
                await settle(july, unknown)

        assert dump(july.database) == before

    async def test_an_unreadable_item_is_kept_once_for_each_source_and_text(self, july):
        for source in ("east", "west", "east"):
            items = [Item(at, Unreadable("No call."), "nonsense") for at in range(2)]
            await record_calls(july.services, source=source, items=items, actor="test")

        assert len(await waiting(july)) == 2
