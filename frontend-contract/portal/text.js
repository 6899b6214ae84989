// Values as people read them. Amounts and minutes are strings with exact digits: they are never made numbers of.

/** @typedef {{ amount: string, currencyCode: string, formatted: string }} Money */
/** @typedef {{ seconds: number, minutes: string }} Duration */
/** @typedef {{ startsOn: string, endsBefore: string, timeZone: string }} Period */

/** @type {Map<string, Intl.NumberFormat>} */
const currencies = new Map();

/**
 * An amount in its currency, with all its digits.
 * @param {Money | null | undefined} money
 */
export function amount(money) {
  if (!money) return "–";
  const digits = money.amount.split(".")[1]?.length ?? 0;
  const key = `${money.currencyCode} ${digits}`;
  let format = currencies.get(key);
  if (!format) {
    const fraction = { minimumFractionDigits: digits, maximumFractionDigits: digits };
    format = new Intl.NumberFormat(undefined, { style: "currency", currency: money.currencyCode, ...fraction });
    currencies.set(key, format);
  }
  return format.format(/** @type {any} */ (money.amount)); // a string keeps every digit
}

/**
 * Tells whether an amount is nothing.
 * @param {Money | null | undefined} money
 */
export const isZero = (money) => !money || /^-?0*(\.0*)?$/.test(money.amount);

/** @param {Money | null | undefined} money */
export const isNegative = (money) => Boolean(money?.amount.startsWith("-"));

/** @param {{ formatted: string, per: string }} rate */
export const unitPrice = (rate) => `${rate.formatted} a ${rate.per.toLowerCase()}`;

const decimal = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 });

/** @param {number | string} value */
export const number = (value) => decimal.format(/** @type {any} */ (value));

/** @param {Duration | null | undefined} duration */
export const minutes = (duration) => (duration ? `${number(duration.minutes)} min` : "–");

const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeZone: "UTC" });
const monthOfYear = new Intl.DateTimeFormat(undefined, { month: "long", year: "numeric", timeZone: "UTC" });

/**
 * A billing date; it belongs to no time zone.
 * @param {string | null | undefined} text
 */
export const date = (text) => (text ? day.format(new Date(`${text}T00:00:00Z`)) : "–");

/**
 * The day of a moment, in a time zone.
 * @param {string | null | undefined} text
 * @param {string} [timeZone]
 */
export const dayOf = (text, timeZone) => (text ? new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeZone }).format(new Date(text)) : "–");

/** @param {Period} period */
export const month = (period) => monthOfYear.format(new Date(`${period.startsOn}T00:00:00Z`));

/**
 * A moment, as the clock on the wall shows it: of the reader, or of a time zone.
 * @param {string | null | undefined} text
 * @param {string} [timeZone]
 */
export function moment(text, timeZone) {
  if (!text) return "–";
  return new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short", timeZone }).format(new Date(text));
}

/**
 * Words of the schema's constants: `DATA_NOT_KNOWN` reads "Data not known".
 * @param {string} constant
 */
export function words(constant) {
  const text = constant.toLowerCase().replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}
