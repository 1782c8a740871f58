"""What of an MR image is exported for research: an allow-list. What is not named here is removed.

The Basic Application Level Confidentiality Profile (PS3.15 Table E.1-1) lists what must go. A list of what
may stay is safer: an attribute of a later edition, or one nobody thought of, is not in it. A test holds it
against the table (edition 2026c, as the package dicom-anonymizer carries it): of what the table names only
this is here: what the options of PS3.15 E.3 allow, UIDs, which get pseudonyms, and references made of them.

Chosen from the modules of MR Image, Enhanced MR Image and Legacy Converted Enhanced MR Image (PS3.3 A.4,
A.36.2, A.71): how the image was taken, where it lies and when in the beat, and what the pixels mean.
"""

from dicom_node.deidentify.elements import tag_of

_OBJECT = """
    SOPClassUID SOPInstanceUID StudyInstanceUID SeriesInstanceUID FrameOfReferenceUID Modality
    SeriesNumber InstanceNumber AcquisitionNumber ImagesInAcquisition ImageType FrameType BodyPartExamined
    Laterality ImageLaterality FrameLaterality PatientPosition PatientOrientation AnatomicalOrientationType
    ConcatenationUID SOPInstanceUIDOfConcatenationSource InConcatenationNumber InConcatenationTotalNumber
    ConcatenationFrameOffsetNumber ContentQualification BurnedInAnnotation RecognizableVisualFeatures
"""
_PIXELS = """
    Rows Columns SamplesPerPixel PhotometricInterpretation BitsAllocated BitsStored HighBit
    PixelRepresentation PixelAspectRatio NumberOfFrames SmallestImagePixelValue LargestImagePixelValue
    PixelPaddingValue PixelPaddingRangeLimit RescaleIntercept RescaleSlope RescaleType WindowCenter
    WindowWidth VOILUTFunction PresentationLUTShape LossyImageCompression LossyImageCompressionRatio
    LossyImageCompressionMethod PixelPresentation VolumetricProperties VolumeBasedCalculationTechnique
    ComplexImageComponent AcquisitionContrast QualityControlImage PixelValueTransformationSequence
    FrameVOILUTSequence
"""
_PLACE = """
    ImagePositionPatient ImageOrientationPatient PixelSpacing SliceThickness SpacingBetweenSlices
    SliceLocation ReconstructionDiameter PixelMeasuresSequence PlanePositionSequence
    PlaneOrientationSequence FrameAnatomySequence AnatomicRegionSequence ViewCodeSequence
    ViewModifierCodeSequence PatientOrientationCodeSequence PatientOrientationModifierCodeSequence
    PatientEquipmentRelationshipCodeSequence
"""
_FRAMES = """
    SharedFunctionalGroupsSequence PerFrameFunctionalGroupsSequence FrameContentSequence
    FrameAcquisitionNumber FrameAcquisitionDuration StackID InStackPositionNumber DimensionIndexValues
    DimensionOrganizationSequence DimensionOrganizationUID DimensionOrganizationType DimensionIndexSequence
    DimensionIndexPointer FunctionalGroupPointer RepresentativeFrameNumber MRImageFrameTypeSequence
    UnassignedSharedConvertedAttributesSequence UnassignedPerFrameConvertedAttributesSequence
    SpatialLocationsPreserved
"""
_BEAT = """
    TriggerTime NominalInterval BeatRejectionFlag LowRRValue HighRRValue IntervalsAcquired IntervalsRejected
    SkipBeats HeartRate CardiacNumberOfImages TriggerWindow TemporalPositionIdentifier
    NumberOfTemporalPositions TemporalPositionIndex TemporalPositionSequence TemporalPositionTimeOffset
    TemporalResolution CardiacSynchronizationSequence NominalCardiacTriggerDelayTime
    ActualCardiacTriggerDelayTime NominalCardiacTriggerTimePriorToRPeak ActualCardiacTriggerTimePriorToRPeak
    NominalPercentageOfCardiacPhase RRIntervalTimeNominal CardiacCyclePosition CardiacRRIntervalSpecified
    CardiacSynchronizationTechnique CardiacSignalSource CardiacBeatRejectionTechnique CardiacFramingType
    RespiratorySynchronizationSequence RespiratoryMotionCompensationTechnique RespiratorySignalSource
    RespiratoryTriggerType RespiratoryTriggerDelayThreshold RespiratoryIntervalTime RespiratoryCyclePosition
    BulkMotionSignalSource BulkMotionCompensationTechnique NominalRespiratoryTriggerDelayTime
    ActualRespiratoryTriggerDelayTime NominalPercentageOfRespiratoryPhase StartingRespiratoryAmplitude
    StartingRespiratoryPhase EndingRespiratoryAmplitude EndingRespiratoryPhase SynchronizationTrigger
    AcquisitionTimeSynchronized AcquisitionDuration SynchronizationFrameOfReferenceUID
"""
_SCAN = """
    Manufacturer ManufacturerModelName SoftwareVersions MagneticFieldStrength ScanningSequence
    SequenceVariant ScanOptions MRAcquisitionType SequenceName PulseSequenceName AngioFlag RepetitionTime
    EchoTime InversionTime EffectiveEchoTime InversionTimes NumberOfAverages ImagingFrequency ImagedNucleus
    ResonantNucleus EchoNumbers NumberOfPhaseEncodingSteps EchoTrainLength PercentSampling
    PercentPhaseFieldOfView PixelBandwidth AcquisitionMatrix InPlanePhaseEncodingDirection FlipAngle
    VariableFlipAngleFlag SAR dBdt B1rms ReceiveCoilName TransmitCoilName ContrastBolusVolume
    ContrastBolusTotalDose ContrastFlowRate ContrastFlowDuration ContrastBolusIngredient
    ContrastBolusIngredientConcentration
"""
_SCAN_OF_FRAMES = """
    EchoPulseSequence SaturationRecovery MRSpatialSaturationSequence SlabThickness SlabOrientation
    MidSlabPosition MultipleSpinEcho MultiPlanarExcitation PhaseContrast VelocityEncodingAcquisitionSequence
    TimeOfFlightContrast ArterialSpinLabelingContrast SteadyStatePulseSequence EchoPlanarPulseSequence
    SpectrallySelectedSuppression OversamplingPhase GeometryOfKSpaceTraversal
    RectilinearPhaseEncodeReordering SegmentedKSpaceTraversal CoverageOfKSpace NumberOfKSpaceTrajectories
    KSpaceFiltering ApplicableSafetyStandardAgency MRTimingAndRelatedParametersSequence RFEchoTrainLength
    GradientEchoTrainLength SpecificAbsorptionRateSequence SpecificAbsorptionRateDefinition
    SpecificAbsorptionRateValue OperatingModeSequence OperatingModeType OperatingMode GradientOutputType
    GradientOutput MRFOVGeometrySequence MRAcquisitionFrequencyEncodingSteps
    MRAcquisitionPhaseEncodingStepsInPlane MRAcquisitionPhaseEncodingStepsOutOfPlane MREchoSequence
    MRModifierSequence InversionRecovery FlowCompensation FlowCompensationDirection Spoiling T2Preparation
    SpectrallySelectedExcitation SpatialPresaturation PartialFourier PartialFourierDirection
    ParallelAcquisition ParallelAcquisitionTechnique ParallelReductionFactorInPlane
    ParallelReductionFactorOutOfPlane ParallelReductionFactorSecondInPlane MRImagingModifierSequence
    MagnetizationTransfer BloodSignalNulling Tagging TagSpacingFirstDimension TagSpacingSecondDimension
    TagAngleFirstAxis TagAngleSecondAxis TagThickness TaggingDelay TransmitterFrequency
    MRReceiveCoilSequence ReceiveCoilManufacturerName MultiCoilDefinitionSequence MultiCoilElementName
    MultiCoilElementUsed ReceiveCoilType QuadratureReceiveCoil MRTransmitCoilSequence TransmitCoilType
    TransmitCoilManufacturerName MRAveragesSequence MRVelocityEncodingSequence VelocityEncodingDirection
    VelocityEncodingMinimumValue VelocityEncodingMaximumValue
"""
_REFERENCES = """
    ReferencedImageSequence SourceImageSequence ReferencedSOPClassUID ReferencedSOPInstanceUID
    ReferencedFrameNumber PurposeOfReferenceCodeSequence RelatedSeriesSequence ReferencedSeriesSequence
    ReferencedInstanceSequence ReferencedSOPSequence ReferencedImageEvidenceSequence
    SourceImageEvidenceSequence StudiesContainingOtherReferencedInstancesSequence
    ConversionSourceAttributesSequence DerivationImageSequence DerivationCodeSequence CodeValue
    CodingSchemeDesignator CodingSchemeVersion CodeMeaning
"""
# of the patient, none of which names one: option 113108
_CHARACTERISTICS = "PatientSex PatientAge PatientSize PatientWeight"
# days move by a number of days that is the patient's own, the time of day stays: option 113107
_TIMES = """
    StudyDate SeriesDate AcquisitionDate ContentDate StudyTime SeriesTime AcquisitionTime ContentTime
    AcquisitionDateTime FrameAcquisitionDateTime FrameReferenceDateTime
"""
_DESCRIPTIONS = "SeriesDescription ProtocolName"


def _tags(*keywords: str) -> frozenset[int]:
    return frozenset(tag_of(keyword) for keyword in " ".join(keywords).split())


DESCRIPTIONS = _tags(_DESCRIPTIONS)
"""Texts of which only words of the trade are left (`words`): option 113105."""

EMPTIED = _tags("PatientBirthDate ReferringPhysicianName AccessionNumber StudyID PositionReferenceIndicator")
"""What an image has to have, and may have empty (type 2)."""

REPLACED = _tags("DeviceSerialNumber ContrastBolusAgent AcquisitionContextSequence")
"""What has to be there in some of the classes: it stays, without what it says."""

KEPT = DESCRIPTIONS | _tags(
    *(_OBJECT, _PIXELS, _PLACE, _FRAMES, _BEAT, _SCAN, _SCAN_OF_FRAMES, _REFERENCES, _CHARACTERISTICS, _TIMES)
)
"""What stays, if its value is of the kind it must be (`values`)."""
