"""The lead's pages over HTTP, on a project that synthetic raters have filled."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from made_projects import EMOTIONS, Made, make_items, make_project
from starlette.testclient import TestClient

from emonet.annotation._synthetic import fill
from emonet.annotation.protocols import Protocol, best_worst, binary, hq, pairs, presence, questionnaire
from emonet.annotation.store import adjudications, audit_log, find_person, last_event, people, progress
from emonet.annotation.web._lead_state import State
from emonet.datasets import read_face_binary

PAGES = ("", "/agreement", "/raters", "/consensus", "/disagreements", "/people", "/export", "/log")


def filled(folder: Path, protocol: Protocol, *, items: int = 24, share: float = 1.0) -> Made:
    """A project with four careful raters and a careless one."""
    asked = protocol.question == "levels"
    work = make_items(folder / "media", items, "face", {"fear": 1.0}, asked)[:-1]
    made = make_project(folder, protocol, work)
    fill(made.store, raters=4, careless=1, share=share, seed=3)
    return made


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    protocol = presence(modality="face", dimensions=EMOTIONS, gold_every=0, training=0)
    made = filled(tmp_path_factory.mktemp("lead"), protocol, items=40)
    yield made
    made.store.close()


@pytest.fixture
def lead(project: Made) -> TestClient:
    return project.client("lead")


def links(page: str) -> list[str]:
    """Addresses of units on a page, as a browser would follow them."""
    return [found.replace("&amp;", "&") for found in re.findall(r'href="(/lead/unit\?[^"]+)"', page)]


def post(client: TestClient, address: str, **fields: str) -> tuple[int, str]:
    """Send a form as a page would; status and where it leads."""
    answer = client.post(address, data={**fields, "csrf": client.headers["X-CSRF-Token"]})
    return answer.status_code, answer.headers.get("location", "")


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens(lead: TestClient, page: str) -> None:
    """Each page of the desk is there and has no figure that is not a number."""
    answer = lead.get(f"/lead{page}")
    assert answer.status_code == 200
    assert "nan" not in re.sub(r"<[^>]*>", " ", answer.text).split()
    assert 'style="' not in answer.text  # the content security policy would drop it


def test_careless_rater_is_told_on_the_overview(project: Made, lead: TestClient) -> None:
    """Who answers at once and never looks is named with the reason, and has a page that shows why."""
    careless = people(project.store)[4].code
    overview = lead.get("/lead").text
    assert f'href="/lead/raters/{careless}"' in overview
    assert "fast:" in overview
    detail = lead.get(f"/lead/raters/{careless}").text
    assert "Time of each answer" in detail
    assert lead.get("/lead/raters/nobody").status_code == 404


@pytest.mark.parametrize(
    "protocol",
    [
        binary(dimensions=EMOTIONS, gold_every=0, training=0),
        hq(dimensions=EMOTIONS, gold_every=0, training=0),
        pairs(dimensions=EMOTIONS[:1], gold_every=0, training=0),
        best_worst(dimensions=EMOTIONS[:1], modality="face", gold_every=0, training=0),
        questionnaire(),
    ],
    ids=lambda protocol: protocol.name,
)
def test_every_protocol_has_a_desk(tmp_path: Path, protocol: Protocol) -> None:
    """All pages open for each way of asking, before and after answers came in."""
    empty = make_project(
        tmp_path / "empty", protocol, make_items(tmp_path / "empty/media", 12, "face", {"fear": 1.0}, False)[:-1]
    )
    made = filled(tmp_path / "filled", protocol, items=12)
    for each in (empty, made):
        client = each.client("lead")
        for page in PAGES:
            assert client.get(f"/lead{page}").status_code == 200, page
        for address in links(client.get("/lead/consensus").text)[:4]:
            assert client.get(address).status_code == 200
        each.store.close()


def test_a_word_settles_a_disagreement_and_leads_to_the_next(project: Made, lead: TestClient) -> None:
    """The values are kept as an event, the count goes down by one, and the page moves on."""
    open_units = links(lead.get("/lead/disagreements").text)
    page = lead.get(open_units[0]).text
    unit = re.search(r'name="unit" value="([^"]+)"', page)
    field = re.search(r'name="(value:[a-z_]+)"', page)
    assert unit is not None
    assert field is not None
    before = last_event(project.store)
    status, onward = post(lead, "/lead/unit", **{"unit": unit[1], field[1]: "2", "reason": "plain to see"})
    assert status == 303
    assert onward.startswith("/lead/unit?")
    assert last_event(project.store) > before
    assert adjudications(project.store)[unit[1]] == {field[1].removeprefix("value:"): 2.0}
    after = lead.get(onward).text
    assert "is kept" in after
    assert unit[1] not in [re.sub("%3A", ":", one) for one in links(lead.get("/lead").text)]
    again = lead.get(open_units[0]).text
    assert "plain to see" in again
    assert "checked" in again


@pytest.mark.parametrize("value", ["7", "much", ""])
def test_a_word_that_no_rater_could_give_is_refused(lead: TestClient, value: str) -> None:
    """The page comes back with what was expected; nothing is kept."""
    page = lead.get(links(lead.get("/lead/disagreements").text)[0]).text
    unit = re.search(r'name="unit" value="([^"]+)"', page)
    field = re.search(r'name="(value:[a-z_]+)"', page)
    assert unit is not None
    assert field is not None
    fields = {"unit": unit[1], **({field[1]: value} if value else {})}
    assert post(lead, "/lead/unit", **fields)[0] == 422


def test_units_that_are_not_there(lead: TestClient) -> None:
    """An unknown unit is not found, for reading and for writing."""
    assert lead.get("/lead/unit", params={"unit": "nothing"}).status_code == 404
    assert post(lead, "/lead/unit", unit="nothing")[0] == 404


def test_state_tells_whether_anything_happened(project: Made, lead: TestClient) -> None:
    """The number is that of the newest event, and the pages carry the one they show."""
    event = lead.get("/lead/state").json()["event"]
    assert event == last_event(project.store)
    assert f'data-event="{event}"' in lead.get("/lead").text


def test_leads_see_codes_and_admins_names(project: Made) -> None:
    """A lead works with the blinded names that the data carry."""
    assert "Synthetic rater" not in project.client("lead").get("/lead/people").text
    assert "Synthetic rater" in project.client("admin").get("/lead/people").text


def test_an_invitation_is_shown_once_and_works(project: Made) -> None:
    """The link opens the page on which an account is made; a lead cannot invite an admin."""
    admin = project.client("admin")
    answer = admin.post("/lead/people/invite", data={"role": "lead", "csrf": admin.headers["X-CSRF-Token"]})
    link = re.search(r'value="http://testserver(/join/[^"]+)"', answer.text)
    assert link is not None
    assert project.client().get(link[1]).status_code == 200
    assert link[1] not in admin.get("/lead/people").text
    assert post(project.client("lead"), "/lead/people/invite", role="admin")[0] == 400
    assert post(admin, "/lead/people/invite", role="king")[0] == 400


def test_who_may_change_whom(project: Made) -> None:
    """Leads close raters' accounts only, admins all but their own; roles are for admins."""
    lead, admin = project.client("lead"), project.client("admin")
    everybody = people(project.store)
    rater, other_lead, self_admin = everybody[0], everybody[-2], everybody[-1]
    assert (other_lead.role, self_admin.role) == ("lead", "admin")
    assert post(lead, f"/lead/people/{rater.id}/active", active="no")[0] == 303
    assert find_person(project.store, rater.id).active is False  # type: ignore[union-attr]
    assert post(lead, f"/lead/people/{rater.id}/active", active="yes")[0] == 303
    assert post(lead, f"/lead/people/{self_admin.id}/active", active="no")[0] == 403
    assert post(admin, f"/lead/people/{self_admin.id}/active", active="no")[0] == 403
    assert post(lead, f"/lead/people/{rater.id}/role", role="lead")[0] == 403
    assert post(admin, f"/lead/people/{other_lead.id}/role", role="rater")[0] == 303
    assert find_person(project.store, other_lead.id).role == "rater"  # type: ignore[union-attr]
    assert find_person(project.store, other_lead.id).code == other_lead.code  # type: ignore[union-attr]
    assert post(admin, "/lead/people/999999/active", active="no")[0] == 404
    assert {line.action for line in audit_log(project.store)} >= {"closed account", "opened account", "changed role"}


