"""The browser files of others: copied beside our own where npm is, else from a public address, checked by hash."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.http.static_files import ADDRESS, FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

CDN = "https://cdn.jsdelivr.net/npm/"


@dataclass(frozen=True, slots=True)
class BrowserFile:
    """A browser file of others: its name among the copied files, its place in its npm package, and its hash."""

    name: str
    package: str
    version: str
    path: str
    integrity: str

    @property
    def address(self) -> str:
        """Where the file lies on the public network."""
        return f"{CDN}{self.package}@{self.version}/{self.path}"

    def reached_at(self, *, is_local: bool) -> str:
        """Return from where a page loads it: from us, or from the public network."""
        return f"{ADDRESS}/vendor/{self.name}" if is_local else self.address


# The four packages go together; another version of the explorer breaks the page when it is opened.
GRAPHIQL_FILES = (
    BrowserFile(
        name="react.production.min.js",
        package="react",
        version="18.3.1",
        path="umd/react.production.min.js",
        integrity="sha384-DGyLxAyjq0f9SPpVevD6IgztCFlnMF6oW/XQGmfe+IsZ8TqEiDrcHkMLKI6fiB/Z",
    ),
    BrowserFile(
        name="react-dom.production.min.js",
        package="react-dom",
        version="18.3.1",
        path="umd/react-dom.production.min.js",
        integrity="sha384-gTGxhz21lVGYNMcdJOyq01Edg0jhn/c22nsx0kyqP0TxaV5WVdsSH1fSDUf5YJj1",
    ),
    BrowserFile(
        name="graphiql.min.js",
        package="graphiql",
        version="4.1.2",
        path="graphiql.min.js",
        integrity="sha384-9XdHu7ajgGJziD4J1zNBKQ842Q/+zZfDv+ib1eMhZWBH6hPAs806x+Jbcf0yNO6B",
    ),
    BrowserFile(
        name="graphiql.min.css",
        package="graphiql",
        version="4.1.2",
        path="graphiql.min.css",
        integrity="sha384-1el1QShFBnnXTx9x/Cprg82hZWKt0ry29OAYIXt05swbi0KcZDFoj0CWguMpopJr",
    ),
    BrowserFile(
        name="plugin-explorer.umd.js",
        package="@graphiql/plugin-explorer",
        version="4.0.6",
        path="dist/index.umd.js",
        integrity="sha384-gXYG2RCFRuAiKUaKTbKxOVlvr0U9z0D/V/l5jdvRSH46vQ+9cpkG2d3ByiggUYvD",
    ),
    BrowserFile(
        name="plugin-explorer.css",
        package="@graphiql/plugin-explorer",
        version="4.0.6",
        path="dist/style.css",
        integrity="sha384-XffIsImDMwexX8UM/Bg3tss0MZOeQmZcnHzk0avUrw9ff0IQ2g9j7QLA6m2lz5D0",
    ),
)

PORTAL_FILES = (
    BrowserFile(
        name="preact.mjs",
        package="preact",
        version="11.2.0",
        path="dist/preact.mjs",
        integrity="sha384-k/EbA8To4I3ncNvT4R+JKSGfXaos0GHF0QjilyGENHN3dfDvol5wxZlDSy5JsgjZ",
    ),
    BrowserFile(
        name="preact-hooks.mjs",
        package="preact",
        version="11.2.0",
        path="hooks/dist/hooks.mjs",
        integrity="sha384-6F3ul+Ho/nKCCDmlU/B6eYlkriJbeXtDjrsI5tzV7s/OZ+Dky6DAB2MW5Tn0UxO9",
    ),
    BrowserFile(
        name="htm.mjs",
        package="htm",
        version="3.1.1",
        path="dist/htm.mjs",
        integrity="sha384-k7/PyxcXOQ/zfJq1v0TM/CcBLQ2m2NzGg2tfHehdgJGqcY7RBwIP4Ye+ssG+QK1I",
    ),
    BrowserFile(
        name="urql-core.mjs",
        package="@urql/core",
        version="6.0.3",
        path="dist/urql-core.mjs",
        integrity="sha384-SjmFl9MSYoQIvqrFMHCK01f6fqebhX0mLlcjjGH0aOajQwqU+GUHBeVJFQjQQQis",
    ),
    BrowserFile(
        name="urql-core-chunk.mjs",
        package="@urql/core",
        version="6.0.3",
        path="dist/urql-core-chunk.mjs",
        integrity="sha384-iRxgOSCf6vbsQwaEq3QEQp1X3gieYXpcVQz5WGbpjp7lQAgg47qGwsxg1f/iU8tr",
    ),
    BrowserFile(
        name="urql-exchange-graphcache.mjs",
        package="@urql/exchange-graphcache",
        version="9.0.2",
        path="dist/urql-exchange-graphcache.mjs",
        integrity="sha384-tDCBwysnXi7CB0JzEKni5FMqOgtNLAQA67UwF9ub6R0O4QzYi6zqJ88Iu3SGQn2G",
    ),
    BrowserFile(
        name="urql-exchange-graphcache-extras.mjs",
        package="@urql/exchange-graphcache",
        version="9.0.2",
        path="dist/urql-exchange-graphcache-extras.mjs",
        integrity="sha384-bpeT5QdvBzWCl45wjNdx9r9csQuJqRXeQpI+HoW4DOFscF6Jiw67T5kQUkhQDVXX",
    ),
    BrowserFile(
        name="graphql.web.mjs",
        package="@0no-co/graphql.web",
        version="1.3.4",
        path="dist/graphql.web.mjs",
        integrity="sha384-0GiXROKvhCb8p9SwITl7rJT68YNbjHsYUyFd1wdo4uy4PH3W8MVxBx9QZREshvLX",
    ),
    BrowserFile(
        name="wonka.mjs",
        package="wonka",
        version="6.3.5",
        path="dist/wonka.mjs",
        integrity="sha384-cZd0EayKWZZd1yncjRdOOm8OXY7+kPAI5uvGH2IM+T7m2Ch+BjeMOsEmk5dhgS+J",
    ),
    BrowserFile(
        name="graphql-sse/client.mjs",
        package="graphql-sse",
        version="2.6.0",
        path="lib/client.mjs",
        integrity="sha384-TMnMJi4bUlaUhddc7sx46q9p4sBna6QZIviSa8s3CuVGBjeAmpavyb312xR76S1A",
    ),
    BrowserFile(
        name="graphql-sse/common.mjs",
        package="graphql-sse",
        version="2.6.0",
        path="lib/common.mjs",
        integrity="sha384-RjcW1sZT2WNG6KC1Yg1pq/D1GBWidKDXkkvVZXoAUHRUpmnk7mKM9xwa17h8py0R",
    ),
    BrowserFile(
        name="graphql-sse/parser.mjs",
        package="graphql-sse",
        version="2.6.0",
        path="lib/parser.mjs",
        integrity="sha384-K+s3jlhiPsXIrKA0R+i5VtOX/zNqTKL/hmFZUvi4Orj76X0SKMHgwIoF8IwUQh0r",
    ),
    BrowserFile(
        name="graphql-sse/utils.mjs",
        package="graphql-sse",
        version="2.6.0",
        path="lib/utils.mjs",
        integrity="sha384-HI+RyXzSk66qefQjhYf0S/y4vyYpspR5ZCvmD5KjD8ytMH5Lh7jey+ZEwA0gwP6m",
    ),
    BrowserFile(
        name="uPlot.esm.js",
        package="uplot",
        version="1.6.32",
        path="dist/uPlot.esm.js",
        integrity="sha384-iUdBlEO5qc07+gOz+3rq/Besyud+KVIxM+xJEuUBObxLG3C/Dlkz8OYuPUcPrCGP",
    ),
    BrowserFile(
        name="uPlot.min.css",
        package="uplot",
        version="1.6.32",
        path="dist/uPlot.min.css",
        integrity="sha384-IfV0B7MIOYuO95kO9G5ySKPz/85zqFNOAs8iy4tkK5zd9izhJAB8b7lHrwYqqmYE",
    ),
)


def are_here(files: Iterable[BrowserFile], folder: Path = FOLDER) -> bool:
    """Tell whether all of them lie in `folder`/vendor, in the very versions that are named."""
    return all(_integrity(folder / "vendor" / file.name) == file.integrity for file in files)


def _integrity(path: Path) -> str | None:
    if not path.is_file():
        return None
    return "sha384-" + b64encode(hashlib.sha384(path.read_bytes()).digest()).decode()
