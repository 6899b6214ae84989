// The pop-up that changes the plan: now or next month, every line to the cent, and what is refused with its numbers.
import { useState } from "preact/hooks";

import { newKey, useQuery, usePress } from "../api.js";
import { Actions, Dialog, PressButton } from "../parts/dialog.js";
import { Choice } from "../parts/fields.js";
import { html } from "../parts/html.js";
import { Lines, Sums } from "../parts/lines.js";
import { Failure, Part } from "../parts/states.js";
import { amount, date, minutes, month, number } from "../text.js";

/** @param {{ offer: any, onClose: () => void, onDone: (text: string) => void }} props */
export function PlanChange({ offer, onClose, onDone }) {
  const [when, setWhen] = useState("NOW");
  const [key, setKey] = useState(newKey);
  const [newer, setNewer] = useState(/** @type {any} */ (null));
  const asked = useQuery("PlanChangePreview", { planId: offer.plan.id, when }, { isFresh: true });
  const press = usePress("PlanChangeConfirm", "PlanChanged");
  const found = newer ?? asked.data?.planChangePreview;
  const quote = found?.__typename === "PlanChangeQuote" ? found : null;
  /** @param {string} chosen */
  const choose = (chosen) => {
    setWhen(chosen);
    setNewer(null);
    press.clear();
  };
  const confirm = async () => {
    const changed = await press.press({ quoteId: quote.id, idempotencyKey: key });
    if (changed) onDone(changed.status === "PENDING" ? "The change waits for your bank's answer." : `${offer.plan.displayName} from ${date(changed.effectiveOn)}.`);
  };
  const takeNewer = () => {
    setNewer(press.failure && /** @type {any} */ (press.failure).quote);
    setKey(newKey());
    press.clear();
  };
  return html`
    <${Dialog} title=${`Change to ${offer.plan.displayName}`} onClose=${onClose} wide>
      <${Choice} legend="When" name="when" value=${when} onChange=${choose} options=${[["NOW", "Now"], ["NEXT_CYCLE", "Next month"]]} />
      <${Part} asked=${asked} field="planChangePreview" lines=${6}>
        ${() => (quote ? html`<${Quote} quote=${quote} />` : html`<${Refused} refusal=${found} />`)}
      <//>
      <${Failure} failure=${press.failure}>
        ${press.failure?.code === "QUOTE_STALE" && html`<button type="button" onClick=${takeNewer}>Show the new amounts</button>`}
        ${press.failure?.code === "DOWNGRADE_NOT_COST_EFFECTIVE" && html`<${Numbers} refusal=${press.failure} />`}
      <//>
      <${Actions} onClose=${onClose}>
        ${quote && html`<${PressButton} press=${press} onClick=${confirm} disabled=${press.failure?.code === "QUOTE_STALE"}>Ok<//>`}
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
