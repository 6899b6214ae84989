// Apollo Server with better-sqlite3, as its documentation sets it up; without cache hints, for nothing here is cached.
import { ApolloServer } from "@apollo/server";
import { ApolloServerPluginCacheControlDisabled } from "@apollo/server/plugin/disabled";
import { startStandaloneServer } from "@apollo/server/standalone";

import { open } from "./surroundings.mjs";

const { schema, contextOf } = open();
const server = new ApolloServer({
  schema,
  introspection: false,
  includeStacktraceInErrorResponses: false,
  plugins: [ApolloServerPluginCacheControlDisabled()],
});
const { url } = await startStandaloneServer(server, {
  listen: { port: 0, host: "127.0.0.1" },
  context: ({ req }) => contextOf(req.headers.authorization),
});
console.log(`http://127.0.0.1:${new URL(url).port}`);
