"""What the process that decodes does with a task."""

from base64 import b64encode
from pathlib import Path

from dicom_node.analysis.shortage import is_shortage
from dicom_node.decoding.messages import Answer, Task
from models.training.preparing import prepare_study
from models.training.studies import FoundStudy, filed
from pipeline import PipelineError
from pipeline.preprocessing import Preprocessing


def answer_to(task: Task) -> Answer:
    """Where a file belongs, or what a study was made into."""
    paths = tuple(map(Path, task.paths))
    if not task.recipe:
        belongs = filed(*paths)
        return Answer(study=belongs.study, patient=belongs.patient)
    found = FoundStudy("", ("",) * task.patients, paths, "")
    try:
        prepared = prepare_study(found, Preprocessing.from_json(task.recipe))
    except (PipelineError, MemoryError) as error:
        short = is_shortage(error)
        return Answer(refused="they take more memory than there is" if short else str(error), short=short)
    cine = b64encode(prepared.cine.tobytes()).decode("ascii")
    return Answer(cine=cine, groups=dict(prepared.groups), simulated=prepared.simulated)
