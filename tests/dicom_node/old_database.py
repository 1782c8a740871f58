"""A database as the first release left it."""

from alembic import command
from alembic.config import Config
from sqlalchemy import text

from dicom_node.store.engine import open_engine, transaction

_RESULT = """
INSERT INTO studies VALUES ('1.2.3', 'P', '2026-01-01 00:00:00');
INSERT INTO jobs (id, study_instance_uid, state, changed_at, generation, attempts, reason)
  VALUES (1, '1.2.3', 'delivered', '2026-01-01 00:00:00', 1, 1, '');
INSERT INTO instances (path, digest, study_instance_uid, sop_instance_uid, sop_class_uid, transfer_syntax_uid,
  source_ae_title, received_at, current, kept, unusable)
  VALUES ('1.dcm', 'd', '1.2.3', '1.2.3.1', 'c', 't', 'S', '2026-01-01 00:00:00', TRUE, TRUE, '');
INSERT INTO models VALUES ('ab', '{"name": "ST-RAN", "version": "1"}', '2026-01-01 00:00:00');
INSERT INTO results (job_id, generation, kind, sop_class_uid, sop_instance_uid, series_instance_uid, path, digest,
  weights_sha256, inputs_key, made_at, current)
  VALUES (1, 1, 'sr', 'c', '2.25.1', '2.25.9', 'r.dcm', 'd', 'ab', 'k', '2026-01-01 00:00:00', TRUE);
INSERT INTO deliveries (result_id, destination, state, attempts, misses, created_at, next_try_at, comment,
  sent_sop_class_uid, sent_sop_instance_uid)
  SELECT id, 'pacs', 'sent', 1, 0, made_at, made_at, '', 'c', '2.25.1' FROM results
"""


def first_release(url: str) -> None:
    """Bring the empty database at `url` to the first schema, with one delivered result, 2.25.1, of study 1.2.3."""
    engine, config = open_engine(url), Config()
    config.set_main_option("script_location", "dicom_node:migrations")
    with transaction(engine, writes=True) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    with transaction(engine, writes=True) as connection:
        for statement in _RESULT.split(";"):
            connection.execute(text(statement.replace(":", "\\:")))
    engine.dispose()
