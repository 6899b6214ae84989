"""The GraphQL schema: translate, one service call or page load, translate."""
