// What the portal reads of the contract: documents by name, sentences for refusals, and what a mutation changes.

/** @typedef {{ id: string, name: string, body: string }} Operation */
/** @typedef {{ suggestedCopy: string, retryable: boolean }} Meaning */

/**
 * @typedef {object} Contract
 * @property {Map<string, Operation>} operations by name, each with the id that the server knows it by
 * @property {Record<string, Meaning>} errors by code
 * @property {Record<string, Record<string, { refetch: string[] }>>} afterMutations by mutation and result
 */

/**
 * @param {string} folder the address of the contract's JSON files
 * @returns {Promise<Contract>}
 */
export async function loadContract(folder) {
  const names = ["apollo-manifest", "errors", "after-mutations"];
  const files = names.map(async (name) => (await fetch(`${folder}/${name}.json`)).json());
  const [manifest, errors, afterMutations] = await Promise.all(files);
  const operations = new Map(manifest.operations.map((/** @type {Operation} */ each) => [each.name, each]));
  return { operations, errors, afterMutations };
}
