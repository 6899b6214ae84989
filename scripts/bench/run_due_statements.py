"""The SQL of the run-due baseline, in the order in which it runs; `:now` and its like are given to every statement."""

from __future__ import annotations

_DUE = """
CREATE TEMP TABLE due AS
SELECT a.id AS account_id, a.name AS account_name, new_id('inv') AS invoice_id,
       coalesce((SELECT next_value FROM sequence WHERE name = 'invoice_number'), :first_number) - 1
       + row_number() OVER (ORDER BY a.next_close_at, a.id) AS number,
       a.paid_starts_on, a.plan_version_id, a.usage_seq, a.ledger_seq, a.adjustable_from_on,
       a.next_cycle_on AS period_on, date(a.next_cycle_on, '+1 month') AS ends_before,
       p.code, p.name AS plan_name, p.base_cents,
       CAST(julianday(a.next_cycle_on, '+1 month') - julianday(a.next_cycle_on) AS INTEGER) AS days,
       CAST(julianday(a.next_cycle_on, '+1 month')
            - julianday(max(a.next_cycle_on, a.paid_starts_on)) AS INTEGER) AS paid_days,
       coalesce((SELECT sum(CASE credit WHEN 'CUSTOMER_CREDIT' THEN amount_cents ELSE -amount_cents END)
                 FROM ledger_posting l
                 WHERE l.account_id = a.id AND 'CUSTOMER_CREDIT' IN (l.credit, l.debit)), 0) AS credit_cents
FROM account a JOIN plan_version p ON p.id = a.plan_version_id
WHERE a.next_close_at <= :now"""

_USED = """
CREATE TEMP TABLE used (account_id, month, live, patch, ivr, PRIMARY KEY (account_id, month)) WITHOUT ROWID"""

_ADD_UP_USAGE = """
INSERT INTO used
SELECT u.account_id, u.period_on, sum(u.live_seconds), sum(u.patch_seconds), sum(u.ivr_seconds)
FROM due d JOIN usage_day u ON u.account_id = d.account_id
     AND u.on_date >= max(d.adjustable_from_on, d.paid_starts_on) AND u.on_date < d.period_on
GROUP BY u.account_id, u.period_on"""

_BILLED = """
CREATE TEMP TABLE billed (
    account_id, month, usage, cents, content, PRIMARY KEY (account_id, month, usage)
) WITHOUT ROWID"""

_ADD_UP_BILLED = """
INSERT INTO billed
SELECT account_id, period_on, usage, sum(amount_cents),
       json_array(json_group_array(json_array(number, position, amount_cents)), json('[]'), 0)
FROM (
    SELECT l.account_id, l.period_on, iif(l.kind = 'ADJUSTMENT', l.inputs ->> 'usage', l.kind) AS usage,
           l.amount_cents, i.number, l.position
    FROM due d
    JOIN invoice_line l ON l.account_id = d.account_id
         AND l.period_on >= d.adjustable_from_on AND l.period_on < d.period_on
    JOIN invoice i ON i.id = l.invoice_id
    WHERE l.kind IN ('OVERAGE', 'PATCH', 'IVR', 'ADJUSTMENT')
    ORDER BY i.number, l.position
) GROUP BY account_id, period_on, usage"""

