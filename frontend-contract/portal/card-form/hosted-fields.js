// The card form of production: Braintree's Hosted Fields, frames of theirs in which the number stays.
//
// UNPROVEN against the real service until somebody runs `scripts/sandbox_smoke.py` with keys: tested with a stand-in for the
// SDK's interface alone, written after the source of braintree-web 3.144.
//
// - `npm install braintree-web` in your program, and your bundler finds it by the names below. Without a bundler, load
//   `client.js`, `hosted-fields.js` and `data-collector.js` of its `dist/browser` by <script>: they make `window.braintree`.
//   An import map does not do, for they are no modules.
// - Your page's Content-Security-Policy has to allow Braintree's hosts:
//   https://developer.paypal.com/braintree/docs/guides/client-sdk/setup/javascript/v3#content-security-policy
// - The fields are `.hosted-field` in your style sheet; give them a height. The SDK adds its own classes, such as
//   `braintree-hosted-fields-focused`. What is typed is styled by `styles`, in the words of Hosted Fields.
// - With `threeDSecure` the bank may ask the customer before there is a nonce; it is passed to the SDK as it is:
//   `{ amount: "0.00", email, billingAddress, … }`.
import { CardFormError } from "./form.js";

/** @typedef {import("./form.js").CardField} CardField */
/** @typedef {{ client: any, hostedFields: any, dataCollector: any, threeDSecure?: any }} Sdk */

/** @type {Record<CardField, { label: string, wrong: string }>} */
const FIELDS = {
  number: { label: "Card number", wrong: "This card number is not valid." },
  expirationDate: { label: "Expires (MM/YY)", wrong: "Enter month and year, such as 12/30." },
  cvv: { label: "Security code", wrong: "Enter the three or four digits of the security code." },
  postalCode: { label: "Postal code", wrong: "Enter the postal code." },
};
const NAMES = /** @type {CardField[]} */ (Object.keys(FIELDS));
const EVENTS = ["focus", "blur", "empty", "notEmpty", "validityChange"];
let forms = 0;

/** Each module by a name that bundlers can read. What it exports is in `default` where CommonJS is made a module. */
const MODULES = {
  // @ts-ignore: braintree-web has no types of its own
  client: () => import("braintree-web/client"),
  // @ts-ignore
  hostedFields: () => import("braintree-web/hosted-fields"),
  // @ts-ignore
  dataCollector: () => import("braintree-web/data-collector"),
  // @ts-ignore
  threeDSecure: () => import("braintree-web/three-d-secure"),
};

/** @param {boolean} asksBank @returns {Promise<Sdk>} */
async function loadSdk(asksBank) {
  // @ts-ignore: what the SDK's scripts make, where the page has them
  if (globalThis.braintree?.hostedFields) return globalThis.braintree;
  const wanted = Object.entries(MODULES).filter(([name]) => asksBank || name !== "threeDSecure");
  const loaded = await Promise.all(wanted.map(async ([name, load]) => [name, await load().then((module) => module.default ?? module)]));
  return Object.fromEntries(loaded);
}

/**
 * @param {HTMLElement} element an empty one, where the fields are to be
 * @param {string} token the `clientToken` of `createPaymentFormToken`
 * @param {import("./form.js").CardFormOptions & { sdk?: Sdk, threeDSecure?: Record<string, unknown>, styles?: object }} [options]
 * @returns {Promise<import("./form.js").CardForm>} refused with a `CardFormError` when the SDK cannot be loaded or begun
 */
