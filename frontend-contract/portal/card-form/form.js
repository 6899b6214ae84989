// What both card forms are to the portal: something to put into an element, that makes a nonce of what is typed into it.

/**
 * @typedef {object} CardForm
 * @property {() => Promise<{ nonce: string, deviceData: string | null }>} tokenize refuses with a `CardFormError`
 * @property {() => void} unmount
 */

/** What is wrong with what was typed; the form shows it at its fields already. */
export class CardFormError extends Error {
  /** @param {Record<string, string>} fields */
  constructor(fields) {
    super(Object.values(fields)[0] ?? "The card form cannot be used.");
    this.fields = fields;
  }
}
