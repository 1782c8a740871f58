"""Where a result came from and what became of it, as one value: `dicom-node trace`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dicom_node.archive import Archive
from dicom_node.errors import UnknownObject
from dicom_node.store import Store
from dicom_node.store.records import Delivery, Result
from dicom_node.store.run_records import OwnObject, Run, RunInput

NOT_RECORDED = (
    "made before the node remembered its runs: the images, settings, software and host are not recorded"
)


@dataclass(frozen=True, slots=True)
class Source:
    """A file the result was made from, and whether it lies in the archive now."""

    given: RunInput
    held: bool


@dataclass(frozen=True, slots=True)
class Trace:
    """One result.

    Attributes:
        own: the object; `own.sent_sop_class_uid` if it was found under the UID of another SR class.
        run: what made it; None if that was not remembered at the time.
        sources: every file that the run was given, by path, as recorded then.
        model: who answered, as it said of itself then; empty if no model was asked.
        deliveries: of this object.
        together: the other objects of the same run.
        before, after: the first object (the report) of the run before and after this one.
        images_removed_at: when retention last removed images of the study; None if all it removed are back.
    """

    own: OwnObject
    run: Run | None
    sources: tuple[Source, ...]
    model: Mapping[str, Any]
    deliveries: tuple[Delivery, ...]
    together: tuple[Result, ...]
    before: Result | None
    after: Result | None
    images_removed_at: datetime | None

    @property
    def result(self) -> Result:
        """The object as the node remembers it."""
        return self.own.result

    @property
    def not_recorded(self) -> str:
        """A sentence on what nobody can tell any more; empty if all is known."""
        return NOT_RECORDED if self.run is None else ""


def trace_object(store: Store, archive: Archive, own: OwnObject) -> Trace:
    """Everything that is known about one of our objects."""
    result, lineage = own.result, store.lineage
    runs = _by_run(store.results(own.study_instance_uid))
    key = _run_key(result)
    place = list(runs).index(key)
    neighbours = [None, *(of_run[0] for of_run in runs.values()), None]
    run = None if result.run_id is None else lineage.run(result.run_id)
    inputs = [] if result.run_id is None else lineage.inputs(result.run_id)
    return Trace(
        own=own,
        run=run,
        sources=tuple(Source(one, archive.open(one.path).exists()) for one in inputs),
        model=model_of(store, result),
        deliveries=tuple(
            one
            for one in store.deliveries(own.study_instance_uid)
            if one.sop_instance_uid == result.sop_instance_uid
        ),
        together=tuple(one for one in runs[key] if one.id != result.id),
        before=neighbours[place],
        after=neighbours[place + 2],
        images_removed_at=store.keeping.removed_at(own.study_instance_uid),
    )


def model_of(store: Store, result: Result) -> Mapping[str, Any]:
    """Who made a result, as it said of itself then; empty if no model was asked."""
    known = store.lineage.models(result.weights_sha256).get(result.weights_sha256, {})
    run = None if result.run_id is None else store.lineage.run(result.run_id)
    return {**known, **run.findings.get("model", {})} if run else known


def _by_run(results: list[Result]) -> dict[tuple[Any, ...], list[Result]]:
    """The objects of each run, the report first, run by run."""
    runs: dict[tuple[Any, ...], list[Result]] = {}
    for result in results:
        runs.setdefault(_run_key(result), []).append(result)
    return runs


def _run_key(result: Result) -> tuple[Any, ...]:
    """The same for the objects of one run, which were recorded together, remembered or not."""
    return (result.generation, result.made_at)


def made_by_model(store: Store, prefix: str) -> list[OwnObject]:
    """Everything made of one model's answers, oldest first; `prefix` begins its weights' SHA-256.

    Raises:
        UnknownObject: no model's digest begins so, or several do.
    """
    models = store.lineage.models(prefix.lower())
    if not models:
        raise UnknownObject(f"no model whose weights' digest begins with {prefix} has answered here")
    if len(models) > 1:
        names = ", ".join(f"{one} ({row.get('name')} {row.get('version')})" for one, row in models.items())
        raise UnknownObject(f"{len(models)} models begin with {prefix}: {names}; give more of the digest")
    return store.lineage.objects_of_model(next(iter(models)))


def made_from_instance(store: Store, sop_instance_uid: str) -> list[tuple[OwnObject, RunInput]]:
    """Everything made by runs that were given this image, oldest first.

    Raises:
        UnknownObject: nothing was; the message says what is known of the image.
    """
    found = store.lineage.objects_from_instance(sop_instance_uid)
    if found:
        return found
    received = store.lineage.received(sop_instance_uid)
    if not received:
        raise UnknownObject(f"this node received no image {sop_instance_uid}")
    last = received[-1]
    if not last.kept:
        raise UnknownObject(f"nothing was made of {sop_instance_uid}: {last.unusable}")
    job = store.job(last.study_instance_uid)
    unknown = sum(one.run_id is None for one in store.results(last.study_instance_uid))
    older = f", and {unknown} objects of its study are of unknown images, {NOT_RECORDED}" if unknown else ""
    stands = job.state if job else "unknown"
    raise UnknownObject(f"nothing was made of {sop_instance_uid} so far; its study is {stands}{older}")
