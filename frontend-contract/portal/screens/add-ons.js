// Add Ons: the four, each with its price and terms; buying one, cancelling it, and taking the cancellation back.
import { useState } from "preact/hooks";

import { isWaiting, usePress, useScreen } from "../api.js";
import { Actions, Dialog, PressButton } from "../parts/dialog.js";
import { Check } from "../parts/fields.js";
import { html } from "../parts/html.js";
import { Lines, Sums } from "../parts/lines.js";
import { Stale, useQuote } from "../parts/quote.js";
import { Box, Done, Failure, Part } from "../parts/states.js";
import { amount, date } from "../text.js";

/** @param {{ onViewer: (viewer: any) => void }} props */
export default function AddOns({ onViewer }) {
  const { asked, may } = useScreen("AddOnsList", onViewer);
  const [bought, setBought] = useState(/** @type {any} */ (null));
  const [done, setDone] = useState("");
  /** @param {string} text */
  const finish = (text) => {
    setBought(null);
    setDone(text);
  };
  return html`
    ${done && html`<${Done}>${done}<//>`}
    <${Box} title="Add-ons" id="add-ons">
      <${Part} asked=${asked} field="addOns" lines=${8}>
        ${(/** @type {any[]} */ addOns) => html`
          <ul class="cards">
            ${addOns.map((addOn) => html`<${AddOn} key=${addOn.id} addOn=${addOn} mayChange=${may("CHANGE_PLAN")} onBuy=${() => setBought(addOn)} onDone=${setDone} />`)}
          </ul>
        `}
      <//>
    <//>
    ${bought && html`<${Buy} addOn=${bought} onClose=${() => setBought(null)} onDone=${finish} />`}
  `;
}

/** @param {{ addOn: any, mayChange: boolean, onBuy: () => void, onDone: (text: string) => void }} props */
function AddOn({ addOn, mayChange, onBuy, onDone }) {
  const cancel = usePress("AddOnCancel", "AddOnCancelled");
  const keep = usePress("AddOnKeep", "AddOnKept");
  const stop = async () => {
    const result = await cancel.press({ addOnId: addOn.id });
    if (result) onDone(`${addOn.displayName} ends after ${date(result.addOn.until)}.`);
  };
  const goOn = async () => {
    if (await keep.press({ addOnId: addOn.id })) onDone(`${addOn.displayName} goes on.`);
  };
  return html`
    <li class=${addOn.state === "AVAILABLE" ? "card" : "card current"}>
      <h3>${addOn.displayName}</h3>
      <p class="figure">${amount(addOn.price)} <small>a month</small></p>
      <p>${addOn.description}</p>
      ${addOn.state === "ACTIVE" && html`<p><span class="tag good">Active</span> <span class="quiet">since ${date(addOn.since)}</span></p>`}
      ${addOn.state === "ENDING" && html`<p><span class="tag">Ending</span> <span class="quiet">active until ${date(addOn.until)}</span></p>`}
      <details><summary aria-label=${`Terms of ${addOn.displayName}`}>Terms</summary><p>${addOn.terms.text}</p></details>
      <${Failure} failure=${cancel.failure ?? keep.failure} />
      ${mayChange && html`
        <div class="buttons">
          ${addOn.state === "AVAILABLE" && html`<button type="button" class="main" aria-label=${`Buy ${addOn.displayName}`} onClick=${onBuy}>Buy</button>`}
          ${addOn.state === "ACTIVE" && html`<${PressButton} press=${cancel} onClick=${stop} isMain=${false}>Cancel ${addOn.displayName}<//>`}
          ${addOn.state === "ENDING" && html`<${PressButton} press=${keep} onClick=${goOn}>Keep ${addOn.displayName}<//>`}
        </div>
      `}
    </li>
  `;
}

/** @param {{ addOn: any, onClose: () => void, onDone: (text: string) => void }} props */
function Buy({ addOn, onClose, onDone }) {
  const [accepted, setAccepted] = useState(/** @type {string | null} */ (null));
  const press = usePress("AddOnActivate", "AddOnActivated");
  const previewed = { field: "addOnChangePreview", type: "AddOnQuote", press };
  const { asked, found, quote, key, stale, takeNewer } = useQuote("AddOnPreview", { addOnId: addOn.id }, previewed);
  const terms = quote?.terms.version;
  const confirm = async () => {
    const bought = await press.press({ quoteId: quote.id, termsVersion: terms, idempotencyKey: key });
    if (bought) onDone(isWaiting(bought) ? `${addOn.displayName} waits for your bank's answer.` : `${addOn.displayName} is active.`);
  };
  return html`
    <${Dialog} title=${`Buy ${addOn.displayName}`} onClose=${onClose} wide>
      <${Part} asked=${asked} field="addOnChangePreview" lines=${6}>
        ${() =>
          quote
            ? html`
                <p>${amount(quote.monthlyPrice)} a month, from ${date(quote.effectiveOn)}.</p>
                <${Lines} lines=${quote.lines} caption="Charges of the add-on" />
                <${Sums} sums=${[["Total", quote.total], ["Credit applied", quote.creditApplied], ["Due now", quote.amountDueNow]]} />
                <p class="terms" tabindex="0" role="region" aria-label="Terms">${quote.terms.text}</p>
                <${Check} name="terms" label="I accept these terms" checked=${accepted === terms} onChange=${(/** @type {boolean} */ isOn) => setAccepted(isOn ? terms : null)} />
              `
            : html`<${Failure} failure=${found} />`}
      <//>
      <${Failure} failure=${press.failure}><${Stale} quote=${quote} stale=${stale} onShow=${takeNewer} /><//>
      <${Actions} onClose=${onClose}>
        ${quote && html`<${PressButton} press=${press} onClick=${confirm} disabled=${accepted !== terms || Boolean(stale)}>Buy<//>`}
      <//>
    <//>
  `;
}
