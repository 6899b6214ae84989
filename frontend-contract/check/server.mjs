// The API with the world that the examples are recorded in, started for the checks and ended with them.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { folder } from "./folder.mjs";

const root = join(folder, "..");
const own = join(root, ".venv", "bin", "python");

/** Starts the server, in a mode of documents; returns where it is, a token, an ingest key, and how to end it. */
export async function startServer({ documents = "prefer" } = {}) {
  const python = process.env.FLEX_PYTHON ?? (existsSync(own) ? own : "python3");
  const env = { ...process.env, PYTHONPATH: root, FLEX_DOCUMENTS: documents };
  const server = spawn(python, ["-m", "tests.contract.serve"], { cwd: root, env, stdio: ["pipe", "pipe", "inherit"] });
  const ended = new Promise((resolve) => server.once("exit", resolve));
  const lines = createInterface({ input: server.stdout });
  const first = new Promise((resolve, reject) => {
    lines.once("line", resolve);
    server.once("exit", (code) => reject(new Error(`The server ended with ${code} before it was there.`)));
  });
  const place = JSON.parse(await first);
  return {
    ...place,
    async stop() {
      server.stdin.end();
      await ended;
    },
  };
}

/** Asks for an operation as the clients do; returns its data. */
export async function post({ url, token }, query, variables) {
  const response = await fetch(url, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ query, variables }),
  });
  return response.json();
}
