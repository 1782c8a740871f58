"""Which results go where: decided when they are recorded, and said when something has nowhere to go."""

from pathlib import Path
from typing import get_args

import pytest

from dicom_node.config import Settings, load_settings
from dicom_node.config_sections import ReportSettings
from dicom_node.config_values import ExtraObject, ResultKind
from dicom_node.delivery.unrouted import kinds_made, unrouted
from dicom_node.jobs import State
from dicom_node.operate.doctor import examine
from dicom_node.operate.resend import plan
from dicom_node.routing import Route, Routes
from dicom_node.statement.overview import CONTENTS
from dicom_node.store import Store
from dicom_node.store.endings import Ending
from dicom_node.store.records import NewResult
from dicom_node.store.run_records import NewRun
from tests.dicom_node.delivering import SC, SR, START
from tests.dicom_node.rows import STUDY, images, run

MODEL = {"weights_sha256": "ab", "name": "ST-RAN"}
NOTICE = {"weights_sha256": ""}
PACS = Route("pacs")
REPORTS = Route("ehr", kinds=frozenset({"sr", "notice"}))
OTHER_MODEL = Route("lab", models=frozenset({"ST-RAN 2"}))
SAME_MODEL = Route("research", kinds=frozenset({"attention"}), models=frozenset({"ST-RAN"}))
ROUTES = Routes((PACS, REPORTS, OTHER_MODEL, SAME_MODEL))


def made(*kinds: str) -> list[NewResult]:
    return [
        NewResult(kind, SR if kind == "sr" else SC, f"2.25.{number}", "2.25.9", f"{number}.dcm", "00")
        for number, kind in enumerate(kinds)
    ]


def owed(store: Store) -> set[tuple[str, str]]:
    return {(one.kind, one.destination) for one in store.deliveries(STUDY) if one.current}


@pytest.fixture
def recorded(store: Store) -> Store:
    store.add_instances(images(2), START)
    results = made("sr", "summary", "attention")
    assert store.record_results(run(store), results, ROUTES, NewRun(MODEL, "key", START))
    return store


def test_each_object_is_owed_to_the_destinations_that_accept_it(recorded: Store) -> None:
    assert owed(recorded) == {
        ("sr", "pacs"),
        ("summary", "pacs"),
        ("attention", "pacs"),
        ("sr", "ehr"),
        ("attention", "research"),
    }
    assert recorded.events(STUDY)[-1].reason == "3 objects made for pacs, ehr, research"


def test_a_result_that_nobody_accepts_is_kept_and_says_so(store: Store) -> None:
    store.add_instances(images(2), START)
    routes = Routes((OTHER_MODEL,))
    assert store.record_results(run(store), made("sr"), routes, NewRun(MODEL, "key", START))
    job = store.job(STUDY)
    assert job is not None
    assert (job.state, job.reason) == (State.DELIVERED, "1 objects made, no destination accepts them")
    assert owed(store) == set()


def test_a_notice_is_no_models_and_goes_by_its_kind(store: Store) -> None:
    store.add_instances(images(2), START)
    notice = made("notice", "notice-page")
    ending = Ending(State.REJECTED, "no cine", NewRun(NOTICE, "key", START))
    assert store.endings.record_notice(run(store), notice, ROUTES, ending)
    assert owed(store) == {
        ("notice", "pacs"),
        ("notice-page", "pacs"),
        ("notice", "ehr"),
        ("notice", "lab"),
        ("notice-page", "lab"),
    }


def test_sending_again_keeps_to_what_was_owed_and_to_what_is_accepted_today(recorded: Store) -> None:
    today = Routes((Route("ehr", kinds=frozenset({"summary"})), Route("lab"), REPORTS_ELSEWHERE))
    planned = {(one.kind, one.destination, one.waits) for one in plan(recorded, STUDY, today, None)}
    assert planned == {
        ("sr", "ehr", True),  # owed, although no longer accepted
        ("summary", "ehr", False),
        ("sr", "lab", False),
        ("summary", "lab", False),
        ("attention", "lab", False),
    }


REPORTS_ELSEWHERE = Route("elsewhere", models=frozenset({"ST-RAN 2"}))


@pytest.mark.parametrize("form", ["both", "measurements", "text"])
def test_the_kinds_that_can_be_made_are_known(form: str) -> None:
    settings = ReportSettings.model_validate({"form": form, "extra_objects": get_args(ExtraObject)})
    known = set(kinds_made(settings))
    possible = set(CONTENTS)  # which names whatever is made, as test_statement.py sees to
    missing = {"both": set(), "measurements": {"text"}, "text": {"sr"}}[form]
    assert known == possible - missing
    assert set(get_args(ResultKind)) == possible


def settings_with(folder: Path, accepts: str, more: str = "") -> Settings:
    place = "name: pacs, host: 127.0.0.1, port: 1, ae_title: PACS"
    config = folder / "config.yaml"
    config.write_text(f"destinations: [{{{place}, accepts: {accepts}}}]\n{more}\n")
    return load_settings(config)


def test_kinds_without_a_way_are_named(tmp_path: Path) -> None:
    settings = settings_with(tmp_path, "{kinds: [sr, text, notice]}", "report: {extra_objects: [pdf]}")
    assert list(unrouted(settings, "ST-RAN")) == [
        "no destination accepts summary, attention, pdf, notice-page of the model ST-RAN; these objects stay here"
    ]


def test_a_destination_that_waits_for_another_model_is_named(tmp_path: Path) -> None:
    settings = settings_with(tmp_path, "{models: [other], kinds: [sr]}")
    [lost, idle] = unrouted(settings, "ST-RAN")
    assert lost.startswith("no destination accepts sr, text, summary, attention, notice, notice-page ")
    assert idle == "pacs accepts nothing that this node makes with the model ST-RAN"


def test_without_rules_everything_has_a_way(tmp_path: Path) -> None:
    assert list(unrouted(settings_with(tmp_path, "{}"), "ST-RAN")) == []
    assert list(unrouted(Settings(), "ST-RAN")) == []


def test_doctor_warns_of_it(tmp_path: Path) -> None:
    settings = settings_with(tmp_path, "{kinds: [sr]}", "report: {not_analysed: never}")
    finding = next(one for one in examine(settings) if one.what == "routes")
    assert finding.level == "warning"
    assert "text, summary, attention of the model" in finding.found
