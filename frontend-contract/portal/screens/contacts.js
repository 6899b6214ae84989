// Payment Contacts: who is told about billing besides the admins.
import { useState } from "preact/hooks";

import { usePress, useScreen } from "../api.js";
import { html } from "../parts/html.js";
import { Box, Done, Failure, Part } from "../parts/states.js";
import { dayOf, words } from "../text.js";
import { ContactForm } from "./contact-form.js";

const STATES = { CONFIRMED: "Confirmed", WAITING: "Waiting for the answer", UNCONFIRMED: "Not confirmed yet", DECLINED: "Declined" };

/** @param {{ onViewer: (viewer: any) => void }} props */
export default function Contacts({ onViewer }) {
  const { asked, may } = useScreen("ContactsList", onViewer);
  const [edited, setEdited] = useState(/** @type {any} */ (null));
  const [done, setDone] = useState("");
  const mayManage = may("MANAGE_CONTACTS");
  return html`
    ${done && html`<${Done}>${done}<//>`}
    <${Box} title="Payment contacts" id="contacts" action=${mayManage && html`<button type="button" class="main" onClick=${() => setEdited({})}>Add</button>`}>
      <${Part} asked=${asked} field="paymentContacts">
        ${(/** @type {any[]} */ contacts) =>
          contacts.length === 0
            ? html`<p class="quiet">Nobody else is told about billing. Add a bookkeeper, for example.</p>`
            : html`<ul class="cards">${contacts.map((contact) => html`<${Contact} key=${contact.id} contact=${contact} mayManage=${mayManage} onEdit=${() => setEdited(contact)} onDone=${setDone} />`)}</ul>`}
      <//>
    <//>
    ${edited && html`<${ContactForm} contact=${edited} onClose=${() => setEdited(null)} onDone=${(/** @type {string} */ text) => { setEdited(null); setDone(text); }} />`}
  `;
}

/** @param {{ contact: any, mayManage: boolean, onEdit: () => void, onDone: (text: string) => void }} props */
function Contact({ contact, mayManage, onEdit, onDone }) {
  const remove = usePress("ContactRemove", "PaymentContactRemoved");
  const resend = usePress("ContactConfirmationResend", "ContactConfirmationResent");
  const takeAway = async () => {
    if (await remove.press({ contactId: contact.id })) onDone(`${contact.name} was removed.`);
  };
  /** @param {string} channel */
  const ask = async (channel) => {
    if (await resend.press({ contactId: contact.id, channel })) onDone(`${contact.name} was asked again.`);
  };
  return html`
    <li class="card">
      <h3>${contact.name}</h3>
      ${contact.title && html`<p class="quiet">${contact.title}</p>`}
      <${Address} address=${contact.email} state=${contact.emailState} />
      ${contact.emailProblem && html`<p class="wrong">This address has refused mail since ${dayOf(contact.emailProblem.since)}.</p>`}
      <${Address} address=${contact.phone} state=${contact.phoneState} />
      ${contact.phone && html`<p class="quiet">Calls from ${contact.callsFrom} until ${contact.callsUntil}, ${contact.timeZone}</p>`}
      <p class="quiet">${contact.kinds.map(words).join(", ") || "Nothing at the moment"}</p>
      ${!contact.isActive && html`<p class="tag">Paused</p>`}
      <${Failure} failure=${remove.failure ?? resend.failure} />
      ${mayManage && html`
        <div class="buttons">
          <button type="button" aria-label=${`Change ${contact.name}`} onClick=${onEdit}>Change</button>
          ${contact.email && contact.emailState !== "CONFIRMED" && html`<button type="button" aria-label=${`Ask again: ${contact.name}`} onClick=${() => ask("EMAIL")}>Ask again</button>`}
          <button type="button" aria-label=${`Remove ${contact.name}`} onClick=${takeAway}>Remove</button>
        </div>
      `}
    </li>
  `;
}

/** @param {{ address: string | null, state: keyof typeof STATES | null }} props */
function Address({ address, state }) {
  if (!address) return null;
  return html`<p>${address} ${state && html`<span class=${`tag ${state.toLowerCase()}`}>${STATES[state] ?? words(state)}</span>`}</p>`;
}
