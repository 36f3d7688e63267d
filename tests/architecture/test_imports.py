"""Imports point one way, and each heavy library has one door."""

import ast
from pathlib import Path

import pytest

SRC = Path(__file__).resolve().parents[2] / "src" / "crm"
FILES = sorted(SRC.rglob("*.py"))

# From the source to the page: a room imports rooms of earlier lines, and itself.
ORDER = [
    {"errors"},
    {"atomic", "periods", "engine", "finding", "headline", "kept"},
    {"measures", "purchase_models"},
    {"config"},
    {"written_lists"},
    {"contracts"},
    {"sources"},
    {"proposal"},
    {"facts"},
    {"mart"},
    {"features"},
    {"outcomes"},
    {"snapshots"},
    {"analyses"},
    {"scoring"},
    {"readiness"},
    {"tracking"},
    {"review"},
    {"publishing"},
    {"reporting"},
    {"runner"},
    {"cli", "__main__"},
]
LEVEL = {room: level for level, rooms in enumerate(ORDER) for room in rooms}

DOORS = {
    "mlflow": {"tracking"},
    "papermill": {"runner"},
    "nbclient": {"runner"},
    "jupyter_client": {"runner"},
    "nbformat": {"runner", "reporting"},
    "nbconvert": {"reporting"},
    "matplotlib": {"reporting"},
    "seaborn": {"reporting"},
    "jinja2": {"reporting"},
    "typer": {"cli"},
    "lifetimes": {"purchase_models"},
    "psycopg": {"sources"},
    "python_calamine": {"sources"},
}

CLOCK = {
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "date.today",
    "time.time",
    "Timestamp.now",
    "Timestamp.today",
}


def room_of(file: Path) -> str:
    return file.relative_to(SRC).parts[0].removesuffix(".py")


def imports_of(file: Path) -> list[tuple[str, bool]]:
    """Module names imported, and whether only for type checking."""
    tree = ast.parse(file.read_text())
    typing_only = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    found = []
    for node in ast.walk(tree):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        found += [(name, id(node) in typing_only) for name in names]
    return found


def test_every_module_has_a_room():
    assert {room_of(file) for file in FILES} - {"__init__"} == set(LEVEL)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(SRC).as_posix())
def test_imports_point_one_way(file):
    room = room_of(file)
    if room == "__init__":
        return
    for name, _ in imports_of(file):
        if not name.startswith("crm."):
            continue
        other = name.split(".")[1]
        assert other == room or LEVEL[other] <= LEVEL[room], f"{room} imports {name}, which comes after it"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.relative_to(SRC).as_posix())
def test_each_heavy_library_has_one_door(file):
    for name, _ in imports_of(file):
        rooms = DOORS.get(name.split(".")[0])
        assert rooms is None or room_of(file) in rooms, f"{name} belongs to {rooms}"


SHARED_BY_ANALYSES = {"requirements", "not_one_person", "standing"}


def test_analyses_do_not_know_each_other():
    for file in (SRC / "analyses").rglob("*.py"):
        own = file.relative_to(SRC / "analyses").parts[0].removesuffix(".py")
        for name, _ in imports_of(file):
            if name.startswith("crm.analyses.") and own != "__init__":
                assert name.split(".")[2] in {own, *SHARED_BY_ANALYSES}, f"{own} imports {name}"


def test_only_the_command_line_reads_the_wall_clock():
    for file in FILES:
        if room_of(file) == "cli":
            continue
        calls = {ast.unparse(n.func) for n in ast.walk(ast.parse(file.read_text())) if isinstance(n, ast.Call)}
        read = {call for call in calls for clock in CLOCK if call == clock or call.endswith("." + clock)}
        assert not read, f"{file.relative_to(SRC)} reads the clock: {read}"


def test_no_room_is_called_after_nothing():
    nothing = {"utils", "helpers", "common", "base", "misc", "manager", "util", "helper"}
    assert not {file.stem for file in FILES} & nothing


def test_importing_crm_is_light():
    """Naming the package costs nothing: what is heavy is loaded on first use."""
    import subprocess
    import sys

    heavy = "import sys, crm; print([m for m in ('pandas', 'mlflow', 'matplotlib', 'duckdb') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_public_name_is_there_and_says_what_it_answers():
    import crm

    for name in crm.__all__:
        assert getattr(crm, name).__doc__, name
        assert name in (crm.__doc__ or "") or name in ("open_mart", "publish"), name
