"""Documents are checked like code: what they say is there is there, and what is generated is up to date."""

import ast
import importlib.util
import json
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def load_generator():
    spec = importlib.util.spec_from_file_location("generate", ROOT / "tools" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


generate = load_generator()


@pytest.mark.parametrize("name", generate.GENERATED)
def test_generated_files_are_up_to_date(name):
    assert (ROOT / name).read_text() == generate.GENERATED[name](), f"{name} is behind the code: run `make generated`"


def test_environment_yml_names_every_dependency():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    text = (ROOT / "environment.yml").read_text()
    for requirement in project["dependencies"]:
        name = re.match(r"[\w-]+", requirement)[0]
        if "!= 'linux'" not in requirement:
            assert generate.CONDA_NAMES.get(name, name) in text, name


def test_the_lock_holds_every_dependency_and_no_registry():
    lock = (ROOT / "requirements.lock").read_text()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = project["dependencies"] + project["optional-dependencies"]["dev"]
    locked = set(re.findall(r"^([\w.-]+)==", lock, flags=re.MULTILINE))
    assert not {re.match(r"[\w-]+", r)[0] for r in wanted} - locked
    assert "://" not in lock
    assert "--index" not in lock


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: d.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(document):
    for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", document.read_text()):
        if "://" not in target:
            assert (document.parent / target).exists(), f"{document.name} links to {target}"


def test_the_readmes_tree_is_the_tree():
    tree = re.search(r"```\n(notebooks/.*?)```", (ROOT / "README.md").read_text(), flags=re.DOTALL)[1]
    named = {line.split()[0].rstrip("/") for line in tree.splitlines() if line and not line[0].isspace()}
    for name in named:
        assert (ROOT / name).exists(), name
    folders = {p.name for p in ROOT.iterdir() if p.is_dir() and not p.name.startswith(".")}
    assert folders <= named, f"README's tree does not name {folders - named}"


def test_the_readme_names_every_notebook_and_every_target_of_make():
    readme = (ROOT / "README.md").read_text()
    for notebook in NOTEBOOKS:
        assert notebook.stem in readme, notebook.stem
    for target in ("make run", "make test", "make lab", "make review", "make check"):
        assert target in readme, target


def test_architecture_names_every_room():
    text = (ROOT / "ARCHITECTURE.md").read_text()
    rooms = {p.name.removesuffix(".py") for p in (ROOT / "src" / "crm").iterdir() if not p.name.startswith("__")}
    for room in rooms:
        assert f"`{room}`" in text or f"`{room}/`" in text, f"ARCHITECTURE.md does not name the room {room}"


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda n: n.stem)
def test_notebooks_are_stories(notebook):
    """One question as title, a parameters cell, cells of a few lines, no outputs, no code that belongs in src."""
    content = json.loads(notebook.read_text())
    texts = ["".join(cell["source"]) for cell in content["cells"] if cell["cell_type"] == "markdown"]
    code = [cell for cell in content["cells"] if cell["cell_type"] == "code"]
    titles = [line for text in texts for line in text.splitlines() if line.startswith("# ")]
    assert len(titles) == 1
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in code)
    assert sum("parameters" in cell["metadata"].get("tags", []) for cell in code) == 1
    for cell in code:
        source = "".join(cell["source"])
        tree = ast.parse(source)
        assert len(tree.body) <= 4, source
        forbidden = (ast.FunctionDef, ast.ClassDef, ast.For, ast.While, ast.Lambda, ast.ListComp)
        assert not [node for node in ast.walk(tree) if isinstance(node, forbidden)], source
        called = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        assert not called & {"groupby", "merge"}, source
    if re.match(r"\d\d_", notebook.stem):
        assert titles[0].endswith("?"), "a report answers a question"
        assert not [t for t in texts if re.search(r"\d", t)], "no number is typed into the text of a report"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: d.relative_to(ROOT).as_posix())
def test_no_document_holds_a_place_for_a_number(document):
    assert not re.findall(r"\b(?:RUN|TEST|XXX|TBD)_[A-Z]+\b", document.read_text())


def test_the_glossary_is_sorted_out():
    words = re.findall(r"^\| \*\*(.+?)\*\*", (ROOT / "GLOSSARY.md").read_text(), flags=re.MULTILINE)
    assert len(words) == len(set(words)) > 25


def test_nothing_that_is_committed_is_large():
    import subprocess

    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split(
        "\n"
    )
    large = [name for name in files if name and (ROOT / name).is_file() and (ROOT / name).stat().st_size > 1_000_000]
    assert not large
