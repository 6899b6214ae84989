// One invoice, down to the calls: lines, payments, reversals, how the rest is collected, and the documents to keep.
import { useState } from "preact/hooks";

import { isWaiting, newKey, usePress, useScreen } from "../api.js";
import { PressButton } from "../parts/dialog.js";
import { html } from "../parts/html.js";
import { Lines, Sums } from "../parts/lines.js";
import { Box, Done, Failure, Part, Waiting } from "../parts/states.js";
import { amount, date, isZero, minutes, moment, month, words } from "../text.js";
import { LineCalls } from "./line-calls.js";

const METERED = ["UsageLine", "AdjustmentLine"];

/** @param {{ id: string, onViewer: (viewer: any) => void }} props */
export default function Invoice({ id, onViewer }) {
  const { asked, may } = useScreen("InvoiceShow", onViewer, { id });
  const isMissing = asked.data && asked.data.invoice === null && !asked.error;
  if (isMissing) return html`<${Failure} failure=${{ code: "NOT_FOUND", message: "There is no such invoice." }}><a href="/billing/invoices">All invoices</a><//>`;
  return html`
    <p><a href="/billing/invoices">← All invoices</a></p>
    <${Part} asked=${asked} field="invoice" lines=${12}>
      ${(/** @type {any} */ invoice) => html`
        <div class="columns">
          <div><${Charges} invoice=${invoice} /></div>
          <div>
            <${Settlement} invoice=${invoice} mayPay=${may("PAY_INVOICES")} />
            <${Documents} invoice=${invoice} maySend=${may("SEND_INVOICES")} />
          </div>
        </div>
      `}
    <//>
  `;
}

/** @param {{ invoice: any }} props */
function Charges({ invoice }) {
  const [opened, setOpened] = useState(/** @type {string[]} */ ([]));
  /** @param {any} line */
  const calls = (line) => {
    if (!METERED.includes(line.__typename)) return null;
    if (opened.includes(line.id)) return html`<${LineCalls} line=${line} />`;
    return html`<button type="button" class="plain" onClick=${() => setOpened([...opened, line.id])}>Show the calls</button>`;
  };
  return html`
    <${Box} title=${`Invoice ${invoice.number}`} id="invoice">
      <p>
        <span class=${`tag ${invoice.status.toLowerCase()}`}>${invoice.statusDisplayName}</span>${" "}
        <span class="quiet">${words(invoice.kind)}${invoice.period ? `, ${month(invoice.period)}` : ""}. Issued on ${moment(invoice.issuedAt, invoice.period?.timeZone)}, due on ${date(invoice.dueOn)}.</span>
      </p>
      ${invoice.corrects && html`<p class="quiet">It corrects an earlier invoice.</p>`}
      <${Lines} lines=${invoice.lines} caption="Charges of the invoice" more=${calls} />
      <${Sums}
        sums=${[
          ["Subtotal", invoice.subtotal],
          ...invoice.taxes.map((/** @type {any} */ tax) => [`${tax.name}, ${tax.percentage}% of ${amount(tax.taxed)}`, tax.amount]),
          ["Total", invoice.total],
          ["Credit applied", invoice.creditApplied],
          ["Credit created", invoice.creditCreated],
          ["Amount due", invoice.amountDue],
          ["Open balance", invoice.balance],
        ]}
      />
    <//>
  `;
}

/** @param {{ invoice: any, mayPay: boolean }} props */
function Settlement({ invoice, mayPay }) {
  const { collection, payments = [], credits = [], reversals = [] } = invoice;
  return html`
    <${Box} title="Payment" id="payment">
      ${collection?.message && html`<p>${collection.message}</p>`}
      <${Steps} collection=${collection} />
      <ul class="log" aria-label="Payments, credits and reversals">
        ${(payments ?? []).map((/** @type {any} */ each) => html`<li>${date(each.receivedOn)}: ${words(each.kind)} ${amount(each.amount)}</li>`)}
        ${(credits ?? []).map((/** @type {any} */ each) => html`<li>${date(each.grantedOn)}: Credit ${amount(each.amount)}</li>`)}
        ${(reversals ?? []).map((/** @type {any} */ each) => html`<li>${moment(each.reversedAt)}: ${each.reasonDisplayName} ${amount(each.amount)}</li>`)}
        ${(collection?.attempts ?? []).map((/** @type {any} */ each) => html`<li><span class="quiet">${moment(each.madeAt)}</span> ${each.displayName}, ${amount(each.amount)}: ${each.message ?? words(each.state)}</li>`)}
      </ul>
      ${mayPay && invoice.status === "OPEN" && !isZero(invoice.balance) && html`<${PayNow} invoice=${invoice} />`}
    <//>
  `;
}

/** @param {{ collection: any }} props */
function Steps({ collection }) {
  if (!collection) return null;
  const steps = [["Next attempt", collection.nextAttemptAt], ["Late fee", collection.lateFeeAt], ["Suspension", collection.suspendsAt]].filter(([, at]) => at);
  if (steps.length === 0) return null;
  return html`<dl class="facts">${steps.map(([name, at]) => html`<div><dt>${name}</dt><dd>${moment(at)}</dd></div>`)}</dl>`;
}

/** @param {{ invoice: any }} props */
function PayNow({ invoice }) {
  const press = usePress("InvoicePay", "InvoicePaid");
  return html`
    <${Failure} failure=${press.failure} />
    ${isWaiting(press.result) && html`<${Waiting}>The bank has not answered yet. Nothing is charged twice: look at this invoice again in a few minutes.<//>`}
    <${PressButton} press=${press} onClick=${() => press.press({ invoiceId: invoice.id, idempotencyKey: newKey() })}>Pay ${amount(invoice.balance)} now<//>
  `;
}

/** @param {{ invoice: any, maySend: boolean }} props */
function Documents({ invoice, maySend }) {
  const press = usePress("InvoiceResend", "InvoiceResent");
  const { documents } = invoice;
  const kinds = documents ? [["View", documents.html], ["PDF", documents.pdf], ["CSV", documents.csv], ["Calls as CSV", documents.callsCsv]] : [];
  return html`
    <${Box} title="Documents" id="documents">
      <p class="links">${kinds.filter(([, address]) => address).map(([name, address]) => html`<a href=${address} target="_blank" rel="noopener">${name}</a> `)}</p>
      <${Failure} failure=${press.failure} />
      ${press.result && !press.failure && html`<${Done}>The mail is on its way.<//>`}
      ${maySend && html`<${PressButton} press=${press} onClick=${() => press.press({ invoiceId: invoice.id })}>Send the mail again<//>`}
    <//>
  `;
}
