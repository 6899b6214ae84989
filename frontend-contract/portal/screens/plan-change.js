// The pop-up that changes the plan: now or next month, every line to the cent, and what is refused with its numbers.
import { useState } from "preact/hooks";

import { isWaiting, usePress } from "../api.js";
import { Actions, Dialog, PressButton } from "../parts/dialog.js";
import { Choice } from "../parts/fields.js";
import { html } from "../parts/html.js";
import { Lines, Sums } from "../parts/lines.js";
import { Stale, useQuote } from "../parts/quote.js";
import { Failure, Part } from "../parts/states.js";
import { amount, date, minutes, month, number } from "../text.js";

/** @param {{ offer: any, onClose: () => void, onDone: (text: string) => void }} props */
export function PlanChange({ offer, onClose, onDone }) {
  const [when, setWhen] = useState("NOW");
  const press = usePress("PlanChangeConfirm", "PlanChanged");
  const previewed = { field: "planChangePreview", type: "PlanChangeQuote", press };
  const { asked, found, quote, key, stale, takeNewer } = useQuote("PlanChangePreview", { planId: offer.plan.id, when }, previewed);
  /** @param {string} chosen */
  const choose = (chosen) => {
    setWhen(chosen);
    press.clear();
  };
  const confirm = async () => {
    const changed = await press.press({ quoteId: quote.id, idempotencyKey: key });
    if (changed) onDone(isWaiting(changed) ? "The change waits for your bank's answer." : `${offer.plan.displayName} from ${date(changed.effectiveOn)}.`);
  };
  return html`
    <${Dialog} title=${`Change to ${offer.plan.displayName}`} onClose=${onClose} wide>
      <${Choice} legend="When" name="when" value=${when} onChange=${choose} options=${[["NOW", "Now"], ["NEXT_CYCLE", "Next month"]]} />
      <${Part} asked=${asked} field="planChangePreview" lines=${6}>
        ${() => (quote ? html`<${Quote} quote=${quote} />` : html`<${Refused} refusal=${found} />`)}
      <//>
      <${Failure} failure=${press.failure}>
        <${Stale} quote=${quote} stale=${stale} onShow=${takeNewer} />
        ${press.failure?.code === "DOWNGRADE_NOT_COST_EFFECTIVE" && html`<${Numbers} refusal=${press.failure} />`}
      <//>
      <${Actions} onClose=${onClose}>
        ${quote && html`<${PressButton} press=${press} onClick=${confirm} disabled=${Boolean(stale)}>Ok<//>`}
      <//>
    <//>
  `;
}

/** @param {{ quote: any }} props */
function Quote({ quote }) {
  return html`
    <p>Takes effect on <strong>${date(quote.effectiveOn)}</strong>.</p>
    <${Lines} lines=${quote.lines} caption="Charges of the change" />
    <${Sums} sums=${[["Total", quote.total], ["Credit applied", quote.creditApplied], ["Credited to open invoices", quote.creditToOpenInvoices], ["Due now", quote.amountDueNow]]} />
    ${quote.nextInvoice && html`<p class="quiet">The next invoice (${month(quote.nextInvoice.period)}) would be ${amount(quote.nextInvoice.amountDue ?? quote.nextInvoice.total)}.</p>`}
  `;
}

/** @param {{ refusal: any }} props */
function Refused({ refusal }) {
  if (!refusal) return null;
  return html`<${Failure} failure=${refusal}>${refusal.code === "DOWNGRADE_NOT_COST_EFFECTIVE" && html`<${Numbers} refusal=${refusal} />`}<//>`;
}

/** @param {{ refusal: any }} props */
function Numbers({ refusal }) {
  return html`
    <dl class="facts">
      <div><dt>Used this month</dt><dd>${minutes(refusal.usage)}</dd></div>
      <div><dt>Possible below</dt><dd>${number(refusal.thresholdMinutes)} min</dd></div>
      <div><dt>This month on your plan</dt><dd>${amount(refusal.currentCost)}</dd></div>
      <div><dt>This month on that plan</dt><dd>${amount(refusal.targetCost)}</dd></div>
    </dl>
  `;
}
