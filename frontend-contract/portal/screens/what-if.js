// What if: a month of so many minutes, with these add-ons, on every plan.
import { useEffect, useState } from "preact/hooks";

import { useQuery } from "../api.js";
import { Check } from "../parts/fields.js";
import { html } from "../parts/html.js";
import { Part } from "../parts/states.js";
import { amount, number } from "../text.js";

const MOST_MINUTES = 1_500;
const FIRST_MINUTES = 200;
const SETTLES_AFTER_MILLISECONDS = 250;

export function WhatIf() {
  const asked = useQuery("AddOnsList");
  return html`<${Part} asked=${asked} field="addOns">${(/** @type {any[]} */ addOns) => html`<${Slider} addOns=${addOns} />`}<//>`;
}

/** @param {{ addOns: any[] }} props */
function Slider({ addOns }) {
  const [minutes, setMinutes] = useState(FIRST_MINUTES);
  const [chosen, setChosen] = useState(addOns.filter(({ state }) => state !== "AVAILABLE").map(({ id }) => id));
  const [asks, setAsks] = useState({ liveMinutes: minutes, addOnIds: chosen });
  useEffect(() => {
    const settled = setTimeout(() => setAsks({ liveMinutes: minutes, addOnIds: chosen }), SETTLES_AFTER_MILLISECONDS);
    return () => clearTimeout(settled);
  }, [minutes, chosen]);
  const asked = useQuery("WhatIfShow", { ...asks, patchMinutes: 0, ivrMinutes: 0, additionalLines: null });
  /** @param {string} id @param {boolean} isOn */
  const toggle = (id, isOn) => setChosen((before) => (isOn ? [...before, id] : before.filter((each) => each !== id)));
  return html`
    <div class="field">
      <label for="minutes">Live minutes: <output for="minutes">${number(minutes)}</output></label>
      <input id="minutes" type="range" min="0" max=${MOST_MINUTES} step="10" value=${minutes} onInput=${(/** @type {any} */ event) => setMinutes(Number(event.currentTarget.value))} />
    </div>
    ${addOns.map((each) => html`<${Check} name=${`with-${each.id}`} label=${`${each.displayName}, ${amount(each.price)}`} checked=${chosen.includes(each.id)} onChange=${(/** @type {boolean} */ isOn) => toggle(each.id, isOn)} />`)}
    <${Part} asked=${asked} field="whatIf">${(/** @type {any} */ found) => html`<${Bills} bills=${found.bills} />`}<//>
  `;
}

/** @param {{ bills: any[] }} props */
function Bills({ bills }) {
  return html`
    <div class="scroll" tabindex="0" role="region" aria-label="The month on every plan">
      <table>
        <thead>
          <tr><th scope="col">Plan</th><th scope="col" class="amount">Base</th><th scope="col" class="amount">Overage</th><th scope="col" class="amount">Add-ons</th><th scope="col" class="amount">Tax</th><th scope="col" class="amount">Total</th></tr>
        </thead>
        <tbody>
          ${bills.map(
            (bill) => html`
              <tr class=${bill.isCheapest ? "best" : ""}>
                <th scope="row">${bill.plan.displayName}${bill.isCurrent ? " (your plan)" : ""}${bill.isCheapest ? " – cheapest" : ""}</th>
                <td class="amount">${amount(bill.base)}</td><td class="amount">${amount(bill.overage)}</td>
                <td class="amount">${amount(bill.addOns)}</td><td class="amount">${amount(bill.tax)}</td><td class="amount"><strong>${amount(bill.total)}</strong></td>
              </tr>
            `,
          )}
        </tbody>
      </table>
    </div>
  `;
}
