// The reference portal: types, sizes, and what it reads of the contract.
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
  const asked = scripts.flatMap((name) => [...source(name).matchAll(/use(?:Query|Quote|Screen|Press)\("(\w+)"/g)].map(([, operation]) => operation));
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
