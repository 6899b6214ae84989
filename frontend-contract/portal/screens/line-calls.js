// The usage by day and the calls that one line of an invoice bills.
import { useState } from "preact/hooks";

import { useQuery } from "../api.js";
import { html } from "../parts/html.js";
import { Part } from "../parts/states.js";
import { minutes, moment, words } from "../text.js";

const PAGE = 25;

/** @param {{ line: any }} props */
export function LineCalls({ line }) {
  const [after, setAfter] = useState(/** @type {string | null} */ (null));
  const asked = useQuery("LineCallsList", { line: line.id, first: PAGE, after });
  return html`
    <${Part} asked=${asked} field="node">
      ${({ calls } = /** @type {any} */ ({})) => html`
        <div class="scroll bounded" tabindex="0" role="region" aria-label=${`Calls of ${line.displayName}`}>
          <table>
            <thead><tr><th scope="col">Call</th><th scope="col" class="amount">Live</th><th scope="col" class="amount">Patch</th><th scope="col" class="amount">IVR</th><th scope="col">Ended as</th></tr></thead>
            <tbody>
              ${(calls?.edges ?? []).map((/** @type {any} */ { node }) => html`
                <tr><td>${moment(node.startedAt)}</td><td class="amount">${minutes(node.live)}</td><td class="amount">${minutes(node.patch)}</td><td class="amount">${minutes(node.ivr)}</td><td>${node.disposition ? words(node.disposition) : "–"}</td></tr>
              `)}
            </tbody>
          </table>
        </div>
        ${calls?.pageInfo.hasNextPage && html`<button type="button" class="plain" onClick=${() => setAfter(calls.pageInfo.endCursor)}>Load more calls</button>`}
      `}
    <//>
  `;
}
