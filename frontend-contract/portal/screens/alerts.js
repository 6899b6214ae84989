// Settings, Alerts: the viewer's own switches, what each would tell next, and what was sent.
import { useState } from "preact/hooks";

import { usePress, useScreen } from "../api.js";
import { Check } from "../parts/fields.js";
import { html } from "../parts/html.js";
import { Box, Failure, Part } from "../parts/states.js";
import { date, minutes, moment, words } from "../text.js";

/** @param {{ onViewer: (viewer: any) => void }} props */
export default function Alerts({ onViewer }) {
  const { asked } = useScreen("AlertsOpen", onViewer);
  const press = usePress("AlertsUpdate", "AlertSubscriptionsUpdated");
  return html`
    <${Box} title="Billing alerts" id="alerts">
      <p class="quiet">Sent to you by email from notifications@sasdesk.com. Every administrator chooses for themselves.</p>
      <${Failure} failure=${press.failure} />
      <${Part} asked=${asked} field="alertSubscriptions" lines=${10}>
        ${(/** @type {any[]} */ alerts) => alerts.map((alert) => html`<${Alert} key=${alert.id} alert=${alert} forecast=${asked.data.alertForecast} press=${press} />`)}
      <//>
    <//>
    <${Box} title="Sent messages" id="sent">
      <${Part} asked=${asked} field="notifications">${(/** @type {any} */ found) => html`<${Sent} rows=${found.nodes} />`}<//>
    <//>
  `;
}

/** @param {{ alert: any, forecast: any, press: import("../api.js").Press }} props */
function Alert({ alert, forecast, press }) {
  const [wanted, setWanted] = useState(/** @type {boolean | null} */ (null));
  /** @param {boolean} isOn */
  const turn = async (isOn) => {
    setWanted(isOn);
    await press.press({ changes: [{ kind: alert.kind, isOn }] });
    setWanted(null);
  };
  const limit = forecast?.limits.find((/** @type {any} */ each) => each.kind === alert.kind);
  const next = limit ? (limit.sentAt ? `Sent on ${moment(limit.sentAt)}.` : limit.expectedOn ? `Expected on ${date(limit.expectedOn)}, at ${minutes(limit.limit)}.` : `At ${minutes(limit.limit)}; not expected this month.`) : "";
  return html`
    <${Check}
      name=${alert.id}
      label=${alert.displayName}
      hint=${[alert.description, next].filter(Boolean).join(" ")}
      checked=${wanted ?? alert.isOn}
      disabled=${!alert.canBeSwitched}
      onChange=${turn}
    />
  `;
}

/** @param {{ rows: any[] }} props */
function Sent({ rows }) {
  if (rows.length === 0) return html`<p class="quiet">Nothing was sent yet.</p>`;
  return html`
    <div class="scroll" tabindex="0" role="region" aria-label="Table of sent messages">
      <table>
        <thead><tr><th scope="col">Message</th><th scope="col">To</th><th scope="col">When</th><th scope="col">State</th></tr></thead>
        <tbody>
          ${rows.map((row) => html`<tr><th scope="row">${row.displayName}</th><td>${row.address ?? row.recipient}</td><td>${moment(row.finishedAt ?? row.queuedAt)}</td><td>${words(row.state)}</td></tr>`)}
        </tbody>
      </table>
    </div>
  `;
}
