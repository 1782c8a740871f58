"""The images that are counted beside their studies are those that a plain count finds, whatever became of them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from alembic import command
from alembic.config import Config
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError

from dicom_node.jobs import State
from dicom_node.migrations import migrate
from dicom_node.store import Store, overview
from dicom_node.store.engine import open_engine, transaction
from dicom_node.store.keeping_records import KeptStudy
from dicom_node.store.records import NewInstance
from tests.dicom_node.rows import START, STUDY, after, image, images

OTHER = "1.2.840.02"
NOTE = replace(image(7), path="aa/7.note", kept=False, facts=None, series_instance_uid="")
UNREAD = NewInstance("aa/8.dcm", "", START, study_instance_uid=STUDY, unusable="no header")
LOST = NewInstance("zz/1.dcm", "", START, unusable="no header")

# How many images there are, each by each, for every study and for the files of none.
_PLAIN = """
SELECT study_instance_uid, sum(CASE WHEN current AND kept THEN 1 ELSE 0 END) FROM instances
GROUP BY study_instance_uid
"""


@pytest.fixture
def count(store_url: str, store: Store) -> Callable[[], int]:
    """What `status` says, once it is seen to be what there is."""
    return lambda: counted(store_url, store)


def counted(url: str, store: Store) -> int:
    engine = open_engine(url)
    with transaction(engine, writes=False) as connection:
        plain = {study: int(some) for study, some in connection.execute(text(_PLAIN))}
        beside = connection.execute(text("SELECT study_instance_uid, images FROM studies")).all()
    engine.dispose()
    assert {study: some for study, some in beside if some} == {
        study: some for study, some in plain.items() if study and some
    }
    assert store.counts().images == sum(plain.values())
    return store.counts().images


def kept(store: Store, study: str = STUDY) -> KeptStudy:
    [found] = [one for one in store.keeping.studies(list(State)) if one.job.study_instance_uid == study]
    return found


def test_nothing_is_no_image(count: Callable[[], int]) -> None:
    assert count() == 0


def test_images_are_counted_as_they_come(store: Store, count: Callable[[], int]) -> None:
    store.add_instances([*images(3), *images(2, OTHER)], START)
    assert count() == 5
    store.add_instances([image(3), image(4)], after(1))
    assert count() == 6, "a known file changes nothing"
    store.add_instances(images(700, "1.2.840.03"), after(2))
    assert count() == 706


def test_other_bytes_under_a_known_uid_are_no_further_image(store: Store, count: Callable[[], int]) -> None:
    store.add_instances(images(3), START)
    store.add_instances([image(2, content="other", at=after(1))], after(1))
    assert count() == 3
    store.add_instances([image(2, content="late", at=after(-1))], after(2))
    assert count() == 3
    store.mark_missing([image(2, content="other").path], after(3))
    assert count() == 2, "what it replaced does not count again by itself"


def test_two_versions_in_one_batch_are_one_image(store: Store, count: Callable[[], int]) -> None:
    store.add_instances([image(1), image(1, content="other", at=after(1)), image(2)], START)
    assert count() == 2


def test_a_note_is_no_image(store: Store, count: Callable[[], int]) -> None:
    store.add_instances([NOTE], START)
    assert count() == 0
    store.add_instances([image(1), replace(NOTE, path="aa/9.note")], START)
    assert count() == 1


def test_what_nobody_could_read_counts_with_its_study_or_without(
    store: Store, count: Callable[[], int]
) -> None:
    store.add_instances([image(1), UNREAD, LOST], START)
    assert count() == 3
    store.mark_missing([UNREAD.path, LOST.path], after(1))
    assert count() == 1
    store.add_instances([LOST], after(2))
    assert count() == 2


def test_a_lost_file_that_comes_back_readable_counts_once(store: Store, count: Callable[[], int]) -> None:
    store.add_instances([replace(image(1), study_instance_uid="", series_instance_uid="")], START)
    assert count() == 1
    store.mark_missing([image(1).path], after(1))
    assert count() == 0
    store.add_instances([image(1)], after(2))
    assert count() == 1


def test_a_file_that_is_gone_does_not_count_until_it_is_back(store: Store, count: Callable[[], int]) -> None:
    store.add_instances([*images(3), image(1, OTHER)], START)
    gone = [image(1).path, image(3).path, image(1, OTHER).path, "never/there.dcm"]
    store.mark_missing(gone, after(1))
    assert count() == 1
    store.mark_missing(gone, after(2))
    assert count() == 1
    store.add_instances([image(1), image(1, OTHER)], after(3))
    assert count() == 3


def test_removed_images_do_not_count_until_they_come_again(store: Store, count: Callable[[], int]) -> None:
    store.add_instances([*images(3), NOTE, image(1, OTHER)], START)
    assert store.keeping.mark(kept(store), "old", after(1))
    assert count() == 1
    store.keeping.finish([image(1).path, image(2).path], after(2))
    assert count() == 1
    store.add_instances([image(1), image(3)], after(3))
    assert count() == 3
    store.keeping.finish([image(3).path], after(4))
    assert count() == 3, "one that came back meanwhile stays"


def test_a_removal_that_comes_too_late_changes_nothing(store: Store, count: Callable[[], int]) -> None:
    store.add_instances(images(2), START)
    before = kept(store)
    store.add_instances([image(3)], after(1))
    assert not store.keeping.mark(before, "old", after(2))
    assert count() == 3


def test_a_batch_that_fails_leaves_the_count_as_it_was(store: Store, count: Callable[[], int]) -> None:
    store.add_instances(images(2), START)
    of_no_path = replace(image(4), path=None)  # type: ignore[arg-type]
    with pytest.raises(IntegrityError):
        store.add_instances([image(3), of_no_path], after(1))
    assert count() == 2


def test_several_at_once_lose_no_image(store: Store, count: Callable[[], int]) -> None:
    store.add_instances(images(40), START)
    comings = [lambda n=n: store.add_instances([image(n)], after(n)) for n in range(100, 140)]
    goings = [lambda n=n: store.mark_missing([image(n).path], after(n)) for n in range(1, 41)]
    mixed = [one for pair in zip(comings, goings, strict=True) for one in pair]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda act: act(), mixed))
    assert count() == 40


STEPS = st.one_of(
    st.tuples(
        st.just("come"), st.lists(st.tuples(st.integers(1, 4), st.sampled_from(["", "b"])), min_size=1)
    ),
    st.tuples(st.just("note"), st.integers(1, 4)),
    st.tuples(st.just("go"), st.sets(st.tuples(st.integers(1, 4), st.sampled_from(["", "b"])), min_size=1)),
    st.tuples(st.just("remove"), st.none()),
    st.tuples(st.just("finish"), st.sets(st.integers(1, 4))),
)


@settings(max_examples=30, deadline=None)
@given(st.lists(STEPS, max_size=12))
def test_the_count_is_right_after_any_course_of_things(steps: list[tuple[str, object]]) -> None:
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'node.db'}"
        migrate(url)
        store = Store(url)
        for second, (what, which) in enumerate(steps):
            take(store, what, which, second)
            counted(url, store)
        store.close()


def take(store: Store, what: str, which: object, second: int) -> None:
    """One step of a course; what is not there is not removed."""
    now = after(second)
    match what, which:
        case "come", list(which):
            store.add_instances([image(number, content=content, at=now) for number, content in which], now)
        case "note", int(which):
            store.add_instances([replace(NOTE, path=f"aa/{which}.note")], now)
        case "go", set(which):
            store.mark_missing([image(number, content=content).path for number, content in which], now)
        case "remove", _:
            for study in store.keeping.studies(list(State)):
                store.keeping.mark(study, "old", now)
        case "finish", set(which):
            store.keeping.finish([image(number).path for number in which], now)


def test_an_earlier_database_is_counted_when_it_is_migrated(
    store_url: str, store: Store, count: Callable[[], int]
) -> None:
    store.add_instances([*images(5), NOTE, UNREAD, LOST, *images(2, OTHER)], START)
    store.add_instances([image(1, content="other", at=after(1))], after(1))
    store.mark_missing([image(2).path], after(2))
    store.keeping.mark(kept(store, OTHER), "old", after(3))
    assert count() == 6
    to_revision(store_url, "0008")
    migrate(store_url)
    assert count() == 6


def to_revision(url: str, revision: str) -> None:
    """Take a database back to an earlier schema."""
    engine, config = open_engine(url), Config()
    config.set_main_option("script_location", "dicom_node:migrations")
    with transaction(engine, writes=True) as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)
    engine.dispose()


def test_to_count_is_no_walk_over_the_images(store_url: str, store: Store) -> None:
    engine = open_engine(store_url)
    if engine.dialect.name != "sqlite":
        pytest.skip("the plan is SQLite's")
    store.add_instances(images(3), START)
    asked: list[tuple[str, object]] = []
    event.listen(engine, "before_cursor_execute", lambda *told: asked.append((told[2], told[3])))
    overview.counts(engine)
    with transaction(engine, writes=False) as connection:
        plans = [
            row.detail
            for question, values in list(asked)
            if question.startswith("SELECT")
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {question}", values)
        ]
    engine.dispose()
    of_images = [plan for plan in plans if " instances" in plan]
    assert of_images == ["SEARCH instances USING INDEX ix_instances_counted (study_instance_uid=?)"]
