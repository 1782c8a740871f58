"""What README.md and config.yaml say is what there is."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from dicom_node.cli.commands import COMMANDS, Deferred
from dicom_node.config import Settings
from dicom_node.config_keys import known_keys

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONFIG = (ROOT / "config.yaml").read_text(encoding="utf-8")
KEYS = known_keys(Settings)
IN_LISTS = [key for key in KEYS if key.startswith(("receive.callers.", "destinations."))]


def keys_and_lines(node: yaml.Node, prefix: str = "") -> Iterator[tuple[str, int]]:
    """Every dotted key of a YAML document and the line it stands on, from 0."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield f"{prefix}{key.value}", key.start_mark.line
            yield from keys_and_lines(value, f"{prefix}{key.value}.")


def explanation(line: int) -> str:
    """The comment right above a line of config.yaml."""
    above = reversed(CONFIG.splitlines()[:line])
    comment: list[str] = []
    for text in above:
        if not text.lstrip().startswith("#"):
            break
        comment.insert(0, text.lstrip("# "))
    return " ".join(comment)


WRITTEN = dict(keys_and_lines(yaml.compose(CONFIG)))


def test_config_yaml_holds_every_key_and_no_other() -> None:
    assert sorted(WRITTEN) == sorted(set(KEYS) - set(IN_LISTS))


@pytest.mark.parametrize("key", sorted(WRITTEN))
def test_config_yaml_explains_the_key(key: str) -> None:
    said = explanation(WRITTEN[key])
    assert len(said.split()) >= 4, f"{key} has no explanation above it"


@pytest.mark.parametrize("key", IN_LISTS)
def test_config_yaml_shows_the_key_of_a_list_in_an_example(key: str) -> None:
    of = max((one for one in WRITTEN if key.startswith(f"{one}.")), key=len)
    assert f"{key.rpartition('.')[2]}:" in explanation(WRITTEN[of])


@pytest.mark.parametrize("key", sorted(KEYS))
def test_the_code_explains_the_key(key: str) -> None:
    assert KEYS[key].endswith("."), key


def test_the_readme_begins_with_the_two_commands() -> None:
    assert re.match(r"# [^\n]+\n\n```(?:sh|console|bash)\nmake demo[^\n]*\nmake test[^\n]*\n```\n", README)


def test_the_readme_lists_the_commands_that_there_are() -> None:
    loaded = {name: Deferred(name, callback=None).load() for name in COMMANDS}
    there = {
        f"{name} {nested}".strip()
        for name, command in loaded.items()
        for nested in getattr(command, "commands", [""])
    }
    listed = set(re.findall(r"(?m)^\| `dicom-node ([a-z]+(?: [a-z]+)*)", README))
    assert listed == there


def test_every_make_target_the_readme_names_exists() -> None:
    targets = set(re.findall(r"(?m)^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8")))
    named = set(re.findall(r"(?m)(?:^|`)make ([a-z]+)", README))
    assert {"demo", "test", "lint", "peers"} <= named <= targets


def test_every_file_the_documents_link_to_exists() -> None:
    documents = [ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")]
    broken = [
        f"{document.relative_to(ROOT)}: {target}"
        for document in documents
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text(encoding="utf-8"))
        if not (document.parent / target).exists()
    ]
    assert broken == []
