"""Style and script of our own pages, and the browser files that were copied beside them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

if TYPE_CHECKING:
    from starlette.responses import Response

FOLDER = Path(__file__).resolve().parents[1] / "static"

ADDRESS = "/static"


class PageFiles(StaticFiles):
    """Lets browsers keep a file, but ask each time whether it is still the same one."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        """Return the file, or the news that it has not changed."""
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        response.headers["cache-control"] = "no-cache"
        return response


def static_route(folder: Path = FOLDER) -> Mount:
    """Return the route of the files; they are the same for everybody and need no token."""
    return Mount(ADDRESS, PageFiles(directory=folder))