def test_answers_of_a_careless_rater_are_set_aside(tmp_path: Path) -> None:
    """With a reason they count no more and their units are open again; raters' accounts only, and not without one."""
    protocol = presence(modality="face", dimensions=EMOTIONS, gold_every=0, training=0)
    made = filled(tmp_path, protocol)
    lead = made.client("lead")
    before = progress(made.store)
    careless = before.people[4].person.code
    assert post(lead, f"/lead/raters/{careless}/set-aside", reason=" ")[0] == 400
    assert post(lead, "/lead/raters/lead-1/set-aside", reason="mine")[0] == 403
    assert post(lead, "/lead/raters/rater-99/set-aside", reason="none")[0] == 404
    assert post(lead, "/lead/raters/nobody%00/set-aside", reason="none")[0] == 422
    status, onward = post(lead, f"/lead/raters/{careless}/set-aside", reason="never looks")
    assert status == 303
    page = lead.get(onward).text
    assert f"All answers of {careless} are set aside" in page
    assert f'href="/lead/raters/{careless}"' not in page
    after = progress(made.store)
    assert (after.done < before.done, after.people[4].person.active) == (True, False)
    made.store.close()


def test_the_log_tells_leads_nothing_that_unblinds(project: Made) -> None:
    """For whom an invitation was made, and from where somebody joined, is for admins."""
    admin = project.client("admin")
    post(admin, "/lead/people/invite", role="rater", note="Dr. Somebody")
    assert "Dr. Somebody" in admin.get("/lead/log").text
    assert "Dr. Somebody" not in project.client("lead").get("/lead/log").text


