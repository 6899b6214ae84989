// The pop-up that adds or changes a payment contact.
import { useState } from "preact/hooks";

import { useApi, usePress, useQuery } from "../api.js";
import { Actions, Dialog, PressButton } from "../parts/dialog.js";
import { Check, Field } from "../parts/fields.js";
import { html } from "../parts/html.js";
import { Failure } from "../parts/states.js";

const ZONES = ["America/New_York", "America/Chicago", "America/Denver", "America/Phoenix", "America/Los_Angeles", "America/Anchorage", "Pacific/Honolulu"];

/** @param {{ contact: any, onClose: () => void, onDone: (text: string) => void }} props */
export function ContactForm({ contact, onClose, onDone }) {
  const isNew = !contact.id;
  const [typed, setTyped] = useState({
    name: contact.name ?? "", title: contact.title ?? "", email: contact.email ?? "", phone: contact.phone ?? "",
    timeZone: contact.timeZone ?? "America/Los_Angeles", callsFrom: contact.callsFrom ?? "09:00", callsUntil: contact.callsUntil ?? "17:00",
    kinds: contact.kinds ?? ["INVOICE_READY"], isActive: contact.isActive ?? true,
  });
  const alerts = useQuery("AlertsList");
  const press = usePress(isNew ? "ContactAdd" : "ContactUpdate", isNew ? "PaymentContactAdded" : "PaymentContactUpdated");
  const { contract } = useApi();
  /** @param {string} name */
  const field = (name) => ({
    name,
    value: /** @type {any} */ (typed)[name],
    onInput: (/** @type {string} */ value) => setTyped((before) => ({ ...before, [name]: value })),
    error: wrong === name ? press.failure?.message : null,
  });
  const wrong = press.failure && /** @type {any} */ (press.failure).field;
  /** @param {string} kind @param {boolean} isOn */
  const hear = (kind, isOn) => setTyped((before) => ({ ...before, kinds: isOn ? [...before.kinds, kind] : before.kinds.filter((/** @type {string} */ each) => each !== kind) }));
  /** @param {Event} event */
  const save = async (event) => {
    event.preventDefault();
    const channels = [...(typed.email ? ["EMAIL"] : []), ...(typed.phone ? ["PHONE_CALL"] : [])];
    const sent = { ...typed, email: typed.email || null, phone: typed.phone || null, channels };
    const saved = await press.press(isNew ? { contact: sent } : { contactId: contact.id, contact: sent });
    if (saved) onDone(isNew ? `${typed.name} was added and is asked to confirm.` : `${typed.name} was changed.`);
  };
  const kinds = alerts.data?.alertSubscriptions?.filter((/** @type {any} */ each) => each.reachesContacts) ?? [];
  return html`
    <${Dialog} title=${isNew ? "Add a payment contact" : `Change ${contact.name}`} onClose=${onClose} wide>
      <form onSubmit=${save} noValidate>
        <${Field} label="Name" ...${field("name")} required autocomplete="off" />
        <${Field} label="Title" ...${field("title")} hint="For example: Bookkeeper" autocomplete="off" />
        <${Field} label="Email" type="email" ...${field("email")} hint="Gets a mail first, and billing messages once it agrees." autocomplete="off" />
        <${Field} label="Phone" type="tel" ...${field("phone")} hint="Gets a call first. Leave it empty for mails alone." autocomplete="off" />
        ${typed.phone && html`
          <div class="row">
            <${Field} label="Calls from" type="time" ...${field("callsFrom")} />
            <${Field} label="Calls until" type="time" ...${field("callsUntil")} />
            <${Field} label="Time zone" ...${field("timeZone")}>${[...new Set([typed.timeZone, ...ZONES])].map((zone) => html`<option value=${zone} selected=${zone === typed.timeZone}>${zone}</option>`)}<//>
          </div>
        `}
        <fieldset>
          <legend>Hears about</legend>
          ${kinds.map((/** @type {any} */ each) => html`<${Check} name=${`hears-${each.kind}`} label=${each.displayName} checked=${typed.kinds.includes(each.kind)} onChange=${(/** @type {boolean} */ isOn) => hear(each.kind, isOn)} />`)}
        </fieldset>
        <${Check} name="isActive" label="Send messages to this contact" checked=${typed.isActive} onChange=${(/** @type {boolean} */ isActive) => setTyped((before) => ({ ...before, isActive }))} />
        ${press.failure && !(wrong in typed) && html`<${Failure} failure=${press.failure} />`}
        ${press.failure && wrong in typed && html`<p class="unseen" role="alert">${contract.errors.INVALID_CONTACT?.suggestedCopy}</p>`}
        <${Actions} onClose=${onClose}><${PressButton} press=${press} type="submit">${isNew ? "Add" : "Save"}<//><//>
      </form>
    <//>
  `;
}