_RATED = """
CREATE TEMP TABLE rated AS
WITH facts AS (
    SELECT d.account_id, d.invoice_id, d.period_on AS opens_on, c.period_on,
           date(c.period_on, '+1 month') AS ends_before,
           p.id AS plan_id, p.code, p.name, p.included_minutes, p.overage_rate,
           CAST(julianday(c.period_on, '+1 month') - julianday(c.period_on) AS INTEGER) AS days,
           CAST(julianday(c.period_on, '+1 month')
                - julianday(max(c.period_on, d.paid_starts_on)) AS INTEGER) AS paid_days,
           coalesce(u.live, 0) AS live, coalesce(u.patch, 0) AS patch, coalesce(u.ivr, 0) AS ivr,
           coalesce(bo.cents, 0) AS overage_billed, coalesce(bp.cents, 0) AS patch_billed,
           coalesce(bi.cents, 0) AS ivr_billed,
           json_array(json(coalesce(bo.content, :nothing)), json(coalesce(bp.content, :nothing)),
                      json(coalesce(bi.content, :nothing))) AS billed
    FROM due d
    JOIN billing_cycle c ON c.account_id = d.account_id
         AND c.period_on >= d.adjustable_from_on AND c.period_on < d.period_on
    JOIN plan_version p ON p.id = c.plan_version_id
    LEFT JOIN used u ON u.account_id = d.account_id AND u.month = c.period_on
    LEFT JOIN billed bo ON bo.account_id = d.account_id AND bo.month = c.period_on AND bo.usage = 'OVERAGE'
    LEFT JOIN billed bp ON bp.account_id = d.account_id AND bp.month = c.period_on AND bp.usage = 'PATCH'
    LEFT JOIN billed bi ON bi.account_id = d.account_id AND bi.month = c.period_on AND bi.usage = 'IVR'
), allowed AS (
    SELECT *, (2 * included_minutes * paid_days + days) / (2 * days) * 60 AS allowance FROM facts
), priced AS (
    SELECT *, max(0, live - allowance) AS overage,
           (2 * max(0, live - allowance) * overage_rate + 6000) / 12000 AS overage_cents,
           (2 * patch * :patch_rate + 6000) / 12000 AS patch_cents,
           (2 * ivr * :ivr_rate + 6000) / 12000 AS ivr_cents
    FROM allowed
)
SELECT * FROM priced ORDER BY account_id, period_on DESC"""

_LINE = """
CREATE TEMP TABLE line (
    invoice_id, position, account_id, kind, period_on, quantity, unit, unit_price, amount_cents, rule, inputs, sorted
)"""

_BASE_LINES = """
INSERT INTO line
SELECT invoice_id, 1, account_id, 'BASE', period_on, 1, 'month', base_cents * 100, base_cents, 11,
       json_object('plan', code, 'plan_name', plan_name, 'paid_days', paid_days, 'days', days),
       json_array(json_array('days', days), json_array('paid_days', paid_days),
                  json_array('plan', code), json_array('plan_name', plan_name))
FROM due WHERE paid_days = days
UNION ALL
SELECT invoice_id, 1, account_id, 'BASE', period_on, paid_days, 'day', daily * 100, daily * paid_days, 9,
       json_object('plan', code, 'plan_name', plan_name, 'paid_days', paid_days, 'days', days,
                   'monthly_cents', base_cents, 'daily_cents', daily),
       json_array(json_array('daily_cents', daily), json_array('days', days),
                  json_array('monthly_cents', base_cents), json_array('paid_days', paid_days),
                  json_array('plan', code), json_array('plan_name', plan_name))
FROM (SELECT *, (2 * base_cents + days) / (2 * days) AS daily FROM due WHERE paid_days <> days)"""

_USAGE_LINES = """
INSERT INTO line
SELECT invoice_id, 2, account_id, 'OVERAGE', period_on, overage, 'second', overage_rate, overage_cents, 7,
       json_object('plan', code, 'plan_name', name, 'live_seconds', live, 'allowance_seconds', allowance),
       json_array(json_array('allowance_seconds', allowance), json_array('live_seconds', live),
                  json_array('plan', code), json_array('plan_name', name))
FROM rated WHERE ends_before = opens_on AND overage > 0
UNION ALL
SELECT invoice_id, 3, account_id, 'PATCH', period_on, patch, 'second', :patch_rate, patch_cents, 6, '{}', '[]'
FROM rated WHERE ends_before = opens_on AND patch > 0
UNION ALL
SELECT invoice_id, 4, account_id, 'IVR', period_on, ivr, 'second', :ivr_rate, ivr_cents, 6, '{}', '[]'
FROM rated WHERE ends_before = opens_on AND ivr > 0"""

