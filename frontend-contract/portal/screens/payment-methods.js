// Payment Method: the default, the back-ups in the order in which they are tried, and the form that adds one.
import { useState } from "preact/hooks";

import { usePress, useScreen } from "../api.js";
import { PressButton } from "../parts/dialog.js";
import { html } from "../parts/html.js";
import { Box, Done, Failure, Part } from "../parts/states.js";
import { AddMethod } from "./add-method.js";

/** @param {{ onViewer: (viewer: any) => void }} props */
export default function PaymentMethods({ onViewer }) {
  const { asked, may } = useScreen("PaymentMethodsList", onViewer);
  const [adding, setAdding] = useState(/** @type {{ replaces: any } | null} */ (null));
  const [done, setDone] = useState("");
  const mayManage = may("MANAGE_PAYMENT_METHODS");
  const add = html`<button type="button" class="main" onClick=${() => setAdding({ replaces: null })}>Add</button>`;
  /** @param {string} text */
  const finish = (text) => {
    setAdding(null);
    setDone(text);
  };
  return html`
    ${done && html`<${Done}>${done}<//>`}
    <${Box} title="Payment methods" id="methods" action=${mayManage && add}>
      <${Part} asked=${asked} field="paymentMethods">
        ${(/** @type {any} */ found) => html`<${Methods} found=${found} mayManage=${mayManage} onReplace=${(/** @type {any} */ replaces) => setAdding({ replaces })} onDone=${setDone} />`}
      <//>
    <//>
    ${adding && html`<${AddMethod} replaces=${adding.replaces} isFirst=${!asked.data?.paymentMethods?.default} onClose=${() => setAdding(null)} onDone=${finish} />`}
  `;
}

/** @param {{ found: any, mayManage: boolean, onReplace: (method: any) => void, onDone: (text: string) => void }} props */
function Methods({ found, mayManage, onReplace, onDone }) {
  const order = usePress("BackupPaymentMethodsReorder", "BackupPaymentMethodsReordered");
  const setDefault = usePress("PaymentMethodSetDefault", "DefaultPaymentMethodSet");
  const remove = usePress("PaymentMethodRemove", "PaymentMethodRemoved");
  if (!found.default) return html`<p class="quiet">No payment method is on file. Add one, so that invoices are paid by themselves.</p>`;
  const { backups } = found;
  /** @param {number} place @param {number} step */
  const move = (place, step) => {
    const ids = backups.map((/** @type {any} */ each) => each.id);
    [ids[place], ids[place + step]] = [ids[place + step], ids[place]];
    order.press({ paymentMethodIds: ids });
  };
  /** @param {any} method */
  const makeDefault = async (method) => {
    if (await setDefault.press({ paymentMethodId: method.id })) onDone(`${method.displayName} is the default now.`);
  };
  /** @param {any} method */
  const takeAway = async (method) => {
    const removed = await remove.press({ paymentMethodId: method.id });
    if (removed) onDone(`${method.displayName} was removed.${removed.newDefault ? ` ${removed.newDefault.displayName} is the default now.` : ""}`);
  };
  const methods = [found.default, ...backups];
  return html`
    <${Failure} failure=${order.failure ?? setDefault.failure ?? remove.failure} />
    <ol class="methods">
      ${methods.map((method, place) => {
        const backup = place - 1;
        return html`
          <li class=${method.isDefault ? "card current" : "card"}>
            <h3>${method.displayName}</h3>
            <p>
              <span class=${`tag ${method.status.toLowerCase()}`}>${method.isDefault ? "Default" : `Back-up ${backup + 1}`}</span>${" "}
              ${method.status !== "ACTIVE" && html`<span class="tag wrong">${method.statusDisplayName}</span>`}
            </p>
            ${method.expiryMonth && html`<p class="quiet">Expires ${String(method.expiryMonth).padStart(2, "0")}/${method.expiryYear}</p>`}
            ${mayManage && html`
              <div class="buttons">
                ${backup >= 0 && html`
                  <${PressButton} press=${setDefault} onClick=${() => makeDefault(method)} isMain=${false}>Set Default<//>
                  <button type="button" disabled=${backup === 0} aria-label=${`Move ${method.displayName} up`} onClick=${() => move(backup, -1)}>↑</button>
                  <button type="button" disabled=${backup === backups.length - 1} aria-label=${`Move ${method.displayName} down`} onClick=${() => move(backup, 1)}>↓</button>
                `}
                <button type="button" aria-label=${`Replace ${method.displayName}`} onClick=${() => onReplace(method)}>Replace</button>
                <button type="button" aria-label=${`Remove ${method.displayName}`} onClick=${() => takeAway(method)}>Remove</button>
              </div>
            `}
          </li>
        `;
      })}
    </ol>
  `;
}
