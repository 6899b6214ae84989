// Clients as front ends build them, against a running server: plain and typed, urql's graphcache, Apollo, and Relay.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, mock, test } from "node:test";
import { pathToFileURL } from "node:url";
import { ApolloClient, HttpLink, InMemoryCache, gql as apolloGql } from "@apollo/client";
import { Client, fetchExchange, gql as urqlGql } from "@urql/core";
import { cacheExchange } from "@urql/exchange-graphcache";
import { parse } from "graphql";
import relay from "relay-runtime";

import { documents, folder, read, recorded } from "./folder.mjs";
import { post, startServer } from "./server.mjs";

const FIRST = 5;
const built = (...path) => import(pathToFileURL(join(folder, "generated", "built", ...path)).href);

const fragments = documents("fragments");
const operations = documents("operations");
const queries = [...operations].filter(([, text]) => /^query /m.test(text)).map(([name]) => name);

let server;
let every;

before(async () => {
  server = await startServer();
  const answer = await post(server, "{ calls(first: 100) { nodes { id } } }", {});
  every = answer.data.calls.nodes.map(({ id }) => id);
});
after(() => server?.stop());

/** The text of an operation with the fragments that it uses. */
function whole(name) {
  const used = new Map();
  const add = (text) => {
    for (const [, fragment] of text.matchAll(/\.\.\.(\w+)/g)) {
      if (fragment !== "on" && !used.has(fragment)) {
        used.set(fragment, fragments.get(fragment));
        add(fragments.get(fragment));
      }
    }
  };
  add(operations.get(name));
  return [operations.get(name), ...used.values()].join("\n");
}

/** Variables that the operation was recorded with, in the world that the server has. */
function variablesOf(name) {
  const cases = recorded(name).filter(({ seed, as, after: before }) => seed === "summer" && as === "admin" && !before);
  return cases.map(({ variables }) => variables);
}

/** What was said to the developer's console, as a warning or an error, while something was done. */
async function heard(work) {
  const said = [];
  for (const level of ["warn", "error"]) mock.method(console, level, (...words) => said.push(words.join(" ")));
  try {
    await work();
  } finally {
    mock.restoreAll();
  }
  return said;
}

test("the typed client shows, previews, pages and changes", async () => {
  const client = await built("check", "client.js");
  const summary = await client.showSummary(server);
  assert.equal(client.balance(summary), "shown");
  assert.deepEqual(await client.everyCall(server, FIRST, 100), every);
  assert.match(await client.quote(server, "plan_220_2020", "NOW"), /^due now: NOW$/);
  assert.match(await client.quote(server, "plan_economy_1990", "NOW"), /^worth it from \d+ minutes$/);
  assert.match(await client.quote(server, "plan_220_2015", "NOW"), /^PLAN_NOT_AVAILABLE: /);
  assert.ok((await client.plans(server)).every((id) => id.startsWith("offer_")));
  assert.equal(await client.switchAlert(server, false), true);
});

test("graphcache, knowing the schema, keeps every query without a warning, and pages by edges and by nodes", async () => {
  const { keysOf, resolvers } = await import(pathToFileURL(join(folder, "portal", "cache.js")).href);
  const schema = JSON.parse(read("generated", "portal", "introspection.json"));
  const makeClient = () =>
    new Client({
      url: server.url,
      preferGetMethod: false,
      fetchOptions: { headers: { authorization: `Bearer ${server.token}` } },
      exchanges: [cacheExchange({ schema, keys: keysOf(schema), resolvers }), fetchExchange],
    });
  const said = await heard(async () => {
    const client = makeClient();
    for (const name of queries) {
      for (const variables of variablesOf(name)) {
        const { data, error } = await client.query(parse(whole(name)), variables).toPromise();
        assert.ok(data && !error, `${name}: ${error}`);
      }
    }
  });
  assert.deepEqual(said, []);

  const client = makeClient();
  const document = urqlGql(whole("CallsList"));
  let page = { endCursor: null, hasNextPage: true };
  let calls;
  while (page.hasNextPage) {
    const result = await client.query(document, { first: FIRST, after: page.endCursor }).toPromise();
    calls = result.data.calls;
    page = calls.pageInfo;
  }
  assert.deepEqual(calls.edges.map(({ node }) => node.id), every);
  assert.deepEqual(calls.nodes.map(({ id }) => id), every);
});

test("Apollo keeps every query without a warning, and pages by edges and by nodes", async () => {
  const { typePolicies } = await built("apollo-cache.js");
  const { possibleTypes } = JSON.parse(read("generated", "portal", "possible-types.json"));
  const makeClient = () =>
    new ApolloClient({
      link: new HttpLink({ uri: server.url, headers: { authorization: `Bearer ${server.token}` } }),
      cache: new InMemoryCache({ typePolicies, possibleTypes }),
    });
  const said = await heard(async () => {
    const client = makeClient();
    for (const name of queries) {
      for (const variables of variablesOf(name)) {
        const { data, error } = await client.query({ query: apolloGql(whole(name)), variables });
        assert.ok(data && !error, `${name}: ${error}`);
      }
    }
  });
  assert.deepEqual(said, []);

  const client = makeClient();
  const query = apolloGql(whole("CallsList"));
  const variables = { filter: null, first: FIRST, after: null };
  const list = client.watchQuery({ query, variables });
  const watching = list.subscribe({});
  let { data } = await list.refetch();
  while (data.calls.pageInfo.hasNextPage) {
    await list.fetchMore({ variables: { after: data.calls.pageInfo.endCursor } });
    data = client.readQuery({ query, variables });
  }
  watching.unsubscribe();
  assert.deepEqual(data.calls.edges.map(({ node }) => node.id), every);
  assert.deepEqual(data.calls.nodes.map(({ id }) => id), every);
});

test("Relay normalises its compiled operations, and pages by its connection", async () => {
  const { ConnectionHandler, Environment, Network, RecordSource, ROOT_ID, Store, createOperationDescriptor, fetchQuery } = relay;
  const environment = new Environment({
    network: Network.create(({ text }, variables) => post(server, text, variables)),
    store: new Store(new RecordSource()),
  });
  const artifact = async (name) => (await built("generated", "relay", "__generated__", `${name}.graphql.js`)).default;
  for (const name of ["SummaryShow", "PlansList", "AddOnsList", "InvoicesList", "AlertsList"]) {
    const [variables] = variablesOf(name);
    await fetchQuery(environment, await artifact(name), variables).toPromise();
  }

  const pages = await artifact("CallsPagesQuery");
  let page = { endCursor: null, hasNextPage: true };
  let shown;
  while (page.hasNextPage) {
    const variables = { first: FIRST, after: page.endCursor };
    environment.retain(createOperationDescriptor(pages, variables));
    await fetchQuery(environment, pages, variables).toPromise();
    environment.commitUpdate((store) => {
      const connection = ConnectionHandler.getConnection(store.get(ROOT_ID), "CallsPages_calls");
      shown = connection.getLinkedRecords("edges").map((edge) => edge.getLinkedRecord("node").getDataID());
      const info = connection.getLinkedRecord("pageInfo");
      page = { endCursor: info.getValue("endCursor"), hasNextPage: info.getValue("hasNextPage") };
    });
  }
  assert.deepEqual(shown, every);
});
