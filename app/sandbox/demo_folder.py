"""The folder of a demo: known by a mark, so that nothing else is ever deleted."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from app.sandbox.braintree_gateway.process import stop_gateway

if TYPE_CHECKING:
    from pathlib import Path

MARK = "demo.txt"


class NotADemoFolder(ValueError):
    """The folder holds something that the demo did not make; nothing in it was touched."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"{str(folder)!r} was not made by the demo, so it was left alone. Choose another folder by --data."
        )
        self.folder = folder


def open_folder(folder: Path, *, reset: bool) -> None:
    """Make the folder a demo's, or make sure that it is one; `reset` empties it first.

    :raises NotADemoFolder: when it holds something else.
    """
    mark = folder / MARK
    if folder.exists():
        if folder.is_symlink() or not folder.is_dir() or (any(folder.iterdir()) and not mark.is_file()):
            raise NotADemoFolder(folder)
        if reset:
            stop_gateway(folder)  # which would go on writing into what is deleted
            shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    mark.write_text("Made by `flex-billing demo`; `--reset` deletes this folder and makes it anew.\n", encoding="utf-8")
