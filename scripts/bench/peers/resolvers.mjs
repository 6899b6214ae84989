// Plain resolvers over the rows. Money is whole cents, a length of time whole seconds, a period its first day.
//
// The arithmetic is written for what the bench's database holds: accounts on one plan since the first of a month,
// without taxes, add-ons or late calls.
import { randomBytes } from "node:crypto";

import {
  amount, billingDate, dayAfter, endOfMonth, formatted, instant, lineTitle, minutes, price, sixInTheMorning, stored,
} from "./values.mjs";

const PATCH_RATE = 1000;
const IVR_RATE = 1500;
const BANNER = "An invoice could not be charged. Pay the open balance, or add another payment method.";

const ALERTS = new Map([
  ["ALLOWANCE_NEARLY_USED", "Allowance nearly used"],
  ["ALLOWANCE_EXCEEDED", "Allowance exceeded"],
  ["COST_EFFECTIVE_EXCEEDED", "Cost-effective threshold exceeded"],
  ["FORECAST_OVER_ALLOWANCE", "Forecast over the allowance"],
  ["UPGRADE_SCHEDULED", "Automatic upgrade ahead"],
  ["UPGRADE_DONE", "Automatic upgrade done"],
  ["INVOICE_READY", "Invoice ready"],
  ["PAYMENT_RECEIVED", "Payment received"],
  ["PAYMENT_REFUNDED", "Payment refunded"],
  ["PAYMENT_FAILED", "Payment failed"],
  ["BACKUP_USED", "Back-up payment method used"],
  ["CARD_EXPIRING", "Card expiring"],
  ["SUSPENSION_SCHEDULED", "Suspension scheduled"],
  ["SUSPENDED", "Service suspended"],
  ["REACTIVATED", "Service restored"],
  ["PLAN_CHANGED", "Plan changed"],
  ["ADD_ON_BOUGHT", "Add-on bought"],
  ["ADD_ON_ENDED", "Add-on cancelled"],
  ["CONTACT_CHANGED", "Payment contact changed"],
  ["PAYMENT_METHOD_CHANGED", "Payment method changed"],
]);
const ALWAYS_ON = "PAYMENT_METHOD_CHANGED";

const rest = (id) => id.slice(id.indexOf("_") + 1);
const seesPayments = (member) => member.role !== "MEMBER";

function newId(prefix) {
  return `${prefix}_${Date.now().toString(16).padStart(12, "0")}${randomBytes(7).toString("hex")}`;
}

function usageOf(rows, member, today) {
  const month = `${today.slice(0, 7)}-01`;
  const firstOn = member.paidStartsOn > month ? member.paidStartsOn : month;
  const days = rows.days.all({ account: member.id, since: firstOn, month });
  const plan = rows.plan.get(rows.openedPlan.get(member.id, month) ?? member.planId);
  const sums = { live: 0, patch: 0, ivr: 0, callCount: 0, freeCallCount: 0 };
  let lastStartedAt = null;
  for (const day of days) {
    for (const name in sums) sums[name] += day[name];
    if (lastStartedAt === null || day.lastStartedAt > lastStartedAt) lastStartedAt = day.lastStartedAt;
  }
  const allowance = plan.includedMinutes * 60;
  const overage = Math.max(0, sums.live - allowance);
  return {
    ...sums, member, month, firstOn, today, days, plan, allowance, overage,
    lastEventAt: instant(lastStartedAt),
    remaining: Math.max(0, allowance - sums.live),
    overageCost: price(overage, plan.rate),
    patchCost: price(sums.patch, PATCH_RATE),
    ivrCost: price(sums.ivr, IVR_RATE),
  };
}

function nextLines(rows, usage) {
  const { member, plan, month } = usage;
  const next = rows.plan.get(member.pendingPlanId ?? member.planId);
  const lines = [{
    kind: "BASE", amount: next.baseCents, displayName: lineTitle("BASE", member.nextCycleOn, { plan_name: next.name }),
  }];
  for (const [kind, used, cents] of [
    ["OVERAGE", usage.overage, usage.overageCost],
    ["PATCH", usage.patch, usage.patchCost],
    ["IVR", usage.ivr, usage.ivrCost],
  ]) {
    if (used) lines.push({ kind, amount: cents, displayName: lineTitle(kind, month, { plan_name: plan.name }) });
  }
  return lines;
}

