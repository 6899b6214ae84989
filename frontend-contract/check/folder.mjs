// Where things are, and how the checks start the tools of node_modules/.bin.
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const folder = dirname(dirname(fileURLToPath(import.meta.url)));

/** Runs a tool in the contract's folder; throws with what it said when it fails. */
export function tool(name, ...args) {
  try {
    return execFileSync(join(folder, "node_modules", ".bin", name), args, { cwd: folder, encoding: "utf8", stdio: "pipe" });
  } catch (error) {
    throw new Error(`${name} failed:\n${error.stdout}${error.stderr}`);
  }
}

export const read = (...path) => readFileSync(join(folder, ...path), "utf8");

/** The texts of a folder's documents, by name. */
export function documents(kind) {
  const names = readdirSync(join(folder, kind)).filter((name) => name.endsWith(".graphql"));
  return new Map(names.map((name) => [basename(name, ".graphql"), read(kind, name)]));
}

/** What was recorded of an operation with data and without an error: its variables and its data, oldest case first. */
export function recorded(operation) {
  return readdirSync(join(folder, "examples", operation))
    .sort()
    .map((name) => ({ name: `${operation}/${name}`, ...JSON.parse(read("examples", operation, name)) }))
    .filter(({ response }) => response?.data && !response.errors);
}
