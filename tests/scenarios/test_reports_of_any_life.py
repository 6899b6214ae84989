"""Whatever befell an account, documents bear out its books month by month, and taxes are the book of tax payable."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

from app.domain.customer_balances import DocumentKind
from app.domain.periods import Period, billing_date
from app.services.common.services import Services
from app.services.operations.report_aging import report_aging
from app.services.operations.report_taxes import report_taxes
from tests.fakes.edge import CountingIds
from tests.scenarios.account_lives import Stage
from tests.scenarios.account_stories import random_story
from tests.services.accountant import agreed

LIVES = 15


async def check_reports(stage: Stage, clock, first: Period) -> Counter[str]:
    """Check every month of a life, and return the documents that moved what was owed."""
    moved: Counter[str] = Counter()
    month, services = first, Services(stage.database, clock, CountingIds())
    while month.starts_on <= billing_date(clock.now()):
        found = await agreed(stage.database, clock, month.month)
        moved.update(each.name for each in found.balances.movements if each.rebuilt_cents)
        assert (await report_taxes(services, month=month.month)).agrees
        month = month.shifted(1)
    total = (await report_aging(services)).total
    assert (total.open_cents, total.credit_cents) == (found.balances.open_cents, found.balances.credit_cents)
    return moved


async def test_reports_agree_over_fixed_seeds(migrated_file):
    moved: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        async with Stage.set_up(migrated_file, Path(folder)) as stage:
            for number in range(LIVES):
                story = random_story(f"reports/{number}")
                life = await stage.tell(story)
                moved += await check_reports(stage, life.clock, Period.containing(story.first_day))

    assert moved.keys() >= {DocumentKind.INVOICE, DocumentKind.VOID, DocumentKind.RECEIPT}
