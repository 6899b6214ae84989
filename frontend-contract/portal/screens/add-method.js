// The pop-up that adds a payment method: authorize, verify, see what the bank says, add.
import { useEffect, useRef, useState } from "preact/hooks";

import { isWaiting, newKey, useApi, usePress, useQuery } from "../api.js";
import { CardFormError } from "../card-form/form.js";
import { Actions, Dialog, PressButton } from "../parts/dialog.js";
import { Check } from "../parts/fields.js";
import { html } from "../parts/html.js";
import { Failure, Part, Waiting } from "../parts/states.js";
import { moment, words } from "../text.js";

const CHECKS = [["cvvCheck", "Security code"], ["postalCodeCheck", "Postal code"], ["streetCheck", "Street"]];

/** @param {{ replaces: any, isFirst: boolean, onClose: () => void, onDone: (text: string) => void }} props */
export function AddMethod({ replaces, isFirst, onClose, onDone }) {
  const asked = useQuery("PaymentAgreementShow");
  const [isAuthorized, setAuthorized] = useState(false);
  const [makesDefault, setMakesDefault] = useState(false);
  const addKey = useRef(newKey());
  const sent = useRef(/** @type {any} */ (null));
  const verify = usePress("PaymentMethodVerify", "PaymentMethodVerified");
  const add = usePress("PaymentMethodAdd", "PaymentMethodAdded");
  const agreement = asked.data?.paymentAgreement;
  const card = useCardForm(agreement?.version);
  const isUnanswered = isWaiting(verify.result);
  const verified = verify.failure || isUnanswered ? null : verify.result;
  const agreed = { authorize: isAuthorized, agreementVersion: agreement?.version };

  const ask = async () => {
    const made = await card.tokenize();
    if (!made) return;
    addKey.current = newKey();
    sent.current = { idempotencyKey: newKey(), ...made, ...agreed, billingAddress: null, replaces: replaces?.id ?? null };
    await verify.press(sent.current);
  };
  const put = async () => {
    const added = await add.press({ idempotencyKey: addKey.current, verificationId: verified.verificationId, ...agreed, makeDefault: makesDefault });
    if (added) onDone(added.paymentMethod ? `${added.paymentMethod.displayName} was added.` : "The card waits for the bank's answer.");
  };
  const again = () => {
    verify.clear();
    add.clear();
  };
  return html`
    <${Dialog} title=${replaces ? `Replace ${replaces.displayName}` : "Add a payment method"} onClose=${onClose} wide>
      <div hidden=${Boolean(verified)}>
        <${Failure} failure=${card.failure} />
        <div ref=${card.place} class="card-form"></div>
        ${card.isLoading && html`<p class="quiet" role="status">Loading the card form…</p>`}
        <${Part} asked=${asked} field="paymentAgreement" lines=${2}>
          ${(/** @type {any} */ found) => html`
            <p class="terms" tabindex="0" role="region" aria-label="Agreement">${found.text}</p>
            <${Check} name="authorize" label="I authorize these charges" checked=${isAuthorized} onChange=${setAuthorized} />
          `}
        <//>
        <${Failure} failure=${verify.failure}><${Checks} verification=${verify.result?.verification} /><//>
        ${isUnanswered && html`
          <${Waiting}><p>The bank has not answered yet, and nothing was added. Ask again in a few minutes, or verify another card.</p>
            <button type="button" onClick=${again}>Verify another card</button><//>
        `}
      </div>
      ${verified && html`<${Verified} verified=${verified} />`}
      ${verified && !isFirst && !replaces && html`<${Check} name="make-default" label="Charge this one first" checked=${makesDefault} onChange=${setMakesDefault} />`}
      <${Failure} failure=${add.failure}><button type="button" onClick=${again}>Enter the card again</button><//>
      <${Actions} onClose=${onClose}>
        ${verified
          ? html`<${PressButton} press=${add} onClick=${put}>Add<//>`
          : isUnanswered
            ? html`<${PressButton} press=${verify} onClick=${() => verify.press(sent.current)}>Ask again<//>`
            : html`<${PressButton} press=${verify} onClick=${ask} disabled=${!isAuthorized || card.isLoading || Boolean(card.failure)}>Verify my Card<//>`}
      <//>
    <//>
  `;
}

/** @param {{ verified: any }} props */
function Verified({ verified }) {
  return html`
    <div class="done" role="status">
      <p><strong>${verified.displayName}</strong> was verified by its bank. Add it by ${moment(verified.expiresAt)}.</p>
      <${Checks} verification=${verified.verification} />
    </div>
  `;
}

/** What the bank compared. @param {{ verification: any }} props */
function Checks({ verification }) {
  if (!verification) return null;
  return html`<ul class="log">${CHECKS.map(([field, name]) => html`<li>${name}: ${words(verification[field])}</li>`)}</ul>`;
}

/**
 * The card form in the pop-up; a new token for each opening.
 * @param {string | undefined} agreementVersion
 */
function useCardForm(agreementVersion) {
  const { host } = useApi();
  const place = useRef(/** @type {HTMLDivElement | null} */ (null));
  const form = useRef(/** @type {import("../card-form/form.js").CardForm | null} */ (null));
  const press = usePress("PaymentFormTokenCreate", "PaymentFormTokenCreated");
  const [state, setState] = useState({ isLoading: true, failure: /** @type {any} */ (null) });
  useEffect(() => {
    if (!agreementVersion) return undefined;
    let isHere = true;
    const open = async () => {
      const created = await press.press({ agreementVersion });
      if (!created || !place.current) return;
      try {
        const { mount } = await import(host.cardForm === "sandbox" ? "../card-form/sandbox.js" : "../card-form/hosted-fields.js");
        form.current = await mount(place.current, created.clientToken);
        if (isHere) setState({ isLoading: false, failure: null });
        else form.current?.unmount();
      } catch {
        if (isHere) setState({ isLoading: false, failure: { code: "PAYMENT_GATEWAY_UNAVAILABLE", message: "" } });
      }
    };
    open();
    return () => {
      isHere = false;
      form.current?.unmount();
    };
  }, [agreementVersion]);
  const tokenize = async () => {
    try {
      return await form.current?.tokenize();
    } catch (error) {
      if (!(error instanceof CardFormError)) setState({ isLoading: false, failure: { code: "PAYMENT_GATEWAY_UNAVAILABLE", message: "" } });
      return null; // the form says at its fields what is wrong
    }
  };
  return { place, tokenize, isLoading: state.isLoading && !press.failure, failure: press.failure ?? state.failure };
}
