// What Apollo Client's cache has to know: lists that go on page by page, as `edges` and as `nodes`, and objects without an
// id that are merged where they are.
import type { FieldPolicy, TypePolicies } from "@apollo/client";
import { relayStylePagination } from "@apollo/client/utilities";

type Page = { edges: { node: unknown }[] };

function pages(filters: string[] | false = false): FieldPolicy {
  const byEdges = relayStylePagination(filters);
  return {
    ...byEdges,
    read(existing, options) {
      const page = byEdges.read?.(existing, options) as Page | undefined;
      return page && { ...page, nodes: page.edges.map((edge) => edge.node) };
    },
  };
}

const merged = { merge: true } as const;

export const typePolicies: TypePolicies = {
  Query: {
    fields: {
      activity: pages(),
      calls: pages(["filter"]),
      invoices: pages(["filter"]),
      notifications: pages(),
      planHistory: pages(),
    },
  },
  AdjustmentLine: { fields: { calls: pages() } },
  UsageLine: { fields: { calls: pages() } },
  AutoPay: merged,
  InvoiceCollection: merged,
  LineExplanation: merged,
  Projection: merged,
  UnderlyingUsage: merged,
};
