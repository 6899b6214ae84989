// The card form of the sandbox: a frame of the local gateway, on an origin of its own, where documented test numbers become
// nonces. The number stays in the frame: neither this page nor the API's server sees it.
//
// - 4111 1111 1111 1111 is a good card, 4000 1111 1111 1115 is declined when it is verified; any later date and code will do.
//   Others: https://developer.paypal.com/braintree/docs/reference/general/testing/
// - Your page has to come from this machine (127.0.0.1 or localhost, any port). If it has a Content-Security-Policy:
//   `frame-src http://127.0.0.1:*`.
// - The frame goes by the `color-scheme` of the element, and by these of its custom properties, each a colour:
//   --card-field-text, --card-field-surface, --card-field-border, --card-field-bad, --card-field-accent. It makes itself as
//   high as it has to be.
import { CardFormError } from "./form.js";

/** @typedef {import("./form.js").CardForm} CardForm */

const READY_WITHIN_MILLISECONDS = 10_000;
const ANSWERS_WITHIN_MILLISECONDS = 30_000;
const SOURCE = "card-fields";
const COLORS = ["text", "surface", "border", "bad", "accent"];

/**
 * @param {HTMLElement} element an empty one, where the fields are to be
 * @param {string} token the `clientToken` of `createPaymentFormToken`
 * @param {import("./form.js").CardFormOptions} [options]
 * @returns {Promise<CardForm>} refused with a `CardFormError` when the gateway does not answer
 */
export async function mount(element, token, { onChange } = {}) {
  const { origin, address } = frameOf(token, element);
  const frame = document.createElement("iframe");
  frame.src = address;
  frame.title = "Card details";
  frame.className = "card-frame";

  /** @type {Map<string, (answer: any) => void>} */
  const waiting = new Map();
  /** @param {MessageEvent} event */
  const hear = ({ origin: from, source, data }) => {
    if (from !== origin || source !== frame.contentWindow || data?.source !== SOURCE) return;
    if (data.kind === "ready") waiting.get("ready")?.(data);
    if (data.kind === "height") frame.style.height = `${Math.ceil(Number(data.pixels))}px`;
    if (data.kind === "state") onChange?.(data.fields);
    if (data.kind === "answer") waiting.get(data.id)?.(data);
  };
  /**
   * @param {string} id of what is waited for
   * @param {number} milliseconds
   * @returns {Promise<any>}
   */
  const hearOf = (id, milliseconds) =>
    new Promise((resolve, reject) => {
      /** @param {any} found null when there is nothing to wait for any more */
      const answer = (found) => {
        clearTimeout(timer);
        waiting.delete(id);
        if (found) resolve(found);
        else reject(new CardFormError({}));
      };
      const timer = setTimeout(answer, milliseconds, null);
      waiting.set(id, answer);
    });
  const unmount = () => {
    removeEventListener("message", hear);
    frame.remove();
    for (const answer of [...waiting.values()]) answer(null);
  };

  addEventListener("message", hear);
  element.append(frame);
  try {
    await hearOf("ready", READY_WITHIN_MILLISECONDS);
  } catch (error) {
    unmount();
    throw error;
  }
  const tokenize = async () => {
    const id = crypto.randomUUID();
    const answered = hearOf(id, ANSWERS_WITHIN_MILLISECONDS);
    frame.contentWindow?.postMessage({ target: SOURCE, kind: "tokenize", id }, origin);
    const answer = await answered;
    if (answer.errors) throw new CardFormError(answer.errors, answer.message || undefined);
    return { nonce: answer.nonce, deviceData: null };
  };
  return { tokenize, unmount };
}

/**
 * The address of the gateway's page, as the token names the gateway, in the looks of the element.
 * @param {string} token
 * @param {HTMLElement} element
 */
function frameOf(token, element) {
  const gateway = read(token);
  const looks = getComputedStyle(element);
  const parameters = new URLSearchParams({
    parent: location.origin,
    tokenizer: `${gateway.clientApiUrl}/v1/payment_methods/credit_cards`,
    authorization: gateway.authorizationFingerprint,
  });
  if (["light", "dark"].includes(looks.colorScheme)) parameters.set("theme", looks.colorScheme);
  for (const name of COLORS) {
    const color = looks.getPropertyValue(`--card-field-${name}`).trim();
    if (color) parameters.set(name, color);
  }
  const { origin } = new URL(gateway.clientApiUrl);
  return { origin, address: `${origin}/card-fields/card_fields.html?${parameters}` };
}

/** @param {string} token @returns {{ clientApiUrl: string, authorizationFingerprint: string }} */
function read(token) {
  try {
    const gateway = JSON.parse(atob(token));
    new URL(gateway.clientApiUrl);
    return gateway;
  } catch {
    throw new CardFormError({}, "The card form needs a new token.");
  }
}
