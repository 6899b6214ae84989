// The statements, prepared once.
import Database from "better-sqlite3";

const PLAN = "id, code, name, base_cents AS baseCents, included_minutes AS includedMinutes, overage_rate AS rate";
const INVOICE = `
  i.id, i.account_id AS accountId, i.number, i.status, i.issued_at AS issuedAt, i.due_on AS dueOn,
  i.paid_at AS paidAt, i.period_on AS periodOn, i.total_cents AS totalCents,
  coalesce((SELECT sum(CASE WHEN l.debit = 'RECEIVABLE' THEN l.amount_cents ELSE -l.amount_cents END)
    FROM ledger_posting AS l INDEXED BY ix_ledger_posting_account_id_invoice_id
   WHERE l.account_id = i.account_id AND l.invoice_id = i.id AND 'RECEIVABLE' IN (l.debit, l.credit)
     AND l.kind <> 'WRITTEN_OFF'), 0) AS balanceCents`;

function bookBalance(book, rising) {
  return `
    SELECT coalesce(sum(CASE WHEN ${rising} = '${book}' THEN amount_cents ELSE -amount_cents END), 0)
      FROM ledger_posting WHERE account_id = ? AND '${book}' IN (debit, credit)`;
}

export class Rows {
  constructor(path) {
    const database = new Database(path);
    // As durable as the product: a receipt has to outlive a power cut.
    for (const pragma of ["journal_mode = wal", "synchronous = full", "foreign_keys = on", "busy_timeout = 5000",
                          "mmap_size = 268435456"]) {
      database.pragma(pragma);
    }
    const prepare = (statement) => database.prepare(statement);
    this.transaction = (work) => database.transaction(work).immediate;
    this.member = prepare(`
      SELECT u.id AS userId, u.name AS userName, m.role, a.id, a.name, a.status, a.paid_starts_on AS paidStartsOn,
             a.next_cycle_on AS nextCycleOn, a.plan_version_id AS planId, a.pending_plan_version_id AS pendingPlanId
        FROM app_user AS u JOIN membership AS m ON m.user_id = u.id JOIN account AS a ON a.id = m.account_id
       WHERE u.subject = @subject AND a.external_id = @account`);
    this.isPastDue = prepare(`
      SELECT EXISTS (SELECT 1 FROM collection AS c JOIN invoice AS i ON i.id = c.invoice_id
                      WHERE c.account_id = ? AND c.status = 'WAITING' AND i.status = 'OPEN')`).pluck();
    this.openedPlan = prepare("SELECT plan_version_id FROM billing_cycle WHERE account_id = ? AND period_on = ?").pluck();
    this.plan = prepare(`SELECT ${PLAN} FROM plan_version WHERE id = ?`);
    this.nextLarger = prepare(`
      SELECT ${PLAN} FROM plan_version
       WHERE included_minutes > @included AND valid_from <= @today AND (valid_before IS NULL OR valid_before > @today)
       ORDER BY included_minutes LIMIT 1`);
    this.days = prepare(`
      SELECT on_date AS "on", live_seconds AS live, patch_seconds AS patch, ivr_seconds AS ivr,
             call_count AS callCount, free_call_count AS freeCallCount, last_started_at AS lastStartedAt
        FROM usage_day WHERE account_id = @account AND on_date >= @since AND period_on = @month ORDER BY on_date`);
    this.openBalance = prepare(bookBalance("RECEIVABLE", "debit")).pluck();
    this.creditBalance = prepare(bookBalance("CUSTOMER_CREDIT", "credit")).pluck();
    this.method = prepare(`
      SELECT id, kind, brand, last4, expiry_month AS expiryMonth, expiry_year AS expiryYear, status,
             payer_email AS payerEmail
        FROM payment_method WHERE account_id = ? AND is_default AND status IN ('ACTIVE', 'NEEDS_ATTENTION')`);
    this.invoice = prepare(`
      SELECT ${INVOICE} FROM invoice AS i
       WHERE i.account_id = @account AND i.id = @id AND i.status <> 'DRAFT'`);
    this.invoices = prepare(`
      SELECT ${INVOICE} FROM invoice AS i
       WHERE i.account_id = @account AND i.status <> 'DRAFT' ORDER BY i.number DESC LIMIT @fetch`);
    this.lines = prepare(`
      SELECT invoice_id AS invoiceId, position, kind, period_on AS periodOn, amount_cents AS amountCents, inputs
        FROM invoice_line WHERE invoice_id = ? ORDER BY position`);
    this.alerts = prepare("SELECT kind, is_on AS isOn FROM alert_subscription WHERE account_id = ? AND user_id = ?");
    this.switchAlert = prepare(`
      INSERT INTO alert_subscription VALUES (@account, @user, @kind, @isOn)
          ON CONFLICT (account_id, user_id, kind) DO UPDATE SET is_on = excluded.is_on`);
    this.record = prepare(`
      INSERT INTO event (id, account_id, kind, subject_id, actor, request_id, data, occurred_at, origin)
      VALUES (@id, @account, 'alerts.switched', @user, 'user:' || @user, @request, @data, @at, '127.0.0.1')`);
  }
}
