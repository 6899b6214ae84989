// GraphQL Code Generator by the documented configuration, and strict TypeScript over all that it makes.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { folder, tool } from "./folder.mjs";
import { writeRelaySources } from "./relay-sources.mjs";

test("GraphQL Code Generator makes types by codegen.ts as it is", () => {
  tool("graphql-codegen", "--config", "codegen.ts");
  assert.ok(existsSync(join(folder, "generated", "portal", "persisted-documents.json")));
});

test("Relay compiles every operation and fragment as it is written", () => {
  const count = writeRelaySources();
  const said = tool("relay-compiler", "relay.config.json");
  assert.match(said, new RegExp(`compiled documents: ${count} reader`));
});

test("strict TypeScript accepts what both make, the caches' settings, and a typed client over them", () => {
  tool("tsc", "-p", "check/tsconfig.json");
});
