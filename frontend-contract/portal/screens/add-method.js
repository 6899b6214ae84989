// placeholder until the two steps are merged
import { html } from "../parts/html.js";
export const AddMethod = () => html``;
