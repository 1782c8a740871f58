"""What was proved and is lost later: found, said, brought back or accepted; and what is left alone."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from click.testing import Result as Invoked
from typer.testing import CliRunner

from dicom_node.cli import app
from dicom_node.clock import now_utc
from dicom_node.config import load_settings
from dicom_node.config_sections import DeliverSettings
from dicom_node.delivery.couriers import deliver_due
from dicom_node.delivery.destination import Destination
from dicom_node.delivery.prover import Asking, prove_due
from dicom_node.delivery.sweeper import Sweeping, sweep, sweep_due, sweeping_task
from dicom_node.jobs import State
from dicom_node.operate.doctor_proof import proof_findings
from dicom_node.store import Store
from tests.dicom_node.delivering import Clock, finish_study, job_state, states
from tests.dicom_node.proving_scp import Promises, proving_scp
from tests.dicom_node.storage_scp import storage_scp
from tests.dicom_node.web_service import Service
from tests.peers import Orthanc

STUDY = "1.2.3"
HOUR = 3600.0
REPORT = DeliverSettings(first_retry_s=10, max_retry_s=60)
RESEND = REPORT.model_copy(update={"reconcile_resend": True})


class Site:
    """A study that a destination has proved to hold, and forgets things of."""

    def __init__(self, store: Store, folder: Path, pacs: Destination, promises: Promises) -> None:
        self.store, self.folder, self.pacs, self.promises = store, folder, pacs, promises
        self.settings: dict[str, object] = {}
        self.clock = Clock()
        self.clock.now = now_utc()  # the commands go by it, too
        finish_study(store, folder, STUDY, pacs.name)
        self.deliver()

    def deliver(self) -> None:
        self.clock.pass_by(1)
        deliver_due(self.store, self.folder, self.pacs, REPORT, self.clock)
        prove_due(Asking(self.store, self.folder, REPORT, self.clock, lambda uid: None), self.pacs)

    def sweep(self, policy: DeliverSettings = REPORT, hours: float = 24) -> int:
        self.clock.pass_by(hours * HOUR)
        return sweep_due(Sweeping(self.store, self.folder, policy, self.clock), self.pacs)

    @property
    def state(self) -> State:
        return job_state(self.store, STUDY)[0]

    @property
    def proofs(self) -> list[str]:
        return [one.proof.value for one in self.store.deliveries(STUDY)]


@pytest.fixture
def site(store: Store, tmp_path: Path) -> Iterator[Site]:
    promises = Promises()
    with proving_scp(promises, proof="query") as scp:
        here = Site(store, tmp_path, scp.pacs(), promises)
        here.settings = scp.settings.model_dump(mode="json")
        assert here.state is State.COMMITTED
        yield here


def test_what_is_lost_later_makes_the_study_unconfirmed_and_is_not_sent_by_itself(site: Site) -> None:
    del site.promises.kept["2.25.1"]
    assert site.sweep() == 2
    words = "1 of 2 not proved at pacs: pacs does not list this object any more"
    assert job_state(site.store, STUDY) == (State.UNCONFIRMED, words)
    assert (site.proofs, states(site.store, STUDY)) == (["unproven", "proved"], ["sent", "sent"])
    assert site.store.sweeps.unproven("pacs") == 1
    assert site.store.counts().unproven == 1


def test_it_is_proved_again_when_it_is_back(site: Site) -> None:
    lost = site.promises.kept.pop("2.25.1")
    site.sweep()
    site.promises.kept["2.25.1"] = lost
    assert site.sweep(hours=23) == 0, "it was looked for an hour less than a day ago"
    site.sweep(hours=1)
    assert job_state(site.store, STUDY) == (State.COMMITTED, "2 of 2 proved: pacs by query")


def test_the_prover_does_not_send_again_what_a_sweep_only_reports(site: Site) -> None:
    site.promises.kept.clear()
    site.sweep()
    site.clock.pass_by(48 * HOUR)
    site.deliver()
    assert (site.proofs, states(site.store, STUDY)) == (["unproven", "unproven"], ["sent", "sent"])


def test_nothing_is_looked_for_before_its_time_or_after_its_days(site: Site) -> None:
    assert site.sweep(hours=23) == 0
    assert site.sweep(hours=1.1) == 2
    assert site.sweep(hours=23) == 0
    assert site.sweep(hours=30 * 24) == 0, "older than reconcile_days"


def test_if_config_wants_it_what_is_lost_is_sent_again_and_proved(site: Site) -> None:
    del site.promises.kept["2.25.1"]
    site.sweep(RESEND)
    assert job_state(site.store, STUDY) == (State.DELIVERING, "1 of 2 missing at pacs, sent again")
    site.deliver()
    assert "2.25.1" in site.promises.kept
    assert site.state is State.COMMITTED


def test_what_a_destination_loses_again_and_again_is_sent_three_times_and_then_reported(site: Site) -> None:
    for _ in range(3):
        del site.promises.kept["2.25.1"]
        site.sweep(RESEND, hours=25)
        site.deliver()
        assert site.state is State.COMMITTED
    del site.promises.kept["2.25.1"]
    site.sweep(RESEND, hours=25)
    state, reason = job_state(site.store, STUDY)
    assert state is State.UNCONFIRMED
    assert reason.endswith("any more; sent again 3 times")


def test_an_object_that_is_on_its_way_again_is_left_to_its_courier(site: Site) -> None:
    site.store.proofs.resend(
        STUDY, [(site.store.deliveries(STUDY)[0].result_id, "pacs")], site.clock(), "by hand"
    )
    site.promises.kept.clear()
    assert site.sweep() == 1
    assert states(site.store, STUDY) == ["pending", "sent"]
    assert site.proofs == ["", "unproven"]


def test_what_is_sent_again_while_it_is_looked_for_stays_on_its_way(site: Site) -> None:
    class Overtaken:
        name, ae_title, proving = "pacs", "PACS", site.pacs.proof

        def __init__(self) -> None:
            self.proof = self

        def query(self, objects: object) -> object:
            site.promises.kept.clear()
            pair = (site.store.deliveries(STUDY)[0].result_id, "pacs")
            site.store.proofs.resend(STUDY, [pair], site.clock(), "by hand")
            return site.pacs.proof.query(objects)  # type: ignore[arg-type]

    site.clock.pass_by(24 * HOUR)
    sweep_due(Sweeping(site.store, site.folder, REPORT, site.clock), Overtaken())  # type: ignore[arg-type]
    assert states(site.store, STUDY) == ["pending", "sent"]
    assert site.state is State.DELIVERING


def test_a_destination_that_is_down_loses_nothing_by_it(store: Store, tmp_path: Path) -> None:
    promises = Promises()
    with proving_scp(promises, proof="query") as scp:
        site = Site(store, tmp_path, scp.pacs(), promises)
    assert site.sweep() == 0
    assert (site.state, site.proofs) == (State.COMMITTED, ["proved", "proved"])


def test_a_destination_without_queries_is_asked_once_a_day_and_no_more(site: Site, store: Store) -> None:
    with storage_scp() as plain:
        site.pacs = plain.pacs()
        assert site.sweep() == 2
        assert site.sweep(hours=23) == 0
        assert plain.associations == 1
    assert (site.state, site.proofs) == (State.COMMITTED, ["proved", "proved"])


def test_only_destinations_that_are_asked_for_proof_are_swept(site: Site, store: Store) -> None:
    site.clock.pass_by(24 * HOUR)
    site.promises.kept.clear()
    with storage_scp() as unasked:
        unasked.proof = "none"
        sweep(Sweeping(store, site.folder, REPORT, site.clock), [unasked.pacs(), site.pacs])
        assert unasked.associations == 0
    assert site.state is State.UNCONFIRMED


def test_the_clock_is_told_to_look_every_ten_minutes_or_never(site: Site) -> None:
    off = REPORT.model_copy(update={"reconcile_every_h": None})
    assert sweeping_task(Sweeping(site.store, site.folder, off, site.clock), [site.pacs]) == {}
    [(every_s, look)] = sweeping_task(
        Sweeping(site.store, site.folder, REPORT, site.clock), [site.pacs]
    ).values()
    assert every_s == timedelta(minutes=10).total_seconds()
    site.clock.pass_by(24 * HOUR)
    site.promises.kept.clear()
    look()
    assert site.state is State.UNCONFIRMED


@pytest.mark.peers("Orthanc")
def test_what_orthanc_lost_is_found_by_dicomweb_too(store: Store, tmp_path: Path) -> None:
    with Orthanc(tmp_path / "orthanc", dicomweb=True) as orthanc:
        site = Site(store, tmp_path, Service(f"{orthanc.url}/dicom-web").pacs(), Promises())
        assert site.state is State.COMMITTED
        orthanc.delete(f"/instances/{orthanc.instances()[0]}")
        site.sweep(RESEND)
        site.deliver()
        assert (site.state, len(orthanc.instances())) == (State.COMMITTED, 2)


# As an administrator types it


Run = Callable[..., Invoked]


@pytest.fixture
def config(site: Site, store_url: str, tmp_path: Path) -> Path:
    values = {"destinations": [site.settings], "database": {"url": store_url}}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(values))
    return tmp_path / "config.yaml"


@pytest.fixture
def run(config: Path) -> Run:
    def invoke(*arguments: str) -> Invoked:
        return CliRunner().invoke(app, ["--config", str(config), *arguments])

    return invoke


def test_an_administrator_may_accept_that_something_was_deleted(site: Site, run: Run) -> None:
    del site.promises.kept["2.25.1"]
    site.sweep()
    assert run("status").exit_code == 1
    done = run("reconcile", "--accept")
    assert done.exit_code == 1
    assert "1 objects are accepted as removed" in done.stderr
    assert job_state(site.store, STUDY) == (State.COMMITTED, "1 of 1 proved: pacs by query")
    assert states(site.store, STUDY) == ["cancelled", "sent"]
    assert run("reconcile").exit_code == 0
    assert site.sweep() == 1, "the other one is still looked for"
    assert site.state is State.COMMITTED
    assert "accepted by hand" in [event.reason for event in site.store.events(STUDY)][-2]


def test_when_all_was_deleted_on_purpose_the_study_counts_as_delivered(site: Site, run: Run) -> None:
    site.promises.kept.clear()
    site.sweep()
    run("reconcile", "--accept")
    assert job_state(site.store, STUDY) == (State.DELIVERED, "nobody is asked for proof any more")
    assert site.store.counts().unproven == 0


def test_doctor_counts_what_is_not_proved(site: Site, config: Path) -> None:
    site.promises.kept.clear()
    site.sweep()
    found = [one.found for one in proof_findings(load_settings(config), site.pacs)]
    assert found[0] == "2 objects are not proved to be at pacs"


def test_missing_objects_are_either_sent_or_accepted(run: Run) -> None:
    done = run("reconcile", "--accept", "--resend")
    assert done.exit_code == 3
    assert "do not go together" in done.stderr
