"""What load balancers are told."""

from __future__ import annotations

from app.http.health import Readiness
from tests.fakes.edge import Edge


class TestHealth:
    async def test_a_live_process_says_so_to_any_host_name(self, tmp_path):
        async with Edge(tmp_path).client(has_token=False) as client:
            answer = await client.get("/health/live", headers={"host": "10.0.0.7:8000"})
        assert (answer.status_code, answer.json()) == (200, {"status": "live"})

    async def test_a_ready_service_tells_how_late_it_is(self, tmp_path):
        async def probe():
            return Readiness(
                problem=None,
                ticker_lag_seconds=1.5,
                message_lag_seconds=2.5,
                payment_lag_seconds=3.5,
                oldest_unclosed_period="2026-07",
            )

        async with Edge(tmp_path, probe=probe).client(has_token=False) as client:
            answer = await client.get("/health/ready")
        assert answer.status_code == 200
        assert answer.json() == {
            "status": "ready",
            "problem": None,
            "tickerLagSeconds": 1.5,
            "paymentLagSeconds": 3.5,
            "messageLagSeconds": 2.5,
            "oldestUnclosedPeriod": "2026-07",
        }

    async def test_a_service_without_its_database_says_what_to_do(self, tmp_path):
        async def probe():
            return Readiness(problem="Run `flex-billing migrate`.")

        async with Edge(tmp_path, probe=probe).client(has_token=False) as client:
            answer = await client.get("/health/ready")
        assert (answer.status_code, answer.json()["problem"]) == (503, "Run `flex-billing migrate`.")

    async def test_a_probe_that_breaks_is_a_masked_fault(self, tmp_path):
        async def probe():
            raise RuntimeError("secret")

        async with Edge(tmp_path, probe=probe).client(has_token=False) as client:
            answer = await client.get("/health/ready")
        assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (500, "INTERNAL")
        assert "secret" not in answer.text
