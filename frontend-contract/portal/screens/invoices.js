// Invoices: the list, newest first, and what changed between two of them.
import { useState } from "preact/hooks";

import { useQuery, useScreen } from "../api.js";
import { Actions, Dialog } from "../parts/dialog.js";
import { html } from "../parts/html.js";
import { Box, Part } from "../parts/states.js";
import { amount, dayOf, month } from "../text.js";

const PAGE = 12;

/** @param {{ onViewer: (viewer: any) => void }} props */
export default function Invoices({ onViewer }) {
  const [after, setAfter] = useState(/** @type {string | null} */ (null));
  const [compared, setCompared] = useState(/** @type {any[] | null} */ (null));
  const { asked } = useScreen("InvoicesList", onViewer, { filter: null, first: PAGE, after });
  return html`
    <${Box} title="Invoices" id="invoices">
      <${Part} asked=${asked} field="invoices" lines=${8}>
        ${(/** @type {any} */ page) => html`
          <${Rows} rows=${page.edges.map((/** @type {any} */ edge) => edge.node)} onCompare=${setCompared} />
          ${page.pageInfo.hasNextPage && html`<button type="button" onClick=${() => setAfter(page.pageInfo.endCursor)}>Load more</button>`}
        `}
      <//>
    <//>
    ${compared && html`<${Difference} from=${compared[0]} to=${compared[1]} onClose=${() => setCompared(null)} />`}
  `;
}

/** @param {{ rows: any[], onCompare: (pair: any[]) => void }} props */
function Rows({ rows, onCompare }) {
  if (rows.length === 0) return html`<p class="quiet">There is no invoice yet.</p>`;
  return html`
    <div class="scroll" tabindex="0" role="region" aria-label="Table of invoices">
      <table>
        <thead>
          <tr><th scope="col">Invoice</th><th scope="col">Month</th><th scope="col">Issued</th><th scope="col">Status</th><th scope="col" class="amount">Total</th><th scope="col" class="amount">Balance</th><th scope="col">Compare</th></tr>
        </thead>
        <tbody>
          ${rows.map(
            (row, place) => html`
              <tr>
                <th scope="row"><a href=${`/billing/invoices/${encodeURIComponent(row.id)}`}>${row.number}</a></th>
                <td>${row.period ? month(row.period) : "–"}</td>
                <td>${dayOf(row.issuedAt, row.period?.timeZone)}</td>
                <td><span class=${`tag ${row.status.toLowerCase()}`}>${row.statusDisplayName}</span></td>
                <td class="amount">${amount(row.total)}</td>
                <td class="amount">${amount(row.balance)}</td>
                <td>${rows[place + 1] && html`<button type="button" class="plain" aria-label=${`What changed? ${rows[place + 1].number} to ${row.number}`} onClick=${() => onCompare([rows[place + 1], row])}>What changed?</button>`}</td>
              </tr>
            `,
          )}
        </tbody>
      </table>
    </div>
  `;
}

/** @param {{ from: any, to: any, onClose: () => void }} props */
function Difference({ from, to, onClose }) {
  const asked = useQuery("InvoiceDifferenceShow", { from: from.id, to: to.id });
  return html`
    <${Dialog} title=${`From ${from.number} to ${to.number}`} onClose=${onClose} wide>
      <${Part} asked=${asked} field="invoiceDifference">
        ${(/** @type {any} */ found) => html`
          <p>${found.summary}</p>
          <ul class="lines" aria-label="Differences">
            ${found.items.map(
              (/** @type {any} */ item) => html`
                <li>
                  <div class="line"><span>${item.displayName}</span><span class="amount">${amount(item.from)} → ${amount(item.to)}</span></div>
                  <p class="quiet">${item.cause}</p>
                </li>
              `,
            )}
          </ul>
        `}
      <//>
      <${Actions} onClose=${onClose} close="Close" />
    <//>
  `;
}