def test_downloads(project: Made, lead: TestClient) -> None:
    """Every file offered comes with content, and the log says who took it."""
    offered = re.findall(r'href="(/lead/export/[^"]+)"', lead.get("/lead/export").text)
    assert len(offered) == 3
    for address in offered:
        answer = lead.get(address)
        assert answer.status_code == 200
        assert len(answer.content) == int(answer.headers["content-length"]) > 100
    assert lead.get("/lead/export/hq.csv").status_code == 404
    assert lead.get("/lead/export/..%2Fproject.toml").status_code == 404
    assert "exported" in {line.action for line in audit_log(project.store)}


def test_binary_layout_can_be_read_back(tmp_path: Path) -> None:
    """The download of a binary project is what the reader of the published file takes."""
    made = filled(tmp_path, binary(dimensions=EMOTIONS, gold_every=0, training=0))
    answer = made.client("lead").get("/lead/export/binary.csv")
    path = tmp_path / "binary.csv"
    path.write_bytes(answer.content)
    assert not zipfile.is_zipfile(BytesIO(answer.content))
    assert read_face_binary(path) is not None
    made.store.close()


def test_names_of_items_are_shown_as_text(tmp_path: Path) -> None:
    """A file name with markup in it does not become markup, on any page."""
    from dataclasses import replace

    items = make_items(tmp_path / "media", 4, "face", {"fear": 1.0}, True)[:-1]
    evil = '<img src=x onerror=alert(1)>"&.jpg'
    (tmp_path / "media" / items[0].media).rename(tmp_path / "media" / evil)
    protocol = presence(modality="face", dimensions=EMOTIONS, gold_every=0, training=0)
    made = make_project(tmp_path, protocol, [replace(items[0], key=evil, media=evil), *items[1:]])
    fill(made.store, raters=3, careless=2, seed=1)
    client = made.client("lead")
    pages = [client.get(f"/lead{page}").text for page in PAGES]
    pages += [client.get(address).text for address in links(pages[3])]
    assert any("&lt;img src=x" in page for page in pages)
    assert not any("<img src=x" in page for page in pages)
    made.store.close()


def test_figures_are_computed_once_for_each_state(
    project: Made, lead: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages that are asked for while nothing happens share one computation."""
    from emonet.annotation.web import _lead_state

    lead.get("/lead")
    read, calls = _lead_state._read, []

    def counted(*arguments: object) -> State:
        calls.append(1)
        return read(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(_lead_state, "_read", counted)
    for page in PAGES:
        lead.get(f"/lead{page}")
    assert not calls
