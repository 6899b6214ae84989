// The two card forms: that of production with a stand-in for Braintree's SDK, and that of the sandbox with one for a browser.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

import { folder } from "./folder.mjs";

const forms = join(folder, "portal", "card-form");
const load = (name) => import(pathToFileURL(join(forms, name)).href);
const { CardFormError } = await load("form.js");
const { mount: mountHosted } = await load("hosted-fields.js");
const { mount: mountSandbox } = await load("sandbox.js");

const NAMES = ["number", "expirationDate", "cvv", "postalCode"];
const GATEWAY = "http://127.0.0.1:8010";
const TOKEN = btoa(JSON.stringify({ clientApiUrl: `${GATEWAY}/merchants/m/client_api`, authorizationFingerprint: "print" }));

/** As much of a page as the forms touch. */
function page() {
  const children = [];
  globalThis.document = { createElement: (tag) => ({ tag, style: {}, remove() {} }) };
  return { children, append: (...added) => children.push(...added), replaceChildren: () => children.splice(0) };
}
const shown = ({ children }) => children.filter(({ className, textContent }) => className === "wrong" && textContent).map(({ textContent }) => textContent);

/** The SDK's interface, as far as the form uses it; as the real one does, it wants to be told of a bank's question. */
function standIn({ tokenize = async () => ({ nonce: "nonce", details: { bin: "411111" } }), collector, create } = {}) {
  const calls = [];
  const handlers = {};
  const field = { isEmpty: false, isValid: true, isFocused: false, isPotentiallyValid: true, container: {} };
  const part = (name, more = {}) => ({ teardown: async () => calls.push(`${name} torn down`), ...more });
  const sdk = {
    client: { create: create ?? (async ({ authorization }) => ({ authorization })) },
    hostedFields: {
      create: async ({ client, fields, styles }) => {
        calls.push([client.authorization, Object.keys(fields), styles]);
        assert.ok(Object.values(fields).every(({ container, iframeTitle }) => container && iframeTitle));
        const on = (event, handler) => (handlers[event] = handler);
        return part("fields", { tokenize, on, getState: () => ({ fields: Object.fromEntries(NAMES.map((name) => [name, field])) }) });
      },
    },
    dataCollector: { create: collector ?? (async () => part("collector", { deviceData: "device" })) },
    threeDSecure: {
      create: async ({ version }) =>
        part("bank", {
          verifyCard: async ({ onLookupComplete, nonce, bin, amount }) => {
            assert.equal(version, 2);
            await new Promise((next) => onLookupComplete({}, next));
            return { nonce: `${nonce}+${bin}+${amount}` };
          },
        }),
    },
  };
  return { sdk, calls, handlers };
}
const failing = (code, details) => ({ tokenize: async () => Promise.reject(Object.assign(new Error(), { code, details })) });

test("the card form of production makes a nonce with device data, and takes everything down", async () => {
  const { sdk, calls } = standIn();
  const place = page();
  const form = await mountHosted(place, "token", { sdk, styles: { input: {} } });
  assert.deepEqual(calls, [["token", NAMES, { input: {} }]]);
  const labels = place.children.filter(({ tag }) => tag === "label");
  const ids = new Set(place.children.map(({ id }) => id));
  assert.ok(labels.length === NAMES.length && labels.every(({ htmlFor, textContent }) => ids.has(htmlFor) && textContent));
  assert.deepEqual(await form.tokenize(), { nonce: "nonce", deviceData: "device" });
  form.unmount();
  assert.deepEqual([calls.slice(1), place.children], [["fields torn down", "collector torn down"], []]);
});

test("the card form of production passes 3-D Secure data on, and its nonce is the one that is used", async () => {
  const { sdk, calls } = standIn();
  const form = await mountHosted(page(), "token", { sdk, threeDSecure: { amount: "1.00" } });
  assert.equal((await form.tokenize()).nonce, "nonce+411111+1.00");
  form.unmount();
  assert.ok(calls.includes("bank torn down"));
});

test("the card form of production does without device data", async () => {
  const { sdk } = standIn({ collector: async () => Promise.reject(new Error("blocked")) });
  assert.deepEqual(await (await mountHosted(page(), "token", { sdk })).tokenize(), { nonce: "nonce", deviceData: null });
});

for (const [code, details, names] of [
  ["HOSTED_FIELDS_FIELDS_EMPTY", undefined, NAMES],
  ["HOSTED_FIELDS_FIELDS_INVALID", { invalidFieldKeys: ["cvv", "number"] }, ["number", "cvv"]],
  ["HOSTED_FIELDS_TOKENIZATION_CVV_VERIFICATION_FAILED", undefined, ["cvv"]],
  ["HOSTED_FIELDS_FAILED_TOKENIZATION", undefined, []],
  ["HOSTED_FIELDS_TOKENIZATION_NETWORK_ERROR", undefined, []],
  [undefined, undefined, []],
]) {
  test(`the card form of production says what is wrong: ${code ?? "an error of no code"}`, async () => {
    const place = page();
    const form = await mountHosted(place, "token", { sdk: standIn(failing(code, details)).sdk });
    const refused = await form.tokenize().then(assert.fail, (error) => error);
    assert.ok(refused instanceof CardFormError && refused.message);
    assert.deepEqual(Object.keys(refused.fields), names);
    assert.deepEqual(shown(place), names.length ? Object.values(refused.fields) : [refused.message]);
  });
}

test("what was wrong is not said any more once it is right", async () => {
  let isWrong = true;
  const tokenize = async () => (isWrong ? failing("HOSTED_FIELDS_FIELDS_EMPTY").tokenize() : { nonce: "nonce", details: {} });
  const place = page();
  const form = await mountHosted(place, "token", { sdk: standIn({ tokenize }).sdk });
  await assert.rejects(form.tokenize());
  isWrong = false;
  await form.tokenize();
  assert.deepEqual(shown(place), []);
});

