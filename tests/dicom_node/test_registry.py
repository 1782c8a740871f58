"""How models stand: every act is remembered, a rollback undoes the last one, and nothing is lost on the way."""

from datetime import timedelta
from pathlib import Path

import pytest

from dicom_node.errors import NotNow, UnknownObject
from dicom_node.migrations import migrate
from dicom_node.registry import Readers, Registry, Shelf
from dicom_node.store import Store
from dicom_node.store.model_records import CONFIGURED, Deed
from models import WeightsCorrupt
from models.agreement import Pair, agreement, cohens_kappa
from models.bundle_file import Bundle, bundle_from_folder
from tests.dicom_node.old_database import first_release
from tests.dicom_node.rows import START
from tests.e2e.light_bundle import light_bundle


class Desk:
    """A registry with three light models on its shelf, and a clock that goes on at every look."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.seconds = 0
        self.shelf = Shelf(folder / "models")
        self.registry = Registry(store.registered, self.shelf, (), "somebody", self._clock)
        self.readers = Readers(store.registered, self.shelf, None, 0.25)
        made = [light_bundle(folder / str(one), version=str(one), seed=one) for one in (1, 2, 3)]
        self.bundles: list[Bundle] = [bundle_from_folder(one) for one in made]
        self.one, self.two, self.three = (self.registry.take(one, "a file").digest for one in self.bundles)

    def _clock(self):  # type: ignore[no-untyped-def]
        self.seconds += 1
        return START + timedelta(seconds=self.seconds)

    def activate(self, digest: str, *, beside: bool = False) -> tuple[str, ...]:
        return self.registry.activate(digest, beside=beside, reason="")


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Desk:
    return Desk(store, tmp_path)


def test_the_configured_model_reads_until_another_is_activated_and_keeps_its_threshold(desk: Desk) -> None:
    [only] = desk.readers.now()
    assert (only.reference, only.folder, only.threshold) == (CONFIGURED, None, 0.25)
    assert desk.activate(desk.one, beside=True) == (desk.one, CONFIGURED)
    first, second = desk.readers.now()
    assert (first.folder, first.threshold, first.manifest.version) == (desk.shelf.folder(desk.one), None, "1")
    assert second == only


def test_rollbacks_undo_one_change_after_the_other(desk: Desk) -> None:
    desk.activate(desk.one)
    desk.activate(desk.two, beside=True)
    desk.registry.retire(desk.one, "worse")
    assert desk.registry.registered.lineup() == (desk.two,)
    with pytest.raises(NotNow, match="LIGHT 1 was retired"):
        desk.registry.rollback("")
    desk.registry.take(desk.bundles[0], "again")
    assert desk.registry.rollback("") == (desk.two, desk.one)
    assert desk.registry.rollback("") == (desk.one,)
    desk.activate(desk.three)
    assert desk.registry.rollback("") == (desk.one,)
    assert desk.registry.rollback("") == (CONFIGURED,)
    with pytest.raises(NotNow, match="nothing to roll back"):
        desk.registry.rollback("")
    assert [act.what for act in desk.registry.registered.acts()].count(Deed.ROLLBACK) == 4


def test_a_model_that_is_active_is_no_shadow_and_one_that_is_known_stays_as_it_is(desk: Desk) -> None:
    desk.activate(desk.one)
    with pytest.raises(NotNow, match="is active"):
        desk.registry.shadow(desk.one, "")
    desk.registry.shadow(desk.two, "")
    acts = len(desk.registry.registered.acts())
    desk.registry.shadow(desk.two, "")
    assert str(desk.registry.take(desk.bundles[1], "again").standing) == "shadow"
    assert len(desk.registry.registered.acts()) == acts
    desk.registry.step_back(desk.two, "")
    with pytest.raises(NotNow, match="not in the shadow"):
        desk.registry.step_back(desk.two, "")
    with pytest.raises(NotNow, match="changed there"):
        desk.registry.retire(CONFIGURED, "")


def test_models_are_found_by_the_names_people_give(desk: Desk) -> None:
    assert desk.registry.find("light:2") == desk.two
    assert desk.registry.find(desk.three[:8]) == desk.three
    assert desk.registry.find(CONFIGURED) == CONFIGURED
    with pytest.raises(UnknownObject, match="3 models are called LIGHT"):
        desk.registry.find("LIGHT")
    with pytest.raises(UnknownObject, match=r"no model is called other: .*LIGHT 1"):
        desk.registry.find("other")


def test_a_manifest_that_was_altered_on_the_shelf_reads_nothing(desk: Desk) -> None:
    desk.activate(desk.one)
    manifest = desk.shelf.folder(desk.one) / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"threshold": 0.5', '"threshold": 0.1'))
    with pytest.raises(WeightsCorrupt, match=r"manifest\.json is not the file its digest names"):
        desk.readers.now()


def test_a_node_from_before_goes_on_with_the_configured_model_and_its_results(empty_url: str) -> None:
    first_release(empty_url)
    migrate(empty_url)
    store = Store(empty_url)
    assert store.registered.lineup() == (CONFIGURED,)
    assert (store.registered.all(), store.shadows.next(), store.shadows.said()) == ([], None, [])
    assert [one.sop_instance_uid for one in store.current_results("1.2.3")] == ["2.25.1"]
    store.close()


def test_agreement_is_as_computed_by_hand() -> None:
    # Cohen's kappa of the table 20, 5, 10, 15: observed 0.7, by chance 0.5
    assert cohens_kappa(20, 5, 10, 15) == pytest.approx(0.4)
    assert cohens_kappa(7, 0, 0, 0) is None
    assert cohens_kappa(0, 0, 0, 0) is None
    found = agreement([Pair("a", 0.2, 0.6, 0.5, 0.5), Pair("b", 0.9, 0.7, 0.5, 0.5)])
    assert (found.both, found.first_only, found.second_only, found.neither) == (1, 0, 1, 0)
    assert (found.observed, found.shift_mean, found.too_few) == (0.5, pytest.approx(0.1), True)
    assert agreement([]).observed is None
