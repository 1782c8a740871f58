"""Which protections of receiver and worker hold on this machine, told by processes that take them all."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from dicom_node.config_sections import ModelSettings, ReceiveSettings, TlsSettings
from dicom_node.confinement import Protection
from dicom_node.operate.finding import Finding, Level
from dicom_node.receiver.process import receiver_settings

_PATIENCE_S = 60.0
_PYTHON = (sys.executable, "-P", "-m")


def confinement_findings(
    receive: ReceiveSettings, model: ModelSettings, tls: TlsSettings, archive: Path
) -> Iterator[Finding]:
    """One or two findings for each of both processes: what holds, or what does not and why."""
    if receive.confined:
        asked = receiver_settings(receive, archive, tls).as_json()
        yield from _findings("receiver", [*_PYTHON, "dicom_node.receiver.confined", "--probe"], asked)
    else:
        advice = "set receive.confined to true"
        yield Finding("receiver", Level.WARNING, "hears strangers without being confined", advice)
    if model.confined:
        limit = [f"--memory-mb={model.memory_mb}"] if model.memory_mb else []
        yield from _findings("worker", [*_PYTHON, "dicom_node.analysis.confined", "--probe", *limit], "")
    else:
        advice = "set model.confined to true, unless it keeps the model from its GPU"
        yield Finding("worker", Level.WARNING, "reads strangers' images without being confined", advice)


def _findings(what: str, probe: list[str], asked: str) -> Iterator[Finding]:
    done = subprocess.run(  # noqa: S603 - our own interpreter, our own modules
        probe, input=asked, capture_output=True, encoding="utf-8", timeout=_PATIENCE_S, check=True
    )
    protections = [Protection(**one) for one in json.loads(done.stdout)]
    if missing := [f"{one.name} ({one.lack})" for one in protections if one.lack]:
        advice = "the node works without; a newer kernel, or a container that allows it, gives it"
        yield Finding(what, Level.WARNING, f"not held here: {'; '.join(missing)}", advice)
    if held := [one.name for one in protections if not one.lack]:
        yield Finding(what, Level.FINE, f"confined: {'; '.join(held)}")