_ADJUSTMENT_LINES = """
INSERT INTO line
WITH late AS (
    SELECT *, 1 AS place, overage_cents - overage_billed AS cents,
           json_array('usage', 'OVERAGE', 'plan', code, 'plan_name', name, 'live_seconds', live,
                      'allowance_seconds', allowance, 'rated_cents', overage_cents,
                      'billed_cents', overage_billed) AS pairs
    FROM rated
    UNION ALL
    SELECT *, 2, patch_cents - patch_billed,
           json_array('usage', 'PATCH', 'plan', code, 'plan_name', name, 'patch_seconds', patch,
                      'rated_cents', patch_cents, 'billed_cents', patch_billed)
    FROM rated
    UNION ALL
    SELECT *, 3, ivr_cents - ivr_billed,
           json_array('usage', 'IVR', 'plan', code, 'plan_name', name, 'ivr_seconds', ivr,
                      'rated_cents', ivr_cents, 'billed_cents', ivr_billed)
    FROM rated
)
SELECT invoice_id, 4 + row_number() OVER (PARTITION BY account_id ORDER BY period_on DESC, place), account_id,
       'ADJUSTMENT', period_on, 1, 'correction', cents * 100, cents, 25,
       (SELECT json_group_object(name.value, named.value) FROM json_each(pairs) name
        JOIN json_each(pairs) named ON named.key = name.key + 1 WHERE name.key % 2 = 0 ORDER BY name.key),
       (SELECT json_group_array(json_array(field, value)) FROM (
            SELECT name.value AS field, named.value FROM json_each(pairs) name
            JOIN json_each(pairs) named ON named.key = name.key + 1 WHERE name.key % 2 = 0 ORDER BY field))
FROM late WHERE ends_before <> opens_on AND cents <> 0"""

_BILL = """
CREATE TEMP TABLE bill AS
WITH summed AS (
    SELECT invoice_id, sum(amount_cents) AS total_cents,
           json_group_array(json_array(kind, substr(period_on, 1, 7), quantity, unit, unit_price, amount_cents, rule,
                                       json(sorted))) AS content
    FROM (SELECT * FROM line ORDER BY invoice_id, position) GROUP BY invoice_id
), inputs AS (
    SELECT account_id, json_group_array(
               json_array(substr(period_on, 1, 7), plan_id, :policies, live, patch, ivr, json(billed))) AS months
    FROM rated GROUP BY account_id
)
SELECT d.*, s.total_cents, s.content, coalesce(i.months, '[]') AS months,
       min(max(0, s.total_cents), d.credit_cents) AS applied_cents
FROM due d JOIN summed s ON s.invoice_id = d.invoice_id LEFT JOIN inputs i ON i.account_id = d.account_id"""

_INVOICES = """
INSERT INTO invoice
SELECT invoice_id, account_id, account_name, 'CYCLE', 'DRAFT', number, period_on, plan_version_id, :policies, :engine,
       usage_seq, ledger_seq, total_cents, applied_cents, max(0, total_cents) - applied_cents,
       sha256(json_array(:engine,
              json_array(substr(period_on, 1, 7), paid_starts_on, plan_version_id, :policies, credit_cents),
              json(months))),
       sha256(json_array(json(content), 'CYCLE', substr(period_on, 1, 7), applied_cents)),
       :now, :today, NULL, NULL, max(0, total_cents) - applied_cents, 0
FROM bill ORDER BY number"""

_LINES = """
INSERT INTO invoice_line
SELECT invoice_id, row_number() OVER (PARTITION BY invoice_id ORDER BY position), account_id, kind, period_on, quantity,
       unit, unit_price, amount_cents, rule, inputs, NULL
FROM line"""

_ISSUE = """
UPDATE invoice SET status = iif(amount_due_cents = 0, 'PAID', 'OPEN'), paid_at = iif(amount_due_cents = 0, :now, NULL)
WHERE number BETWEEN (SELECT min(number) FROM due) AND (SELECT max(number) FROM due) AND status = 'DRAFT'"""

