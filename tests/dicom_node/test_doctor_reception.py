"""What `doctor` says of the journal is what the receiver does."""

from pathlib import Path

import pytest

from dicom_node.archive import Archive
from dicom_node.operate import doctor_reception
from dicom_node.operate.doctor_reception import reception_findings
from dicom_node.operate.finding import Level
from dicom_node.receiver.settling import settling_at

MEGABYTE = 1_000_000


def said_of(journal_mb: int, archive: Path) -> str:
    reception, journal = reception_findings(journal_mb, archive)
    assert (reception.what, journal.what) == ("reception", "journal")
    assert reception.level is journal.level is Level.FINE
    return journal.found


@pytest.mark.usefixtures("native_part")
@pytest.mark.parametrize("folder", ["tmp", "/dev/shm"])
def test_a_journal_is_told_of_where_the_receiver_has_one(tmp_path: Path, folder: str) -> None:
    home = tmp_path if folder == "tmp" else Path(folder)
    said = said_of(4, home / "not" / "there" / "yet")
    settling = None
    if home is tmp_path:
        settling = settling_at(Archive(home / "archive", 0), 4 * MEGABYTE, pytest.fail)
    assert said.startswith("images are durable in 4 MB" if settling else "none, for it takes ext4")
    if settling:
        settling.start()
        settling.stop()


@pytest.mark.usefixtures("native_part")
def test_who_wants_no_journal_is_told_so(tmp_path: Path) -> None:
    assert said_of(0, tmp_path).startswith("none, for receive.journal_mb is 0")


def test_without_the_native_part_there_is_a_warning_that_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor_reception, "find_spec", lambda name: None)
    (finding,) = reception_findings(64, tmp_path)
    assert finding.level is Level.WARNING
    assert "make native" in finding.advice
