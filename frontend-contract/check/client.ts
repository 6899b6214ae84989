// A small typed client, as a portal would write it: strict TypeScript over what the generator makes of the contract.
import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
import { print } from "graphql";

import { useFragment } from "../generated/portal/fragment-masking.js";
import {
  AlertsUpdateDocument,
  CallsListDocument,
  PageInfoPartsFragmentDoc,
  PlanChangePreviewDocument,
  PlansListDocument,
  SummaryPartsFragmentDoc,
  SummaryShowDocument,
  type CallsListQuery,
  type ChangeWhen,
  type SummaryShowQuery,
} from "../generated/portal/graphql.js";

export type Api = { readonly url: string; readonly token: string };

type Answer<Result> = { data?: Result | null; errors?: readonly { message: string }[] };

export async function ask<Result, Variables>(
  api: Api,
  document: TypedDocumentNode<Result, Variables>,
  variables: Variables,
): Promise<Result> {
  const response = await fetch(api.url, {
    method: "POST",
    headers: {
      accept: "application/graphql-response+json",
      authorization: `Bearer ${api.token}`,
      "content-type": "application/json",
    },
    body: JSON.stringify({ query: print(document), variables }),
  });
  const answer = (await response.json()) as Answer<Result>;
  if (!answer.data) throw new Error(answer.errors?.[0]?.message ?? `status ${response.status}`);
  return answer.data;
}

export function balance(summary: SummaryShowQuery): string {
  const boxes = useFragment(SummaryPartsFragmentDoc, summary.billingSummary);
  // A role without payment details has no balance.
  return boxes?.openBalance ? "shown" : "hidden";
}

export async function showSummary(api: Api): Promise<SummaryShowQuery> {
  return ask(api, SummaryShowDocument, {});
}

export async function everyCall(api: Api, first: number, pages: number): Promise<string[]> {
  const ids: string[] = [];
  let after: string | null = null;
  for (let count = 0; count < pages; count += 1) {
    const answer: CallsListQuery = await ask(api, CallsListDocument, { filter: null, first, after });
    const calls = answer.calls;
    if (!calls) break;
    ids.push(...calls.nodes.map((node) => node.id));
    const page = useFragment(PageInfoPartsFragmentDoc, calls.pageInfo);
    if (!page.hasNextPage || !page.endCursor) break;
    after = page.endCursor;
  }
  return ids;
}

export async function quote(api: Api, planId: string, when: ChangeWhen): Promise<string> {
  const { planChangePreview: found } = await ask(api, PlanChangePreviewDocument, { planId, when });
  if (!found) return "not allowed";
  switch (found.__typename) {
    case "PlanChangeQuote":
      return `due now: ${found.when}`;
    case "DowngradeNotCostEffective":
      return `worth it from ${found.thresholdMinutes} minutes`;
    default:
      // Every other refusal, one that this build does not know too, has a code and a message.
      return `${found.code}: ${found.message}`;
  }
}

export async function plans(api: Api): Promise<readonly string[]> {
  const { plans: offers } = await ask(api, PlansListDocument, {});
  return (offers ?? []).map((offer) => offer.id);
}

export async function switchAlert(api: Api, isOn: boolean): Promise<boolean | string> {
  const changes = [{ kind: "INVOICE_READY", isOn } as const];
  const { updateAlertSubscriptions: result } = await ask(api, AlertsUpdateDocument, { changes });
  if (result.__typename === "AlertSubscriptionsUpdated") return result.alertSubscriptions.length > 0;
  return result.message;
}
