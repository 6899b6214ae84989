"""The developer tools, run as a person runs them."""
