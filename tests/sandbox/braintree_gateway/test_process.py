"""The gateway's process: started by whoever needs it, shared, kept over restarts, and never in production."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.domain.payment_gateway import AnswerKind, ChargeReason, ChargeRequest, Customer, VaultRequest
from app.sandbox.braintree_gateway.process import (
    ADDRESS_FILE,
    GatewayForbidden,
    GatewayNotStarted,
    ask_gateway,
    ensure_gateway,
    find_gateway,
    run_gateway,
    stop_gateway,
)
from app.sandbox.clock import OffsetClock, parse_instant
from app.settings import read_settings
from app.surroundings import make_payments
from tests.command_line import CommandLine, end, environment, free_port

CUSTOMER = Customer("acc_1", "Harbor Dental")
CHARGE = ChargeRequest("att_1", 5_000, "acc_1", "pm_1", ChargeReason.RECURRING)

ASKER = """
import sys, time
from pathlib import Path
from app.sandbox.braintree_gateway.process import ensure_gateway
address = ensure_gateway(Path(sys.argv[1]), lingers_seconds=float(sys.argv[2]))
print(address.port, address.instance, flush=True)
time.sleep(float(sys.argv[3]))
"""


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch):
    for name in [name for name in os.environ if name.startswith("FLEX_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def data(tmp_path):
    yield tmp_path
    stop_gateway(tmp_path)


@contextmanager
def asker(data: Path, lingers: float, stays: float):
    """Another process that asks for the gateway and stays a while."""
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", ASKER, str(data), str(lingers), str(stays)],
        env=environment(data),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        end(process)


def gone(data: Path, within: float = 30.0) -> bool:
    deadline = time.monotonic() + within
    while find_gateway(data) is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


class TestSharing:
    def test_processes_that_ask_at_once_get_the_same_one(self, data):
        with asker(data, 5, 5) as first, asker(data, 5, 5) as second, asker(data, 5, 5) as third:
            answers = {process.stdout.readline() for process in (first, second, third)}
        assert len(answers) == 1
        assert answers.pop().split()[1] == ensure_gateway(data).instance

    async def test_the_adapter_starts_it_at_first_use_and_remembers_nothing_itself(self, data):
        settings = read_settings(data=data)
        payments = make_payments(settings)
        assert find_gateway(data) is None
        await payments.vault(VaultRequest(CUSTOMER, "pm_1", "fake-valid-nonce"))
        first = await payments.charge(CHARGE)
        other = await make_payments(settings).charge(CHARGE)
        assert first.kind is other.kind is AnswerKind.DONE
        assert first.transaction == other.transaction

    async def test_the_adapter_finds_it_again_after_it_was_stopped(self, data):
        payments = make_payments(read_settings(data=data))
        await payments.vault(VaultRequest(CUSTOMER, "pm_1", "fake-valid-nonce"))
        assert stop_gateway(data)
        # A connection that had been kept breaks, the next one is refused, and then another gateway is started.
        kinds = [(await payments.charge(CHARGE)).kind for _ in range(3)]
        assert kinds[-1] is AnswerKind.DONE
        assert set(kinds[:-1]) <= {AnswerKind.DONE, AnswerKind.NEVER_SENT, AnswerKind.UNKNOWN}


class TestStaff:
    def test_asks_through_the_data_folder(self, data):
        assert not ask_gateway(data, "settings", amount_rules=False)["amount_rules"]
        with pytest.raises(ValueError, match="there is no transaction 'never'"):
            ask_gateway(data, "dispute", transaction_id="never")


class TestMemory:
    async def test_survives_a_restart_on_the_same_port(self, data):
        before = ensure_gateway(data)
        payments = make_payments(read_settings(data=data))
        await payments.vault(VaultRequest(CUSTOMER, "pm_1", "fake-valid-nonce"))
        charged = await payments.charge(CHARGE)
        assert stop_gateway(data)
        after = ensure_gateway(data)
        assert (after.port, after.instance == before.instance) == (before.port, False)
        assert await make_payments(read_settings(data=data)).find_by_order("att_1") == [charged.transaction]

    async def test_survives_being_killed(self, data):
        command_line = CommandLine(data, data)
        process = command_line.start("gateway", "--port", str(free_port()))
        try:
            process.stdout.readline()
            payments = make_payments(read_settings(data=data))
            await payments.vault(VaultRequest(CUSTOMER, "pm_1", "fake-valid-nonce"))
            charged = await payments.charge(CHARGE)
        finally:
            process.kill()
            process.communicate()
        assert await make_payments(read_settings(data=data)).find_by_order("att_1") == [charged.transaction]

    async def test_goes_by_the_clock_of_the_data_folder(self, data):
        OffsetClock(data).start(parse_instant("2031-03-01 09:00"))
        payments = make_payments(read_settings(data=data))
        vaulted = await payments.vault(VaultRequest(CUSTOMER, "pm_1", "fake-valid-nonce"))
        assert vaulted.verification.checked_at.year == 2031
        charged = await payments.charge(CHARGE)
        OffsetClock(data).advance(parse_instant("2031-03-03 09:00"))
        assert (await payments.find_transaction(charged.transaction.id)).status == "SETTLED"


class TestEnd:
    def test_it_outlives_a_killed_user_and_then_ends_by_itself(self, data):
        with asker(data, 1.0, 60) as user:
            assert user.stdout.readline()
            user.send_signal(signal.SIGKILL)
            user.wait()
            assert find_gateway(data) is not None
        assert gone(data)

    def test_it_stays_as_long_as_somebody_holds_on_to_it(self, data):
        with asker(data, 0.3, 60) as user:
            instance = user.stdout.readline().split()[1]
            time.sleep(1.0)
            assert find_gateway(data).instance == instance

    def test_it_ends_when_its_folder_is_emptied(self, tmp_path):
        ensure_gateway(tmp_path)
        for file in tmp_path.glob("gateway*"):
            if file.name != ADDRESS_FILE:
                file.unlink()
        assert gone(tmp_path)

    def test_stopping_none_is_no_error(self, data):
        assert not stop_gateway(data)

    def test_another_program_on_the_written_port_is_not_taken_for_it(self, data, gateway):
        (data / ADDRESS_FILE).write_text(json.dumps({"port": gateway.port, "instance": "another"}))
        assert find_gateway(data) is None


class TestRefusals:
    def test_production_has_none(self, data, monkeypatch):
        monkeypatch.setenv("FLEX_ENV", "production")
        with pytest.raises(GatewayForbidden):
            ensure_gateway(data)
        with pytest.raises(GatewayForbidden):
            run_gateway(data)
        assert list(data.iterdir()) == []

    def test_the_command_says_so_in_production_and_when_one_runs_already(self, data):
        command_line = CommandLine(data, data)
        refused = command_line.run("gateway", expect=2, FLEX_ENV="production")
        assert "this is production" in refused.stderr
        port = ensure_gateway(data).port
        refused = command_line.run("gateway", "--port", str(free_port()), expect=2)
        assert f"already on port {port}" in refused.stderr
        assert "The gateway is stopped." in command_line.run("gateway", "--stop").stdout
        assert find_gateway(data) is None

    def test_a_gateway_that_cannot_start_says_where_to_look(self, data):
        (data / "gateway.db").write_text("no database at all" * 100)
        with pytest.raises(GatewayNotStarted, match=r"gateway\.log"):
            ensure_gateway(data)
