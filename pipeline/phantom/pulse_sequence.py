"""A balanced steady-state free precession cine in the words of Enhanced MR (PS3.3 C.8.13.4 and C.8.13.5)."""

from typing import Any

from pydicom.dataset import Dataset

from pipeline.phantom.functional_groups import group


def add_pulse_sequence(dataset: Dataset) -> None:
    """The MR Pulse Sequence module."""
    dataset.PulseSequenceName = "bSSFP"
    dataset.MRAcquisitionType = "2D"
    dataset.EchoPulseSequence = "GRADIENT"
    dataset.MultiPlanarExcitation = "NO"
    dataset.PhaseContrast = "NO"
    dataset.TimeOfFlightContrast = "NO"
    dataset.SteadyStatePulseSequence = "FREE_PRECESSION"
    dataset.EchoPlanarPulseSequence = "NO"
    dataset.SaturationRecovery = "NO"
    dataset.SpectrallySelectedSuppression = "NONE"
    dataset.OversamplingPhase = "NONE"
    dataset.GeometryOfKSpaceTraversal = "RECTILINEAR"
    dataset.SegmentedKSpaceTraversal = "PARTIAL"
    dataset.RectilinearPhaseEncodeReordering = "LINEAR"
    dataset.NumberOfKSpaceTrajectories = 1


def add_technique(shared: Dataset, matrix: tuple[int, ...]) -> None:
    """The functional groups on timing, coils and modifiers, the same for every frame."""
    group(shared, "MRTimingAndRelatedParametersSequence", **_timing())
    group(
        shared,
        "MRFOVGeometrySequence",
        InPlanePhaseEncodingDirection="ROW",
        MRAcquisitionFrequencyEncodingSteps=matrix[0],
        MRAcquisitionPhaseEncodingStepsInPlane=matrix[1],
        PercentSampling=100.0,
        PercentPhaseFieldOfView=100.0,
    )
    group(shared, "MREchoSequence", EffectiveEchoTime=1.6)
    group(shared, "MRAveragesSequence", NumberOfAverages=1.0)
    group(
        shared,
        "MRModifierSequence",
        InversionRecovery="NO",
        FlowCompensation="NONE",
        Spoiling="NONE",
        T2Preparation="NO",
        SpectrallySelectedExcitation="NONE",
        SpatialPresaturation="NONE",
        PartialFourier="NO",
        ParallelAcquisition="NO",
    )
    group(
        shared,
        "MRImagingModifierSequence",
        MagnetizationTransfer="NONE",
        BloodSignalNulling="NO",
        Tagging="NONE",
        TransmitterFrequency=63.87,
        PixelBandwidth=977.0,
    )
    _coils(shared)


def _coils(shared: Dataset) -> None:
    group(
        shared,
        "MRReceiveCoilSequence",
        ReceiveCoilName="SIMULATED",
        ReceiveCoilManufacturerName="",
        ReceiveCoilType="BODY",
        QuadratureReceiveCoil="YES",
    )
    group(
        shared,
        "MRTransmitCoilSequence",
        TransmitCoilName="SIMULATED",
        TransmitCoilManufacturerName="",
        TransmitCoilType="BODY",
    )


def _timing() -> dict[str, Any]:
    rate = Dataset()
    rate.SpecificAbsorptionRateDefinition = "IEC_WHOLE_BODY"
    rate.SpecificAbsorptionRateValue = 0.0
    mode = Dataset()
    mode.OperatingModeType = "STATIC FIELD"
    mode.OperatingMode = "IEC_NORMAL"
    return {
        "RepetitionTime": "3.2",
        "FlipAngle": "55",
        "EchoTrainLength": 1,
        "RFEchoTrainLength": 0,
        "GradientEchoTrainLength": 1,
        "SpecificAbsorptionRateSequence": [rate],
        "GradientOutputType": "DB_DT",
        "GradientOutput": 0.0,
        "OperatingModeSequence": [mode],
    }
