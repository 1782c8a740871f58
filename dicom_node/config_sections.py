"""The sections of config.yaml, each a frozen value; config.yaml itself documents every key."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from dicom_node.config_values import (
    AeTitle,
    AttentionImages,
    Explain,
    ExtraObject,
    IpAddress,
    NotAnalysed,
    Port,
    RemovableState,
    ReportForm,
    ResultKind,
    Seconds,
    is_loopback,
)


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Caller(_Section):
    """A peer that may send to us."""

    ae_title: AeTitle
    """Its calling AE title."""
    ip: IpAddress | None = None
    """If given, only from this address."""
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """Where it takes reports on storage commitment. Empty: only on the association on which it asked."""
    max_associations: int | None = Field(default=None, ge=1)
    """Associations served to it at the same time. Empty: as many as to all together."""
    max_object_mb: int | None = Field(default=None, ge=1)
    """Largest object accepted from it, in megabytes. Empty: receive.max_object_mb."""
    max_objects_per_s: float | None = Field(default=None, gt=0)
    """Objects answered per second; a faster sender is slowed down. Empty: no limit."""


class ReceiveSettings(_Section):
    """How images come in."""

    ae_title: AeTitle = "DICOMNODE"
    """Our AE title, for receiving and for sending."""
    host: str = "127.0.0.1"
    """The address to listen on. Anything but loopback needs `callers`."""
    port: Port = 11112
    """The port to listen on; 0 takes a free one."""
    require_called_ae: bool = True
    """Refuse associations that call us by another AE title."""
    callers: tuple[Caller, ...] = ()
    """Who may send. Empty: anyone, which is allowed on loopback only."""
    max_associations: int = Field(default=32, ge=1)
    """Associations served at the same time; more are refused as a temporary condition."""
    max_object_mb: int = Field(default=512, ge=1)
    """Largest object accepted, in megabytes."""
    disk_reserve_mb: int = Field(default=1024, ge=0)
    """Below this free space objects are refused with 0xA700, until space returns."""
    journal_mb: int = Field(default=64, ge=0)
    """Room on the archive's disk where images are durable before each has its file; 0: each has it first."""
    tls: Literal["off", "server", "mutual"] = "off"
    """Whether senders must use TLS, and whether they must show a certificate themselves."""
    idle_timeout_s: Annotated[float, Field(gt=0)] = 60.0
    """An association silent for so long is aborted."""
    other_objects: Literal["discard", "reject"] = "discard"
    """Objects we do not analyse: accept them and keep a note, or do not negotiate their classes."""
    confined: bool = True
    """Take from the receiver's process what it does not need: other files, programs, calls to anybody."""

    @model_validator(mode="after")
    def _strangers_only_on_loopback(self) -> "ReceiveSettings":
        if not is_loopback(self.host) and not self.callers:
            raise ValueError(
                f"listening on {self.host} with an empty list of callers would let anyone send; write in "
                "config.yaml, for example: receive: {callers: [{ae_title: SCANNER1, ip: 192.0.2.10}]}"
            )
        return self


class TlsSettings(_Section):
    """The node's certificates, for receiving and for sending. PEM files; relative to config.yaml."""

    certificate: Path | None = None
    """Our certificate, with its chain."""
    key: Path | None = None
    """The key that belongs to it, without a passphrase."""
    authorities: Path | None = None
    """Certificates of the authorities that sign for our peers."""


class CompleteSettings(_Section):
    """When a study counts as complete."""

    settle_s: Seconds = 3.0
    """A full grid whose slice count no tag states waits so long for another slice."""
    quiet_s: Seconds = 60.0
    """An incomplete grid is given up on after so long without a new image."""
    resend_s: Seconds = 3600.0
    """Images refused because the disk was full are waited for so long after the last refusal."""
    incomplete: Literal["analyse", "reject"] = "analyse"
    """What then happens: analyse with the gap stated, if the model's contract allows it, or reject."""


class DatabaseSettings(_Section):
    """Where jobs are remembered."""

    url: str = ""
    """SQLAlchemy URL (SQLite or PostgreSQL). Empty: node.db in the data directory."""


class ModelSettings(_Section):
    """What reads the volumes."""

    bundle: Path | None = None
    """Folder of the model bundle. Empty: the demonstration weights that ship with the node."""
    threshold: float | None = Field(default=None, ge=0, le=1)
    """Operating threshold of that bundle, 0..1. Empty: the one stored with it."""
    trusted_keys: tuple[Path, ...] = ()
    """Public keys, PEM files of Ed25519. If there are any, only bundles that one of them signed are taken."""
    max_attempts: int = Field(default=2, ge=1)
    """Runs before a study that kills its worker is set aside as failed."""
    deadline_s: Seconds = 600.0
    """A run longer than this is ended, and counts as an attempt."""
    memory_mb: int | None = Field(default=None, ge=256)
    """The most memory the model's process may take, in megabytes. Empty: no limit of ours."""
    confined: bool = True
    """Take from the model's process what it does not need: network, capabilities, other files."""
    explain: Explain = "auto"
    """How maps are made: attention where it was proved alive, else Grad-CAM; or always by one method."""
    frugal: bool = False
    """Compute the network without its framework from the start: a third of the memory, more time."""


