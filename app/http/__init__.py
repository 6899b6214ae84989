"""HTTP endpoints: GraphQL, documents, ingest, internal accounts and health."""
