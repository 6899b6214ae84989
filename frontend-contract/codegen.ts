// Types for the portal, by GraphQL Code Generator: `npx graphql-codegen --config codegen.ts` in this folder, with
// @graphql-codegen/cli, its client preset and `graphql` installed in the portal.
import type { CodegenConfig } from "@graphql-codegen/cli";

const config: CodegenConfig = {
  schema: "./schema.released.graphql",
  documents: ["./operations/*.graphql", "./fragments/*.graphql"],
  generates: {
    "./generated/portal/": {
      preset: "client",
      presetConfig: {
        persistedDocuments: { hashAlgorithm: "sha256" },
      },
      config: {
        enumsAsTypes: true,
        strictScalars: true,
        scalars: { Date: "string", DateTime: "string", Decimal: "string" },
      },
    },
  },
};

export default config;
