"""Nothing in the repository names a patient or a machine."""

import re
import subprocess
from pathlib import Path

import pytest
from pydicom import dcmread

ROOT = Path(__file__).parents[2]
MACHINE = re.compile(r"(?<![A-Za-z0-9_.\])}])/(?:work|farm|tmp|root|home)/[A-Za-z.]")
PATIENT = ("PatientName", "PatientID", "PatientBirthDate", "OtherPatientIDs", "AccessionNumber")


def texts() -> dict[str, str]:
    """Every tracked file that is text. The locks hold hashes only."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    files = [ROOT / name for name in listed.split("\0") if name and not name.endswith(".lock")]
    found: dict[str, str] = {}
    for path in files:
        content = path.read_bytes() if path.is_file() else b"\0"
        if b"\0" not in content:
            found[path.relative_to(ROOT).as_posix()] = content.decode("utf-8")
    return found


def test_no_file_names_a_folder_of_one_machine() -> None:
    found = {name: MACHINE.findall(text) for name, text in texts().items()}
    assert {name: paths for name, paths in found.items() if paths} == {}


@pytest.mark.data
def test_no_file_names_a_patient_of_the_real_studies(data_dir: Path) -> None:
    folders = {path.parent: path for path in data_dir.rglob("*.dcm")}
    headers = [dcmread(path, stop_before_pixels=True) for path in folders.values()]
    identities = {str(header.get(keyword, "")) for header in headers for keyword in PATIENT}
    telling = {value for value in identities if len(value) > 4 and value.strip("0")}
    assert telling, "the real studies name nobody: has the data changed?"
    found = {name: [value for value in telling if value in text] for name, text in texts().items()}
    assert {name: values for name, values in found.items() if values} == {}
