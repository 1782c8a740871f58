"""config.yaml is changed while results wait: nothing is lost, and the state says what to do."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import Result as Invoked
from typer.testing import CliRunner

from dicom_node.cli import app
from dicom_node.clock import now_utc
from dicom_node.migrations import migrate
from dicom_node.store import Store
from tests.dicom_node.delivering import finish_study
from tests.e2e.node import ServedNode
from tests.peers import Orthanc, free_port

pytestmark = pytest.mark.peers("Orthanc")

STUDY = "1.2.3"


class Waiting(ServedNode):
    """A node with two finished objects that wait for `cloud`; without a model, which nothing here needs."""

    def __init__(self, folder: Path, *destinations: dict[str, Any]) -> None:
        super().__init__(folder, destinations=list(destinations), model={"bundle": "none"})
        results = folder / "data" / "results"
        results.mkdir(parents=True)
        migrate(f"sqlite:///{folder / 'data' / 'node.db'}")
        store = Store(f"sqlite:///{folder / 'data' / 'node.db'}")
        finish_study(store, results, STUDY, "cloud", at=now_utc())
        store.close()

    def restart_with(self, *destinations: dict[str, Any]) -> int:
        """Stop, edit config.yaml, start; the place in the log behind the stop."""
        assert self.stop() == 0
        config = yaml.safe_load(self.config.read_text())
        self.config.write_text(yaml.safe_dump(config | {"destinations": list(destinations)}))
        mark = self.mark()
        self.start()
        return mark

    def does(self, *arguments: str) -> Invoked:
        """A `dicom-node` command in this process, which has loaded everything already."""
        return CliRunner().invoke(app, ["--config", str(self.config), *arguments])

    def stands(self) -> tuple[str, str, list[str]]:
        """State and reason of the study, states of its deliveries."""
        view = json.loads(self.does("show", STUDY, "--json").stdout)
        return view["job"]["state"], view["job"]["reason"], [one["state"] for one in view["deliveries"]]


def cloud(port: int, **more: Any) -> dict[str, Any]:
    return {"name": "cloud", "url": f"http://127.0.0.1:{port}/dicom-web", **more}


def test_results_survive_a_destination_that_is_moved_removed_and_put_back_with_other_rules(
    tmp_path: Path,
) -> None:
    with Orthanc(tmp_path / "orthanc", dicomweb=True) as orthanc:
        with Waiting(tmp_path / "node", cloud(free_port())) as node:
            node.wait_for("destination-down", destination="cloud")
            state, _, deliveries = node.stands()
            assert (state, deliveries) == ("delivering", ["pending", "pending"])

            mark = node.restart_with()
            node.settled(STUDY, "failed", since=mark)
            state, reason, deliveries = node.stands()
            assert (state, deliveries) == ("failed", ["failed", "failed"])
            assert "cloud is no longer a destination in config.yaml; put it back, or `retry`" in reason
            assert node.does("status").exit_code == 1

            # a rule is for later results: what is owed is owed
            mark = node.restart_with(cloud(orthanc.http_port, accepts={"kinds": ["pdf"]}))
            assert node.does("retry", STUDY).exit_code == 0
            node.settled(STUDY, "committed", since=mark)
            assert node.stands()[2] == ["sent", "sent"]
            assert node.does("status").exit_code == 0
        assert len(orthanc.instances()) == 2
