// The live Summary by the client `graphql-sse`: an event for each change, an end for each stream.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createClient } from "graphql-sse";

import { read } from "./folder.mjs";
import { startServer } from "./server.mjs";

const SOON_MILLISECONDS = 1_000;
const PATIENCE_MILLISECONDS = 15_000;
const texts = Object.values(JSON.parse(read("persisted-documents.json")));
const summary = texts.find((text) => /^subscription SummaryWatch\b/m.test(text));

let server;
before(async () => {
  server = await startServer();
});
after(() => server?.stop());

const watch = (query = summary, token = server.token) => {
  const client = createClient({ url: server.url, headers: { authorization: `Bearer ${token}` }, retryAttempts: 0 });
  return client.iterate({ query });
};

/** The next event, within a time. */
async function next(events, milliseconds = PATIENCE_MILLISECONDS) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no event within ${milliseconds} ms`)), milliseconds);
  });
  const { value, done } = await Promise.race([events.next(), late]).finally(() => clearTimeout(timer));
  return done ? "complete" : value;
}

test("a call that was ingested shows within a second", async () => {
  const events = watch();
  const first = (await next(events)).data.billingSummaryUpdated;
  const call = {
    eventId: "check-1",
    account: server.account,
    startedAt: "2026-08-20T09:00:00-07:00",
    scriptSeconds: 60,
    recordingSeconds: 90,
  };
  const answer = await fetch(new URL("/ingest/calls", server.url), {
    method: "POST",
    headers: { authorization: `Bearer ${server.ingestKey}`, "content-type": "application/json" },
    body: JSON.stringify([call]),
  });
  const { results } = await answer.json();
  assert.equal(results?.[0]?.outcome, "ACCEPTED", JSON.stringify(results));
  const then = (await next(events, SOON_MILLISECONDS)).data.billingSummaryUpdated;
  assert.equal(then.usage.callCount, first.usage.callCount + 1);
  assert.ok(then.usage.live.seconds > first.usage.live.seconds);
  await events.return();
});

test("a fourth stream of a person is refused by an event, and is complete; one that is closed makes room", async () => {
  const open = [watch(), watch(), watch()];
  for (const events of open) assert.ok((await next(events)).data);
  const fourth = watch();
  assert.equal((await next(fourth)).errors[0].extensions.code, "TOO_MANY_STREAMS");
  assert.equal(await next(fourth), "complete");
  await open.shift().return();
  open.push(await freed());
  for (const events of open) await events.return();
});

/** A stream in the place of one that was closed, as soon as the server has heard of that. */
async function freed() {
  const until = Date.now() + PATIENCE_MILLISECONDS;
  while (Date.now() < until) {
    const events = watch();
    if ((await next(events)).data) return events;
    await events.return();
  }
  throw new Error(`no stream became free within ${PATIENCE_MILLISECONDS} ms`);
}

test("a query, and a document that does not fit, are one event each", async () => {
  const query = watch("{ viewer { role } }");
  assert.equal((await next(query)).data.viewer.role, "ADMIN");
  assert.equal(await next(query), "complete");
  const wrong = watch("subscription { nothing }");
  assert.equal((await next(wrong)).errors[0].extensions.code, "GRAPHQL_VALIDATION_FAILED");
  assert.equal(await next(wrong), "complete");
});

test("a bad token is refused with status 401", async () => {
  await assert.rejects(next(watch(summary, "a.b.c")), (error) => error.response?.status === 401);
});
