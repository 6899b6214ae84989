// Mercurius on Fastify with graphql-jit, the fastest of the servers for Node, with better-sqlite3.
import Fastify from "fastify";
import mercurius from "mercurius";

import { open } from "./surroundings.mjs";

const { schema, contextOf } = open();
const server = Fastify({ logger: false });
server.register(mercurius, {
  schema,
  jit: 1,
  graphiql: false,
  context: (request) => contextOf(request.headers.authorization),
});
console.log((await server.listen({ port: 0, host: "127.0.0.1" })).replace("[::1]", "127.0.0.1"));
