"""Which studies go, and why: values in, values out."""

from datetime import datetime, timedelta

import pytest

from dicom_node.config_sections import RetainSettings
from dicom_node.jobs import Job, State
from dicom_node.keeping.rules import Space, choose, removable_states
from dicom_node.store.keeping_records import KeptStudy
from tests.dicom_node.rows import START

GB = 1_000_000_000
ROOMY = Space(archive_bytes=4 * GB, free_bytes=900 * GB)


def study(days: float) -> KeptStudy:
    since = START - timedelta(days=days)
    return KeptStudy(Job(int(days * 10), f"1.{days:g}", State.DELIVERED, since), since)


OLD = [study(40), study(20), study(5), study(0.5)]


def chosen(settings: RetainSettings, space: Space = ROOMY, at: datetime = START) -> list[str]:
    found = choose(OLD, lambda one: GB, space, settings, at)
    return [one.study.job.study_instance_uid for one in found]


def test_as_delivered_nothing_ever_goes() -> None:
    assert not RetainSettings().active
    assert chosen(RetainSettings(), Space(10**15, 0)) == []


def test_by_age_goes_what_is_older() -> None:
    assert chosen(RetainSettings(days=20)) == ["1.40", "1.20"]


def test_by_size_the_oldest_go_until_the_rest_fits() -> None:
    assert chosen(RetainSettings(max_gb=3)) == ["1.40"]
    assert chosen(RetainSettings(max_gb=2)) == ["1.40", "1.20"]


def test_by_space_the_oldest_go_until_there_is_room() -> None:
    settings = RetainSettings(evict_below_mb=3000)
    assert chosen(settings, Space(4 * GB, 2 * GB)) == ["1.40"]
    assert chosen(settings, Space(4 * GB, 3 * GB)) == []


def test_size_and_space_never_take_what_is_younger_than_promised() -> None:
    assert chosen(RetainSettings(max_gb=0.001)) == ["1.40", "1.20", "1.5"]
    assert chosen(RetainSettings(evict_below_mb=10**6, at_least_days=10)) == ["1.40", "1.20"]


def test_each_removal_says_which_key_is_behind_it() -> None:
    settings = RetainSettings(days=30, max_gb=2)
    reasons = [one.reason for one in choose(OLD, lambda one: GB, ROOMY, settings, START)]
    assert reasons == [
        "older than 30 days (retain.days)",
        "the archive held more than 2 GB (retain.max_gb)",
    ]


def test_states_in_which_somebody_works_on_a_study_cannot_be_chosen() -> None:
    assert removable_states(RetainSettings()) == {State.DELIVERED, State.COMMITTED}
    for state in ("receiving", "ready", "running", "delivering"):
        with pytest.raises(ValueError, match="states"):
            RetainSettings.model_validate({"states": [state]})
