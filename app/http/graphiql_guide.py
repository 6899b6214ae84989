"""What the developers' page suggests to try."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

GUIDE: Sequence[tuple[str, Sequence[tuple[str, str]]]] = (
    (
        "Summary",
        (
            ("SummaryShow", "The Summary tab: plan, usage so far, balances, and the next invoice as it stands."),
            ("SummaryOpen", "All that the portal's Summary shows at first sight, in one request."),
            ("SummaryWatch", "The same while it is open: run it, change something in another window, and see it here."),
            ("NextInvoiceShow", "Every line of the next invoice says by which rule and arithmetic it came about."),
            ("ForecastShow", "Where the month is heading, and on what that rests."),
            ("UsageShow", "One month, day by day. Set it to a past one, such as 2026-05, or to nonsense: BAD_INPUT."),
            ("UsageHistoryShow", "Month after month, as a chart wants it."),
            ("CallsList", "The calls behind the minutes; go on with the end cursor."),
            ("ViewerShow", "Who you are, and what your role allows."),
            ("NodeShow", "Anything by its id."),
        ),
    ),
    (
        "Plan",
        (
            ("PlansList", "What each plan would cost this month."),
            ("PlanOpen", "All that the portal's Plan tab shows at first sight, in one request."),
            ("PlanAdviceShow", "Your own months on every plan: which one fits, or why to stay."),
            ("WhatIfShow", "The slider: a month of so many minutes, on every plan."),
            (
                "PlanChangePreview",
                "What a change would cost, to the cent. plan_economy_1990 is refused, with its numbers.",
            ),
            ("PlanChangeCancel", "Takes back the change that is arranged for next month: no money moves."),
            ("PlanChangeConfirm", "Confirms a fresh quote. Send it twice: one invoice. As a member: FORBIDDEN."),
            ("PlanHistoryList", "How the plan came to be what it is."),
        ),
    ),
    (
        "Invoices",
        (
            ("InvoicesList", "All invoices, newest first. Ask as a member: FORBIDDEN. As another account: its own."),
            ("InvoiceShow", "One invoice, its arithmetic, every charge, and document links. As another account: null."),
            ("InvoiceLineCallsShow", "From the lines of a bill down to the calls that they charge."),
            ("LineCallsList", "The rest of the calls behind one line."),
            ("InvoiceDifferenceShow", "Why did the bill change? Two invoices side by side, with the causes."),
            ("InvoicePay", "Pay now: the default card, then the back-ups. Press twice with one key: one charge."),
            ("OpenBalancePay", "Everything that is open, the oldest first."),
            ("InvoiceResend", "The invoice's mail once more, at /sandbox/messages. The fourth time: RATE_LIMITED."),
        ),
    ),
    (
        "Payment Method",
        (
            ("PaymentMethodsList", "How you pay: the default, then the back-ups in order."),
            ("PaymentAgreementShow", "What the box “I authorize” stands for."),
            ("PaymentFormTokenCreate", "What a payment form begins with; it names no customer."),
            ("PaymentMethodVerify", "Ask the bank first; the card waits 15 minutes to be added by its verificationId."),
            ("PaymentMethodAdd", "Verify and add; fake-processor-declined-visa-nonce is refused."),
            ("PaymentMethodSetDefault", "Charge another one first; open invoices are tried with it at once."),
            ("BackupPaymentMethodsReorder", "Who comes next when the default fails."),
            ("PaymentMethodRemove", "The last one stays while it is needed; a back-up becomes the default."),
        ),
    ),
    (
        "Payment Contacts",
        (
            ("ContactsList", "Who else is told about billing. As the billing desk: FORBIDDEN."),
            ("ContactAdd", "Add somebody; a phone number of 12345 names its field."),
            ("ContactConfirmationResend", "Ask again whether somebody agrees; within 24 hours: RATE_LIMITED."),
            ("ContactUpdate", "Changes the newest contact. The other contacts hear of it."),
            ("ContactRemove", "Nothing more is sent there, not even what waits."),
        ),
    ),
    (
        "Add-ons",
        (
            ("AddOnsList", "The add-ons with their terms, and whether you have them."),
            ("AddOnPreview", "What the rest of the month would cost."),
            ("AddOnActivate", "Buys an add-on by a fresh quote. Other terms than those in force are refused."),
            ("AddOnCancel", "It stays usable until the end of the month."),
            ("AddOnKeep", "Changed your mind? Nothing is invoiced."),
            ("EntitlementsShow", "What the add-ons unlock today."),
        ),
    ),
    (
        "Alerts",
        (
            ("AlertsList", "Your own switches, and what this month has told and will tell."),
            ("AlertsOpen", "The same with the latest messages, in one request."),
            ("AlertsUpdate", "Switch PAYMENT_METHOD_CHANGED off: refused, for it protects the account."),
            ("NotificationsList", "What was told to whom, and its outcome."),
            ("ActivityList", "Who did what, newest first; the request id is the one that the app saw."),
        ),
    ),
)
"""What to try, by screen and in an order that tells a story; each step opens a tab with its operation."""
