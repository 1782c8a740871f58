"""A study as it lies on disk: headers in memory, pixels left in the files."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydicom.dataset import Dataset

from pipeline.errors import ContradictoryStudy, UnreadableInstance
from pipeline.facts import InstanceFacts, facts_of
from pipeline.glance import glance
from pipeline.reading import read_header

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Instance:
    """One file.

    `given` is its header if that was read already. Files with equal `whose` name the same patient, byte for
    byte; it is empty where the header was read.
    """

    path: Path
    facts: InstanceFacts
    given: Dataset | None = None
    whose: bytes = b""
    _kept: list[Dataset] = field(default_factory=list, init=False, repr=False)

    @property
    def header(self) -> Dataset:
        """The dataset without pixels, read when it is first asked for; treat it as read-only.

        Raises:
            UnreadableInstance: as `read_header`.
        """
        if self.given is not None:
            return self.given
        if not self._kept:
            self._kept.append(read_header(self.path).dataset)
        return self._kept[0]


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """Every readable file we hold of one Study Instance UID, in no promised order.

    `unreadable` has a sentence for each file that was passed over.
    """

    uid: str
    instances: tuple[Instance, ...]
    unreadable: tuple[str, ...] = ()
    _by_uid: dict[str, Instance] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        self._by_uid.update((instance.facts.sop_instance_uid, instance) for instance in self.instances)

    @property
    def facts(self) -> tuple[InstanceFacts, ...]:
        """What stacking and completeness look at."""
        return tuple(instance.facts for instance in self.instances)

    def instance_of(self, sop_instance_uid: str) -> Instance:
        """The file of one SOP instance; the later one where two were given.

        Raises:
            KeyError: the study does not hold it.
        """
        return self._by_uid[sop_instance_uid]

    def header_of(self, sop_instance_uid: str) -> Dataset:
        """The header of one source image, for reports that must cite it.

        Raises:
            KeyError: the study does not hold it.
        """
        return self.instance_of(sop_instance_uid).header


def read_study(paths: Iterable[Path], known: Mapping[Path, InstanceFacts] | None = None) -> Study:
    """Read every header, no pixels. Where a SOP instance comes twice, the later path is the current one.

    Of a file whose facts are `known` the header is left until somebody asks for it, if the file is still the
    one they were read from.

    Raises:
        UnreadableInstance: none of the files can be read.
        ContradictoryStudy: the files belong to more than one study.
    """
    instances: list[Instance] = []
    unreadable: list[str] = []
    for path in paths:
        try:
            instances.append(_as_known(path, (known or {}).get(path)) or _read(path))
        except UnreadableInstance as error:
            unreadable.append(str(error))
    if changed := sum(one.given is not None for one in instances if one.path in (known or {})):
        logger.warning("%d files are not as the index remembers them: their headers were read", changed)
    if not instances:
        raise UnreadableInstance(unreadable[0] if unreadable else "the study has no files")
    uids = {instance.facts.study_instance_uid for instance in instances}
    if len(uids) > 1:
        raise ContradictoryStudy(f"the files belong to {len(uids)} studies, not to one")
    return Study(uids.pop(), tuple(instances), tuple(unreadable))


def _as_known(path: Path, facts: InstanceFacts | None) -> Instance | None:
    if facts is None:
        return None
    whose = glance(path, facts)
    return None if whose is None else Instance(path, facts, whose=whose)


def _read(path: Path) -> Instance:
    header = read_header(path)
    return Instance(path, facts_of(header), header.dataset)
