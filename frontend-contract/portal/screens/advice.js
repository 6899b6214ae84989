// Which plan fits, from the account's own months; it is worked out when it is unfolded.
import { useQuery } from "../api.js";
import { html } from "../parts/html.js";
import { Fold, Part } from "../parts/states.js";
import { amount } from "../text.js";

const MONTHS = 12;

export const Advice = () => html`<${Fold} title="What would another plan have saved?"><${Found} /><//>`;

function Found() {
  const asked = useQuery("PlanAdviceShow", { months: MONTHS });
  return html`
    <${Part} asked=${asked} field="planAdvice" lines=${2}>
      ${(/** @type {any} */ advice) => html`
        ${advice.recommended && html`<p><strong>${advice.recommended.displayName}</strong> would have saved ${amount(advice.averageSaving)} a month on average.</p>`}
        <p>${advice.explanation}</p>
        <div class="scroll" tabindex="0" role="region" aria-label="Your months on every plan">
          <table>
            <thead><tr><th scope="col">Plan</th><th scope="col" class="amount">Average a month</th><th scope="col" class="amount">In all</th></tr></thead>
            <tbody>
              ${advice.simulations.map((/** @type {any} */ each) => html`
                <tr><th scope="row">${each.plan.displayName}${each.isCurrent ? " (your plan)" : ""}</th><td class="amount">${amount(each.average)}</td><td class="amount">${amount(each.total)}</td></tr>
              `)}
            </tbody>
          </table>
        </div>
      `}
    <//>
  `;
}
