// Lines of invoices and previews, each of which unfolds to its rule, inputs and arithmetic.
import { amount, isNegative, isZero } from "../text.js";
import { html } from "./html.js";

/** @param {{ explanation: any }} props */
export function Arithmetic({ explanation }) {
  return html`
    <div class="why">
      <p class="arithmetic">${explanation.arithmetic}</p>
      <dl>
        ${explanation.inputs.map((/** @type {any} */ input) => html`<div><dt>${input.name}</dt><dd>${input.value}</dd></div>`)}
        <div><dt>Billing rule</dt><dd>${explanation.rule}</dd></div>
      </dl>
    </div>
  `;
}

/** @param {{ explanation: any }} props */
const Explanation = ({ explanation }) => html`
  <details class="why"><summary>How is this calculated?</summary><${Arithmetic} explanation=${explanation} /></details>
`;

/**
 * @param {{ lines: any[], caption: string, more?: (line: any) => any }} props `more` is shown below a line
 */
export function Lines({ lines, caption, more }) {
  if (lines.length === 0) return html`<p class="quiet">No charges.</p>`;
  return html`
    <ul class="lines" aria-label=${caption}>
      ${lines.map(
        (line) => html`
          <li>
            <div class="line"><span>${line.displayName}</span><span class="amount">${amount(line.amount)}</span></div>
            ${line.explanation && html`<${Explanation} explanation=${line.explanation} />`} ${more && more(line)}
          </li>
        `,
      )}
    </ul>
  `;
}

/**
 * Sums below lines; what is nothing is left out, the last one stays.
 * @param {{ sums: [string, import("../text.js").Money | null | undefined][] }} props
 */
export function Sums({ sums }) {
  const shown = sums.filter(([, money], place) => place === sums.length - 1 || !isZero(money));
  return html`
    <dl class="sums">
      ${shown.map(
        ([name, money]) => html`
          <div><dt>${name}</dt><dd class=${isNegative(money) ? "amount credit" : "amount"}>${amount(money)}</dd></div>
        `,
      )}
    </dl>
  `;
}
