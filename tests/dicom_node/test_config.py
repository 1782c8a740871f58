from pathlib import Path

import pytest
from pydantic import ValidationError

from dicom_node.config import Settings, load_settings
from dicom_node.config_destinations import WebDestination
from dicom_node.config_keys import known_keys
from dicom_node.errors import ConfigError

EXAMPLE = Path(__file__).parents[2] / "config.yaml"
FROM_ELSEWHERE = "receive: {host: 0.0.0.0, callers: [{ae_title: SCANNER1, ip: 192.0.2.10}]}"


@pytest.fixture(autouse=True)
def no_settings_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [f"DICOM_NODE_{key.upper().replace('.', '__')}" for key in known_keys(Settings)]:
        monkeypatch.delenv(name, raising=False)


def written(folder: Path, text: str) -> Path:
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_file_that_ships_is_the_defaults() -> None:
    settings = load_settings(EXAMPLE)
    assert settings.model_dump(exclude={"data_dir"}) == Settings().model_dump(exclude={"data_dir"})
    assert settings.data_dir == EXAMPLE.parent / "data"


def test_no_file_is_the_defaults_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_settings(None).data_dir == tmp_path / "data"


def test_an_empty_file_is_the_defaults(tmp_path: Path) -> None:
    assert load_settings(written(tmp_path, "# nothing yet\n")).receive == Settings().receive


def test_settings_cannot_be_changed_while_the_node_runs() -> None:
    settings = load_settings(EXAMPLE)
    with pytest.raises(ValidationError, match="frozen"):
        settings.receive.port = 1  # type: ignore[misc]


def test_a_relative_data_folder_lies_beside_the_file_and_holds_the_database(tmp_path: Path) -> None:
    settings = load_settings(written(tmp_path, "data_dir: studies\nmodel: {bundle: ours}"))
    assert settings.data_dir == tmp_path / "studies"
    assert settings.model.bundle == tmp_path / "ours"
    assert settings.database_url == f"sqlite:///{tmp_path / 'studies' / 'node.db'}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("recieve: {port: 1}", "recieve: unknown key; did you mean receive?"),
        ("receive: {prot: 1}", "receive.prot: unknown key; did you mean receive.port?"),
        ("receive: {callers: [{ae_title: A, pi: 1}]}", "did you mean receive.callers.ip?"),
        ("destinations: [{name: a, host: b, port: 1, ae_title: X, aet: X}]", "did you mean destinations."),
        ("qqqqqqqq: 1", "qqqqqqqq: unknown key"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest_known_one(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        load_settings(written(tmp_path, text))
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("receive: {port: 70000}", "receive.port"),
        ("receive: {ae_title: SEVENTEEN_LETTERS}", "receive.ae_title"),
        ('receive: {ae_title: "A\\\\B"}', "receive.ae_title"),
        ("complete: {incomplete: guess}", "complete.incomplete"),
        ("model: {threshold: 1.5}", "model.threshold"),
        ("destinations: [{name: a b, host: h, port: 1, ae_title: X}]", "destinations.0.name"),
        ("destinations: [{name: a, host: h, port: 0, ae_title: X}]", "destinations.0.port"),
    ],
)
def test_a_wrong_value_is_refused_by_its_key(tmp_path: Path, text: str, key: str) -> None:
    with pytest.raises(ConfigError, match=rf"(?m)^  {key}: "):
        load_settings(written(tmp_path, text))


def test_a_way_to_explain_that_there_is_not_is_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        load_settings(written(tmp_path, "model: {explain: lime}"))
    assert "model.explain: Input should be 'auto', 'attention', 'gradcam' or 'occlusion'" in str(
        refused.value
    )


