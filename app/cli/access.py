"""Commands about who may: accounts and their people, the keys of other systems, and the sandbox's tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.failures import Refused
from app.cli.running import actor, parse_date, run, sandbox_settings
from app.cli.terminal import say, tell
from app.domain.accounts import KeyPurpose, Role

if TYPE_CHECKING:
    from app.services.operations import access_keys
    from app.services.usage import put_account as putting
    from app.surroundings import Surroundings


account = typer.Typer(name="account", help="Accounts of the answering service.", no_args_is_help=True)
key = typer.Typer(name="key", help="Keys of other systems.", no_args_is_help=True)


@account.command("create")
def create_account(
    external_id: Annotated[str, typer.Argument(metavar="ACCOUNT", help="As SAS Flex calls it, such as AA0101.")],
    name: Annotated[str, typer.Option(help="The name on its invoices.")],
    plan: Annotated[str, typer.Option(help="The plan, for example 100.")],
    trial_ends_on: Annotated[
        str | None, typer.Option(metavar="DATE", help="Last day of the free trial.", show_default=False)
    ] = None,
    paid_since: Annotated[
        str | None, typer.Option(metavar="DATE", help="First paid day, without a trial.", show_default=False)
    ] = None,
    member: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ROLE,SUBJECT,EMAIL",
            help="Somebody who may look, such as admin,idp|17,office@harbor.example; repeat for more.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Create an account, or bring one that is not billed yet up to date. Repeating it changes nothing."""
    from app.services.usage import put_account as putting

    particulars = putting.AccountParticulars(
        external_id=external_id,
        name=name,
        plan_code=plan,
        trial_ends_on=None if trial_ends_on is None else parse_date(trial_ends_on),
        paid_since_on=None if paid_since is None else parse_date(paid_since),
        members=None if member is None else tuple(map(_parse_member, member)),
    )

    async def job(around: Surroundings) -> putting.PutAccount:
        return await putting.put_account(around.services, particulars=particulars, actor=actor())

    put = run(job)
    verb = "created" if put.is_new else "up to date"
    tell(f"Account {external_id} is {verb} ({put.account.id}); its first paid day is {put.account.paid_starts_on}.")


def _parse_member(text: str) -> putting.Member:
    from app.services.usage import put_account as putting

    parts = [part.strip() for part in text.split(",")]
    names = [role.value for role in Role]
    if len(parts) != 3 or not all(parts) or parts[0].upper() not in names:
        choices = ", ".join(name.lower() for name in names)
        raise Refused(f"{text!r} is not a member. Write ROLE,SUBJECT,EMAIL, where ROLE is one of {choices}.")
    return putting.Member(
        subject=parts[1], email=parts[2], name=parts[2].partition("@")[0], role=Role(parts[0].upper())
    )


@key.command("create")
def create_key(
    name: Annotated[str, typer.Argument(help="What you will know it by.", show_default=False)],
    purpose: Annotated[
        KeyPurpose, typer.Option(help="For calls coming in, or for SAS Flex's own services.", case_sensitive=False)
    ],
    source: Annotated[
        str | None,
        typer.Option(help="Whose event ids come in with it; the key's name if left out.", show_default=False),
    ] = None,
) -> None:
    """Make a key. Its secret is shown this once; only a hash is kept."""
    from app.services.operations import access_keys

    if purpose is not KeyPurpose.INGEST and source is not None:
        raise Refused("Only a key for calls (--purpose ingest) has a --source. Leave it out.")

    async def job(around: Surroundings) -> access_keys.NewKey:
        return await access_keys.create_key(around.services, purpose=purpose, name=name, source=source, actor=actor())

    typer.echo(run(job).secret)
    say("This is the only time that the key is shown. Send it as `Authorization: Bearer …`.")


@key.command("revoke")
def revoke_key(name: Annotated[str, typer.Argument(help="The key's name.", show_default=False)]) -> None:
    """Make a key worthless at once."""
    from app.services.operations import access_keys

    async def job(around: Surroundings) -> None:
        await access_keys.revoke_key(around.services, name=name, actor=actor())

    run(job)
    tell(f"Key {name!r} is revoked.")


def token(
    account: Annotated[str, typer.Option(metavar="ACCOUNT", help="As SAS Flex calls it, such as AA0101.")],
    role: Annotated[Role, typer.Option(help="What the bearer may do.", case_sensitive=False)] = Role.ADMIN,
) -> None:
    """Print a bearer token for somebody of that role on the account; a newcomer joins if nobody has it."""
    from app.services.common.caller import Caller

    settings = sandbox_settings("A token made here")
    from app.sandbox.personas import ensure_member
    from app.sandbox.tokens import SandboxTokens

    async def job(around: Surroundings) -> str:
        return await ensure_member(around.services, Caller(account, actor()), role=role)

    subject = run(job, settings)
    typer.echo(SandboxTokens.open(settings.data).sign(subject=subject, account=account))
