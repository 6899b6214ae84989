"""All commands under one name, and how they end: 0 done, 1 problems found, 2 asked wrongly, 130 interrupted."""

from __future__ import annotations

import sys

import typer

from app.cli import (
    INTERRUPTED,
    access,
    billing,
    calls,
    clock,
    gateway,
    money,
    on_call_queue,
    reports,
    serving,
    setup,
    staff,
)
from app.cli.failures import BAD_INPUT, BROKEN, Refused, keep_details
from app.cli.terminal import say

application = typer.Typer(
    name="flex-billing",
    help="Billing of a telephone answering service: calls in, invoices out, and every figure explained.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    epilog="Settings come from the environment: `flex-billing settings` lists them.",
)


def _register() -> None:
    run, look, set_up, play = "Run", "Work and look", "Set up", "Sandbox"
    application.command("demo", rich_help_panel=run)(serving.demo)
    application.command("serve", rich_help_panel=run)(serving.serve)
    application.command("import-calls", rich_help_panel=look)(calls.import_calls)
    application.command("run-due", rich_help_panel=look)(billing.run_due)
    application.command("explain", rich_help_panel=look)(billing.explain)
    application.command("verify", rich_help_panel=look)(billing.verify)
    application.add_typer(billing.rebuild, rich_help_panel=look)
    application.command("sweep", rich_help_panel=look)(money.sweep)
    application.command("reconcile", rich_help_panel=look)(money.reconcile)
    staff.staff.command("refund")(money.refund)
    application.add_typer(calls.quarantine, rich_help_panel=look)
    application.add_typer(on_call_queue.queue, rich_help_panel=look)
    application.add_typer(staff.staff, rich_help_panel=look)
    application.add_typer(reports.report, rich_help_panel=look)
    application.command("migrate", rich_help_panel=set_up)(setup.migrate)
    application.command("backup", rich_help_panel=set_up)(money.backup)
    application.command("restore", rich_help_panel=set_up)(money.restore)
    application.command("settings", rich_help_panel=set_up)(setup.settings)
    application.command("export-schema", rich_help_panel=set_up)(setup.export_schema)
    application.command("export-documents", rich_help_panel=set_up)(setup.export_documents)
    application.add_typer(access.account, rich_help_panel=set_up)
    application.add_typer(staff.catalogue, rich_help_panel=set_up)
    application.add_typer(access.key, rich_help_panel=set_up)
    application.command("sample-calls", rich_help_panel=play)(calls.sample_calls)
    application.command("token", rich_help_panel=play)(access.token)
    application.add_typer(clock.clock, rich_help_panel=play)
    application.command("gateway", rich_help_panel=play)(gateway.gateway)


_register()


def run_command() -> None:
    """Run one command and end the process with its exit code."""
    try:
        application(prog_name="flex-billing")
    except SystemExit as end:
        if end.code == INTERRUPTED:
            say("Stopped. What was done stays; the same command goes on from there.")
        raise
    except Refused as refusal:
        say(str(refusal))
        sys.exit(BAD_INPUT)
    except Exception as error:  # noqa: BLE001  the last place where a fault can become a sentence
        from app.cli.expected import EXPECTED

        if isinstance(error, EXPECTED):
            say(str(error))
            sys.exit(BAD_INPUT)
        say(
            f"Something is wrong with this program ({type(error).__name__}). "
            f"Report it with {str(keep_details(error))!r}, which holds the details."
        )
        sys.exit(BROKEN)
