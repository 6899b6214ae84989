// The live Summary by the client `graphql-sse`, on a server that runs:
//
//   node frontend-contract/tests/live.mjs http://127.0.0.1:8000/graphql TOKEN
//
// TOKEN is an administrator's (the demo prints one). It schedules a change of plan and takes it back. Each check prints a
// line; the exit code is 1 when one fails.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createClient } from "graphql-sse";

const [url, token] = process.argv.slice(2);
if (!token) {
  console.error("usage: node live.mjs URL TOKEN");
  process.exit(2);
}

const texts = Object.values(JSON.parse(readFileSync(new URL("../persisted-documents.json", import.meta.url), "utf8")));
const documentOf = (name) => texts.find((text) => new RegExp(`^(query|mutation|subscription) ${name}\\b`, "m").test(text));
const headers = { authorization: `Bearer ${token}` };

async function ask(name, variables = {}) {
  const response = await fetch(url, {
    method: "POST",
    headers: { ...headers, "content-type": "application/json", accept: "application/graphql-response+json" },
    body: JSON.stringify({ query: documentOf(name), variables }),
  });
  const { data, errors } = await response.json();
  assert.equal(errors, undefined, `${name}: ${JSON.stringify(errors)}`);
  return Object.values(data)[0];
}

const within = (promise, what, milliseconds = 15_000) => {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not come`)), milliseconds);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
};

const client = (given = headers) => createClient({ url, headers: given, retryAttempts: 0 });
const watch = (by = client()) => by.iterate({ query: documentOf("SummaryWatch"), operationName: "SummaryWatch" });

async function next(events, what) {
  const { value, done } = await within(events.next(), what);
  assert.equal(done, false, `the stream ended where ${what} was expected`);
  return value;
}

async function nextSummary(events, what) {
  const { data, errors } = await next(events, what);
  assert.equal(errors, undefined, JSON.stringify(errors));
  return data.billingSummaryUpdated;
}

async function summaryWith(events, planCode) {
  for (;;) {
    const summary = await nextSummary(events, `a Summary with plan ${planCode} next month`);
    if (summary.nextMonthPlan.code === planCode) return summary;
  }
}

const checks = {
  async "a Summary comes at once, and again after each change"() {
    const events = watch();
    const before = (await nextSummary(events, "the first Summary")).nextMonthPlan;
    const offers = await ask("PlansList");
    const other = offers.map(({ plan }) => plan).find(({ code }) => ![before.code, "economy"].includes(code));
    const quote = await ask("PlanChangePreview", { planId: other.id, when: "NEXT_CYCLE" });
    assert.equal(quote.__typename, "PlanChangeQuote", JSON.stringify(quote));
    await ask("PlanChangeConfirm", { quoteId: quote.id, idempotencyKey: `live-${Date.now()}` });
    const began = performance.now();
    await summaryWith(events, other.code);
    console.log(`  the event came ${Math.round(performance.now() - began)} ms after the answer`);
    await ask("PlanChangeCancel", { planId: other.id });
    await summaryWith(events, before.code);
    await events.return();
  },

  async "a fourth stream of a person is refused by an event, and the stream is complete"() {
    const open = [watch(), watch(), watch()];
    for (const events of open) await nextSummary(events, "the first Summary");
    const fourth = watch();
    const { errors } = await next(fourth, "the refusal");
    assert.equal(errors[0].extensions.code, "TOO_MANY_STREAMS");
    assert.equal((await within(fourth.next(), "the end")).done, true);
    for (const events of open) await events.return();
  },

  async "a document that does not fit is an event with its errors"() {
    const events = client().iterate({ query: "subscription { nothing }" });
    const { errors } = await next(events, "the refusal");
    assert.equal(errors[0].extensions.code, "GRAPHQL_VALIDATION_FAILED");
    assert.equal((await within(events.next(), "the end")).done, true);
  },

  async "a query is answered over an event stream as well"() {
    const events = client().iterate({ query: "{ viewer { role } }" });
    assert.equal((await next(events, "the answer")).data.viewer.role, "ADMIN");
    assert.equal((await within(events.next(), "the end")).done, true);
  },

  async "a bad token is refused with status 401"() {
    const events = watch(client({ authorization: "Bearer a.b.c" }));
    await assert.rejects(within(events.next(), "the refusal"), (error) => error.response?.status === 401);
  },
};

for (const [name, check] of Object.entries(checks)) {
  try {
    await check();
    console.log(`ok: ${name}`);
  } catch (error) {
    console.error(`FAILED: ${name}: ${error.stack}`);
    process.exitCode = 1;
  }
}
