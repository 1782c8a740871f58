"""Whoever was never told whether its images are kept is a matter for `status` and `doctor`."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from click.testing import Result
from typer.testing import CliRunner

from dicom_node.archive.commitment_requests import CommitmentRequest, Progress, RequestFiles, Standing
from dicom_node.cli import app
from dicom_node.config import Settings
from dicom_node.migrations import migrate
from dicom_node.operate.commitments import commitment_findings

NOW = datetime.now(UTC)


class Site:
    """A configuration and its requests for commitment."""

    def __init__(self, folder: Path) -> None:
        self._config = folder / "config.yaml"
        self._config.write_text(yaml.safe_dump({"data_dir": "data", "receive": {"disk_reserve_mb": 0}}))
        (folder / "data").mkdir()
        migrate(f"sqlite:///{folder / 'data' / 'node.db'}")
        self._files = RequestFiles(folder / "data" / "commitments")

    def asked(self, number: int, calling: str, standing: Standing | None, comment: str = "") -> None:
        """A request that stands so; None: it was not tried yet."""
        request = CommitmentRequest(f"2.25.{number}", calling, "192.0.2.1", "", NOW, (("1.2", "1.2.3"),))
        name = self._files.keep(request)
        if standing is not None:
            told = Progress(standing, calling, request.transaction_uid, 1, 1, NOW, None, comment)
            self._files.note(name, told)

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(app, ["--config", str(self._config), *arguments])

    def found(self) -> list[tuple[str, str]]:
        """What is said of commitment: level and finding."""
        settings = Settings(data_dir=self._config.parent / "data")
        return [(one.level, one.found) for one in commitment_findings(settings)]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_what_waits_is_counted_and_needs_nobody(site: Site) -> None:
    site.asked(1, "SCANNER", None)
    site.asked(2, "SCANNER", Standing.REPORTED, "1 of 1 committed")
    status = json.loads(site.run("status", "--json").stdout)
    assert status["commitments"] == {"waiting": 1, "reported": 1}
    assert status["well"]
    assert [level for level, _ in site.found()] == ["fine"]


def test_a_caller_that_could_not_be_told_yet_is_named_with_the_reason(site: Site) -> None:
    site.asked(1, "SCANNER", Standing.WAITING, "it hung up, and receive.callers names no port for SCANNER")
    site.asked(2, "ANOTHER", Standing.WAITING, "nobody answers")
    assert site.run("status").exit_code == 0
    assert site.found() == [
        ("warning", "ANOTHER: 1 reports wait, 0 were given up; nobody answers"),
        (
            "warning",
            "SCANNER: 1 reports wait, 0 were given up; it hung up, and receive.callers names no port for SCANNER",
        ),
    ]


def test_a_report_that_was_given_up_needs_a_person(site: Site) -> None:
    site.asked(1, "SCANNER", Standing.GIVEN_UP, "nobody answers")
    status = site.run("status")
    assert status.exit_code == 1
    assert "1 requests for storage commitment were answered to nobody" in " ".join(status.output.split())
    assert site.found() == [("problem", "SCANNER: 0 reports wait, 1 were given up; nobody answers")]
