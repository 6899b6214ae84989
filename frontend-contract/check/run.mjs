// `npm test`: does what front ends do with this folder, each tool as it is documented, and says how many checks ran.
// A check that is skipped is a failure: whoever counts on these has to have run them.
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { run } from "node:test";

import { folder } from "./folder.mjs";

rmSync(join(folder, "generated"), { recursive: true, force: true });

// One file after the other: the first makes what the others read.
const files = readdirSync(join(folder, "check"))
  .filter((name) => name.endsWith(".check.mjs"))
  .sort()
  .map((name) => join(folder, "check", name));

let passed = 0;
const failed = [];
for await (const { type, data } of run({ files, concurrency: 1, timeout: 300_000 })) {
  if (type === "test:stderr" || type === "test:stdout") process.stderr.write(data.message);
  if (type !== "test:pass" && type !== "test:fail") continue;
  if (data.details?.type === "suite" || files.includes(data.name)) {
    if (type === "test:fail" && data.details?.error?.failureType !== "subtestsFailed") failed.push(data);
    continue;
  }
  const isSkipped = data.skip !== undefined || data.todo !== undefined;
  if (type === "test:pass" && !isSkipped) {
    passed += 1;
    console.log(`ok     ${data.name}`);
  } else {
    failed.push(data);
    console.log(`FAILED ${data.name}${isSkipped ? " (skipped)" : ""}`);
  }
}
for (const { name, details } of failed) {
  const cause = details?.error?.cause ?? details?.error;
  console.error(`\n${name}:\n${cause?.stack ?? cause ?? "skipped"}`);
}
console.log(`${passed + failed.length} checks ran, ${failed.length} failed.`);
process.exitCode = failed.length || !passed ? 1 : 0;
