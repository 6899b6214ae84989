"""The operator's system tells the outcome of the phone calls that it was handed (rules 39, 41)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.confirmations import answer_of
from app.domain.contacts import Channel
from app.domain.events.messages import CallOutcomeReported
from app.repositories import unit_of_work
from app.services.notifications.confirmations import Answer, apply_answer

if TYPE_CHECKING:
    from app.domain.deliveries import CallOutcome
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.services import Services


class CallUnknown(LookupError):
    """No call of that id was handed over."""

    def __init__(self, call_id: str) -> None:
        super().__init__(f"No call {call_id!r} was handed over. Check the id of the task.")
        self.call_id = call_id


async def report_call(
    services: Services, *, call_id: str, outcome: CallOutcome, note: str, actor: str, attempts: int | None = None
) -> None:
    """Store the outcome of a call; one whose fate was unknown is settled by it, and of several the last counts.

    The outcome of the first call to a number is its answer: answered confirms it, declined or a wrong number does not.
    `attempts` is how often the operators called, where they say.
    :raises CallUnknown: when no call of that id was handed over.
    """

    async def work(uow: UnitOfWork) -> None:
        now = services.clock.now()
        call = await uow.notifications.report_call(call_id, outcome, note=note, attempts=attempts, at=now)
        if call is None:
            raise CallUnknown(call_id)
        event, account_id = CallOutcomeReported(outcome=outcome, note=note), call.account_id or ""
        await uow.events.record(event, ids=services.ids, actor=actor, at=now, account_id=account_id, subject_id=call_id)
        agrees = answer_of(call.kind, outcome)
        if agrees is not None:
            answer = Answer(account_id, Channel.PHONE_CALL, call.address, agrees, actor)
            await apply_answer(uow, services.ids, answer, now)

    await unit_of_work.write(services.database, work)
