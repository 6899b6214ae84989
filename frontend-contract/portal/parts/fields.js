// Fields of forms, each with its label, a hint, and what is wrong with it.
import { html } from "./html.js";

/**
 * @param {{ label: string, name: string, value: string, onInput: (value: string) => void, hint?: string, error?: string | null,
 *   type?: string, required?: boolean, autocomplete?: string, children?: any }} props
 */
export function Field({ label, name, value, onInput, hint, error, type = "text", required, autocomplete, children }) {
  const about = [hint && `${name}-hint`, error && `${name}-error`].filter(Boolean).join(" ") || undefined;
  /** @param {any} event */
  const change = (event) => onInput(event.currentTarget.value);
  const shared = { id: name, name, value, required, autocomplete, "aria-describedby": about, "aria-invalid": error ? "true" : undefined };
  return html`
    <div class="field">
      <label for=${name}>${label}</label>
      ${children ? html`<select ...${shared} onChange=${change}>${children}</select>` : html`<input ...${shared} type=${type} onInput=${change} />`}
      ${hint && html`<p class="quiet" id=${`${name}-hint`}>${hint}</p>`}
      ${error && html`<p class="wrong" id=${`${name}-error`} role="alert">${error}</p>`}
    </div>
  `;
}

/**
 * @param {{ label: any, checked: boolean, onChange: (isChecked: boolean) => void, name: string, disabled?: boolean, hint?: string }} props
 */
export function Check({ label, checked, onChange, name, disabled = false, hint }) {
  return html`
    <div class="check">
      <input
        type="checkbox"
        id=${name}
        checked=${checked}
        disabled=${disabled}
        aria-describedby=${hint ? `${name}-hint` : undefined}
        onChange=${(/** @type {any} */ event) => onChange(event.currentTarget.checked)}
      />
      <label for=${name}>${label}</label>
      ${hint && html`<p class="quiet" id=${`${name}-hint`}>${hint}</p>`}
    </div>
  `;
}

/**
 * One choice of a few.
 * @param {{ legend: string, name: string, value: string, options: [string, string][], onChange: (value: string) => void }} props
 */
export function Choice({ legend, name, value, options, onChange }) {
  return html`
    <fieldset class="choice">
      <legend>${legend}</legend>
      ${options.map(
        ([key, label]) => html`
          <label>
            <input type="radio" name=${name} value=${key} checked=${value === key} onChange=${() => onChange(key)} />
            ${label}
          </label>
        `,
      )}
    </fieldset>
  `;
}
