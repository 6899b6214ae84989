// A quote that is looked at and then confirmed: a key for each, and the newer one when it is stale.
import { useEffect, useMemo, useState } from "preact/hooks";

import { newKey, useQuery } from "../api.js";
import { amount } from "../text.js";
import { html } from "./html.js";

/** After these a quote is used up, or was for other terms: the next one is asked for, and confirmed once the cause is gone. */
const USED_UP = ["PAYMENT_DECLINED", "PAYMENT_GATEWAY_UNAVAILABLE", "TERMS_NOT_ACCEPTED"];

/**
 * @param {string} operation the preview
 * @param {Record<string, unknown>} variables
 * @param {{ field: string, type: string, press: import("../api.js").Press }} parts what the preview returns a quote in, and
 *   the press that confirms it
 */
export function useQuote(operation, variables, { field, type, press }) {
  const chosen = JSON.stringify(variables);
  const [newer, setNewer] = useState({ chosen, quote: /** @type {any} */ (null) });
  const asked = useQuery(operation, variables, { isFresh: true });
  const found = (newer.chosen === chosen && newer.quote) || asked.data?.[field];
  const quote = found?.__typename === type ? found : null;
  const key = useMemo(newKey, [quote?.id]);
  const failure = /** @type {any} */ (press.failure);
  const stale = failure?.code === "QUOTE_STALE" ? failure : null;
  useEffect(() => {
    if (!USED_UP.includes(failure?.code)) return;
    setNewer({ chosen, quote: null });
    asked.reload();
  }, [failure]);
  const takeNewer = () => {
    setNewer({ chosen, quote: stale.quote });
    press.clear();
  };
  return { asked, found, quote, key, stale, takeNewer };
}

/**
 * What has changed since a quote was made, and the way to the new one.
 * @param {{ quote: any, stale: any, onShow: () => void }} props
 */
export function Stale({ quote, stale, onShow }) {
  if (!stale) return null;
  const [before, now] = [amount(quote?.amountDueNow), amount(stale.quote.amountDueNow)];
  return html`
    ${before !== now && html`<p>Due now: <strong>${now}</strong> instead of ${before}.</p>`}
    <button type="button" onClick=${onShow}>Show the new amounts</button>
  `;
}
