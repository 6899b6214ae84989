// Documents by their ids, by Apollo's own link and by hand, on a server that runs nothing else.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { generatePersistedQueryIdsFromManifest } from "@apollo/persisted-query-lists";

import { read } from "./folder.mjs";
import { startServer } from "./server.mjs";

const known = JSON.parse(read("errors.json"));
const manifest = JSON.parse(read("apollo-manifest.json"));

let server;
before(async () => {
  server = await startServer({ documents: "enforce" });
});
after(() => server?.stop());

test("Apollo's persisted-query link finds every document of its manifest", async () => {
  const sent = [];
  const ids = generatePersistedQueryIdsFromManifest({ loadManifest: async () => manifest });
  const http = new HttpLink({
    uri: server.url,
    headers: { authorization: `Bearer ${server.token}` },
    fetch: (address, options) => {
      sent.push(JSON.parse(options.body));
      return fetch(address, options);
    },
  });
  const link = ApolloLink.from([new PersistedQueryLink(ids), http]);
  const client = new ApolloClient({ link, cache: new InMemoryCache() });
  for (const { name, body } of manifest.operations.filter(({ name }) => ["ViewerShow", "PlansList", "AddOnsList"].includes(name))) {
    const { data } = await client.query({ query: gql(body), fetchPolicy: "no-cache" });
    assert.ok(data, name);
  }
  assert.equal(sent.length, 3);
  assert.ok(sent.every((request) => request.query === undefined && request.extensions.persistedQuery.sha256Hash));
});

const send = async (body) => {
  const answer = await fetch(server.url, {
    method: "POST",
    headers: {
      accept: "application/graphql-response+json",
      authorization: `Bearer ${server.token}`,
      "content-type": "application/json",
    },
    body: JSON.stringify(body),
  });
  return { status: answer.status, ...(await answer.json()) };
};

test("a document's id is enough, and a text that no manifest has is refused", async () => {
  const [documentId] = Object.entries(JSON.parse(read("persisted-documents.json"))).find(([, text]) => /^query ViewerShow\b/m.test(text));
  assert.equal((await send({ documentId })).data.viewer.role, "ADMIN");
  const { status, errors } = await send({ query: "{ viewer { role } }" });
  assert.equal(errors[0].extensions.code, "PERSISTED_DOCUMENT_REQUIRED");
  assert.ok(known.PERSISTED_DOCUMENT_REQUIRED.httpStatus.includes(status), `status ${status}`);
});
