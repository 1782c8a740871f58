"""Known vulnerabilities of what the lock files pin, by pip-audit: `make audit`.

Fails on a finding. Where no service can be reached (a machine without a way out, or behind a package mirror
that has no vulnerability data) nothing is known: that is said loudly, and fails only with --strict. pip-audit
itself ends well there, for it skips every package that its service does not know.
"""

import argparse
import json
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

_IGNORED = Path(__file__).with_name("audit-ignored.toml")
_NO_WAY = re.compile(r"(Connection|HTTP|Proxy|SSL)Error|(Connect|Read)Timeout|Could not connect")
_PATIENCE_S = 300
_FINE, _FAILED, _UNKNOWN = 0, 1, 3


@dataclass(frozen=True)
class Audit:
    """What is known of one lock: how many packages a service knew, which it did not, and what it found."""

    known: int = 0
    unknown: tuple[str, ...] = ()
    found: tuple[str, ...] = ()


def ignored(path: Path, today: date) -> list[str]:
    """The vulnerabilities that need not fail today. Raises SystemExit for an entry without reason or end."""
    names = []
    for entry in tomllib.loads(path.read_text(encoding="utf-8")).get("ignored", []):
        name, until, reason = (entry.get(key) for key in ("id", "until", "reason"))
        if not (name and reason and isinstance(until, date)):
            sys.exit(f"{path.name}: every entry needs id, until (a date) and reason: {entry}")
        if until < today:
            print(f"{name} is ignored no longer: that ended on {until} ({reason})")
        else:
            names.append(name)
            print(f"{name} is ignored until {until}: {reason}")
    return names


def audit(lock: Path, service: list[str], ignore: list[str]) -> Audit | None:
    """Ask one service about one lock; None if it cannot be reached. Raises SystemExit if pip-audit fails."""
    command = [sys.executable, "-m", "pip_audit", "--require-hashes", "--disable-pip", "--format=json"]
    command += ["--progress-spinner=off", "--aliases=on", "--requirement", str(lock), *service]
    command += [f"--ignore-vuln={one}" for one in ignore]
    done = subprocess.run(  # noqa: S603 - our own interpreter
        command, capture_output=True, encoding="utf-8", timeout=_PATIENCE_S, check=False
    )
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        if _NO_WAY.search(done.stderr):
            return None
        sys.exit(f"pip-audit failed on {lock.name}:\n{done.stderr[-2000:]}")
    known = [one for one in packages if "vulns" in one]
    unknown = tuple(one["name"] for one in packages if "vulns" not in one)
    if len(known) <= len(unknown):
        return None  # a mirror that carries packages and no vulnerabilities
    return Audit(len(known), unknown, tuple(line for one in known for line in findings(one)))


def findings(package: dict[str, Any]) -> list[str]:
    """One line for each vulnerability of a package."""
    return [
        f"{package['name']} {package['version']}: {one['id']} {' '.join(one.get('aliases', []))}, "
        f"repaired in {', '.join(one['fix_versions']) or 'no version'}"
        for one in package["vulns"]
    ]


def main() -> int:
    """Audit the locks that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("locks", type=Path, nargs="+")
    parser.add_argument("--strict", action="store_true", help="fail, too, where nothing can be known")
    parser.add_argument("--osv-url", help="ask this service, which speaks as osv.dev does, and no other")
    parser.add_argument("--ignored", type=Path, default=_IGNORED)
    given = parser.parse_args()
    ignore = ignored(given.ignored, datetime.now(UTC).date())
    osv = ["--vulnerability-service=osv"]
    usual = [["--vulnerability-service=pypi"], osv]
    services = [[*osv, f"--osv-url={given.osv_url}"]] if given.osv_url else usual
    ends = [said(lock, services, ignore, given.strict) for lock in given.locks]
    return max(ends, key=(_FINE, _UNKNOWN, _FAILED).index)


def said(lock: Path, services: list[list[str]], ignore: list[str], strict: bool) -> int:
    """Audit one lock with the first service that answers, and say what came of it."""
    result = next((one for service in services if (one := audit(lock, service, ignore))), None)
    if result is None:
        print(f"!!!! {lock.name} WAS NOT AUDITED: no vulnerability service can be reached from here")
        return _UNKNOWN if strict else _FINE
    if result.unknown:
        print(f"{lock.name}: not known to the service: {', '.join(result.unknown)}")
    for line in result.found:
        print(f"{lock.name}: {line}")
    print(f"{lock.name}: {len(result.found)} known vulnerabilities in {result.known} packages")
    return _FAILED if result.found else _FINE


if __name__ == "__main__":
    sys.exit(main())
