// Pop-ups: the browser's own dialog keeps the focus inside and gives it back.
import { createContext } from "preact";
import { useEffect, useRef } from "preact/hooks";

import { html } from "./html.js";

let count = 0;

/** Whether this is in a pop-up, from which nothing behind it can be reached. */
export const InDialog = createContext(false);

/**
 * @param {{ title: string, onClose: () => void, children: any, wide?: boolean }} props
 */
export function Dialog({ title, onClose, children, wide = false }) {
  const element = useRef(/** @type {HTMLDialogElement | null} */ (null));
  const id = useRef(`dialog-${(count += 1)}`);
  useEffect(() => {
    const before = document.activeElement;
    element.current?.showModal();
    return () => {
      element.current?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  /** @param {Event} event */
  const cancel = (event) => {
    event.preventDefault();
    onClose();
  };
  return html`
    <dialog ref=${element} class=${wide ? "wide" : ""} aria-labelledby=${id.current} onCancel=${cancel}>
      <header>
        <h2 id=${id.current}>${title}</h2>
        <button type="button" class="close" aria-label="Close" onClick=${onClose}>×</button>
      </header>
      <${InDialog.Provider} value=${true}>${children}<//>
    </dialog>
  `;
}

/**
 * The buttons at the foot of a pop-up.
 * @param {{ onClose: () => void, children?: any, close?: string }} props
 */
export function Actions({ onClose, children, close = "Cancel" }) {
  return html`<footer class="actions">${children}<button type="button" onClick=${onClose}>${close}</button></footer>`;
}

/**
 * A button that is at work while its press is under way.
 * @param {{ press: import("../api.js").Press, onClick?: () => void, children: any, disabled?: boolean, type?: string, isMain?: boolean }} props
 */
export function PressButton({ press, onClick, children, disabled = false, type = "button", isMain = true }) {
  const label = press.isPending ? "Waiting for the answer…" : press.isBusy ? "Working…" : children;
  return html`
    <button type=${type} class=${isMain ? "main" : ""} disabled=${disabled} aria-disabled=${press.isBusy} onClick=${onClick}>${label}</button>
  `;
}
