// Types for the portal, by GraphQL Code Generator: `npm ci && npx graphql-codegen --config codegen.ts` in this folder.
// A portal of its own takes this file, the folders that it reads, and the tools' versions of package.json.
import type { CodegenConfig } from "@graphql-codegen/cli";

const config: CodegenConfig = {
  schema: "./schema.graphql",
  documents: ["./operations/*.graphql", "./fragments/*.graphql"],
  importExtension: ".js",
  generates: {
    "./generated/portal/": {
      preset: "client",
      presetConfig: {
        persistedDocuments: { hashAlgorithm: "sha256" },
      },
      config: {
        enumsAsTypes: true,
        strictScalars: true,
        useTypeImports: true,
        scalars: { Date: "string", DateTime: "string", Decimal: "string" },
      },
    },
    "./generated/portal/possible-types.json": {
      plugins: ["fragment-matcher"],
      config: { apolloClientVersion: 3 },
    },
    "./generated/portal/introspection.json": {
      plugins: ["introspection"],
      config: { minify: true },
    },
  },
};

export default config;
