"""What each part of the package may import, read from the syntax trees."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import skbadge

ROOT = Path(skbadge.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))

# From the bottom up: a layer imports those before it.
LAYERS = [
    "exceptions",
    "_version",
    "_compat",
    "utils",
    "embeddings",
    "samplers",
    "pools",
    "outputs",
    "strategies",
    "nn",
    "querier",
    "inspection",
    "monitoring",
    "labeling",
    "datasets",
    "experiment",
    "__main__",
    "__init__",
]
# What may lie loose at the package's root.
LOOSE = {"__init__", "__main__", "_compat", "_version", "exceptions"}
# The rooms of some layers, and what lies beside them, in the same order.
ROOMS = {
    "experiment": ["store", "simulation", "benchmark", "report", "__init__"],
    "labeling": [
        *("ledger", "rounds", "_arguments", "files", "panel"),
        *("_opening", "_telling", "_taking_answers", "_session", "__init__"),
    ],
    "monitoring": [
        *("estimates", "assessing", "against_random", "rounds", "planning"),
        *("_monitor", "_monitor_display", "__init__"),
    ],
}
OPTIONAL = {
    *("IPython", "dask", "distributed", "filelock", "h5py", "ipywidgets"),
    *("matplotlib", "pandas", "polars", "pyarrow", "tqdm", "zarr"),
}


def name_of(path):
    return path.relative_to(ROOT).as_posix()


def layer_of(path):
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imports(path, *, lazy):
    """Yield the (module, name) pairs a file imports; name is None for a module."""
    tree = ast.parse(path.read_text())
    nodes = ast.walk(tree) if lazy else _run_at_import(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)} has a relative import"
            yield from ((node.module, alias.name) for alias in node.names)


def _run_at_import(node):
    later = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    for child in ast.iter_child_nodes(node):
        is_for_types = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(
            child.test
        )
        if not isinstance(child, later) and not is_for_types:
            yield child
            yield from _run_at_import(child)


def module_of(path):
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def modules_imported(path, modules):
    for module, name in imports(path, lazy=False):
        # "from skbadge.pools import _rows" imports a file, or else a name of one.
        inner = f"{module}.{name}"
        if inner in modules or module in modules:
            yield inner if inner in modules else module


def layers_imported(path):
    for module, name in imports(path, lazy=True):
        parts = module.split(".")
        if parts[0] != "skbadge":
            continue
        if len(parts) > 1:
            yield parts[1]
        else:
            # "from skbadge import nn" imports a layer, or else a public name.
            yield name if name in LAYERS else "__init__"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_each_layer_imports_only_layers_below_it(path):
    mine = layer_of(path)
    assert mine in LAYERS, f"give {mine!r} a place among the layers"
    for other in layers_imported(path):
        assert LAYERS.index(other) <= LAYERS.index(mine), f"{mine} imports {other}"


def test_the_check_of_layers_reads_lazy_imports_as_well():
    assert "querier" in set(layers_imported(ROOT / "__init__.py"))


def test_no_files_import_each_other():
    modules = {module_of(path) for path in FILES}
    graph = {module_of(path): set(modules_imported(path, modules)) for path in FILES}
    # Both ways to import a file are seen.
    assert "skbadge.pools._flat_datasets" in graph["skbadge.pools._rows"]
    assert "skbadge.pools._kinds" in graph["skbadge.pools._rows"]
    # Its error names the files of the circle.
    TopologicalSorter(graph).prepare()


@pytest.mark.parametrize(
    "path", [path for path in FILES if layer_of(path) in ROOMS], ids=name_of
)
def test_each_room_imports_only_rooms_below_it(path):
    layer, room = path.relative_to(ROOT).parts[:2]
    order, mine = ROOMS[layer].index, room.removesuffix(".py")
    for module, _ in imports(path, lazy=True):
        parts = module.split(".")
        if parts[:2] == ["skbadge", layer] and len(parts) > 2:
            assert order(parts[2]) <= order(mine), f"{mine} imports {parts[2]}"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_private_scikit_learn_is_imported_in_one_place(path):
    private = [
        (module, name)
        for module, name in imports(path, lazy=True)
        if module.split(".")[0] == "sklearn"
        and any(part.startswith("_") for part in [*module.split("."), name or ""])
    ]
    if name_of(path) == "_compat.py":
        assert private
    else:
        assert not private


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_optional_packages_are_imported_where_they_are_used(path):
    packages = {module.split(".")[0] for module, _ in imports(path, lazy=False)}
    assert not packages & OPTIONAL


def test_no_file_lies_loose_at_the_root():
    assert {path.stem for path in ROOT.glob("*.py")} == LOOSE


def test_no_base_name_occurs_twice():
    names = [
        path.name for path in FILES if path.name not in ("__init__.py", "_base.py")
    ]
    assert sorted(set(names)) == sorted(names)