def test_two_destinations_of_one_name_are_refused(tmp_path: Path) -> None:
    one = "{name: pacs, host: h, port: 104, ae_title: X}"
    with pytest.raises(ConfigError, match="two destinations are called 'pacs'"):
        load_settings(written(tmp_path, f"destinations: [{one}, {one}]"))


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "node.hospital.example"])
def test_listening_beyond_this_machine_needs_a_list_of_callers(tmp_path: Path, host: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load_settings(written(tmp_path, f"receive: {{host: '{host}'}}"))
    assert f"listening on {host} with an empty list of callers would let anyone send" in str(refused.value)
    advice = str(refused.value).split("for example: ")[1]
    assert load_settings(written(tmp_path, advice)).receive.callers[0].ae_title == "SCANNER1"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.53", "::1", "localhost"])
def test_anyone_on_this_machine_may_send(tmp_path: Path, host: str) -> None:
    assert load_settings(written(tmp_path, f"receive: {{host: '{host}'}}")).receive.host == host


def test_with_callers_the_node_may_listen_anywhere(tmp_path: Path) -> None:
    [caller] = load_settings(written(tmp_path, FROM_ELSEWHERE)).receive.callers
    assert (caller.ae_title, caller.ip) == ("SCANNER1", "192.0.2.10")


def test_the_environment_overrides_one_key_and_leaves_its_neighbours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DICOM_NODE_RECEIVE__PORT", "4242")
    receive = load_settings(written(tmp_path, "receive: {port: 104, ae_title: HEART}")).receive
    assert (receive.port, receive.ae_title) == (4242, "HEART")


def test_the_environment_takes_a_list_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    pacs = '[{"name": "pacs", "host": "127.0.0.1", "port": 4242, "ae_title": "ORTHANC"}]'
    monkeypatch.setenv("DICOM_NODE_DESTINATIONS", pacs)
    assert [one.name for one in load_settings(None).destinations] == ["pacs"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("DICOM_NODE_RECIEVE__PORT", "DICOM_NODE_RECIEVE__PORT is no setting; did you mean receive.port?"),
        ("DICOM_NODE_RECEIVE__PROT", "receive.prot: unknown key; did you mean receive.port?"),
        ("DICOM_NODE_DESTINATIONS", "a list is written as JSON"),
    ],
)
def test_a_slip_in_the_environment_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, message: str
) -> None:
    monkeypatch.setenv(name, "oops")
    with pytest.raises(ConfigError) as refused:
        load_settings(None)
    assert message in str(refused.value)


def test_the_variable_that_names_the_file_is_no_slip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DICOM_NODE_CONFIG", str(EXAMPLE))
    assert load_settings(EXAMPLE).receive == Settings().receive


@pytest.mark.parametrize("text", ["receive: [", "- a\n- list", "\x00"])
def test_a_file_that_is_no_mapping_is_refused_by_name(tmp_path: Path, text: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError, match=str(path)):
        load_settings(path)


def test_a_file_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.yaml: No such file"):
        load_settings(tmp_path / "nowhere.yaml")


WEB = "name: cloud, url: 'https://pacs.example.org/dicom-web/'"
CA = "tls: {authorities: ca.pem}"


def test_a_destination_with_a_url_is_reached_by_dicomweb(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(f"destinations: [{{{WEB}, secret_file: cloud.token}}]\n{CA}\n")
    [cloud] = load_settings(config).destinations
    assert isinstance(cloud, WebDestination)
    assert (cloud.url, cloud.tls) == ("https://pacs.example.org/dicom-web", True)
    assert cloud.secret_file == tmp_path / "cloud.token"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"destinations: [{{{WEB}}}]", "destination cloud uses TLS, which needs tls.authorities"),
        (f"destinations: [{{{WEB}, user: me}}]\n{CA}", "has a user, which needs secret_file or secret_env"),
        (f"destinations: [{{{WEB}, secret_file: a, secret_env: B}}]\n{CA}", "one of them is enough"),
        ("destinations: [{name: a, url: 'http://192.0.2.1/x', secret_env: B}]", "unprotected; use https"),
        ("destinations: [{name: a, url: 'https://me:pw@h/x'}]", "must not hold a user or password"),
        ("destinations: [{name: a, url: 'ftp://h/x'}]", "is the root of a DICOMweb service"),
        ("destinations: [{name: a, url: 'https://h:99999/x'}]", "is the root of a DICOMweb service"),
        (f"destinations: [{{{WEB}, proof: commitment}}]\n{CA}", "destinations.0.proof: "),
        (f"destinations: [{{{WEB}, tokn: x}}]\n{CA}", "destinations.0.tokn: unknown key"),
        (f"destinations: [{{{WEB}, accepts: {{kinds: [srr]}}}}]\n{CA}", "destinations.0.accepts.kinds.0: "),
    ],
)
def test_a_destination_by_dicomweb_that_cannot_be_meant_is_refused(
    tmp_path: Path, text: str, words: str
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(text)
    with pytest.raises(ConfigError) as refused:
        load_settings(config)
    assert words in str(refused.value)
    assert "pw@" not in str(refused.value)
