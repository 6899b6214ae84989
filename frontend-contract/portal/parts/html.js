import htm from "htm";
import { h } from "preact";

/** Views as templates: html`<p>${text}</p>`. */
export const html = htm.bind(h);
