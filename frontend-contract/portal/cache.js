// What urql's graphcache has to know of the schema: lists that go on page by page, and what a mutation makes out of date.
// Whatever has an id is kept by it; `keysOf` tells that whatever has none stays where it is.
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
    planHistory: relayPagination(),
  },
  AdjustmentLine: { calls: relayPagination() },
  UsageLine: { calls: relayPagination() },
};

/**
 * Tells graphcache, from the introspected schema, that whatever has no id has no key.
 * @param {{ __schema: { types: readonly { kind: string, name: string, fields?: readonly { name: string }[] | null }[] } }} schema
 * @returns {Record<string, () => null>}
 */
export function keysOf(schema) {
  const withoutId = schema.__schema.types.filter(
    (type) => type.kind === "OBJECT" && !type.fields?.some((field) => field.name === "id"),
  );
  return Object.fromEntries(withoutId.map((type) => [type.name, () => null]));
}

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
export function makeCache(contract) {
  const { schema } = contract;
  return cacheExchange({ schema, keys: keysOf(schema), resolvers, updates: { Mutation: updatesOf(contract) } });
}
