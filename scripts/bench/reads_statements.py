"""What the handler written by hand reads: one statement for each operation, which answers one JSON text.

The arithmetic that goes with them is written for what the bench's database holds: accounts on one plan since the first
of a month, without taxes, add-ons or late calls.
"""

from __future__ import annotations

_MEMBER = """
  FROM app_user AS u
  JOIN membership AS m ON m.user_id = u.id
  JOIN account AS a ON a.id = m.account_id
 WHERE u.subject = :subject AND a.external_id = :account"""

_PLAN = "p.id, p.code, p.name, p.base_cents, p.included_minutes, p.overage_rate"

_BALANCE = """
coalesce((SELECT sum(CASE WHEN l.debit = 'RECEIVABLE' THEN l.amount_cents ELSE -l.amount_cents END)
    FROM ledger_posting AS l INDEXED BY ix_ledger_posting_account_id_invoice_id
   WHERE l.account_id = a.id AND l.invoice_id = i.id AND 'RECEIVABLE' IN (l.debit, l.credit)
     AND l.kind <> 'WRITTEN_OFF'), 0)"""

_INVOICE = f"i.id, i.number, i.status, i.issued_at, i.due_on, i.paid_at, i.period_on, i.total_cents, {_BALANCE}"


def _book_balance(book: str, rising: str) -> str:
    return f"""
coalesce((SELECT sum(CASE WHEN l.{rising} = '{book}' THEN l.amount_cents ELSE -l.amount_cents END)
    FROM ledger_posting AS l WHERE l.account_id = a.id AND '{book}' IN (l.debit, l.credit)), 0)"""


MEMBER = f"SELECT json_array(u.id, a.id, m.role) {_MEMBER}"

SUMMARY = f"""
SELECT json_array(
  u.id, u.name, m.role, a.id, a.name, a.status, a.paid_starts_on, a.next_cycle_on,
  EXISTS (SELECT 1 FROM collection AS c JOIN invoice AS i ON i.id = c.invoice_id
           WHERE c.account_id = a.id AND c.status = 'WAITING' AND i.status = 'OPEN'),
  (SELECT json_array({_PLAN}) FROM plan_version AS p WHERE p.id = coalesce(
      (SELECT b.plan_version_id FROM billing_cycle AS b WHERE b.account_id = a.id AND b.period_on = :month),
      a.plan_version_id)),
  (SELECT json_array({_PLAN}) FROM plan_version AS p
    WHERE p.id = coalesce(a.pending_plan_version_id, a.plan_version_id)),
  (SELECT json_group_array(json_array({_PLAN})) FROM plan_version AS p
    WHERE p.valid_from <= :today AND (p.valid_before IS NULL OR p.valid_before > :today)),
  (SELECT json_group_array(json_array(d.on_date, d.live_seconds, d.patch_seconds, d.ivr_seconds, d.call_count,
                                      d.free_call_count, d.last_started_at))
     FROM (SELECT * FROM usage_day AS d WHERE d.account_id = a.id AND d.on_date >= max(:month, a.paid_starts_on)
              AND d.period_on = :month ORDER BY d.on_date) AS d),
  {_book_balance("RECEIVABLE", "debit")},
  {_book_balance("CUSTOMER_CREDIT", "credit")},
  (SELECT json_array(p.id, p.brand, p.last4, p.expiry_month, p.expiry_year, p.status) FROM payment_method AS p
    WHERE p.account_id = a.id AND p.is_default AND p.status IN ('ACTIVE', 'NEEDS_ATTENTION'))
) {_MEMBER}"""

BREAKDOWN = f"""
SELECT json_array(m.role, (
  SELECT json_array({_INVOICE}, (
    SELECT json_group_array(json_array(l.position, l.kind, l.period_on, l.amount_cents, json(l.inputs)))
      FROM (SELECT * FROM invoice_line AS l WHERE l.invoice_id = i.id ORDER BY l.position) AS l))
    FROM invoice AS i WHERE i.account_id = a.id AND i.id = :id AND i.status <> 'DRAFT')
) {_MEMBER}"""

LIST = f"""
SELECT json_array(m.role, (
  SELECT json_group_array(json_array({_INVOICE}))
    FROM (SELECT * FROM invoice AS i WHERE i.account_id = a.id AND i.status <> 'DRAFT'
           ORDER BY i.number DESC LIMIT :first + 1) AS i)
) {_MEMBER}"""

ALERTS = """
SELECT json_group_object(kind, is_on) FROM alert_subscription WHERE account_id = :account_id AND user_id = :user_id"""

SWITCH = """
INSERT INTO alert_subscription VALUES (:account_id, :user_id, :kind, :is_on)
    ON CONFLICT (account_id, user_id, kind) DO UPDATE SET is_on = excluded.is_on"""

RECORD = """
INSERT INTO event (id, account_id, kind, subject_id, actor, request_id, data, occurred_at, origin)
VALUES (:id, :account_id, 'alerts.switched', :user_id, 'user:' || :user_id, :request_id, :data, :at, :origin)"""
