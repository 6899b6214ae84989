// What the cache has to know of the schema: lists that go on page by page, and what a mutation makes out of date.
// Nothing is said of keys: whatever has an id is kept by it, and whatever has none stays where it is.
import { gql } from "@urql/core";
import { cacheExchange } from "@urql/exchange-graphcache";
import { relayPagination } from "@urql/exchange-graphcache/extras";

/** @typedef {import("./contract.js").Contract} Contract */

export const resolvers = {
  Query: {
    activity: relayPagination(),
    calls: relayPagination(),
    invoices: relayPagination(),
    notifications: relayPagination(),
  },
  AdjustmentLine: { calls: relayPagination() },
  UsageLine: { calls: relayPagination() },
};

/**
 * The fields of the root that an operation asks for.
 * @param {string} document
 * @returns {string[]}
 */
function rootFields(document) {
  const operation = gql(document).definitions.find((each) => each.kind === "OperationDefinition");
  const selections = /** @type {any} */ (operation)?.selectionSet.selections ?? [];
  return selections.map((/** @type {any} */ each) => each.name.value).filter((/** @type {string} */ name) => name !== "viewer");
}

/**
 * After a mutation, what `after-mutations.json` says is asked for again wherever it is on the screen.
 * @param {Contract} contract
 */
export function updatesOf(contract) {
  /** @type {Record<string, (result: any, args: any, cache: any) => void>} */
  const updates = {};
  for (const [name, results] of Object.entries(contract.afterMutations)) {
    const operation = contract.operations.get(name);
    if (!operation) continue;
    for (const field of rootFields(operation.body)) {
      updates[field] = (result, _args, cache) => {
        const operations = results[result[field]?.__typename]?.refetch ?? [];
        const stale = new Set(operations.flatMap((each) => rootFields(contract.operations.get(each)?.body ?? "{ viewer }")));
        for (const kept of cache.inspectFields("Query")) {
          if (stale.has(kept.fieldName)) cache.invalidate("Query", kept.fieldName, kept.arguments);
        }
      };
    }
  }
  return updates;
}

/** @param {Contract} contract */
export const makeCache = (contract) => cacheExchange({ resolvers, updates: { Mutation: updatesOf(contract) } });