class ReportSettings(_Section):
    """What the reports say about us."""

    manufacturer: str = Field(default="dicom-node project", max_length=64)
    """Manufacturer in every object we write."""
    station_name: str = Field(default="DICOMNODE", max_length=16)
    """Station name in every object we write."""
    serial_number: str = Field(default="0001", max_length=64)
    """Device serial number; with the manufacturer it makes our device UID."""
    form: ReportForm = "both"
    """The structured report as measurements, as text, or as both."""
    finding_code: bool = True
    """Write (122113, DCM, Scarred Myocardium) = Present / Absent beside the probability."""
    attention_images: AttentionImages = "key_phase"
    """One overlay per slice at the phase of maximal attention, or all phases as a multi-frame object."""
    extra_objects: tuple[ExtraObject, ...] = ()
    """Further objects to write beside the report and its pictures."""
    not_analysed: NotAnalysed = "cine"
    """Which studies that cannot be analysed get a notice that says why."""


class Accepts(_Section):
    """Which results go to a destination. What is empty holds nothing back."""

    kinds: tuple[ResultKind, ...] = ()
    """Only objects of these kinds, as `dicom-node show` calls them. Empty: of every kind."""
    models: tuple[str, ...] = ()
    """Only results of models with these names, as `dicom-node models` prints them. Empty: of every model."""


class Addressee(_Section):
    """What destinations of every sort have."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,32}$")]
    """What commands and tables call it."""
    accepts: Accepts = Accepts()
    """Which results it gets; without it, all."""


class Destination(Addressee):
    """Where results go by C-STORE."""

    host: str
    """Host name or address."""
    port: Annotated[int, Field(ge=1, le=65535)]
    """Port."""
    ae_title: AeTitle
    """Its AE title."""
    tls: bool = False
    """Whether to speak TLS with it."""
    tls_name: str | None = None
    """The name its certificate must bear. Empty: `host`."""
    proof: Literal["auto", "commitment", "retrieve", "query", "none"] = "auto"
    """How it proves that it holds what it took; `auto` takes the strongest way it offers."""


class DeliverSettings(_Section):
    """How results go out."""

    first_retry_s: Seconds = 10.0
    """Wait after the first failure; doubled after each further one."""
    max_retry_s: Seconds = 900.0
    """Longest wait between two tries."""
    give_up_after_h: Annotated[float, Field(gt=0)] = 72.0
    """An object that could not be delivered for so long is marked failed; `retry` starts it again."""
    timeout_s: Seconds = 30.0
    """Network time-out for one answer of the destination."""
    prove_within_h: Annotated[float, Field(gt=0)] = 24.0
    """What a destination has not proved to hold after so long is shown as unconfirmed."""
    reconcile_every_h: Annotated[float, Field(gt=0)] | None = 24.0
    """What was proved is looked for again after so long. Empty: never."""
    reconcile_days: Annotated[float, Field(gt=0)] = 30.0
    """Nothing that was sent longer ago is looked for again."""
    reconcile_resend: bool = False
    """Send again what is found missing then, instead of only saying so."""


class RetainSettings(_Section):
    """How long images stay. Without `days`, `max_gb` and `evict_below_mb` they stay for ever."""

    days: Annotated[float, Field(ge=0)] | None = None
    """Images of studies that are done with go after so many days. Empty: not because of their age."""
    max_gb: Annotated[float, Field(gt=0)] | None = None
    """When the archive holds more, in gigabytes, the oldest of them go. Empty: not because of its size."""
    evict_below_mb: Annotated[int, Field(ge=1)] | None = None
    """When less is free, in megabytes, the oldest of them go. Empty: not because of the disk."""
    at_least_days: Annotated[float, Field(ge=0)] = 1.0
    """Nothing younger goes because of the archive's size or the disk."""
    states: tuple[RemovableState, ...] = ("delivered",)
    """What counts as done with: the states of studies whose images may go."""
    warn_below_mb: Annotated[int, Field(ge=1)] | None = None
    """When less is free, in megabytes, the node warns. Empty: three times receive.disk_reserve_mb."""

    @property
    def active(self) -> bool:
        """Whether anything goes at all."""
        return any(reason is not None for reason in (self.days, self.max_gb, self.evict_below_mb))


class LogSettings(_Section):
    """What the node says while it works."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severe line written."""
    format: Literal["console", "json"] = "console"
    """For people, or for machines."""
