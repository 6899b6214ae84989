// What both card forms are to the portal: something to put into an element, that makes a nonce of what is typed into it.
// A form says at its own fields what is wrong, and of what is not about a field it says so below them: whoever catches a
// `CardFormError` of `tokenize` has nothing to show. Make the element anew, or empty it, before you mount into it again.

/** @typedef {"number" | "expirationDate" | "cvv" | "postalCode"} CardField the names are those of Braintree's Hosted Fields */

/** @typedef {{ isEmpty: boolean, isValid: boolean, isFocused: boolean }} FieldState */

/** @typedef {Record<CardField, FieldState>} CardState how far the customer is; never what was typed */

/**
 * @typedef {object} CardForm
 * @property {() => Promise<{ nonce: string, deviceData: string | null }>} tokenize refuses with a `CardFormError`
 * @property {() => void} unmount takes the fields away; what `tokenize` still waits for is refused
 */

/**
 * @typedef {object} CardFormOptions
 * @property {(state: CardState) => void} [onChange] told when a field is entered, left, filled, emptied, right or wrong
 */

/** Why there is no nonce: `fields` says it by field, and is empty where nothing that was typed is wrong. */
export class CardFormError extends Error {
  /**
   * @param {Partial<Record<CardField, string>>} fields
   * @param {string} [message] for people
   */
  constructor(fields, message) {
    super(message ?? Object.values(fields)[0] ?? "The card form cannot be used. Try again in a minute.");
    this.name = "CardFormError";
    this.fields = fields;
  }
}
