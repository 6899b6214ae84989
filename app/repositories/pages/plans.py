"""The whole catalogue, which is the same for everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlmodel import col

from app.models.plans import PlanVersionRow
from app.repositories.billing_facts import PLAN_COLUMNS, read_catalogue
from app.repositories.reader import Page

if TYPE_CHECKING:
    from app.domain.plans import Catalogue

_VERSIONS = select(*PLAN_COLUMNS).order_by(col(PlanVersionRow.id))

CATALOGUE: Page[Catalogue] = Page("catalogue", {"rows": _VERSIONS}, read_catalogue)
"""Every version ever sold; takes no binds."""
