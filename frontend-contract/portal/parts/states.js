// What a screen shows when there is nothing to show yet, nothing at all, or something went wrong.
import { useContext, useState } from "preact/hooks";

import { failureOf, useApi } from "../api.js";
import { InDialog } from "./dialog.js";
import { html } from "./html.js";

/** @typedef {import("../api.js").Refusal} Refusal */

/**
 * Why something was not done: the sentence of `errors.json`, what this answer adds to it, and the request's id where the
 * sentence asks for it. A pop-up covers the page's button to sign in, and has one itself.
 * @param {{ failure: Refusal | null, children?: any }} props
 */
export function Failure({ failure, children }) {
  const { contract, signIn } = useApi();
  const isInDialog = useContext(InDialog);
  if (!failure) return null;
  const code = failure.code in contract.errors ? failure.code : "INTERNAL";
  const sentence = contract.errors[code].suggestedCopy;
  const isMore = failure.message && failure.message !== sentence;
  const isAskedFor = failure.requestId && sentence.includes("request id");
  return html`
    <div class="failure" role="alert" data-code=${code}>
      <p><strong>${sentence}</strong></p>
      ${isMore && html`<p>${failure.message}</p>`} ${isAskedFor && html`<p>Request id: ${failure.requestId}</p>`} ${children}
      ${isInDialog && code === "UNAUTHENTICATED" && html`<button type="button" class="main" onClick=${signIn}>Sign in again</button>`}
    </div>
  `;
}

/**
 * What one part of a screen shows: its data, or why there is none, or that it is on its way.
 * @param {{ asked: import("../api.js").Asked, field: string, lines?: number, children: (data: any) => any }} props
 */
export function Part({ asked, field, lines = 4, children }) {
  const found = asked.data?.[field];
  if (found !== undefined && found !== null) return children(found);
  const failure = failureOf(asked.error, field);
  if (failure) {
    const again = html`<button type="button" onClick=${asked.reload}>Try again</button>`;
    return html`<${Failure} failure=${failure}>${failure.code !== "FORBIDDEN" && again}<//>`;
  }
  if (asked.isLoading) return html`<${Skeleton} lines=${lines} />`;
  return html`<p class="quiet">There is nothing here for your role.</p>`;
}

/** @param {{ lines: number }} props */
export function Skeleton({ lines }) {
  return html`
    <div class="skeleton" role="status">
      <span class="unseen">Loading</span>
      ${Array.from({ length: lines }, () => html`<div class="bar"></div>`)}
    </div>
  `;
}

/**
 * A box with a heading.
 * @param {{ title: string, id: string, action?: any, children: any, class?: string }} props
 */
export function Box({ title, id, action, children, class: name = "" }) {
  return html`
    <section class=${`box ${name}`} aria-labelledby=${id}>
      <header><h2 id=${id}>${title}</h2>${action}</header>
      ${children}
    </section>
  `;
}

/** What a bank has still to say, once we have stopped asking. @param {{ children: any }} props */
export const Waiting = ({ children }) => html`<div class="banner" role="status">${children}</div>`;

/** What was done, said aloud. @param {{ children: any }} props */
export const Done = ({ children }) => html`<p class="done" role="status">${children}</p>`;

/** What folds out, and is only then asked for. @param {{ title: string, children: any }} props */
export function Fold({ title, children }) {
  const [isOpen, setOpen] = useState(false);
  return html`
    <details onToggle=${(/** @type {any} */ event) => setOpen(event.currentTarget.open)}>
      <summary>${title}</summary>
      ${isOpen && children}
    </details>
  `;
}
