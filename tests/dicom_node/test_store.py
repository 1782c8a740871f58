"""Images open studies, jobs move by compare-and-set, and every move leaves a line."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import text

from dicom_node.errors import IllegalMove, StoreUnavailable
from dicom_node.jobs import State
from dicom_node.routing import Routes
from dicom_node.store import Store
from dicom_node.store.engine import open_engine, transaction
from dicom_node.store.records import NewInstance
from dicom_node.store.run_records import NewRun
from tests.dicom_node.rows import MODEL, START, STUDY, after, deliver, image, images, made, run, state

FIXED = "fixed reason"


def history(store: Store) -> list[tuple[str | None, str]]:
    return [(event.from_state, event.to_state) for event in store.events(STUDY)]


def test_the_first_image_opens_its_study(store: Store) -> None:
    assert store.add_instances(images(3), START) == (STUDY,)
    job = store.job(STUDY)
    assert job is not None
    assert (job.state, job.generation, job.attempts, job.changed_at) == (State.RECEIVING, 0, 0, START)
    assert [facts.sop_instance_uid for facts in store.facts(STUDY)] == [f"{STUDY}.{n}" for n in (1, 2, 3)]
    assert store.open_jobs() == [job]


def test_images_of_several_studies_are_filed_in_one_batch(store: Store) -> None:
    assert set(store.add_instances([*images(2, "1.1"), *images(2, "1.2")], START)) == {"1.1", "1.2"}
    assert len(store.paths("1.1")) == len(store.paths("1.2")) == 2


def test_a_series_is_described_by_the_image_of_it_that_came_first(store: Store) -> None:
    batch = [
        replace(image(1, at=after(5)), series_description="later"),
        replace(image(2, at=after(1)), series_description="first"),
        replace(image(3, at=after(9)), series_instance_uid="1.9", series_description="another"),
    ]
    store.add_instances(batch, START)
    store.add_instances([replace(image(4), series_description="last")], START)
    assert {one.series_description: one.images for one in store.series(STUDY)} == {"first": 3, "another": 1}


def test_further_images_make_a_new_generation_without_a_line_each(store: Store) -> None:
    store.add_instances(images(3), START)
    store.add_instances([image(4)], after(5))
    job = store.job(STUDY)
    assert job is not None
    assert (job.state, job.generation, job.changed_at) == (State.RECEIVING, 1, after(5))
    assert len(store.events(STUDY)) == 1


def test_the_same_file_again_changes_nothing(store: Store) -> None:
    store.add_instances(images(3), START)
    run(store)
    assert store.add_instances(images(3), after(60)) == ()
    assert state(store) is State.RUNNING


@pytest.mark.parametrize("stop", [State.READY, State.RUNNING, State.DELIVERING, State.FAILED, State.REJECTED])
def test_a_late_image_reopens_the_study_from(store: Store, stop: State) -> None:
    store.add_instances(images(3), START)
    job = store.job(STUDY)
    assert job is not None
    if stop is State.READY:
        assert store.settle(job, State.READY, START, "complete", "test")
    elif stop is State.DELIVERING:
        deliver(store)
    else:
        running = run(store)
        assert stop is State.RUNNING or store.settle(running, stop, START, FIXED, "test")
    store.add_instances([image(4)], after(60))
    late = store.job(STUDY)
    assert late is not None
    assert (late.state, late.generation, late.attempts, late.reason) == (State.RECEIVING, 1, 0, "")
    assert store.events(STUDY)[-1].reason == f"a late image arrived while the study was {stop}"


def test_other_bytes_under_the_same_uid_become_current(store: Store) -> None:
    store.add_instances(images(3), START)
    newer = image(2, content="repaired", at=after(60))
    assert store.add_instances([newer], after(61)) == (STUDY,)
    assert len(store.paths(STUDY)) == 3
    assert newer.path in store.paths(STUDY)
    assert store.digests(STUDY)[newer.sop_instance_uid] == newer.digest
    said = f"instance {newer.sop_instance_uid} replaced: other bytes under the same UID"
    assert [event.reason for event in store.events(STUDY)][-1] == said
    assert store.series(STUDY)[0].replaced == 1


def test_of_two_versions_the_one_received_last_is_current_in_any_order(store: Store) -> None:
    newer = image(1, content="repaired", at=after(60))
    store.add_instances([newer], after(99))
    store.add_instances([image(1)], after(100))
    assert store.paths(STUDY) == [newer.path]


def test_a_note_opens_no_study_and_reopens_none(store: Store) -> None:
    note = NewInstance("aa/b.note", "d", START, study_instance_uid=STUDY, kept=False, unusable="not kept")
    assert store.add_instances([note], START) == ()
    assert store.job(STUDY) is None
    store.add_instances(images(1), START)
    run(store)
    another = NewInstance("aa/c.note", "e", START, study_instance_uid=STUDY, kept=False, unusable="not kept")
    assert store.add_instances([another], after(9)) == ()
    assert state(store) is State.RUNNING
    assert sum(series.discarded for series in store.series(STUDY)) == 2
    assert store.counts().images == 1


def test_a_file_nobody_could_read_has_a_row_and_a_reason(store: Store) -> None:
    broken = NewInstance("aa/x.dcm", "", START, study_instance_uid=STUDY, unusable="the file is cut off")
    store.add_instances([*images(2), broken, NewInstance("aa/y.dcm", "", START, unusable="garbage")], START)
    assert store.unusable(STUDY) == ["the file is cut off"]
    assert {"aa/x.dcm", "aa/y.dcm"} <= store.known_paths()
    assert len(store.facts(STUDY)) == 2


def test_missing_files_no_longer_count_and_are_spoken_of(store: Store) -> None:
    store.add_instances(images(3), START)
    store.mark_missing([image(2).path], after(1))
    assert image(2).path not in store.known_paths()
    assert len(store.facts(STUDY)) == 2
    assert store.events(STUDY)[-1].reason == "1 file(s) of the study are missing from the archive"
    assert store.series(STUDY)[0].missing == 1


def test_a_file_that_comes_back_counts_again(store: Store) -> None:
    store.add_instances(images(3), START)
    store.mark_missing([image(2).path], after(1))
    run(store)
    assert store.add_instances([image(2)], after(2)) == (STUDY,)
    assert len(store.facts(STUDY)) == 3
    assert state(store) is State.RECEIVING


def test_only_who_holds_the_present_job_can_settle_it(store: Store) -> None:
    store.add_instances(images(3), START)
    held = run(store)
    store.add_instances([image(4)], after(1))
    before = store.events(STUDY)
    assert not store.settle(held, State.REJECTED, after(2), FIXED, "test")
    assert state(store) is State.RECEIVING
    assert store.events(STUDY) == before


def test_an_image_between_judging_and_settling_keeps_the_study_open(store: Store) -> None:
    store.add_instances(images(3), START)
    judged = store.open_jobs()[0]
    store.add_instances([image(4)], after(1))
    assert not store.settle(judged, State.READY, after(1), "complete", "test")
    assert not store.note_verdict(judged, {"rule": "stale"})
    assert store.verdict(STUDY) == {}


def test_an_illegal_move_is_refused_before_anything_is_written(store: Store) -> None:
    store.add_instances(images(1), START)
    with pytest.raises(IllegalMove):
        store.settle(store.open_jobs()[0], State.DELIVERED, START, FIXED, "test")
    assert history(store) == [(None, "receiving")]


def test_every_move_leaves_a_line_with_its_reason_and_actor(store: Store) -> None:
    store.add_instances(images(1), START)
    deliver(store)
    assert history(store) == [
        (None, "receiving"),
        ("receiving", "ready"),
        ("ready", "running"),
        ("running", "delivering"),
    ]
    last = store.events(STUDY)[-1]
    assert (last.at, last.actor, last.reason) == (START, "worker", "2 objects made for pacs")


def test_the_oldest_ready_study_is_claimed_first(store: Store) -> None:
    for number, study in enumerate(["1.3", "1.1", "1.2"]):
        store.add_instances([image(study=study)], after(number))
        store.settle(store.open_jobs()[0], State.READY, after(10 + number), "complete", "test")
    claimed = [job.study_instance_uid for _ in range(3) if (job := store.claim(after(20))) is not None]
    assert claimed == ["1.3", "1.1", "1.2"]
    assert store.claim(after(20)) is None


def test_eight_threads_claim_two_hundred_jobs_once_each(store: Store) -> None:
    store.add_instances([image(study=f"1.2.{number}") for number in range(200)], START)
    for job in store.open_jobs():
        store.settle(job, State.READY, START, "complete", "test")

    def claim_until_none_is_left(_: int) -> list[int]:
        mine = []
        while (job := store.claim(START)) is not None:
            mine.append(job.id)
        return mine

    with ThreadPoolExecutor(8) as pool:
        claimed = [one for some in pool.map(claim_until_none_is_left, range(8)) for one in some]
    assert len(claimed) == len(set(claimed)) == 200
    assert store.counts().jobs == {"running": 200}


def test_images_and_claims_from_many_threads_lose_nothing(store: Store) -> None:
    def work(number: int) -> None:
        study = f"1.2.{number % 5}"
        store.add_instances([image(number, study)], after(number))
        job = store.job(study)
        if job is not None and job.state is State.RECEIVING:
            store.settle(job, State.READY, after(number), "complete", "test")
        store.claim(after(number))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(100)))
    assert store.counts().images == 100
    for job in store.jobs():
        moves = store.events(job.study_instance_uid)
        assert all(one.to_state == two.from_state for one, two in pairwise(moves))
        assert moves[-1].to_state == job.state


def test_a_crash_leaves_running_jobs_to_be_run_again(store_url: str, store: Store) -> None:
    store.add_instances(images(1), START)
    held = run(store)
    again = Store(store_url)
    assert again.reclaim(after(5)) == 1
    assert again.reclaim(after(6)) == 0
    assert state(again) is State.READY
    claimed = again.claim(after(7))
    again.close()
    assert claimed is not None
    assert claimed.attempts == 2
    assert not store.record_results(held, made(), Routes(), NewRun(MODEL, "key", after(8))), (
        "the dead one's answer is void"
    )


@pytest.mark.parametrize("ending", [State.FAILED, State.REJECTED])
def test_retry_runs_again_with_fresh_attempts(store: Store, ending: State) -> None:
    store.add_instances(images(1), START)
    store.settle(run(store), ending, after(1), FIXED, "test")
    assert store.retry(STUDY, after(2))
    job = store.job(STUDY)
    assert job is not None
    assert (job.state, job.attempts, job.generation) == (State.READY, 0, 0)
    assert store.events(STUDY)[-1].actor == "operator"


def test_there_is_nothing_to_retry_of_an_unknown_or_unfinished_study(store: Store) -> None:
    store.add_instances(images(1), START)
    assert not store.retry(STUDY, START)
    assert not store.retry("9.9", START)


def test_a_locked_database_says_so(store_url: str) -> None:
    locker = open_engine(store_url)
    if locker.dialect.name != "sqlite":
        pytest.skip("PostgreSQL locks rows, and waits")
    store = Store(store_url, busy_timeout_ms=1)
    with transaction(locker, writes=True), pytest.raises(StoreUnavailable, match="locked; another program"):
        store.add_instances([image()], START)
    locker.dispose()
    store.close()


KILLED = """
import os, signal, sys
from dicom_node.store import Store
from dicom_node.store import jobs as store_jobs
from tests.dicom_node.rows import START, images
write = store_jobs._write
def kill(*arguments):
    write(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)
store_jobs._write = kill
Store(sys.argv[1]).add_instances(images(300, "1.9"), START)
"""


def test_a_process_killed_in_a_transaction_leaves_nothing_of_it(store_url: str, store: Store) -> None:
    store.add_instances(images(2), START)
    root = Path(__file__).parents[2]
    died = subprocess.run([sys.executable, "-c", KILLED, store_url], cwd=root, check=False)
    assert died.returncode == -9
    assert store.job("1.9") is None
    assert store.counts().images == 2
    store.add_instances(images(3, "1.9"), START)
    assert len(store.facts("1.9")) == 3
    engine = open_engine(store_url)
    if engine.dialect.name == "sqlite":
        with transaction(engine, writes=False) as connection:
            assert connection.execute(text("PRAGMA integrity_check")).scalar_one() == "ok"
            assert connection.execute(text("PRAGMA foreign_key_check")).all() == []
    engine.dispose()
