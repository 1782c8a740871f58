"""What a person does with models: each act written down with who, when and why, and none half done."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, final

from dicom_node.errors import NotNow, UnknownObject
from dicom_node.registry.lineup import before
from dicom_node.registry.shelf import Shelf
from dicom_node.store.model_records import (
    BEGINNING,
    CONFIGURED,
    Deed,
    NewAct,
    RegisteredModel,
    Standing,
)
from dicom_node.store.registered import RegisteredModels
from models.bundle_file import Bundle

_SHORTEST = 4
_MEANWHILE = "somebody else changed the models at the same moment; look again (`dicom-node models list`)"


@final
@dataclass(frozen=True, slots=True)
class Registry:
    """The models of one node.

    Args:
        registered: where they are remembered.
        shelf: where they lie.
        trusted: public keys, one of which must have signed what is to answer; empty: nobody need sign.
        who: the person at the keyboard.
        clock: the time of day.
    """

    registered: RegisteredModels
    shelf: Shelf
    trusted: tuple[Path, ...]
    who: str
    clock: Callable[[], datetime]

    def find(self, reference: str) -> str:
        """The digest that a person means by a name, NAME:VERSION or a digest's beginning; or `CONFIGURED`.

        Raises:
            UnknownObject: none, or several, are called so; the message lists what there is.
        """
        if reference == CONFIGURED:
            return CONFIGURED
        known = self.registered.all()
        if found := {one.digest for one in known if _is_called(one, reference)}:
            if len(found) == 1:
                return found.pop()
            raise UnknownObject(f"{len(found)} models are called {reference}: {_listed(known, found)}")
        there = _listed(known, {one.digest for one in known}) or "none was imported"
        raise UnknownObject(f"no model is called {reference}: {there}; and `{CONFIGURED}`, of config.yaml")

    def model(self, digest: str) -> RegisteredModel:
        """What is remembered of one model."""
        return next(one for one in self.registered.all() if one.digest == digest)

    def take(self, bundle: Bundle, origin: str) -> RegisteredModel:
        """Keep a bundle as a candidate; one that is kept already stays as it is, unless it was retired."""
        now = self.clock()
        known = {one.digest: one for one in self.registered.all()}.get(bundle.digest)
        self.shelf.put(bundle)
        if known is not None and known.standing is not Standing.RETIRED and known.signer == bundle.signer:
            return known
        standing, since = Standing.CANDIDATE, now
        if known is not None and known.standing is not Standing.RETIRED:
            standing, since = known.standing, known.since
        manifest = _plain(bundle)
        model = RegisteredModel(bundle.digest, manifest, standing, since, now, origin, bundle.signer)
        self.registered.add(model, NewAct(now, self.who, Deed.IMPORT, bundle.digest, origin))
        return model

    def activated(self, digest: str, *, beside: bool) -> tuple[str, ...]:
        """The line-up if this model were activated: alone, or first of those that are active.

        Raises:
            NotNow: it was retired.
            WeightsCorrupt: it is damaged, or not signed as it must be.
        """
        self._check(digest)
        others = [one for one in self.registered.lineup() if beside and one != digest]
        return (digest, *others)

    def activate(self, digest: str, *, beside: bool, reason: str) -> tuple[str, ...]:
        """Have a model read from the next job on; the line-up. Whether it answers rightly was tried before.

        Raises: as `activated`.
        """
        after = self._last()
        lineup = self.activated(digest, beside=beside)
        if lineup != self.registered.lineup():
            self._record(Deed.ACTIVATE, digest, reason, lineup, Standing.CANDIDATE, after)
        return lineup

    def rolled_back(self) -> tuple[str, ...]:
        """The line-up that a rollback would lead to.

        Raises:
            NotNow: nothing was activated that is not taken back already, or it leads to a retired model.
            WeightsCorrupt: it leads to a model that is damaged.
        """
        lineup = before(self.registered.acts())
        if lineup is None:
            raise NotNow(
                "there is nothing to roll back: no model was activated, or all that was is taken back"
            )
        for digest in lineup:
            self._check(digest)
        return lineup

    def rollback(self, reason: str) -> tuple[str, ...]:
        """Take back the last change of who reads; the line-up. Raises as `rolled_back`."""
        after = self._last()
        lineup = self.rolled_back()
        self._record(Deed.ROLLBACK, "", reason, lineup, None, after)
        return lineup

    def shadow(self, digest: str, reason: str) -> None:
        """Have a model asked about live studies without a report.

        Raises:
            NotNow: it is active, or was retired.
            WeightsCorrupt: it is damaged, or not signed as it must be.
        """
        after, model = self._last(), self._imported(digest)
        self._check(digest)
        if model.standing is Standing.ACTIVE:
            raise NotNow(f"{model.called} is active; what reads is not shadowed by itself")
        if model.standing is not Standing.SHADOW:
            self._record(Deed.SHADOW, digest, reason, None, Standing.SHADOW, after)

    def step_back(self, digest: str, reason: str) -> None:
        """Have a model out of the shadow; a candidate again. Raises NotNow if it is not there."""
        after, model = self._last(), self._imported(digest)
        if model.standing is not Standing.SHADOW:
            raise NotNow(f"{model.called} is not in the shadow, but {model.standing}")
        self._record(Deed.STEP_BACK, digest, reason, None, Standing.CANDIDATE, after)

    def without(self, digest: str) -> tuple[str, ...]:
        """The line-up if this model were retired. Raises NotNow for the configured one."""
        self._imported(digest)
        return tuple(one for one in self.registered.lineup() if one != digest) or BEGINNING

    def retire(self, digest: str, reason: str) -> tuple[str, ...]:
        """Have a model never answer again; its files and history stay. The line-up. Raises as `without`."""
        after, model, left = self._last(), self._imported(digest), self.without(digest)
        if model.standing is not Standing.RETIRED:
            self._record(Deed.RETIRE, digest, reason, left, Standing.RETIRED, after)
        return left

    def _imported(self, digest: str) -> RegisteredModel:
        if digest == CONFIGURED:
            raise NotNow("the model of config.yaml is changed there (model.bundle)")
        return self.model(digest)

    def _check(self, digest: str) -> None:
        """That a model may answer: as its digests say, signed if it must be, and not retired."""
        if digest == CONFIGURED:
            return
        model = self.model(digest)
        if model.standing is Standing.RETIRED:
            raise NotNow(f"{model.called} was retired; importing it again makes it a candidate")
        self.shelf.read(digest, self.trusted)

    def _last(self) -> int | None:
        acts = self.registered.acts()
        return acts[-1].id if acts else None

    def _record(
        self,
        what: Deed,
        digest: str,
        reason: str,
        lineup: Sequence[str] | None,
        standing: Standing | None,
        after: int | None,
    ) -> None:
        act = NewAct(self.clock(), self.who, what, digest, reason)
        new = self.registered.lineup() if lineup is None else lineup
        if not self.registered.record(act, new, standing, after=after):
            raise NotNow(_MEANWHILE)


def _is_called(model: RegisteredModel, reference: str) -> bool:
    name, version = str(model.manifest["name"]), str(model.manifest["version"])
    wanted = reference.casefold()
    if wanted in (name.casefold(), f"{name}:{version}".casefold()):
        return True
    return len(wanted) >= _SHORTEST and model.digest.startswith(wanted)


def _listed(known: Sequence[RegisteredModel], wanted: set[str]) -> str:
    return ", ".join(f"{one.called} ({one.digest[:12]})" for one in known if one.digest in wanted)


def _plain(bundle: Bundle) -> dict[str, Any]:
    manifest = bundle.manifest
    return asdict(manifest.identity) | {"threshold": manifest.threshold, "scores": dict(manifest.scores)}
