// A small single-page program, as a portal developer begins one: Apollo Client, and the headers of a tracing agent.
import { ApolloClient, HttpLink, InMemoryCache, gql } from "@apollo/client";

const { uri, token } = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));

const client = new ApolloClient({
  clientAwareness: { name: "spa", version: "1.0.0" },
  cache: new InMemoryCache(),
  link: new HttpLink({
    uri,
    headers: {
      authorization: `Bearer ${token}`,
      baggage: "sentry-environment=production",
      "sentry-trace": "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
      traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
      "x-datadog-trace-id": "1",
    },
  }),
});

const { data } = await client.query({
  query: gql`
    query Hello {
      viewer {
        id
        account {
          id
          name
        }
      }
    }
  `,
});
document.body.textContent = data.viewer.account.name;
