"""The main job from end to end on one machine: `dicom-node demo`."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from pydicom.dataset import Dataset

from dicom_node.app import Node
from dicom_node.config import Settings
from dicom_node.config_sections import DeliverSettings, Destination, ReceiveSettings
from dicom_node.errors import NodeError
from dicom_node.jobs import Job, State
from dicom_node.operate.demo_pacs import AE_TITLE, FolderPacs
from dicom_node.store import Store
from dicom_node.store.records import JobEvent
from pipeline.phantom import Layout, Scan, draw_heart, render, write_dicom

_ENDS = frozenset({State.DELIVERED, State.REJECTED, State.FAILED})
_POLL_S = 0.1
_DEADLINE_S = 180.0


@dataclass(frozen=True, slots=True)
class Places:
    """Where the demo put things."""

    root: Path

    @property
    def phantom(self) -> Path:
        """The study that was sent."""
        return self.root / "scanner"

    @property
    def node(self) -> Path:
        """The node's data directory."""
        return self.root / "node"

    @property
    def pacs(self) -> Path:
        """What the PACS received."""
        return self.root / "pacs"

    @property
    def pictures(self) -> Path:
        """The secondary captures as PNG."""
        return self.root / "pictures"


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """How the demo ended: the study's job, and what the PACS received."""

    job: Job
    received: tuple[Dataset, ...]

    @property
    def report(self) -> Dataset:
        """The structured report as the PACS holds it."""
        return next(dataset for dataset in self.received if dataset.Modality == "SR")


def make_study(places: Places, seed: int, scar: bool) -> list[Path]:
    """Render a phantom and write it as a GE scanner would: one series, phase fastest."""
    phantom = render(draw_heart(seed, scar=scar), Scan())
    places.phantom.mkdir(parents=True)
    return write_dicom(phantom, places.phantom, Layout.GE)


@contextmanager
def running_node(places: Places) -> Iterator[tuple[Node, FolderPacs]]:
    """A node and a PACS on free loopback ports, stopped on the way out."""
    pacs = FolderPacs(places.pacs)
    port = pacs.start()
    try:
        settings = Settings(
            data_dir=places.node,
            receive=ReceiveSettings(port=0, disk_reserve_mb=0),
            destinations=(
                Destination(name="demo-pacs", host="127.0.0.1", port=port, ae_title=AE_TITLE, proof="none"),
            ),
            deliver=DeliverSettings(first_retry_s=1.0),
        )
        node = Node(settings, worker_log=places.root / "worker.log")
        node.start()
        try:
            yield node, pacs
        finally:
            node.stop()
    finally:
        pacs.stop()


@contextmanager
def sending(places: Places, port: int) -> Iterator["subprocess.Popen[str]"]:
    """A process of its own that sends the phantom over DIMSE; ended on the way out if it has not ended."""
    command = [sys.executable, "-P", "-m", "dicom_node", "send", str(places.phantom)]
    command += ["--address", f"127.0.0.1:{port}:DICOMNODE"]
    with (places.root / "sender.log").open("w") as log:
        sender = subprocess.Popen(command, stdout=log, stderr=log, text=True)  # noqa: S603 - ourselves
    try:
        yield sender
    finally:
        if sender.poll() is None:
            sender.kill()
        sender.wait()


def follow(
    places: Places,
    study_instance_uid: str,
    sender: "subprocess.Popen[str]",
    on_event: Callable[[JobEvent], None],
) -> Job:
    """Tell every event of the study as it happens, until it is delivered, rejected or failed.

    Raises:
        NodeError: the sender failed, or it took longer than three minutes.
    """
    store = Store(f"sqlite:///{places.node / 'node.db'}")
    until = time.monotonic() + _DEADLINE_S
    told = 0
    try:
        while time.monotonic() < until:
            events = store.events(study_instance_uid)
            for event in events[told:]:
                on_event(event)
            told = len(events)
            job = store.job(study_instance_uid)
            if job is not None and job.state in _ENDS:
                return job
            if sender.poll():
                raise NodeError(f"the sender failed: {(places.root / 'sender.log').read_text().strip()}")
            time.sleep(_POLL_S)
    finally:
        store.close()
    raise NodeError(f"no report after {_DEADLINE_S:.0f} s; see {places.root / 'worker.log'}")


def save_pictures(places: Places, received: tuple[Dataset, ...]) -> list[Path]:
    """Write the secondary captures as PNG, named by what they show."""
    places.pictures.mkdir(parents=True, exist_ok=True)
    written = []
    for dataset in received:
        if dataset.Modality == "SR":
            continue
        number = int(dataset.InstanceNumber)
        name = "summary" if number == 1 else f"attention-{number - 1:02d}"
        path = places.pictures / f"{name}.png"
        Image.fromarray(dataset.pixel_array).save(path)
        written.append(path)
    return sorted(written)
