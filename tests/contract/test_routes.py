"""The portal's addresses that mails lead to: `routes.json` and the mails say the same."""

from __future__ import annotations

import re

import orjson
import pytest

from app.domain.announcements import write_facts
from app.graphql.contract import FOLDER
from app.messages.compose import PAGES, Addressee, Composer
from app.sandbox.sample_messages import SAMPLES
from tests.contract.examples import CONTRACT

ROUTES = orjson.loads((FOLDER / "routes.json").read_bytes())
PORTAL = "https://portal.example"
ANN = Addressee("Ann Ames", "Harbor Dental Group", "AA0101", is_contact=False)


class TestRoutes:
    def test_every_mail_is_at_the_route_that_it_leads_to(self):
        assert {kind: name for name, route in ROUTES.items() for kind in route["mails"]} == {
            kind.value: page for kind, (page, _) in PAGES.items()
        }

    @pytest.mark.parametrize("name", ROUTES)
    def test_a_route_has_a_path_a_screen_and_room_for_an_app(self, name):
        assert set(ROUTES[name]) == {"path", "appLink", "opens", "mails"}
        assert CONTRACT.find(ROUTES[name]["opens"]) is not None

    @pytest.mark.parametrize("kind", PAGES, ids=str)
    def test_a_mail_links_to_its_path(self, kind):
        mail = Composer(PORTAL).mail(kind, write_facts(kind, SAMPLES[kind]), ANN)
        links = set(re.findall(rf"{PORTAL}(/[\w/-]*)", mail.text))
        assert links == {route["path"] for route in ROUTES.values() if kind.value in route["mails"]}
