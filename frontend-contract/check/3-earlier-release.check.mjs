// Apps of an earlier release, on today's schema and on tomorrow's: one that has what no build of today knows.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { buildSchema, extendSchema, isEnumType, isInterfaceType, isUnionType, parse, validate } from "graphql";

import { folder, read } from "./folder.mjs";

const today = buildSchema(read("schema.graphql"));
const released = readdirSync(join(folder, "clients")).filter((name) => name.endsWith(".json"));

function grown(schema) {
  const parts = ["type NotKnownYet implements UserError { code: ErrorCode! message: String! }"];
  for (const type of Object.values(schema.getTypeMap())) {
    if (type.name.startsWith("__")) continue;
    if (isEnumType(type)) parts.push(`extend enum ${type.name} { NOT_KNOWN_YET }`);
    if (isUnionType(type)) parts.push(`extend union ${type.name} = NotKnownYet`);
    if (isInterfaceType(type) && type.name !== "UserError") {
      const above = [type, ...type.getInterfaces()].map(({ name }) => name).join(" & ");
      const fields = Object.values(type.getFields()).map(({ name, args, type: kind }) => {
        const given = args.map((argument) => `${argument.name}: ${argument.type}`).join(", ");
        return `${name}${given && `(${given})`}: ${kind}`;
      });
      parts.push(`type ${type.name}NotKnownYet implements ${above} { ${fields.join(" ")} }`);
    }
  }
  return extendSchema(schema, parse(parts.join("\n")));
}

function texts(manifest) {
  return manifest.operations ? manifest.operations.map(({ body }) => body) : Object.values(manifest);
}

for (const name of released) {
  test(`every document of ${name.replace(/\.json$/, "")} fits today's schema and tomorrow's`, () => {
    const found = texts(JSON.parse(read("clients", name)));
    assert.ok(found.length > 0);
    for (const schema of [today, grown(today)]) {
      assert.deepEqual(found.flatMap((text) => validate(schema, parse(text))), []);
    }
  });
}
