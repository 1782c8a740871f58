"""Looks at everything the node needs and says what to do: `dicom-node doctor`."""

import shutil
import socket
from collections.abc import Iterator

from sqlalchemy.exc import ArgumentError

from dicom_node.clock import now_utc
from dicom_node.config import Settings
from dicom_node.conformance import IMAGE
from dicom_node.errors import NodeError
from dicom_node.from_settings import destinations
from dicom_node.keeping import marks
from dicom_node.migrations import require_current
from dicom_node.operate.certificates import certificate_findings
from dicom_node.operate.commitments import commitment_findings
from dicom_node.operate.confinement import confinement_findings
from dicom_node.operate.doctor_models import model_findings
from dicom_node.operate.doctor_proof import proof_findings
from dicom_node.operate.doctor_reception import reception_findings
from dicom_node.operate.finding import Finding, Level
from dicom_node.places import archive_dir
from dicom_node.running import holder
from models import visible_gpus
from pipeline import decodable


def examine(settings: Settings) -> Iterator[Finding]:
    """Every finding, in the order a person would set things right. Changes nothing but a probe file."""
    yield Finding("configuration", Level.FINE, "understood")
    yield from _data_dir(settings)
    yield _port(settings)
    yield _database(settings)
    yield from model_findings(settings)
    yield _decoders()
    yield _gpu()
    yield from reception_findings(settings.receive.journal_mb, archive_dir(settings))
    yield from confinement_findings(settings.receive, settings.model, settings.tls, archive_dir(settings))
    yield from certificate_findings(settings, now_utc())
    yield from commitment_findings(settings)
    yield from _destinations(settings)


def _data_dir(settings: Settings) -> Iterator[Finding]:
    folder = settings.data_dir
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".doctor"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        advice = "make it writable for the user the node runs as, or set data_dir"
        yield Finding("data folder", Level.PROBLEM, f"{folder}: {error.strerror}", advice)
        return
    yield Finding("data folder", Level.FINE, str(folder))
    yield _disk(settings)


def _disk(settings: Settings) -> Finding:
    free = shutil.disk_usage(settings.data_dir).free
    level = marks.marks_of(settings).level(free)
    found = f"{free // 1_000_000:,} MB free, reserve {settings.receive.disk_reserve_mb:,} MB"
    if level is marks.Level.FULL:
        advice = "images are refused with 0xA700 until there is more space; make some"
        return Finding("disk", Level.PROBLEM, found, advice)
    if level is marks.Level.ENOUGH:
        return Finding("disk", Level.FINE, found)
    evicts = settings.retain.evict_below_mb is not None
    advice = (
        "`dicom-node retention` shows what could go"
        if evicts
        else "make space, or see `retain` in config.yaml"
    )
    return Finding("disk", Level.WARNING, found, f"{advice}, before the reserve is reached")


def _port(settings: Settings) -> Finding:
    receive = settings.receive
    owner = holder(settings.data_dir)
    if owner is not None:
        return Finding("port", Level.FINE, f"the node is running (process {owner.pid}, port {owner.port})")
    try:
        with socket.create_server((receive.host, receive.port)):
            return Finding("port", Level.FINE, f"{receive.host}:{receive.port} is free")
    except OSError as error:
        advice = "set receive.port to a free one, or stop what listens there"
        return Finding("port", Level.PROBLEM, f"{receive.host}:{receive.port}: {error.strerror}", advice)


def _database(settings: Settings) -> Finding:
    try:
        require_current(settings.database_url)
    except ArgumentError:
        advice = "database.url is, for example, sqlite:////var/lib/dicom-node/node.db, or empty"
        return Finding("database", Level.PROBLEM, "the URL is not one", advice)
    except NodeError as error:
        fresh = "yet" in str(error)
        advice = "" if fresh else "see the message; the archive can rebuild the index of images"
        return Finding("database", Level.WARNING if fresh else Level.PROBLEM, str(error), advice)
    return Finding("database", Level.FINE, "reachable, schema up to date")


def _decoders() -> Finding:
    missing = [syntax.uid.name for syntax in IMAGE if not decodable(syntax.uid)]
    if missing:
        advice = "install the locked dependencies again (make demo does)"
        return Finding("decoders", Level.PROBLEM, f"none for {', '.join(missing)}", advice)
    return Finding("decoders", Level.FINE, "every transfer syntax we accept can be decoded")


def _gpu() -> Finding:
    gpus = visible_gpus()
    if gpus:
        return Finding("GPU", Level.FINE, ", ".join(gpus))
    advice = "a study takes seconds on the CPU; for a GPU install the extra: pip install 'dicom-node[gpu]'"
    return Finding("GPU", Level.WARNING, "none is visible to the model's framework", advice)


def _destinations(settings: Settings) -> Iterator[Finding]:
    if not settings.destinations:
        advice = "results stay on this machine; add your PACS under destinations in config.yaml"
        yield Finding("destinations", Level.WARNING, "none is configured", advice)
    for pacs in destinations(settings):
        result = pacs.echo()
        if result.alive:
            yield Finding("destination", Level.FINE, result.sentence)
            yield from proof_findings(settings, pacs)
        else:
            advice = "check its address, and that the PACS knows our AE title, or our user or token"
            yield Finding("destination", Level.PROBLEM, result.sentence, advice)
