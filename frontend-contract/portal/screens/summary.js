// Summary: the plan, this month's usage, how it is paid, and the next invoice as it stands.
import { useEffect, useRef } from "preact/hooks";

import { newKey, useApi, usePress, useQuery, useScreen } from "../api.js";
import { UsageChart } from "../parts/chart.js";
import { PressButton } from "../parts/dialog.js";
import { html } from "../parts/html.js";
import { Arithmetic, Lines, Sums } from "../parts/lines.js";
import { Box, Done, Failure, Fold, Part, Waiting } from "../parts/states.js";
import { amount, date, isZero, minutes, moment, month, number, unitPrice } from "../text.js";
import { Advice } from "./advice.js";

/** @param {{ onViewer: (viewer: any) => void }} props */
export default function Summary({ onViewer }) {
  const api = useApi();
  const { asked, may } = useScreen("SummaryOpen", onViewer);
  const shown = useRef("");
  shown.current = asked.data?.billingSummary ? mark(asked.data.billingSummary) : "";
  useEffect(
    () =>
      api.watch("SummaryWatch", ({ billingSummaryUpdated: summary }) => {
        if (shown.current && mark(summary) !== shown.current) asked.reload();
      }),
    [],
  );
  return html`
    <div class="columns">
      <div>
        <${Part} asked=${asked} field="billingSummary" lines=${12}>
          ${(/** @type {any} */ summary) => html`
            <${PlanBox} summary=${summary} />
            <${UsageBox} summary=${summary} />
          `}
        <//>
        <${Box} title="Is this the best plan?" id="advice">
          ${asked.data?.billingSummary?.isBestPlan === true && html`<p class="good">This is the best plan for this month.</p>`}
          ${asked.data?.billingSummary?.isBestPlan === false && html`<p>Another plan fits better.</p>`}
          <${Advice} />
        <//>
      </div>
      <div>
        <${Part} asked=${asked} field="billingSummary" lines=${8}>
          ${(/** @type {any} */ summary) => html`
            <${NextInvoice} next=${summary.nextInvoice} />
            ${may("VIEW_PAYMENT_DETAILS") && html`<${PaymentBox} summary=${summary} methods=${asked.data.paymentMethods} mayPay=${may("PAY_INVOICES")} />`}
          `}
        <//>
      </div>
    </div>
  `;
}

/** What tells one state of the summary from another. @param {any} summary */
const mark = (summary) => JSON.stringify([summary.nextInvoice?.hash, summary.usage?.callCount, summary.openBalance?.amount]);

/** @param {{ summary: any }} props */
function PlanBox({ summary }) {
  const { currentPlan: plan, nextMonthPlan: next } = summary;
  return html`
    <${Box} title="Plan" id="plan" action=${html`<a href="/billing/plan">Change plan</a>`}>
      ${plan ? html`<p class="figure">${plan.displayName}</p>
        <p class="quiet">${amount(plan.base)} a month with ${number(plan.includedMinutes)} minutes, then ${unitPrice(plan.overageRate)}</p>` : html`<p class="quiet">No plan this month.</p>`}
      ${next && next.id !== plan?.id && html`<p>Next month: <strong>${next.displayName}</strong>, ${amount(next.base)}</p>`}
    <//>
  `;
}

/** @param {{ summary: any }} props */
function UsageBox({ summary }) {
  const { usage, projection } = summary;
  if (!usage) return html`<${Box} title="Usage" id="usage"><p class="quiet">Your first paid month has not begun.</p><//>`;
  return html`
    <${Box} title=${`Usage in ${month(usage.period)}`} id="usage">
      <p class="figure" data-live>${minutes(usage.live)} <small>of ${minutes(usage.allowance)}</small></p>
      <${UsageChart} usage=${usage} projection=${projection} />
      <dl class="facts">
        <div><dt>Remaining</dt><dd>${minutes(usage.remaining)}</dd></div>
        <div><dt>Above the plan</dt><dd>${minutes(usage.overage)}</dd></div>
        <div><dt>Patched</dt><dd>${minutes(usage.patch)}</dd></div>
        <div><dt>Automated (IVR)</dt><dd>${minutes(usage.ivr)}</dd></div>
        <div><dt>Calls</dt><dd>${number(usage.callCount)}</dd></div>
        <div><dt>Usage charges so far</dt><dd>${amount(usage.totalCost)}</dd></div>
      </dl>
      <p class="quiet">${projection?.explanation ?? ""} As of ${moment(usage.asOf, usage.period.timeZone)}.</p>
    <//>
  `;
}

