// The card form of the sandbox: a frame of the local gateway, on an origin of its own, where documented test numbers become
// nonces. The number stays in the frame: neither this page nor the API's server sees it.
import { CardFormError } from "./form.js";

const READY_WITHIN_MILLISECONDS = 10_000;
const SOURCE = "card-fields";

/**
 * @param {HTMLElement} element an empty one, where the fields are to be
 * @param {string} token the `clientToken` of `createPaymentFormToken`
 * @returns {Promise<import("./form.js").CardForm>}
 */
export async function mount(element, token) {
  const gateway = JSON.parse(atob(token));
  const origin = new URL(gateway.clientApiUrl).origin;
  const frame = document.createElement("iframe");
  const parameters = new URLSearchParams({
    parent: location.origin,
    tokenizer: `${gateway.clientApiUrl}/v1/payment_methods/credit_cards`,
    authorization: gateway.authorizationFingerprint,
  });
  frame.src = `${origin}/card-fields/card_fields.html?${parameters}`;
  frame.title = "Card details";
  frame.className = "card-frame";

  /** @type {Map<string, (answer: any) => void>} */
  const waiting = new Map();
  let ready = () => {};
  /** @param {MessageEvent} event */
  const hear = ({ origin: from, source, data }) => {
    if (from !== origin || source !== frame.contentWindow || data?.source !== SOURCE) return;
    if (data.kind === "ready") ready();
    if (data.kind === "height") frame.style.height = `${Math.ceil(data.pixels)}px`;
    if (data.kind === "answer") waiting.get(data.id)?.(data);
  };
  addEventListener("message", hear);
  const unmount = () => {
    removeEventListener("message", hear);
    frame.remove();
  };
  const isReady = new Promise((resolve, reject) => {
    ready = () => resolve(undefined);
    setTimeout(() => reject(new CardFormError({})), READY_WITHIN_MILLISECONDS);
  });
  element.append(frame);
  try {
    await isReady;
  } catch (error) {
    unmount();
    throw error;
  }

  const tokenize = async () => {
    const id = crypto.randomUUID();
    const answer = await new Promise((resolve) => {
      waiting.set(id, resolve);
      frame.contentWindow?.postMessage({ target: SOURCE, kind: "tokenize", id }, origin);
    });
    waiting.delete(id);
    if (answer.errors) throw new CardFormError(answer.errors);
    return { nonce: answer.nonce, deviceData: null };
  };
  return { tokenize, unmount };
}
