"""The section `retrain` of config.yaml."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, field_validator, model_validator


class RetrainSettings(BaseModel):
    """Whether a candidate is trained now and then."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cron: str | None = None
    """When, as a line of crontab in local time. Empty: never."""
    labels: Path | None = None
    """The labels file, as `dicom-node train` takes it; read anew each time. Empty: what the node keeps."""
    label_column: str = ""
    """The label that is learned: a column of the file, or one that `dicom-node labels` keeps."""
    architecture: str = "stran"
    """The network."""
    options: tuple[str, ...] = ()
    """Further words for `dicom-node train`."""

    @field_validator("cron")
    @classmethod
    def _is_crontab(cls, line: str | None) -> str | None:
        if line is not None:
            from apscheduler.triggers.cron import CronTrigger  # asked for by few, and slow to load

            CronTrigger.from_crontab(line)
        return line

    @model_validator(mode="after")
    def _has_label(self) -> "RetrainSettings":
        if self.cron is not None and not self.label_column:
            raise ValueError("retrain.cron needs retrain.label_column")
        return self
