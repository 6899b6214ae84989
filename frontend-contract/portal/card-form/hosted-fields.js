// The card form of production: Braintree's Hosted Fields, frames of theirs in which the number stays.
// Unproven against the real service until somebody runs `scripts/sandbox_smoke.py` with keys: tested with a stand-in for the
// SDK's interface alone. `braintree-web` comes from the host page's own packages, by these bare names.
import { CardFormError } from "./form.js";

/** @typedef {{ client: any, hostedFields: any, dataCollector: any, threeDSecure?: any }} Sdk */

const FIELDS = {
  number: { selector: "#card-number", label: "Card number" },
  expirationDate: { selector: "#card-expiry", label: "Expires (MM/YY)" },
  cvv: { selector: "#card-cvv", label: "Security code" },
  postalCode: { selector: "#card-postal", label: "Postal code" },
};

/** @returns {Promise<Sdk>} */
async function loadSdk() {
  const names = ["braintree-web/client", "braintree-web/hosted-fields", "braintree-web/data-collector"];
  const [client, hostedFields, dataCollector] = await Promise.all(names.map((name) => import(name)));
  return { client, hostedFields, dataCollector };
}

/**
 * @param {HTMLElement} element an empty one, where the fields are to be
 * @param {string} token the `clientToken` of `createPaymentFormToken`
 * @param {{ sdk?: Sdk, threeDSecure?: { amount: string } }} [options] with `threeDSecure` and the SDK's component of that name
 *   the bank may ask the customer before there is a nonce
 * @returns {Promise<import("./form.js").CardForm>}
 */
export async function mount(element, token, { sdk, threeDSecure } = {}) {
  const { client, hostedFields, dataCollector, threeDSecure: secure } = sdk ?? (await loadSdk());
  for (const { selector, label } of Object.values(FIELDS)) {
    const place = document.createElement("div");
    const name = document.createElement("label");
    name.htmlFor = selector.slice(1);
    name.textContent = label;
    place.id = selector.slice(1);
    place.className = "hosted-field";
    element.append(name, place);
  }
  const authorized = await client.create({ authorization: token });
  const fields = Object.fromEntries(Object.entries(FIELDS).map(([name, { selector }]) => [name, { selector }]));
  const form = await hostedFields.create({ client: authorized, fields });
  const collector = await dataCollector.create({ client: authorized });
  const checks = secure && threeDSecure ? await secure.create({ client: authorized, version: 2 }) : null;

  const tokenize = async () => {
    let made;
    try {
      made = await form.tokenize();
    } catch (error) {
      throw new CardFormError(wrongFields(error));
    }
    const verified = checks && (await checks.verifyCard({ ...threeDSecure, nonce: made.nonce, bin: made.details.bin }));
    return { nonce: verified?.nonce ?? made.nonce, deviceData: collector.deviceData ?? null };
  };
  const unmount = () => {
    form.teardown();
    collector.teardown();
    element.replaceChildren();
  };
  return { tokenize, unmount };
}

/** @param {any} error @returns {Record<string, string>} */
function wrongFields(error) {
  const invalid = error?.code === "HOSTED_FIELDS_FIELDS_INVALID" ? Object.keys(error.details.invalidFields) : Object.keys(FIELDS);
  const isEmpty = error?.code === "HOSTED_FIELDS_FIELDS_EMPTY";
  return Object.fromEntries(invalid.map((name) => [name, isEmpty ? "Fill in the card's details." : "Check this field."]));
}
