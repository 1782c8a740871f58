"""How many images each study has, written beside it, so that nobody walks over all of them to know.

An image counts when it is kept and the current one of its UID. Whoever changes which rows count has their
studies counted anew before the transaction ends: counted, not reckoned up or down, so that no slip stays.
"""

from collections.abc import Iterable

from sqlalchemy import Connection, bindparam, func, select, text, update

from dicom_node.store.schema import IMAGE_COUNTS, instances, studies

_STUDY = studies.c.study_instance_uid == bindparam("study")
_COUNTING = text(IMAGE_COUNTS)

# Done for every batch of images, so built once.
_HELD = select(studies.c.study_instance_uid).where(_STUDY).with_for_update(key_share=True)
_ITS_IMAGES = (
    select(func.count())
    .where(instances.c.study_instance_uid == bindparam("study"), _COUNTING)
    .scalar_subquery()
)
_COUNTED = update(studies).where(_STUDY).values(images=_ITS_IMAGES)


def recount(connection: Connection, study_uids: Iterable[str]) -> None:
    """Write down how many images these studies have now.

    In PostgreSQL another transaction may be changing the same study: only once its row is held does a further
    statement see all that was committed.
    """
    for study_uid in sorted(set(study_uids)):
        connection.execute(_HELD, {"study": study_uid})
        connection.execute(_COUNTED, {"study": study_uid})


def total(connection: Connection) -> int:
    """How many images there are; the few of which nobody knows the study are counted as they stand."""
    known = connection.execute(select(func.sum(studies.c.images))).scalar_one() or 0
    lost = select(func.count()).where(instances.c.study_instance_uid.is_(None), _COUNTING)
    return known + connection.execute(lost).scalar_one()
