// The reference portal: types, sizes, what it reads of the contract, and the card form of production with a stand-in SDK.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

import { folder, read } from "./folder.mjs";

const MOST_LINES = 200;
const portal = join(folder, "portal");
const scripts = readdirSync(portal, { recursive: true }).filter((name) => name.endsWith(".js"));
const source = (name) => readFileSync(join(portal, name), "utf-8");

test("the portal's types are sound, strictly", () => {
  execFileSync(join(folder, "node_modules", ".bin", "tsc"), ["-p", portal], { stdio: "pipe" });
});

test("no file of the portal is longer than two screens of a reader", () => {
  const long = scripts.filter((name) => source(name).split("\n").length > MOST_LINES + 1);
  assert.deepEqual(long, []);
});

test("the portal asks for operations of the contract alone, and says nothing of its own about errors", () => {
  const { operations, errors } = JSON.parse(source("contract.json"));
  const known = new Set(operations.map(({ name }) => name));
  const asked = scripts.flatMap((name) => [...source(name).matchAll(/use(?:Query|Screen|Press)\("(\w+)"/g)].map(([, operation]) => operation));
  assert.ok(asked.length > 20);
  assert.deepEqual(asked.filter((name) => !known.has(name)), []);
  const codes = scripts.flatMap((name) => [...source(name).matchAll(/code: "([A-Z_]+)"/g)].map(([, code]) => code));
  assert.deepEqual(codes.filter((code) => !(code in errors)), []);
});

test("every page that a mail leads to is a screen of the portal", async () => {
  const { screens } = await import(pathToFileURL(join(portal, "screens.js")).href);
  const paths = new Set(Object.values(screens).map(({ path }) => path));
  const missing = Object.values(JSON.parse(read("routes.json"))).filter(({ path }) => !paths.has(path));
  assert.deepEqual(missing, []);
});

/** The SDK's interface, as far as the card form uses it. */
function standIn(tokenize) {
  const calls = [];
  const sdk = {
    client: { create: async ({ authorization }) => ({ authorization }) },
    hostedFields: {
      create: async ({ client, fields }) => {
        calls.push(["fields", client.authorization, Object.keys(fields)]);
        return { tokenize, teardown: () => calls.push(["teardown"]) };
      },
    },
    dataCollector: { create: async () => ({ deviceData: "device", teardown() {} }) },
    threeDSecure: { create: async () => ({ verifyCard: async ({ nonce, bin, amount }) => ({ nonce: `${nonce}+${bin}+${amount}` }) }) },
  };
  return { sdk, calls };
}

/** As much of a page as the card form touches. */
function element() {
  const children = [];
  globalThis.document = { createElement: (name) => ({ name }) };
  return { children, append: (...added) => children.push(...added), replaceChildren: () => children.splice(0) };
}

test("the card form of production makes a nonce, with device data and 3-D Secure, and cleans up", async () => {
  const { mount } = await import(pathToFileURL(join(portal, "card-form", "hosted-fields.js")).href);
  const { sdk, calls } = standIn(async () => ({ nonce: "nonce", details: { bin: "411111" } }));
  const place = element();
  const form = await mount(place, "token", { sdk });
  assert.deepEqual(calls[0], ["fields", "token", ["number", "expirationDate", "cvv", "postalCode"]]);
  assert.deepEqual(await form.tokenize(), { nonce: "nonce", deviceData: "device" });
  form.unmount();
  assert.deepEqual([calls.at(-1), place.children], [["teardown"], []]);

  const secured = await mount(element(), "token", { sdk, threeDSecure: { amount: "1.00" } });
  assert.equal((await secured.tokenize()).nonce, "nonce+411111+1.00");
});

test("the card form of production says which fields are wrong", async () => {
  const { mount } = await import(pathToFileURL(join(portal, "card-form", "hosted-fields.js")).href);
  const { CardFormError } = await import(pathToFileURL(join(portal, "card-form", "form.js")).href);
  const wrong = Object.assign(new Error(), { code: "HOSTED_FIELDS_FIELDS_INVALID", details: { invalidFields: { cvv: {} } } });
  const { sdk } = standIn(async () => Promise.reject(wrong));
  const form = await mount(element(), "token", { sdk });
  await assert.rejects(form.tokenize(), (error) => error instanceof CardFormError && "cvv" in error.fields);
});
