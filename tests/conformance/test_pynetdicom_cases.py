"""Pynetdicom's own tests of the services we offer, with our associations on the accepting side."""

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.mark.slow
def test_pynetdicoms_tests_of_echo_and_storage_pass_with_our_acceptor() -> None:
    """`make acceptor` runs the others, too; these are the fastest that open an association each."""
    cases = [f"pynetdicom.tests.test_service_{service}" for service in ("verification", "storage")]
    options = ["-q", "-c", str(HERE / "pytest.ini"), "-p", "tests.conformance.our_acceptor", "--pyargs"]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *cases],
        cwd=HERE.parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout
    assert "39 passed" in ran.stdout
