"""The rooms of experiments know each other by their faces alone."""

import ast
from importlib import import_module
from pathlib import Path

import pytest

from skbadge import experiment

ROOT = Path(experiment.__file__).parent
ROOMS = ["store", "simulation", "benchmark", "report"]
# Not the faces themselves.
FILES = sorted(each for each in ROOT.rglob("*.py") if each.name != "__init__.py")


def imports_of(path):
    """Yield (module, name) of what a file imports from experiments."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and "experiment" in node.module.split("."):
            yield from ((node.module, alias.name) for alias in node.names)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_other_rooms_are_entered_by_their_faces(path):
    mine = f"skbadge.experiment.{path.relative_to(ROOT).parts[0]}"
    for module, name in imports_of(path):
        if not module.startswith(mine):
            assert module in [f"skbadge.experiment.{room}" for room in ROOMS]
            assert name in import_module(module).__all__


def test_a_room_shows_only_what_somebody_comes_for():
    visitors = [*FILES, ROOT / "__init__.py", ROOT.parent / "__main__.py"]
    visitors += Path(__file__).parent.rglob("*.py")
    asked = {pair for path in visitors for pair in imports_of(path)}
    for room in ROOMS:
        module = f"skbadge.experiment.{room}"
        for name in import_module(module).__all__:
            assert (module, name) in asked, f"nobody imports {name} from {room}"