/** @param {{ next: any }} props */
function NextInvoice({ next }) {
  if (!next) return html`<${Box} title="Next invoice" id="next"><p class="quiet">There is no next invoice.</p><//>`;
  return html`
    <${Box} title="Next invoice" id="next" class="invoice">
      <p class="quiet">${month(next.period)}, issued on ${moment(next.issuesAt, next.period.timeZone)}. As it stands today.</p>
      <${Lines} lines=${next.lines} caption="Charges of the next invoice" />
      <${Fold} title="How is this calculated?"><${Calculation} /><//>
      <${Sums} sums=${[["Total", next.total], ["Credit applied", next.creditApplied], ["Amount due", next.amountDue ?? next.total]]} />
    <//>
  `;
}

/** The arithmetic of every line of the next invoice. */
function Calculation() {
  const asked = useQuery("NextInvoiceShow");
  return html`
    <${Part} asked=${asked} field="nextInvoice">
      ${(/** @type {any} */ next) => next.lines.map((/** @type {any} */ line) => html`
        <div class="line"><strong>${line.displayName}</strong><span class="amount">${amount(line.amount)}</span></div>
        <${Arithmetic} explanation=${line.explanation} />
      `)}
    <//>
  `;
}

/** @param {{ summary: any, methods: any, mayPay: boolean }} props */
function PaymentBox({ summary, methods, mayPay }) {
  const { autoPay, openBalance, creditBalance } = summary;
  const names = methods?.default ? [methods.default, ...methods.backups].map((/** @type {any} */ each) => each.displayName) : [];
  return html`
    <${Box} title="Payment" id="payment" action=${html`<a href="/billing/payment-methods">Payment methods</a>`}>
      ${names.length > 0 ? html`<p>Auto pay: <strong>${names.join(", then ")}</strong></p>` : html`<p class="wrong">No payment method is on file.</p>`}
      ${autoPay?.nextChargeOn && html`<p class="quiet">Next charge on ${date(autoPay.nextChargeOn)}</p>`}
      ${autoPay?.required && autoPay.requiredUntil && html`<p class="quiet">Auto pay is required until ${date(autoPay.requiredUntil)}.</p>`}
      <dl class="facts">
        <div><dt>Open balance</dt><dd>${amount(openBalance)}</dd></div>
        <div><dt>Credit</dt><dd>${amount(creditBalance)}</dd></div>
      </dl>
      ${mayPay && html`<${PayOpenBalance} balance=${openBalance} />`}
    <//>
  `;
}

/** What is open, and once it was pressed what became of each invoice. @param {{ balance: any }} props */
function PayOpenBalance({ balance }) {
  const press = usePress("OpenBalancePay", "OpenBalancePaid");
  const pay = () => press.press({ idempotencyKey: newKey() });
  const outcomes = (!press.failure && press.result?.outcomes) || [];
  /** @param {string} result */
  const having = (result) => outcomes.filter((/** @type {any} */ each) => each.result === result).map((/** @type {any} */ { invoice }) => invoice.number).join(", ");
  const [paid, pending, declined] = ["PAID", "PENDING", "DECLINED"].map(having);
  return html`
    <${Failure} failure=${press.failure} />
    ${paid && html`<${Done}>Paid: ${paid}.<//>`}
    ${pending && html`<${Waiting}>The bank has not answered yet: ${pending}. Nothing is charged twice.<//>`}
    ${declined && html`<${Failure} failure=${{ code: "PAYMENT_DECLINED", message: `Not paid: ${declined}.` }} />`}
    ${!isZero(balance) && html`<${PressButton} press=${press} onClick=${pay}>Pay ${amount(balance)} now<//>`}
  `;
}