_CHARGES = """
INSERT INTO ledger_posting
SELECT account_id, ledger_seq + 1, 'INVOICED', 'RECEIVABLE', 'REVENUE', total_cents, invoice_id, NULL, NULL, :now
FROM bill WHERE total_cents > 0
UNION ALL
SELECT account_id, ledger_seq + 1, 'CREDIT_GRANTED', 'REVENUE', 'CUSTOMER_CREDIT', -total_cents, invoice_id, NULL, NULL,
       :now
FROM bill WHERE total_cents < 0"""

_CREDITS = """
INSERT INTO ledger_posting
WITH grants AS (
    SELECT b.account_id, b.invoice_id, b.ledger_seq, b.applied_cents, g.seq,
           g.amount_cents - coalesce((
               SELECT sum(a.amount_cents) FROM ledger_posting a
               WHERE a.account_id = g.account_id AND a.kind = 'CREDIT_APPLIED' AND a.grant_seq = g.seq
           ), 0) AS left_cents
    FROM bill b JOIN ledger_posting g ON g.account_id = b.account_id AND g.credit = 'CUSTOMER_CREDIT'
    WHERE b.applied_cents > 0 AND g.seq <= b.ledger_seq
), parts AS (
    SELECT *, min(left_cents, applied_cents
                  - (sum(left_cents) OVER (PARTITION BY account_id ORDER BY seq) - left_cents)) AS part_cents
    FROM grants WHERE left_cents > 0
)
SELECT account_id, ledger_seq + 1 + row_number() OVER (PARTITION BY account_id ORDER BY seq), 'CREDIT_APPLIED',
       'CUSTOMER_CREDIT', 'RECEIVABLE', part_cents, invoice_id, NULL, seq, :now
FROM parts WHERE part_cents > 0"""

_COLLECTIONS = """
INSERT INTO collection
SELECT invoice_id, account_id, 'IDLE', :today, 0, 0, 0, 0, 0, :now, :late_fee_at,
       iif(is_early(paid_starts_on), :early_warn_at, :warn_at),
       iif(is_early(paid_starts_on), :early_suspend_at, :suspend_at),
       NULL, 0, NULL, :now, NULL, 0
FROM bill WHERE max(0, total_cents) - applied_cents > 0"""

_CYCLES = "INSERT INTO billing_cycle SELECT account_id, period_on, plan_version_id, :now FROM due"

_ADVANCE = """
UPDATE account SET
    next_cycle_on = due.ends_before,
    next_close_at = closes_at(due.ends_before, due.paid_starts_on),
    adjustable_from_on = date(due.ends_before, '-3 months'),
    ledger_seq = coalesce((SELECT max(seq) FROM ledger_posting l WHERE l.account_id = account.id), account.ledger_seq),
    receivable_cents = account.receivable_cents + max(0, due.total_cents) - due.applied_cents,
    credit_cents = account.credit_cents + max(0, -due.total_cents) - due.applied_cents
FROM bill AS due WHERE due.account_id = account.id"""

_EVENTS = """
INSERT INTO event (id, account_id, kind, subject_id, actor, request_id, data, occurred_at)
SELECT new_id('evt'), account_id, 'invoice.issued', invoice_id, 'system', NULL,
       json_object('number', number, 'kind', 'CYCLE', 'month', substr(period_on, 1, 7),
                   'amount_due_cents', max(0, total_cents) - applied_cents),
       :now
FROM bill ORDER BY number"""

_NUMBERS = """
INSERT INTO sequence SELECT 'invoice_number', max(number) + 1 FROM due WHERE true
ON CONFLICT (name) DO UPDATE SET next_value = excluded.next_value"""

STATEMENTS = (
    _DUE, _USED, _ADD_UP_USAGE, _BILLED, _ADD_UP_BILLED, _RATED, _LINE, _BASE_LINES, _USAGE_LINES, _ADJUSTMENT_LINES,
    _BILL, _INVOICES, _LINES, _ISSUE, _CHARGES, _CREDITS, _COLLECTIONS, _CYCLES, _ADVANCE, _EVENTS, _NUMBERS,
)  # fmt: skip
"""One run, start to end."""
