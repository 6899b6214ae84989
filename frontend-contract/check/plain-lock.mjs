// Takes what npm writes beside versions and hashes out of the lock file: it holds no address.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { folder } from "./folder.mjs";

const path = join(folder, "package-lock.json");
const lock = JSON.parse(readFileSync(path, "utf8"));
for (const entry of Object.values(lock.packages)) {
  delete entry.funding;
  delete entry.deprecated;
  delete entry.resolved;
}
writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
