// Apollo's own tool makes of the operations what the folder ships.
import assert from "node:assert/strict";
import { test } from "node:test";

import { read, tool } from "./folder.mjs";

test("Apollo's manifest tool makes the documents and ids of apollo-manifest.json", () => {
  tool("generate-persisted-query-manifest", "--config", "persisted-query-manifest.config.json");
  const byName = (text) => Object.fromEntries(JSON.parse(text).operations.map((operation) => [operation.name, operation]));
  assert.deepEqual(byName(read("generated", "apollo-manifest.json")), byName(read("apollo-manifest.json")));
});
