"""The coded vocabulary of our reports (PS3.16; the context groups are named beside each code).

Every (value, scheme) stands in PS3.16 with this meaning, but for our own scheme 99STRAN.
"""

from typing import Final

from pydicom.sr.coding import Code

PRIVATE_SCHEME: Final = "99STRAN"

# What is said
# (122157, DCM, Probability) would leave a viewer that shows only the meaning silent about of what.
SCAR_PROBABILITY: Final = Code("SCAR-PROB", PRIVATE_SCHEME, "Probability of myocardial scar")
THRESHOLD: Final = Code("122411", "DCM", "Threshold Value")
SCARRED_MYOCARDIUM: Final = Code("122113", "DCM", "Scarred Myocardium")  # CID 3704
STUDY_QUALITY: Final = Code("130549", "DCM", "Imaging Study Quality")
SUMMARY: Final = Code("121111", "DCM", "Summary")
COMMENT: Final = Code("121106", "DCM", "Comment")
EQUIVALENT_MEANING: Final = Code("121050", "DCM", "Equivalent Meaning of Concept Name")

# What it is said to be
PRESENT: Final = Code("52101004", "SCT", "Present")  # CID 240
ABSENT: Final = Code("272519000", "SCT", "Absent")
UNDETERMINED: Final = Code("373068000", "SCT", "Undetermined")
DIAGNOSTIC_QUALITY: Final = Code("RID12", "RADLEX", "Diagnostic quality")  # CID 7036
LIMITED_QUALITY: Final = Code("RID13", "RADLEX", "Limited quality")
PERCENT: Final = Code("%", "UCUM", "Percent")
PIXELS: Final = Code("{pixels}", "UCUM", "Pixels")
NO_UNITS: Final = Code("1", "UCUM", "no units")
MEAN: Final = Code("373098007", "SCT", "Mean")  # CID 7464

# Of what, and by what
PROCEDURE_REPORTED: Final = Code("121058", "DCM", "Procedure reported")
CARDIAC_MRI: Final = Code("241620005", "SCT", "Cardiac MRI")  # CID 3820
LV_MYOCARDIUM: Final = Code("49848007", "SCT", "Left Ventricle Myocardium")  # CID 12305
MAGNETIC_RESONANCE: Final = Code("MR", "DCM", "Magnetic Resonance")
MODALITY: Final = Code("121139", "DCM", "Modality")
FRAME_OF_REFERENCE: Final = Code("112227", "DCM", "Frame of Reference UID")
ROWS: Final = Code("110910", "DCM", "Pixel Data Rows")
COLUMNS: Final = Code("110911", "DCM", "Pixel Data Columns")
ARTIFICIAL_INTELLIGENCE: Final = Code("123110", "DCM", "Artificial Intelligence")  # CID 7162
DEVICE: Final = Code("121007", "DCM", "Device")

# What the map is, and its strongest region
SALIENCY: Final = Code("130404", "DCM", "Saliency")  # CID 217
GRADIENT_WEIGHTED: Final = Code("130403", "DCM", "Gradient-weighted class activation")  # CID 217
REGION_OF_INTEREST: Final = Code("C85402", "NCIt", "Imaging Region of Interest")  # CID 272
SPATIAL_CONCEPT: Final = Code("309825002", "SCT", "Spatial and Relational Concept")  # CID 7150
HEART: Final = Code("80891009", "SCT", "Heart")  # CID 4

# The document
ENGLISH: Final = Code("en-US", "RFC5646", "English (United States)")
MEASUREMENT_REPORT: Final = Code("126000", "DCM", "Imaging Measurement Report")  # CID 7021
CARDIOVASCULAR_REPORT: Final = Code("122600", "DCM", "Cardiovascular Analysis Report")
FOR_RESEARCH: Final = Code("113009", "DCM", "For Research")  # CID 7010
QUALITATIVE_EVALUATIONS: Final = Code("C0034375", "UMLS", "Qualitative Evaluations")
DERIVED_MEASUREMENTS: Final = Code("126011", "DCM", "Derived Imaging Measurements")
IMAGE_LIBRARY: Final = Code("111028", "DCM", "Image Library")
IMAGE_LIBRARY_GROUP: Final = Code("126200", "DCM", "Image Library Group")
VISUAL_EXPLANATION: Final = Code("130401", "DCM", "Visual explanation")

# Title, headings and lines of a report that is read (CID 7001, 7002)
MRI_REPORT: Final = Code("25056-3", "LN", "MRI Report")  # CID 7000
PROCEDURE_DESCRIPTIONS: Final = Code("55111-9", "LN", "Current Procedure Descriptions")
PROCEDURE_DESCRIPTION: Final = Code("121065", "DCM", "Procedure Description")
FINDINGS: Final = Code("59776-5", "LN", "Findings")
IMPRESSIONS: Final = Code("19005-8", "LN", "Impressions")
IMPRESSION: Final = Code("121073", "DCM", "Impression")

# Purposes of reference
SOURCE_IMAGE: Final = Code("121322", "DCM", "Source image for image processing operation")  # CID 7202
PARTIAL_RENDERING: Final = Code("121333", "DCM", "Partial Rendering for Presentation")  # CID 7006
ACQUISITION_EQUIPMENT: Final = Code("109101", "DCM", "Acquisition Equipment")
PROCESSING_EQUIPMENT: Final = Code("109102", "DCM", "Processing Equipment")
