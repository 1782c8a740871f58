"""`models show --json`: all that is known of one model, for scripts."""

import hashlib
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_public_key,
)
from typer.testing import CliRunner

from dicom_node.cli import app
from dicom_node.config import load_settings
from dicom_node.migrations import migrate
from dicom_node.registry import Registry, Shelf
from dicom_node.store import Store
from dicom_node.store.model_records import CONFIGURED, ShadowAnswer
from models.bundle_contents import CARD_NAME
from models.bundle_file import bundle_from_folder, pack, read_bundle
from models.manifest import read_manifest
from tests.dicom_node.rows import START, deliver, images
from tests.e2e.light_bundle import light_bundle


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A node whose own model is LIGHT 1, with another threshold, and which trusts one key."""
    light_bundle(tmp_path / "own")
    path = tmp_path / "config.yaml"
    model = {"bundle": "own", "threshold": 0.25, "trusted_keys": ["key.pub.pem"]}
    key = Ed25519PrivateKey.generate()
    (tmp_path / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public = key.public_key()
    (tmp_path / "key.pub.pem").write_bytes(
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    path.write_text(yaml.safe_dump({"data_dir": "data", "model": model}))
    return path


@pytest.fixture
def store(config: Path) -> Iterator[Store]:
    settings = load_settings(config)
    settings.data_dir.mkdir()
    migrate(settings.database_url)
    store = Store(settings.database_url)
    yield store
    store.close()


def shown(config: Path, *which: str) -> Any:
    done = CliRunner().invoke(app, ["--config", str(config), "models", "show", *which, "--json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def taken(store: Store, config: Path) -> tuple[Registry, str]:
    """The node's registry, and the digest of a signed model with a card in it."""
    folder, file = light_bundle(config.parent / "second", version="2", threshold=0.75), config.parent / "two"
    (folder / CARD_NAME).write_text("# What it is\n", encoding="utf-8")
    file.write_bytes(pack(bundle_from_folder(folder), config.parent / "key.pem"))
    settings = load_settings(config)
    trusted = settings.model.trusted_keys
    at = iter(START + timedelta(minutes=one) for one in range(9))
    registry = Registry(
        store.registered, Shelf(settings.data_dir / "models"), trusted, "somebody", lambda: next(at)
    )
    return registry, registry.take(read_bundle(file, trusted), "a file").digest


def test_an_imported_model_is_shown_with_its_standing_its_signer_its_card_and_its_history(
    store: Store, config: Path
) -> None:
    registry, digest = taken(store, config)
    registry.activate(digest, beside=False, reason="better")
    found = shown(config)
    listed = json.loads(CliRunner().invoke(app, ["--config", str(config), "models", "--json"]).stdout)
    [row] = [one for one in listed["models"] if one["reference"] == digest]
    assert {name: found[name] for name in row} == row
    assert (found["reference"], found["standing"], found["threshold"]) == (digest, "active", 0.75)
    public = (config.parent / "key.pub.pem").read_bytes()
    assert found["signed_by"] == fingerprint(public)
    assert found["card"] == "# What it is\n"
    assert found["manifest"] == json.loads(read_manifest(config.parent / "second").as_json())
    acts = [(one["what"], one["who"], one["reason"]) for one in found["history"]]
    assert acts == [("import", "somebody", "a file"), ("activate", "somebody", "better")]
    assert found["history"][0]["at"] == START.isoformat()
    assert found["shadow_runs"] == {}


def test_how_often_a_model_was_asked_in_the_shadow_is_shown_by_how_that_ended(
    store: Store, config: Path
) -> None:
    registry, digest = taken(store, config)
    registry.shadow(digest, "is it better?")
    store.add_instances(images(3), START)
    deliver(store, at=START + timedelta(hours=1))
    task = store.shadows.next()
    assert task is not None
    store.shadows.note(task, ShadowAnswer(START + timedelta(hours=2), 1.0, "died", "it was killed"))
    found = shown(config, "LIGHT:2")
    assert (found["standing"], found["shadow_runs"]) == ("shadow", {"died": 1})


def test_what_config_yaml_sets_is_the_threshold_in_use(store: Store, config: Path) -> None:
    found = shown(config, CONFIGURED)
    assert (found["reference"], found["standing"], found["signed_by"]) == (CONFIGURED, "active", "")
    assert (found["threshold"], found["manifest"]["threshold"]) == (0.25, 0.5)
    assert (found["card"], found["history"]) == ("", [])


def fingerprint(public: bytes) -> str:
    """Of a public key in PEM."""
    key = load_pem_public_key(public)
    assert isinstance(key, Ed25519PublicKey)
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()
