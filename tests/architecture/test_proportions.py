"""Small files, small functions, and the world kept outside."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("dicom_node", "models", "pipeline", "reports")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
LINES_PER_MODULE = 250
LINES_PER_FUNCTION = 40
DOORS = {
    "dicom_node/receiver/reactor.py": "a stranger's PDU meets a decoder",
    "dicom_node/receiver/served.py": "a stranger's request meets the negotiation",
    "dicom_node/receiver/storing.py": "a stranger's bytes meet a parser",
    "dicom_node/intake/index.py": "a stranger's file is read",
    "dicom_node/analysis/worker.py": "a model and its decoders run",
    "dicom_node/schedule.py": "one hand that is stuck must not stop the clock",
}
WORLD = {"datetime.now", "time.time", "os.environ", "os.getenv", "print", "socket", "sys.stdout"}
ALLOWED = {
    "models/network.py": {"os.environ"},  # where Keras reads which backend to load
    "models/hardware.py": {"os.environ"},  # where TensorFlow reads how much to say
    "models/demo_weights.py": {"sys.stdout"},  # a command, not a part of the node
    "models/explanation/__main__.py": {"sys.stdout"},  # another
}


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def calls(path: Path) -> set[str]:
    """Every dotted name that a module calls or reads, for example `datetime.now`."""
    return {ast.unparse(node) for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute | ast.Name)}


def test_there_are_modules_to_look_at() -> None:
    assert len(MODULES) > 20


def test_no_module_is_longer_than_its_ceiling() -> None:
    lengths = {name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    assert {path: lines for path, lines in lengths.items() if lines > LINES_PER_MODULE} == {}


def test_no_function_is_longer_than_its_ceiling() -> None:
    long = {
        f"{name(path)}:{node.lineno} {node.name}": node.end_lineno - node.lineno + 1
        for path in MODULES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > LINES_PER_FUNCTION
    }
    assert long == {}


def test_anything_is_caught_only_at_the_doors() -> None:
    broad = {
        name(path)
        for path in MODULES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in {"Exception", "BaseException"})
    }
    assert broad == set(DOORS)


@pytest.mark.parametrize("word", ["utils", "helpers", "base", "common", "misc", "types"])
def test_no_module_is_named_by_someone_who_did_not_decide(word: str) -> None:
    assert [name(path) for path in MODULES if word in {path.stem, path.parent.name}] == []


@pytest.mark.parametrize("package", ["models", "pipeline", "reports"])
def test_a_package_that_takes_values_leaves_the_world_alone(package: str) -> None:
    found = {name(path): calls(path) & WORLD for path in MODULES if name(path).startswith(f"{package}/")}
    beyond = {path: names - ALLOWED.get(path, set()) for path, names in found.items()}
    assert {path: names for path, names in beyond.items() if names} == {}


def test_an_action_in_the_log_is_one_hyphenated_name() -> None:
    levels = {"debug", "info", "warning", "error", "exception", "critical"}
    actions = {
        ast.unparse(node.args[0]) if node.args else "(none)"
        for path in MODULES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in levels
        and ast.unparse(node.func.value).removeprefix("self.").lstrip("_") == "log"
    }
    assert actions, "nothing is logged"
    assert sorted(one for one in actions if not one.strip("'").replace("-", "").islower()) == []
