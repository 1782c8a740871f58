"""What is installed is pinned byte by byte, and known vulnerabilities of it stop a change."""

import json
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-bench.lock")
PIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(\[[a-z,]+\])?==\S+( ; .+)?")
SHA256 = re.compile(r"--hash=sha256:[0-9a-f]{64}")
BAD = {"id": "GHSA-test-test-test", "aliases": ["CVE-2099-0001"], "summary": "bad", "affected": []}

Run = Callable[..., subprocess.CompletedProcess[str]]


def entries(lock: str) -> list[list[str]]:
    """Each requirement of a lock file: what it asks for, then its options."""
    text = (ROOT / lock).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.split(" #")[0].strip() for line in text.splitlines() if not line.lstrip().startswith("#")]
    return [re.split(r"\s+(?=--)", line) for line in lines if line]


@pytest.mark.parametrize("lock", LOCKS)
def test_every_requirement_of_a_lock_is_pinned_with_hashes(lock: str) -> None:
    found = entries(lock)
    assert len(found) > 20
    loose = [one for one in found if not (PIN.fullmatch(one[0]) and all(map(SHA256.fullmatch, one[1:])))]
    assert loose == []
    assert [one[0] for one in found if len(one) < 2] == []


def test_nothing_is_installed_but_by_its_hash() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    installs = [line for line in makefile.splitlines() if "$(PIP) install" in line]
    assert {"--require-hashes" in line or "--no-deps" in line for line in installs} == {True}


@pytest.fixture(scope="module")
def osv() -> Iterator[str]:
    """A service that speaks as osv.dev does and knows a vulnerability of `idna` 3.0, and of nothing else."""

    class Service(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            hit = (asked["package"]["name"], asked["version"]) == ("idna", "3.0")
            answer = json.dumps({"vulns": [BAD]} if hit else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
        server.shutdown()


@pytest.fixture
def audit(tmp_path: Path) -> Run:
    def run(version: str, *arguments: str, ignored: str = "") -> subprocess.CompletedProcess[str]:
        lock, accepted = tmp_path / "some.lock", tmp_path / "ignored.toml"
        lock.write_text(f"idna=={version} --hash=sha256:{'0' * 64}\n")
        accepted.write_text(ignored)
        command = [sys.executable, str(ROOT / ".ci" / "audit.py"), str(lock), f"--ignored={accepted}"]
        return subprocess.run(
            [*command, *arguments], capture_output=True, encoding="utf-8", timeout=120, check=False
        )

    return run


def entry(days: int) -> str:
    until = (datetime.now(UTC) + timedelta(days)).date()
    return f'[[ignored]]\nid = "{BAD["id"]}"\nuntil = {until}\nreason = "a test"\n'


def test_a_known_vulnerability_fails_the_audit_and_is_named(audit: Run, osv: str) -> None:
    done = audit("3.0", f"--osv-url={osv}")
    assert done.returncode == 1, done.stderr
    assert "some.lock: idna 3.0: " in done.stdout
    assert BAD["id"] in done.stdout
    assert audit("3.1", f"--osv-url={osv}", "--strict").returncode == 0


def test_an_exception_holds_until_its_day_and_needs_a_reason(audit: Run, osv: str) -> None:
    assert audit("3.0", f"--osv-url={osv}", ignored=entry(30)).returncode == 0
    over = audit("3.0", f"--osv-url={osv}", ignored=entry(-2))
    assert (over.returncode, "ignored no longer" in over.stdout) == (1, True)
    unreasoned = entry(30).replace("a test", "")
    assert audit("3.1", f"--osv-url={osv}", ignored=unreasoned).returncode == 1


def test_where_nobody_can_be_asked_that_is_said_and_only_fails_if_wanted(audit: Run) -> None:
    nowhere = "--osv-url=http://127.0.0.1:9/v1/query"
    done = audit("3.0", nowhere)
    assert (done.returncode, "some.lock WAS NOT AUDITED" in done.stdout) == (0, True), done.stderr
    assert audit("3.0", nowhere, "--strict").returncode == 3
