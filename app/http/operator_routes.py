"""For the operators and the operator on call: the outcome of calls and mails, and figures that say if all is well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import structlog
from pydantic import BaseModel, ConfigDict, EmailStr, Field, StringConstraints
from pydantic.alias_generators import to_camel
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from app.domain.accounts import KeyPurpose
from app.domain.deliveries import CallOutcome, MailProblem, MailReport
from app.error_codes import ErrorCode
from app.http import answers
from app.http.answers import Refused
from app.http.application import guarded
from app.http.body import read_body
from app.http.json_body import decode_object, read_as
from app.http.service_key import BODY_SECONDS, Only, authenticated
from app.ports import NotificationForged, NotificationUnchecked
from app.services.notifications.report_call import CallUnknown, report_call
from app.services.notifications.report_mail import report_mail
from app.services.operations.operations_alerts import operations_alerts, read_operations_figures

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from starlette.routing import BaseRoute
    from starlette.types import Receive, Scope, Send

    from app.ports import MailNotifications
    from app.services.common.services import Services
    from app.services.operations.operations_alerts import OperationsFigures

log = structlog.get_logger("mail")

LARGEST_REPORT = 10_000
UNCHECKED_SECONDS = 60
"""When a notification is to come again whose certificate was not to be had."""

LARGEST_NOTIFICATION = 300_000
"""An SNS message has up to 256 kB, and its envelope escapes it."""


def operator_routes(services: Services, *, mail_notifications: MailNotifications | None = None) -> Sequence[BaseRoute]:
    """Return the routes, each behind a service key; the provider of a mail server signs its notifications instead."""
    report = guarded(ReportCall(services), largest_body=LARGEST_REPORT, seconds=BODY_SECONDS)
    bounce = guarded(
        ReportBounce(services, mail_notifications), largest_body=LARGEST_NOTIFICATION, seconds=BODY_SECONDS
    )
    metrics = guarded(Metrics(services), largest_body=0, seconds=BODY_SECONDS)
    return [
        Route("/internal/calls/{call}/report", Only(report, "POST")),
        Route("/internal/mail/bounces", Only(bounce, "POST")),
        Route("/internal/metrics", Only(metrics, "GET")),
    ]


class _ReportBody(BaseModel):
    """The outcome of a call."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)

    outcome: CallOutcome
    attempts: Annotated[int, Field(ge=0, le=1_000)] | None = None
    note: Annotated[str, StringConstraints(max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""


class _BounceBody(BaseModel):
    """An address that a mail came back from for good, or whose owner complained of it."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)

    address: EmailStr
    kind: MailProblem = MailProblem.BOUNCE
    reason: Annotated[str, StringConstraints(min_length=1, max_length=300, pattern=r"^[^\x00-\x1f\x7f]*$")]


class ReportCall:
    """`POST /internal/calls/{id}/report`: the operator's system tells the outcome of a call; the last report counts."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        key = await authenticated(self._services.database, scope, KeyPurpose.SERVICE)
        body = read_as(_ReportBody, await read_body(receive))
        call_id = scope["path_params"]["call"]
        try:
            await report_call(
                self._services,
                call_id=call_id,
                outcome=body.outcome,
                attempts=body.attempts,
                note=body.note,
                actor=f"key:{key.name}",
            )
        except CallUnknown as error:
            raise Refused(answers.NOT_FOUND, ErrorCode.NOT_FOUND, str(error)) from error
        await answers.send_json(send, answers.OK, {"id": call_id, "outcome": body.outcome})


class ReportBounce:
    """`POST /internal/mail/bounces`: a mail came back, or somebody complained of it.

    In our own form with a service key; or as Amazon SES tells it through SNS, signed, where its topic is set.
    """

    def __init__(self, services: Services, notifications: MailNotifications | None) -> None:
        self._services = services
        self._notifications = notifications

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if self._notifications is not None and answers.header(scope, b"x-amz-sns-message-type") is not None:
            reports = await _notified(self._notifications, await read_body(receive))
            await report_mail(self._services, reports)
            await answers.send_json(send, answers.OK, {"reports": len(reports)})
            return
        await authenticated(self._services.database, scope, KeyPurpose.SERVICE)
        body = read_as(_BounceBody, await read_body(receive))
        await report_mail(self._services, [MailReport(body.kind, body.address, body.reason)])
        await answers.send_json(send, answers.OK, {"address": body.address})


async def _notified(notifications: MailNotifications, body: bytes) -> list[MailReport]:
    """Return what a notification reports.

    :raises Refused: with status 400 when it is forged, and 503 when that cannot be told now: it is sent again then.
    """
    try:
        return await notifications.read(decode_object(body, what="The notification"))
    except NotificationForged as error:
        log.warning("notification refused", reason=error.reason)
        raise Refused(answers.BAD_REQUEST, ErrorCode.BAD_REQUEST, str(error)) from error
    except NotificationUnchecked as error:
        log.warning("notification not checked", reason=str(error))
        message = "The signature cannot be checked now. Send it again."
        raise Refused(
            answers.SERVICE_UNAVAILABLE, ErrorCode.SERVICE_UNAVAILABLE, message, retry_after_seconds=UNCHECKED_SECONDS
        ) from error


class Metrics:
    """`GET /internal/metrics`: figures in the text form that Prometheus reads."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        await authenticated(self._services.database, scope, KeyPurpose.SERVICE)
        figures = await read_operations_figures(self._services)
        now = self._services.clock.now()
        lines = list(_metrics(figures))
        names = [trouble.name for trouble in operations_alerts(figures, now)]
        lines += [f'flex_trouble{{name="{name}"}} 1' for name in names]
        response = PlainTextResponse("\n".join(lines) + "\n", headers={"cache-control": "no-store"})
        await response(scope, receive, send)


def _metrics(figures: OperationsFigures) -> Iterator[str]:
    for (channel, state), count in sorted(figures.messages.items()):
        yield f'flex_messages{{channel="{channel.lower()}",state="{state.lower()}"}} {count}'
    yield f"flex_calls_unknown_over_an_hour {figures.unknown_calls}"
    yield f"flex_addresses_refusing {figures.refusing_addresses}"
    yield f"flex_quarantined_calls {figures.quarantined}"
    yield f"flex_quarantined_calls_within_a_day {figures.quarantined_today}"
    yield f"flex_charges_unknown_over_an_hour {figures.unknown_charges}"
    yield f"flex_refunds_unknown_over_an_hour {figures.unknown_refunds}"
    yield f"flex_refunds_failed_within_a_week {figures.failed_refunds}"
    yield f"flex_payment_notices_quarantined {figures.notices}"
    yield f"flex_collections_parked {figures.parked}"
    yield f"flex_suspension_warnings_unreached {figures.unreached}"
    yield f"flex_disputes_open {figures.disputes}"
    due = figures.collects_at
    yield f"flex_collection_due_at_seconds {0 if due is None else int(due.timestamp())}"
    unsent = figures.oldest_unsent_at
    yield f"flex_mail_waiting_since_seconds {0 if unsent is None else int(unsent.timestamp())}"