test("the card form of production takes the SDK that scripts of the page have loaded", async () => {
  const { sdk, calls } = standIn();
  globalThis.braintree = sdk;
  try {
    await mountHosted(page(), "token");
  } finally {
    delete globalThis.braintree;
  }
  assert.deepEqual(calls, [["token", NAMES, undefined]]);
});

test("a card form of production that cannot begin leaves nothing", async () => {
  const { sdk } = standIn({ create: async () => Promise.reject(new Error("no such token")) });
  const place = page();
  await assert.rejects(mountHosted(place, "token", { sdk }), CardFormError);
  assert.deepEqual(place.children, []);
});

test("the card form of production tells how far the customer is, and nothing that was typed", async () => {
  const { sdk, handlers } = standIn();
  const told = [];
  await mountHosted(page(), "token", { sdk, onChange: (state) => told.push(state) });
  for (const event of ["focus", "blur", "empty", "notEmpty", "validityChange"]) handlers[event]();
  const state = { isEmpty: false, isValid: true, isFocused: false };
  assert.deepEqual(told, Array(5).fill(Object.fromEntries(NAMES.map((name) => [name, state]))));
});

test("a bundler puts Braintree's SDK into a program with the card form of production", () => {
  const made = mkdtempSync(join(tmpdir(), "card-form-"));
  try {
    const out = join(made, "out.js");
    const esbuild = join(folder, "node_modules", ".bin", "esbuild");
    execFileSync(esbuild, [join(forms, "hosted-fields.js"), "--bundle", "--format=esm", "--platform=browser", `--outfile=${out}`], { stdio: "pipe" });
    const bundle = readFileSync(out, "utf-8");
    for (const inside of ["HOSTED_FIELDS_FIELDS_EMPTY", "THREEDS_MISSING_VERIFY_CARD_OPTION"]) assert.ok(bundle.includes(inside), inside);
  } finally {
    rmSync(made, { recursive: true });
  }
});

/** As much of a browser as the sandbox's form touches; `post` is a message of its frame, or of whoever says so. */
function browser(colors = {}) {
  const listeners = new Set();
  const place = page();
  const sent = [];
  const contentWindow = { postMessage: (data, origin) => sent.push({ data, origin }) };
  globalThis.document = { createElement: () => ({ style: {}, contentWindow, remove: () => place.children.splice(0) }) };
  globalThis.location = { origin: "http://localhost:3000" };
  globalThis.addEventListener = (_name, listener) => listeners.add(listener);
  globalThis.removeEventListener = (_name, listener) => listeners.delete(listener);
  globalThis.getComputedStyle = () => ({ colorScheme: colors.scheme ?? "normal", getPropertyValue: (name) => colors[name] ?? "" });
  const post = (data, { origin = GATEWAY, source = contentWindow } = {}) =>
    [...listeners].forEach((listener) => listener({ origin, source, data: { source: "card-fields", ...data } }));
  return { place, sent, post, listeners };
}
async function mounted(options, colors) {
  const around = browser(colors);
  const mounting = mountSandbox(around.place, TOKEN, options);
  around.post({ kind: "ready" });
  return { ...around, form: await mounting };
}

test("the card form of the sandbox asks its frame, and believes nobody else", async () => {
  const told = [];
  const { place, sent, post, form, listeners } = await mounted({ onChange: (state) => told.push(state) });
  const address = new URL(place.children[0].src);
  assert.equal(`${address.origin}${address.pathname}`, `${GATEWAY}/card-fields/card_fields.html`);
  assert.equal(address.searchParams.get("parent"), "http://localhost:3000");
  const made = form.tokenize();
  assert.deepEqual([sent[0].origin, sent[0].data.kind], [GATEWAY, "tokenize"]);
  const { id } = sent[0].data;
  post({ kind: "answer", id, nonce: "false" }, { origin: "http://127.0.0.1:6666" });
  post({ kind: "answer", id, nonce: "false" }, { source: {} });
  post({ kind: "answer", id: "another", nonce: "false" });
  post({ kind: "height", pixels: 120.2 });
  post({ kind: "state", fields: "fields" });
  post({ kind: "answer", id, nonce: "nonce" });
  assert.deepEqual(await made, { nonce: "nonce", deviceData: null });
  assert.deepEqual([place.children[0].style.height, told], ["121px", ["fields"]]);
  form.unmount();
  assert.deepEqual([place.children, listeners.size], [[], 0]);
});

test("the card form of the sandbox says which fields are wrong", async () => {
  const { sent, post, form } = await mounted();
  const made = form.tokenize();
  post({ kind: "answer", id: sent[0].data.id, errors: { cvv: "Enter it." }, message: "" });
  await assert.rejects(made, (error) => error instanceof CardFormError && error.message === "Enter it." && "cvv" in error.fields);
});

test("what waits for a card form that is taken away is refused", async () => {
  const { form } = await mounted();
  const made = form.tokenize();
  form.unmount();
  await assert.rejects(made, CardFormError);
});

test("the card form of the sandbox needs a token of the gateway", async () => {
  for (const token of ["", "no token", btoa("{}")]) {
    const { place } = browser();
    await assert.rejects(mountSandbox(place, token), CardFormError);
    assert.deepEqual(place.children, []);
  }
});

test("the card form of the sandbox looks as its element does", async () => {
  const { place } = await mounted({}, { scheme: "dark", "--card-field-accent": " #0b4f8a" });
  const { searchParams } = new URL(place.children[0].src);
  assert.deepEqual([searchParams.get("theme"), searchParams.get("accent"), searchParams.get("text")], ["dark", "#0b4f8a", null]);
});
