"""What two models said to the same inputs, one of them or both in the shadow: `dicom-node models diff`."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from dicom_node.registry import Readers
from dicom_node.store import Store
from dicom_node.store.model_records import CONFIGURED, Said
from models import ModelIdentity
from models.agreement import Pair


@dataclass(frozen=True, slots=True)
class Speaker:
    """A model as answers name it: by the bundle's digest in the shadow, by its identity in reports."""

    digest: str
    identity: Mapping[str, Any]

    @property
    def called(self) -> str:
        """Name and version."""
        return f"{self.identity['name']} {self.identity['version']}"

    def said(self, one: Said) -> bool:
        """Whether an answer is this model's."""
        return one.digest == self.digest if one.digest else dict(one.model) == self.identity


def speaker(store: Store, readers: Readers, reference: str) -> Speaker:
    """The model of a digest, or the configured one. Raises ModelError if that cannot be read."""
    if reference == CONFIGURED:
        return Speaker(CONFIGURED, asdict(readers.reader(CONFIGURED).manifest.identity))
    manifest = next(one.manifest for one in store.registered.all() if one.digest == reference)
    return Speaker(reference, {one.name: manifest[one.name] for one in fields(ModelIdentity)})


def paired(store: Store, first: Speaker, second: Speaker) -> list[Pair]:
    """The answers of both to the same run of a study; of several runs the last counts."""
    said = store.shadows.said()
    by_second = {one.run_id: one for one in said if second.said(one)}
    last: dict[str, Pair] = {}
    for one in said:
        if first.said(one) and (other := by_second.get(one.run_id)) is not None:
            last[one.study_instance_uid] = Pair(
                one.study_instance_uid, one.probability, other.probability, one.threshold, other.threshold
            )
    return list(last.values())
