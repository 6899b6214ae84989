// Relay reads documents out of a program's own source: here, each of the contract's in a file of its name, letter by letter.
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { documents, folder } from "./folder.mjs";

/** Writes the sources and returns how many documents they hold. */
export function writeRelaySources() {
  const place = join(folder, "generated", "relay");
  mkdirSync(join(place, "__generated__"), { recursive: true });
  const texts = [...documents("fragments"), ...documents("operations")];
  for (const [name, text] of texts) {
    writeFileSync(join(place, `${name}.ts`), `import { graphql } from "relay-runtime";\n\ngraphql\`${text}\`;\n`);
  }
  copyFileSync(join(folder, "check", "CallsPages.ts"), join(place, "CallsPages.ts"));
  return texts.length + 1;
}
