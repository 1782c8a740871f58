"""What `doctor` says about the models in use: whether each is what it was, and where its results go."""

from collections.abc import Iterator

from dicom_node.config import Settings
from dicom_node.delivery.unrouted import unrouted
from dicom_node.from_settings import models_in_use
from dicom_node.operate.finding import Finding, Level
from dicom_node.registry import Reader
from dicom_node.store.model_records import CONFIGURED
from models import ModelError, verify_bundle

_ADVICE = {
    True: "copy the bundle again, or leave model.bundle empty for the demonstration weights",
    False: "`dicom-node models rollback` takes it back, or import it again",
}


def model_findings(settings: Settings) -> Iterator[Finding]:
    """One or two findings for each model that is active, and one for whatever has nowhere to go."""
    try:
        readers = models_in_use(settings)
    except ModelError as error:
        yield Finding("weights", Level.PROBLEM, str(error), "; or ".join(_ADVICE.values()))
        return
    found = [_weights(reader) for reader in readers]
    yield from found
    if any(one.level is Level.PROBLEM for one in found):
        return
    for sentence in unrouted(settings, *dict.fromkeys(one.manifest.name for one in readers)):
        advice = "change accepts of a destination, unless that is meant"
        yield Finding("routes", Level.WARNING, sentence, advice)


def _weights(reader: Reader) -> Finding:
    try:
        manifest = verify_bundle(reader.folder)
    except ModelError as error:
        return Finding("weights", Level.PROBLEM, str(error), _ADVICE[reader.reference == CONFIGURED])
    found = f"{manifest.name} {manifest.version}, sha256 {manifest.weights_sha256[:12]}… as the manifest says"
    if manifest.demonstration:
        advice = "these are DEMONSTRATION WEIGHTS, trained on phantoms: not for clinical use"
        return Finding("weights", Level.WARNING, found, advice)
    return Finding("weights", Level.FINE, found)
