// What urql's graphcache has to know: which objects have no id and stay where they are, and lists that go on page by page.
import type { KeyingConfig, ResolverConfig } from "@urql/exchange-graphcache";
import { relayPagination } from "@urql/exchange-graphcache/extras";

type Introspected = {
  readonly __schema: {
    readonly types: readonly { readonly kind: string; readonly name: string; readonly fields?: readonly { readonly name: string }[] | null }[];
  };
};

/** Tells graphcache, from the introspected schema, that whatever has no id has no key. */
export function keysOf(schema: Introspected): KeyingConfig {
  const withoutId = schema.__schema.types.filter(
    (type) => type.kind === "OBJECT" && !type.fields?.some((field) => field.name === "id"),
  );
  return Object.fromEntries(withoutId.map((type) => [type.name, () => null]));
}

export const resolvers: ResolverConfig = {
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
