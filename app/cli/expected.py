"""What may go wrong by a person's hand or by the machine's state: one sentence each, and never a traceback.

Only a command that has failed loads this list, for it takes nearly the whole program.
"""

from __future__ import annotations

from app.domain.add_ons import AddOnNotAvailable
from app.domain.checkouts import ChangeInProgress
from app.domain.credit_notes import CreditNoteRefused
from app.domain.payment_gateway import GatewayUnavailable
from app.domain.periods import InvalidMonth
from app.domain.plans import InvalidCatalogue, PlanNotAvailable
from app.domain.reports import DayNotBegun, MonthNotBegun
from app.gateways.calls_webhook import CallSystemUnusable
from app.gateways.signing_keys import KeysUnusable
from app.gateways.smtp import MailServerUnusable
from app.graphql.contract import ContractUnreadable
from app.ports import RateStorageUnusable
from app.repositories.accounts import AccountNotFound
from app.repositories.database import DatabaseProblem
from app.sandbox.braintree_gateway.process import GatewayForbidden, GatewayNotStarted
from app.sandbox.clock import ClockRefused
from app.sandbox.demo_folder import NotADemoFolder
from app.sandbox.sample_calls import SampleRefused
from app.services.adjustments.record_payment import InvalidPayment, PaymentConflict
from app.services.adjustments.refund_payment import NothingToRefund, RefundRefused, RefundsOnHold, RefundUnderWay
from app.services.adjustments.set_taxes import InvalidTaxes, TaxBackdated
from app.services.adjustments.void_invoice import InvoiceNotVoidable
from app.services.adjustments.waive_charge import ChargeAlreadyInvoiced, ChargeNotFound
from app.services.adjustments.write_off import NothingToWriteOff
from app.services.common.account_snapshot import AccountSuspended
from app.services.common.idempotency import IdempotencyConflict, InvalidIdempotencyKey
from app.services.common.staff_actions import (
    AccountClosed,
    ActorMissing,
    ChargeUnderWay,
    InvalidAmount,
    InvalidTitle,
    InvoiceNotFound,
    ReasonMissing,
)
from app.services.cycle.close_account import InvoicesDue
from app.services.notifications.report_call import CallUnknown
from app.services.notifications.report_mail import NothingKeepsMail
from app.services.operations.access_keys import KeyNameTaken, KeyNotFound
from app.services.operations.on_call_queue import NothingWaits, RecipientGone
from app.services.operations.reconcile import SinceTooLate
from app.services.operations.restore_database import NextNumberNeeded, NextNumberTooLow
from app.services.plans.catalogue_file import InvalidCatalogueFile
from app.services.plans.change_lines import NoLineToEnd
from app.services.usage.call_file import NotACallFile
from app.services.usage.put_account import AccountAlreadyBilled, InvalidParticulars
from app.services.usage.quarantine import NotInQuarantine
from app.settings import SettingsUnusable

OF_MONEY: tuple[type[Exception], ...] = (
    GatewayUnavailable,
    NextNumberNeeded,
    NextNumberTooLow,
    NothingToRefund,
    RefundRefused,
    RefundUnderWay,
    RefundsOnHold,
    SinceTooLate,
)
"""What may stand in the way of money that goes back, and of a database that is brought back."""

OF_STAFF: tuple[type[Exception], ...] = (
    AccountClosed,
    AccountSuspended,
    ActorMissing,
    AddOnNotAvailable,
    CallUnknown,
    ChangeInProgress,
    ChargeAlreadyInvoiced,
    ChargeNotFound,
    ChargeUnderWay,
    CreditNoteRefused,
    IdempotencyConflict,
    InvalidAmount,
    InvalidCatalogue,
    InvalidCatalogueFile,
    InvalidIdempotencyKey,
    InvalidTaxes,
    InvalidTitle,
    InvoiceNotVoidable,
    InvoicesDue,
    NoLineToEnd,
    NothingKeepsMail,
    NothingToWriteOff,
    NothingWaits,
    ReasonMissing,
    RecipientGone,
    TaxBackdated,
)
"""Why staff cannot do what they asked for."""

OF_OTHER_SYSTEMS: tuple[type[Exception], ...] = (
    CallSystemUnusable,
    KeysUnusable,
    MailServerUnusable,
    RateStorageUnusable,
)
"""What is wrong with the address or the keys of a system that we depend on."""

EXPECTED: tuple[type[Exception], ...] = (
    *OF_MONEY,
    *OF_OTHER_SYSTEMS,
    *OF_STAFF,
    AccountAlreadyBilled,
    AccountNotFound,
    ClockRefused,
    ContractUnreadable,
    DatabaseProblem,
    DayNotBegun,
    GatewayForbidden,
    GatewayNotStarted,
    InvalidMonth,
    InvalidParticulars,
    InvalidPayment,
    InvoiceNotFound,
    KeyNameTaken,
    KeyNotFound,
    MonthNotBegun,
    NotACallFile,
    NotADemoFolder,
    NotInQuarantine,
    PaymentConflict,
    PlanNotAvailable,
    SampleRefused,
    SettingsUnusable,
)
"""The exceptions whose message, as that of `Refused`, is all that a person needs."""
