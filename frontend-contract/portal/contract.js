// What the portal reads of the contract: documents by name, sentences for refusals, and what a mutation changes.

/** @typedef {{ id: string, name: string, body: string }} Operation */
/** @typedef {{ suggestedCopy: string, retryable: boolean }} Meaning */

/**
 * @typedef {object} Contract
 * @property {Map<string, Operation>} operations by name, each with the id that the server knows it by
 * @property {Record<string, Meaning>} errors by code
 * @property {Record<string, Record<string, { refetch: string[] }>>} afterMutations by mutation and result
 * @property {any} schema the types, for the cache
 */

/**
 * @param {string} address of `contract.json`
 * @returns {Promise<Contract>}
 */
export async function loadContract(address) {
  const found = await (await fetch(address)).json();
  const operations = new Map(found.operations.map((/** @type {Operation} */ each) => [each.name, each]));
  return { ...found, operations };
}
