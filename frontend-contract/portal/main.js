// Starts the portal: the contract, the host's token, and the page.
import "./environment.js";

import { render } from "preact";

import { App } from "./app.js";
import { makeApi } from "./api.js";
import { loadContract } from "./contract.js";
import { html } from "./parts/html.js";

/** @typedef {import("./api.js").Host & { endpoint?: string, contract?: string }} PageHost */

const host = /** @type {PageHost | undefined} */ (/** @type {any} */ (globalThis).flex);
const place = /** @type {HTMLElement} */ (document.getElementById("portal"));

if (host) {
  try {
    const contract = await loadContract(host.contract ?? "contract.json");
    const api = makeApi(contract, host, host.endpoint ?? "/graphql", (isOver) => document.dispatchEvent(new CustomEvent("flex:session", { detail: { isOver } })));
    render(html`<${App} api=${api} />`, place);
  } catch {
    place.textContent = "The billing pages cannot be loaded right now. Load this page again in a minute.";
  }
} else {
  place.textContent = "This page needs window.flex.getToken() of the page that it stands on. See “Make it yours” in the README.";
}
