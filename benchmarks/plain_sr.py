"""A TID 1500 report by highdicom alone, as its documentation builds one: what ours is measured against."""

from collections.abc import Sequence

import highdicom as hd
from highdicom import sr
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes


def plain_sr(headers: Sequence[Dataset], *, library: bool = True) -> sr.Comprehensive3DSR:
    """One percentage; all of `headers`, complete image headers, in the evidence and in the image library."""
    content = sr.MeasurementReport(
        observation_context=sr.ObservationContext(observer_device_context=_observer()),
        procedure_reported=sr.CodedConcept("241620005", "SCT", "Cardiac MRI"),
        imaging_measurements=[_group()],
        title=codes.DCM.ImagingMeasurementReport,
        referenced_images=list(headers) if library else None,
    )
    return sr.Comprehensive3DSR(
        evidence=list(headers),
        content=content,
        series_instance_uid=hd.UID(),
        series_number=901,
        sop_instance_uid=hd.UID(),
        instance_number=1,
        manufacturer="benchmark",
    )


def _observer() -> sr.ObserverContext:
    identity = sr.DeviceObserverIdentifyingAttributes(uid=hd.UID(), name="BENCHMARK")
    return sr.ObserverContext(observer_type=codes.DCM.Device, observer_identifying_attributes=identity)


def _group() -> sr.MeasurementsAndQualitativeEvaluations:
    percent = sr.CodedConcept("%", "UCUM", "Percent")
    return sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(uid=hd.UID(), identifier="scar"),
        algorithm_id=sr.AlgorithmIdentification(
            name="benchmark", version="1", family=sr.CodedConcept("123110", "DCM", "Artificial Intelligence")
        ),
        finding_sites=[sr.FindingSite(anatomic_location=codes.SCT.Heart)],
        measurements=[
            sr.Measurement(name=sr.CodedConcept("122157", "DCM", "Probability"), value=87.3, unit=percent)
        ],
    )
