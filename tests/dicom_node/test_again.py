"""`resend` and `reconcile` as an administrator types them, with a PACS that forgets."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from click.testing import Result as Invoked
from typer.testing import CliRunner

from dicom_node.cli import app
from dicom_node.clock import now_utc
from dicom_node.config_sections import DeliverSettings
from dicom_node.delivery.couriers import deliver_due
from dicom_node.delivery.prover import Asking, prove_due
from dicom_node.jobs import State
from dicom_node.migrations import migrate
from dicom_node.store import Store
from dicom_node.store.records import NewInstance
from tests.dicom_node.delivering import SC, SR, START, Clock, finish_study, job_state, states
from tests.dicom_node.proving_scp import Promises, proving_scp
from tests.dicom_node.storage_scp import Scp

STUDY = "1.2.3"
POLICY = DeliverSettings(first_retry_s=10, max_retry_s=60)
Run = Callable[..., Invoked]


class Delivered:
    """A study that was delivered and proved, and the PACS it went to."""

    def __init__(self, folder: Path, promises: Promises, scp: Scp) -> None:
        self.results = folder / "data" / "results"
        self.results.mkdir(parents=True)
        migrate(f"sqlite:///{folder / 'data' / 'node.db'}")
        self.store = Store(f"sqlite:///{folder / 'data' / 'node.db'}")
        self.promises, self.pacs, self.clock = promises, scp.pacs(), Clock()
        self.clock.now = now_utc()  # the commands go by it, too
        finish_study(self.store, self.results, STUDY, "pacs")

    def round(self) -> list[str]:
        """Send and ask, once; the classes that were sent."""
        self.clock.pass_by(60)
        before = dict(self.promises.kept)
        self.promises.kept.clear()
        deliver_due(self.store, self.results, self.pacs, POLICY, self.clock)
        sent = sorted(str(one.SOPClassUID) for one in self.promises.kept.values())
        self.promises.kept.update(before | self.promises.kept)
        prove_due(Asking(self.store, self.results, POLICY, self.clock, lambda uid: None), self.pacs)
        return sent


@pytest.fixture
def delivered(tmp_path: Path) -> Iterator[Delivered]:
    promises = Promises()
    with proving_scp(promises, proof="query") as scp:
        place = {"name": "pacs", "host": "127.0.0.1", "port": scp.port, "ae_title": "PACS"}
        other = {**place, "name": "other", "proof": "none"}
        (tmp_path / "config.yaml").write_text(
            yaml.safe_dump({"data_dir": "data", "destinations": [{**place, "proof": "query"}, other]})
        )
        here = Delivered(tmp_path, promises, scp)
        assert here.round() == sorted([SC, SR])
        assert job_state(here.store, STUDY)[0] is State.COMMITTED
        yield here
        here.store.close()


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def invoke(*arguments: str) -> Invoked:
        return CliRunner().invoke(app, ["--config", str(tmp_path / "config.yaml"), *arguments])

    return invoke


def test_a_part_of_a_study_is_sent_again_and_proved_again(delivered: Delivered, run: Run) -> None:
    done = run("resend", STUDY, "--to", "pacs", "--only", "sr")
    assert (done.exit_code, done.stdout) == (0, "sr is queued for pacs: 2.25.1\n")
    assert job_state(delivered.store, STUDY) == (State.DELIVERING, "sent again by hand")
    assert delivered.round() == [SR]
    assert job_state(delivered.store, STUDY)[0] is State.COMMITTED


def test_sending_again_twice_sends_once(delivered: Delivered, run: Run) -> None:
    run("resend", STUDY, "--to", "pacs")
    again = run("resend", STUDY, "--to", "pacs", "--json")
    assert again.exit_code == 0
    assert [one["waits"] for one in json.loads(again.stdout)] == [True, True]
    assert delivered.round() == sorted([SC, SR])
    assert delivered.round() == []


def test_a_dry_run_changes_nothing(delivered: Delivered, run: Run) -> None:
    done = run("resend", STUDY, "--only", "sc", "--dry-run")
    assert done.stdout.splitlines() == [
        "summary would be sent for pacs: 2.25.2",
        "summary would be sent for other: 2.25.2",
    ]
    assert states(delivered.store, STUDY) == ["sent", "sent"]


def test_a_destination_that_is_new_gets_what_it_never_had(delivered: Delivered, run: Run) -> None:
    assert run("resend", STUDY, "--to", "other").exit_code == 0
    rows = [(one.destination, one.state.value) for one in delivered.store.deliveries(STUDY)]
    assert rows == [("pacs", "sent"), ("pacs", "sent"), ("other", "pending"), ("other", "pending")]


def test_a_study_that_is_being_read_again_is_not_sent_again(delivered: Delivered, run: Run) -> None:
    late = NewInstance("late.dcm", "01", START, STUDY, "1.2", f"{STUDY}.9")
    delivered.store.add_instances([late], START)
    done = run("resend", STUDY)
    assert done.exit_code == 1
    assert "the study is receiving; its new result will be sent when it is made" in _flat(done.stderr)


def test_an_unknown_destination_names_those_there_are(delivered: Delivered, run: Run) -> None:
    done = run("resend", STUDY, "--to", "elsewhere")
    assert done.exit_code == 3
    assert "no destination is called 'elsewhere' (pacs, other)" in _flat(done.stderr)


def test_what_a_destination_has_lost_since_is_listed_and_sent_again_only_if_asked_for(
    delivered: Delivered, run: Run
) -> None:
    assert run("reconcile", "--to", "pacs").exit_code == 0
    del delivered.promises.kept["2.25.2"]
    done = run("reconcile", "--to", "pacs", "--json")
    assert done.exit_code == 1
    [missing] = json.loads(done.stdout)
    assert (missing["sop_instance_uid"], missing["kind"], missing["destination"]) == (
        "2.25.2",
        "summary",
        "pacs",
    )
    assert "1 of 2 objects are there" in done.stderr
    assert job_state(delivered.store, STUDY)[0] is State.COMMITTED
    assert "1 objects are queued again" in run("reconcile", "--to", "pacs", "--resend").stderr
    assert delivered.round() == [SC]
    assert run("reconcile", "--to", "pacs").exit_code == 0


def test_what_was_sent_before_the_day_is_not_looked_for(delivered: Delivered, run: Run) -> None:
    delivered.promises.kept.clear()
    day = f"{now_utc() + timedelta(days=2):%Y-%m-%d}"
    done = run("reconcile", "--to", "pacs", "--since", day)
    assert (done.exit_code, "0 of 0 objects are there" in done.stderr) == (0, True)


def test_status_and_show_tell_of_what_is_not_proved(delivered: Delivered, run: Run) -> None:
    delivered.promises.kept.clear()
    delivered.promises.forgets = 1000
    run("resend", STUDY, "--to", "pacs", "--only", "sr")
    for _ in range(5):
        delivered.round()
    assert job_state(delivered.store, STUDY)[0] is State.UNCONFIRMED
    status = run("status")
    assert status.exit_code == 1
    assert "1 delivered objects are not proved to be there" in _flat(status.stdout)

    shown = json.loads(run("show", STUDY, "--json").stdout)["deliveries"]
    assert [(one["proof"], one["proof_method"]) for one in shown] == [
        ("unproven", "query"),
        ("proved", "query"),
    ]


def test_doctor_names_the_way_of_proof(delivered: Delivered, run: Run) -> None:
    found = {
        one["found"]: one for one in json.loads(run("doctor", "--json").stdout) if one["what"] == "proof"
    }
    assert [one["level"] for one in found.values()] == ["fine", "warning"]
    assert list(found) == [
        "pacs accepts commitment, query; query is used (query)",
        "other is not asked to prove anything",
    ]


def _flat(text: str) -> str:
    return " ".join(text.split())
