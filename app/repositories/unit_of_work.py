"""One transaction with every repository in it; services write through nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from app.repositories.accounts import AccessKeyRepository, AccountPlanRepository, AccountRepository, UserRepository
from app.repositories.add_ons import AddOnRepository
from app.repositories.alerts import AlertRepository
from app.repositories.attempts import AttemptRepository, SettlementRepository
from app.repositories.calls import CallRepository, QuarantineRepository
from app.repositories.charges import ChargeRepository
from app.repositories.checkouts import CheckoutRepository
from app.repositories.collections import CollectionRepository
from app.repositories.contacts import ContactAddressRepository, ContactRepository
from app.repositories.cycles import CycleRepository
from app.repositories.events import EventRepository
from app.repositories.gateway_records import GatewayRecordRepository
from app.repositories.invoices import InvoiceNumberRepository, InvoiceRepository
from app.repositories.ledger import LedgerRepository, PaymentRepository
from app.repositories.limits import LimitRepository
from app.repositories.mail_addresses import MailAddressRepository
from app.repositories.notifications import NotificationRepository, OutboxFiguresRepository, RecipientRepository
from app.repositories.on_call_queue import OnCallQueueRepository
from app.repositories.operations import OperationRepository
from app.repositories.payment_methods import PaymentMethodRepository
from app.repositories.plans import PlanRepository
from app.repositories.refunds import DisputeRepository, RefundRepository
from app.repositories.reports import ReportRepository
from app.repositories.simulations import SimulationRepository
from app.repositories.taxes import TaxRepository
from app.repositories.vault import ConsentRepository, VaultRecordRepository, VaultTaskRepository
from app.repositories.webhook_events import HoldRepository, ScheduleRepository, WebhookEventRepository
from app.repositories.write_offs import WriteOffRepository

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sqlmodel.ext.asyncio.session import AsyncSession

    from app.repositories.database import Database

T = TypeVar("T")


class UnitOfWork:
    """The repositories of one transaction."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session
        self.accounts = AccountRepository(session)
        self.users = UserRepository(session)
        self.access_keys = AccessKeyRepository(session)
        self.add_ons = AddOnRepository(session)
        self.plans = PlanRepository(session)
        self.calls = CallRepository(session)
        self.quarantine = QuarantineRepository(session)
        self.cycles = CycleRepository(session)
        self.invoices = InvoiceRepository(session)
        self.ledger = LedgerRepository(session)
        self.events = EventRepository(session)
        self.operations = OperationRepository(session)
        self.charges = ChargeRepository(session)
        self.simulations = SimulationRepository(session)
        self.collections = CollectionRepository(session)
        self.checkouts = CheckoutRepository(session)
        self.payment_methods = PaymentMethodRepository(session)
        self.refunds = RefundRepository(session)
        self.disputes = DisputeRepository(session)
        self.webhook_events = WebhookEventRepository(session)
        self.schedule = ScheduleRepository(session)
        self.holds = HoldRepository(session)
        self.taxes = TaxRepository(session)
        self.write_offs = WriteOffRepository(session)
        self.alerts = AlertRepository(session)
        self.contacts = ContactRepository(session)
        self.contact_addresses = ContactAddressRepository(session)
        self.limits = LimitRepository(session)
        self.mail_addresses = MailAddressRepository(session)
        self.notifications = NotificationRepository(session)
        self.attempts = AttemptRepository(session)
        self.settlements = SettlementRepository(session)
        self.vault_tasks = VaultTaskRepository(session)
        self.consents = ConsentRepository(session)
        self.vault_records = VaultRecordRepository(session)
        self.recipients = RecipientRepository(session)
        self.outbox_figures = OutboxFiguresRepository(session)
        self.account_plans = AccountPlanRepository(session)
        self.invoice_numbers = InvoiceNumberRepository(session)
        self.payments = PaymentRepository(session)
        self.on_call_queue = OnCallQueueRepository(session)
        self.reports = ReportRepository(session)
        self.gateway_records = GatewayRecordRepository(session)


async def write(database: Database, work: Callable[[UnitOfWork], Awaitable[T]]) -> T:
    """Run `work` in one write transaction and commit it; it may run again, so it has no effect outside."""
    return await database.run_tx(lambda session: work(UnitOfWork(session)))


async def read(database: Database, work: Callable[[UnitOfWork], Awaitable[T]]) -> T:
    """Run `work` on one snapshot; it writes nothing."""
    return await database.read_tx(lambda session: work(UnitOfWork(session)))
