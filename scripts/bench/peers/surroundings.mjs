// What both peers are put together from: the schema, the database, and who asks.
import { readFileSync } from "node:fs";

import { makeExecutableSchema } from "@graphql-tools/schema";

import { Rows } from "./rows.mjs";
import { makeResolvers } from "./resolvers.mjs";
import { TokenVerifier } from "./tokens.mjs";

export function open() {
  const given = JSON.parse(process.argv[2]);
  const rows = new Rows(given.database);
  const now = () => new Date(Date.now() + given.clockOffset * 1000);
  const typeDefs = readFileSync(new URL("schema.graphql", import.meta.url), "utf8");
  const schema = makeExecutableSchema({ typeDefs, resolvers: makeResolvers(rows, now) });
  const verifier = new TokenVerifier(given);

  // The membership is looked up at each request, as the product does: the token may speak of one that is gone.
  async function contextOf(authorization) {
    const { subject, account } = await verifier.verify(authorization.slice("Bearer ".length));
    const member = rows.member.get({ subject, account });
    if (member === undefined) throw new Error("This membership is gone.");
    return { member };
  }

  return { schema, contextOf };
}