export function makeResolvers(rows, now) {
  const switchAlerts = rows.transaction((member, changes) => {
    const chosen = new Map(rows.alerts.all(member.id, member.userId).map((row) => [row.kind, row.isOn === 1]));
    const changed = changes.filter((change) => (chosen.get(change.kind) ?? true) !== change.isOn);
    if (changed.length === 0) return;
    for (const { kind, isOn } of changed) {
      rows.switchAlert.run({ account: member.id, user: member.userId, kind, isOn: isOn ? 1 : 0 });
    }
    const titles = (isOn) => changed.filter((change) => change.isOn === isOn).map((change) => ALERTS.get(change.kind));
    rows.record.run({
      id: newId("evt"), request: newId("req"), account: member.id, user: member.userId, at: stored(now()),
      data: JSON.stringify({ on: titles(true), off: titles(false) }),
    });
  });

  return {
    Query: {
      viewer: (_, __, { member }) => member,
      billingSummary: (_, __, { member }) => ({ member, usage: usageOf(rows, member, billingDate(now())) }),
      invoice: (_, { id }, { member }) => rows.invoice.get({ account: member.id, id }) ?? null,
      invoices: (_, { first }, { member }) => {
        const found = rows.invoices.all({ account: member.id, fetch: first + 1 });
        return { nodes: found.slice(0, first), pageInfo: { hasNextPage: found.length > first } };
      },
    },
    Mutation: {
      updateAlertSubscriptions: (_, { input }, { member }) => {
        if (input.changes.some((change) => change.kind === ALWAYS_ON && !change.isOn)) {
          return { __typename: "AlertAlwaysOn", message: "This alert cannot be switched off." };
        }
        switchAlerts(member, input.changes);
        const chosen = new Map(rows.alerts.all(member.id, member.userId).map((row) => [row.kind, row.isOn === 1]));
        const alertSubscriptions = [];
        for (const kind of ALERTS.keys()) {
          alertSubscriptions.push({ kind, isOn: (chosen.get(kind) ?? true) || kind === ALWAYS_ON });
        }
        return { __typename: "AlertSubscriptionsUpdated", alertSubscriptions };
      },
    },
    Viewer: {
      id: (member) => `viewer_${rest(member.id)}_${rest(member.userId)}`,
      user: (member) => ({ id: member.userId, name: member.userName }),
      account: (member) => member,
      banner: (member) => (rows.isPastDue.get(member.id) ? BANNER : null),
    },
    Money: {
      amount,
      currencyCode: () => "USD",
      formatted,
    },
    UnitPrice: {
      amount: (rate) => amount(Math.floor(rate / 100)) + (rate % 100 ? String(rate % 100).padStart(2, "0") : ""),
      currencyCode: () => "USD",
      formatted: (rate) => formatted(Math.floor(rate / 100)) + (rate % 100 ? String(rate % 100).padStart(2, "0") : ""),
      per: () => "MINUTE",
    },
    Duration: {
      seconds: (seconds) => seconds,
      minutes,
    },
    Period: {
      startsOn: (startsOn) => startsOn,
      endsBefore: endOfMonth,
    },
    BillingSummary: {
      id: ({ member }) => `summary_${rest(member.id)}`,
      currentPlan: ({ usage }) => usage.plan,
      openBalance: ({ member }) => (seesPayments(member) ? rows.openBalance.get(member.id) : null),
      creditBalance: ({ member }) => (seesPayments(member) ? rows.creditBalance.get(member.id) : null),
      paymentMethod: ({ member }) => (seesPayments(member) ? rows.method.get(member.id) ?? null : null),
      nextInvoice: ({ usage }) => {
        const lines = nextLines(rows, usage);
        return { member: usage.member, lines, total: lines.reduce((sum, line) => sum + line.amount, 0) };
      },
    },
    Plan: {
      displayName: (plan) => plan.name,
      base: (plan) => plan.baseCents,
      overageRate: (plan) => plan.rate,
      costEffectiveToMinutes: (plan) => {
        const larger = rows.nextLarger.get({ included: plan.includedMinutes, today: billingDate(now()) });
        if (larger === undefined) return null;
        return plan.includedMinutes + Math.floor(((larger.baseCents - plan.baseCents) * 100) / plan.rate);
      },
    },
    UsageMonth: {
      id: (usage) => `usage_${rest(usage.member.id)}_${usage.month.slice(0, 7)}`,
      period: (usage) => usage.month,
      totalCost: (usage) => usage.overageCost + usage.patchCost + usage.ivrCost,
      days: (usage) => {
        const known = new Map(usage.days.map((day) => [day.on, day]));
        const series = [];
        let cumulativeLive = 0;
        for (let on = usage.firstOn; on <= usage.today; on = dayAfter(on)) {
          const day = known.get(on) ?? { on, live: 0, patch: 0, ivr: 0, callCount: 0 };
          cumulativeLive += day.live;
          series.push({ ...day, cumulativeLive });
        }
        return series;
      },
    },
    PaymentMethod: {
      __resolveType: (method) => (method.kind === "PAYPAL" ? "PayPalPaymentMethod" : "CardPaymentMethod"),
    },
    CardPaymentMethod: {
      displayName: (method) => `${method.brand} ending in ${method.last4}`,
      status: (method) => {
        const lastMonth = `${method.expiryYear}-${String(method.expiryMonth).padStart(2, "0")}`;
        return lastMonth < billingDate(now()).slice(0, 7) ? "EXPIRED" : method.status;
      },
    },
    PayPalPaymentMethod: {
      displayName: (method) => `${method.brand} ${method.payerEmail}`,
    },
    NextInvoice: {
      id: ({ member }) => `next_${rest(member.id)}_accrued`,
      period: ({ member }) => member.nextCycleOn,
      issuesAt: ({ member }) => sixInTheMorning(member.nextCycleOn),
      amountDue: ({ member, total }) =>
        seesPayments(member) ? Math.max(0, total - rows.creditBalance.get(member.id)) : null,
    },
    Invoice: {
      number: (invoice) => String(invoice.number),
      statusDisplayName: (invoice) => invoice.status[0] + invoice.status.slice(1).toLowerCase(),
      issuedAt: (invoice) => instant(invoice.issuedAt),
      paidAt: (invoice) => instant(invoice.paidAt),
      period: (invoice) => invoice.periodOn,
      total: (invoice) => invoice.totalCents,
      balance: (invoice) => invoice.balanceCents,
      lines: (invoice) => rows.lines.all(invoice.id),
    },
    InvoiceLine: {
      id: (line) => `line_${rest(line.invoiceId)}_${line.position}`,
      displayName: (line) => lineTitle(line.kind, line.periodOn, JSON.parse(line.inputs)),
      amount: (line) => line.amountCents,
      period: (line) => line.periodOn,
    },
  };
}
