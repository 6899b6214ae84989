// Plan: all plans with what this month would cost on each, the change of plan, and what-if.
import { useState } from "preact/hooks";

import { usePress, useQuery, useScreen } from "../api.js";
import { PressButton } from "../parts/dialog.js";
import { html } from "../parts/html.js";
import { Box, Done, Failure, Fold, Part } from "../parts/states.js";
import { amount, moment, number, unitPrice } from "../text.js";
import { Advice } from "./advice.js";
import { PlanChange } from "./plan-change.js";
import { WhatIf } from "./what-if.js";

/** @param {{ onViewer: (viewer: any) => void }} props */
export default function Plan({ onViewer }) {
  const { asked, may } = useScreen("PlanOpen", onViewer);
  const [chosen, setChosen] = useState(/** @type {any} */ (null));
  const [done, setDone] = useState("");
  return html`
    ${done && html`<${Done}>${done}<//>`}
    <${Part} asked=${asked} field="billingSummary" lines=${2}>${(/** @type {any} */ summary) => html`<${Scheduled} summary=${summary} mayChange=${may("CHANGE_PLAN")} />`}<//>
    <${Box} title="Plans" id="plans">
      <${Part} asked=${asked} field="plans" lines=${10}>${(/** @type {any[]} */ plans) => html`<${Plans} plans=${plans} mayChange=${may("CHANGE_PLAN")} onChoose=${setChosen} />`}<//>
    <//>
    <${Box} title="Which plan fits" id="advice">
      <${Advice} />
      <${Fold} title="What would a month of my choice cost?"><${WhatIf} /><//>
      <${Fold} title="How did my plan come to be what it is?"><${History} /><//>
    <//>
    ${chosen && html`<${PlanChange} offer=${chosen} onClose=${() => setChosen(null)} onDone=${(/** @type {string} */ text) => { setDone(text); setChosen(null); }} />`}
  `;
}

/** @param {{ summary: any, mayChange: boolean }} props */
function Scheduled({ summary, mayChange }) {
  const press = usePress("PlanChangeCancel", "PlanChangeCancelled");
  const { currentPlan, nextMonthPlan } = summary;
  if (press.result && !press.failure) return html`<${Done}>The scheduled change was cancelled.<//>`;
  if (!nextMonthPlan || !currentPlan || nextMonthPlan.id === currentPlan.id) return null;
  return html`
    <div class="banner">
      <p>From next month your plan is <strong>${nextMonthPlan.displayName}</strong>.</p>
      <${Failure} failure=${press.failure} />
      ${mayChange && html`<${PressButton} press=${press} onClick=${() => press.press({ planId: nextMonthPlan.id })}>Undo<//>`}
    </div>
  `;
}

/** @param {{ plans: any[], mayChange: boolean, onChoose: (offer: any) => void }} props */
function Plans({ plans, mayChange, onChoose }) {
  return html`
    <ul class="cards">
      ${plans.map((offer) => {
        const { plan } = offer;
        return html`
          <li class=${offer.isCurrent ? "card current" : "card"}>
            <h3>${plan.displayName}</h3>
            <p class="figure">${amount(plan.base)} <small>a month</small></p>
            <p>${number(plan.includedMinutes)} minutes, then ${unitPrice(plan.overageRate)}</p>
            ${plan.costEffectiveToMinutes && html`<p class="quiet">Cost effective to ${number(plan.costEffectiveToMinutes)} minutes</p>`}
            <p class="quiet">This month so far: ${amount(offer.costThisMonth)}</p>
            ${offer.isCurrent && html`<p class="tag">Your plan</p>`} ${offer.isRecommended && html`<p class="tag good">Recommended</p>`}
            ${mayChange && !offer.isCurrent && html`<button type="button" aria-label=${`Change to ${plan.displayName}`} onClick=${() => onChoose(offer)}>Change</button>`}
          </li>
        `;
      })}
    </ul>
  `;
}

function History() {
  const asked = useQuery("PlanHistoryList", { first: 20, after: null });
  return html`
    <${Part} asked=${asked} field="planHistory">
      ${(/** @type {any} */ { edges }) =>
        edges.length === 0
          ? html`<p class="quiet">The plan has never been changed.</p>`
          : html`<ul class="log">${edges.map((/** @type {any} */ { node }) => html`<li><span class="quiet">${moment(node.occurredAt)}</span> ${node.what} <span class="quiet">${node.who}</span></li>`)}</ul>`}
    <//>
  `;
}