export async function mount(element, token, { sdk, threeDSecure, styles, onChange } = {}) {
  const page = build(element);
  /** @type {any[]} what has to be taken down */
  const parts = [];
  const unmount = () => {
    for (const part of parts.splice(0)) Promise.resolve(part.teardown?.()).catch(() => {});
    element.replaceChildren();
  };
  try {
    const { client, hostedFields, dataCollector, threeDSecure: bank } = sdk ?? (await loadSdk(Boolean(threeDSecure)));
    const authorized = await client.create({ authorization: token });
    const fields = Object.fromEntries(NAMES.map((name) => [name, { container: page.places[name], iframeTitle: FIELDS[name].label }]));
    const form = await hostedFields.create({ client: authorized, fields, ...(styles ? { styles } : {}) });
    parts.push(form);
    for (const event of EVENTS) form.on(event, () => onChange?.(stateOf(form.getState().fields)));
    // Without device data a card can be verified, too.
    const collector = await dataCollector.create({ client: authorized }).catch(() => null);
    if (collector) parts.push(collector);
    const checks = threeDSecure ? await bank.create({ client: authorized, version: 2 }) : null;
    if (checks) parts.push(checks);

    const tokenize = async () => {
      page.show({});
      try {
        const made = await form.tokenize();
        /** @param {unknown} _found @param {() => void} next */
        const onLookupComplete = (_found, next) => next();
        const asked = checks && (await checks.verifyCard({ onLookupComplete, ...threeDSecure, nonce: made.nonce, bin: made.details.bin }));
        return { nonce: asked?.nonce ?? made.nonce, deviceData: collector?.deviceData ?? null };
      } catch (error) {
        const refused = refusalOf(error);
        page.show(refused.fields, refused.message);
        throw refused;
      }
    };
    return { tokenize, unmount };
  } catch {
    unmount();
    throw new CardFormError({});
  }
}

/** The places of the fields, each with its label and its error. @param {HTMLElement} element */
function build(element) {
  forms += 1;
  const places = /** @type {Record<CardField, HTMLElement>} */ ({});
  const errors = /** @type {Record<string, HTMLElement>} */ ({});
  /** @param {string} tag @param {Record<string, string>} properties */
  const add = (tag, properties) => {
    const made = Object.assign(document.createElement(tag), properties);
    element.append(made);
    return made;
  };
  for (const name of NAMES) {
    const id = `card-${forms}-${name}`;
    add("label", { htmlFor: id, textContent: FIELDS[name].label }); // the SDK leads a press on it into its frame
    places[name] = add("div", { id, className: "hosted-field" });
    errors[name] = add("p", { className: "wrong", role: "alert" });
  }
  errors.form = add("p", { className: "wrong", role: "alert" });
  /** @param {Partial<Record<CardField, string>>} fields @param {string} [message] shown where no field is wrong */
  const show = (fields, message) => {
    for (const name of NAMES) errors[name].textContent = fields[name] ?? "";
    errors.form.textContent = Object.keys(fields).length ? "" : (message ?? "");
  };
  return { places, show };
}

/** @param {Record<CardField, import("./form.js").FieldState>} fields @returns {import("./form.js").CardState} */
function stateOf(fields) {
  const told = NAMES.map((name) => {
    const { isEmpty, isValid, isFocused } = fields[name];
    return [name, { isEmpty, isValid, isFocused }];
  });
  return Object.fromEntries(told);
}

/** @param {any} error of the SDK @returns {CardFormError} */
function refusalOf(error) {
  /** @param {CardField[]} names */
  const wrong = (names) => new CardFormError(Object.fromEntries(names.map((name) => [name, FIELDS[name].wrong])));
  switch (error?.code) {
    case "HOSTED_FIELDS_FIELDS_EMPTY":
      return wrong(NAMES);
    case "HOSTED_FIELDS_FIELDS_INVALID":
      return wrong(NAMES.filter((name) => error.details?.invalidFieldKeys?.includes(name)));
    case "HOSTED_FIELDS_TOKENIZATION_CVV_VERIFICATION_FAILED":
      return wrong(["cvv"]);
    case "HOSTED_FIELDS_FAILED_TOKENIZATION":
      return new CardFormError({}, "This card cannot be used. Check its details, or try another one.");
    default:
      return new CardFormError({}, "The payment service cannot be reached. Try again in a minute.");
  }
}
