"""Commands that set things up: tables and catalogue, the settings as they are read, and the schema's file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.failures import FOUND_PROBLEMS, Refused
from app.cli.running import actor, run
from app.cli.terminal import say, show_table, tell

if TYPE_CHECKING:
    from app.settings import Settings
    from app.surroundings import Surroundings


def migrate() -> None:
    """Bring the database up to date: makes it if need be, and gives a new one its plans. Safe to repeat."""
    from app.migrations.upgrade import head_revision
    from app.settings import read_settings

    chosen = read_settings()
    chosen.require_complete()
    loaded = bring_up_to_date(chosen)
    tell(f"The database is at revision {head_revision()}.")
    if loaded:
        tell(f"It was new, so the catalogue was loaded: {loaded} versions of plans.")


def bring_up_to_date(settings: Settings) -> int:
    """Migrate, load the catalogue into a new database, and return how many versions of plans that were."""
    from app.migrations.upgrade import upgrade
    from app.services.plans.load_catalogue import load_catalogue

    upgrade(settings.database)

    async def job(around: Surroundings) -> int:
        return await load_catalogue(around.services, actor=actor())

    return run(job, settings)


def settings() -> None:
    """Show every setting, where it comes from, and what it is for. Secrets are not shown."""
    from app.settings import read_settings

    chosen = read_settings()
    show_table(None, ("setting", "value", "from", "what it is"), chosen.table())
    chosen.require_complete()


def export_schema(
    check: Annotated[bool, typer.Option("--check", help="Only compare; exit 1 when the file is out of date.")] = False,
    output: Annotated[Path, typer.Option(help="Where to write it.", dir_okay=False)] = Path("schema.graphql"),
) -> None:
    """Write the GraphQL schema, sorted and described, to schema.graphql."""
    from app.graphql.schema import schema_text

    text = schema_text()
    try:
        if not check:
            output.write_text(text, encoding="utf-8")
            tell(f"{output} is written.")
            return
        is_current = output.is_file() and output.read_text(encoding="utf-8") == text
    except OSError as error:
        raise Refused(f"{str(output)!r} cannot be used ({error.strerror}). Choose another place by --output.") from None
    if not is_current:
        say(f"{output} is not the schema of this program. Run `flex-billing export-schema`.")
        raise typer.Exit(FOUND_PROBLEMS)
    tell(f"{output} is up to date.")


def export_documents(
    folder: Annotated[Path, typer.Option(help="The contract's folder.", file_okay=False)] = Path("frontend-contract"),
) -> None:
    """Write into the contract's folder what is made: manifests of documents, what the portal reads, and the schema."""
    from app.graphql.contract import read_contract
    from app.graphql.persisted_documents import APOLLO_FILE, DOCUMENTS_FILE, apollo_manifest, persisted_documents
    from app.graphql.portal_contract import PORTAL_CONTRACT_FILE, portal_contract
    from app.graphql.schema import schema_text

    contract = read_contract(folder)
    if not contract.operations:
        raise Refused(f"{str(folder)!r} holds no operations. Choose the contract's folder by --folder.")
    made = {
        DOCUMENTS_FILE: persisted_documents(contract),
        APOLLO_FILE: apollo_manifest(contract),
        "schema.graphql": schema_text(),
    }
    if (folder / PORTAL_CONTRACT_FILE).parent.is_dir():
        made[PORTAL_CONTRACT_FILE] = portal_contract(contract, folder)
    for name, text in made.items():
        (folder / name).write_text(text, encoding="utf-8")
        tell(f"{folder / name} is written.")
