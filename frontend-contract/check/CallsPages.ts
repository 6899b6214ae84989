// A list that goes on page by page in Relay: the contract's rows, under Relay's own directive.
import { graphql } from "relay-runtime";

export const callsPages = graphql`
  query CallsPagesQuery($first: Int!, $after: String) {
    calls(first: $first, after: $after) @connection(key: "CallsPages_calls") {
      edges {
        cursor
        node {
          id
          ...CallRow
        }
      }
      pageInfo {
        ...PageInfoParts
      }
    }
  }
`;
