"""The notebooks: fit to be read as they are committed, and to be run again.

To execute one after a change, in the folder ``examples``::

    jupyter execute --inplace --NotebookClient.record_timing=False \\
        --NotebookClient.coalesce_streams=True quickstart.ipynb
"""

import ast
import base64
import importlib
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import joblib
import pytest
from sklearn.datasets import load_digits

from skbadge.labeling import read_labels
from tests.examples._constants import constants_of, with_constants
from tests.examples._running import (
    outputs_of,
    parameters_of,
    pictures_of,
    printed_by,
    read_notebook,
    run_notebook,
)

EXAMPLES = Path(__file__).parents[2] / "examples"
NOTEBOOKS = sorted(EXAMPLES.glob("*.ipynb"))
SMALL = {
    "quickstart": {"STRATEGIES": ["badge", "random"], "N_ROUNDS": 1},
    "choosing_a_strategy": {
        "STRATEGIES": ["badge", "random"],
        "N_ROUNDS": 1,
        "N_REPEATS": 2,
        "BUDGET": 40,
        "N_FOLDS": 2,
        "N_JOBS": 1,
        "N_PERMUTATIONS": 19,
    },
    "improve_a_regression": {
        "N_ROUNDS": 1,
        "N_REPEATS": 2,
        "N_ROWS": 900,
        "MAX_EPOCHS": 16,
        "N_JOBS": 1,
    },
    "labelling_your_own_pool": {"N_VALIDATION": 40, "N_ROUNDS": 2},
}
# Pictures in the notebook as committed.
N_PICTURES = {
    "quickstart": 2,
    "choosing_a_strategy": 5,
    "improve_a_regression": 5,
    "labelling_your_own_pool": 2,
}


def test_every_notebook_is_known_here():
    assert {path.stem for path in NOTEBOOKS} == SMALL.keys() == N_PICTURES.keys()


# As committed


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def path(request):
    return request.param


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_it_was_executed_from_top_to_bottom_in_a_fresh_kernel(path):
    counts = [cell.execution_count for cell in code_cells(read_notebook(path))]
    assert counts == list(range(1, len(counts) + 1))


def test_its_outputs_are_results_and_pictures_only(path):
    notebook = read_notebook(path)
    assert outputs_of(notebook, "error") == []
    assert {out.name for out in outputs_of(notebook, "stream")} <= {"stdout"}
    kinds = {
        kind
        for name in ("display_data", "execute_result")
        for output in outputs_of(notebook, name)
        for kind in output.data
    }
    assert kinds == {"image/png", "text/html", "text/plain"}
    for output in outputs_of(notebook, "execute_result"):
        assert len(output.data["text/plain"]) < 2_000


def test_its_pictures_are_there_and_small(path):
    pictures = [
        base64.b64decode(picture) for picture in pictures_of(read_notebook(path))
    ]
    assert len(pictures) == N_PICTURES[path.stem]
    assert all(picture.startswith(b"\x89PNG\r\n") for picture in pictures)
    assert path.stat().st_size < 400_000


def test_it_tells_nothing_of_the_machine_it_ran_on(path):
    text = path.read_text()
    assert not re.findall(r"/(?:home|root|tmp|usr|opt|var|work|Users)/", text)
    assert not re.findall(r"object at 0x|[A-Z]:\\\\", text)
    notebook = read_notebook(path)
    assert notebook.metadata.keys() == {"kernelspec", "language_info"}
    assert notebook.metadata["kernelspec"]["name"] == "python3"
    parameters = parameters_of(notebook)
    for cell in notebook.cells:
        expected = {"tags": ["parameters"]} if cell is parameters else {}
        assert dict(cell.metadata) == expected


def test_its_cells_are_short_and_told_in_words(path):
    notebook = read_notebook(path)
    assert notebook.cells[0].cell_type == "markdown"
    assert max(len(cell.source.splitlines()) for cell in notebook.cells) <= 50
    words = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    for target in re.findall(r"\]\((\S+?)\)", "\n".join(words)):
        assert (EXAMPLES / target).exists(), f"no {target}"


def test_the_reduced_size_has_constants_that_decide_on_it(path):
    values = SMALL[path.stem]
    assert values.keys() <= constants_of(parameters_of(read_notebook(path)).source)


# What it shows to import is public


def source_of(path):
    if path.suffix == ".py":
        return path.read_text()
    return "\n".join(cell.source for cell in code_cells(read_notebook(path)))


@pytest.mark.parametrize(
    "path", [*NOTEBOOKS, *sorted(EXAMPLES.glob("plot_*.py"))], ids=lambda p: p.stem
)
def test_an_example_compiles_and_its_imports_are_public_and_there(path):
    tree = ast.parse(source_of(path).replace(");\n", ")\n"))
    compile(tree, path.name, "exec")
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    ours = [node for node in imports if node.module.split(".")[0] == "skbadge"]
    assert ours
    for node in ours:
        module = importlib.import_module(node.module)
        for alias in node.names:
            assert hasattr(module, alias.name)
            parts = [*node.module.split("."), alias.name]
            assert not any(part.startswith("_") for part in parts)


# Run again


def set_up_kernel(patch, folder):
    """One thread, and nothing left behind in anybody's home."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        patch.setenv(name, "1")
    for name in ("JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR"):
        patch.setenv(name, str(folder))


@pytest.fixture
def kernel(monkeypatch, tmp_path_factory):
    set_up_kernel(monkeypatch, tmp_path_factory.mktemp("jupyter"))


def run(name, folder, **changes):
    notebook = run_notebook(EXAMPLES / f"{name}.ipynb", folder, SMALL[name] | changes)
    errors = [
        out.text for out in outputs_of(notebook, "stream") if out.name == "stderr"
    ]
    assert errors == []
    assert len(pictures_of(notebook)) == N_PICTURES[name]
    return notebook


@pytest.mark.usefixtures("kernel")
def test_quickstart_runs(tmp_path):
    text = printed_by(run("quickstart", tmp_path))
    before, after = re.search(
        r"accuracy (\S+) with 20 labels, (\S+) with 40", text
    ).groups()
    assert float(after) > float(before)


@pytest.mark.slow
@pytest.mark.usefixtures("kernel")
def test_choosing_a_strategy_runs_and_resumes(tmp_path):
    text = printed_by(run("choosing_a_strategy", tmp_path))
    one_more, nothing = (float(t) for t in re.findall(r": (\S+) s\n", text))
    assert nothing < one_more
    assert (tmp_path / "choosing_a_strategy.sqlite").exists()


@pytest.mark.slow
@pytest.mark.usefixtures("kernel")
def test_improve_a_regression_runs(tmp_path):
    notebook = run("improve_a_regression", tmp_path)
    tables = [out.data["text/html"] for out in outputs_of(notebook, "execute_result")]
    # Ratios to random itself are 1 for each metric, by the definition of a ratio.
    (ratios,) = [t for t in tables if "99 %" in t and "<th>random</th>" in t]
    assert ratios.split("<th>random</th>")[1].count("<td>1.00</td>") == 5


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    """A folder in which rows were labelled, and what the notebook printed."""
    folder = tmp_path_factory.mktemp("labelled")
    with pytest.MonkeyPatch.context() as patch:
        set_up_kernel(patch, tmp_path_factory.mktemp("jupyter"))
        return folder, printed_by(run("labelling_your_own_pool", folder))


def test_labelling_takes_few_lines():
    cells = code_cells(read_notebook(EXAMPLES / "labelling_your_own_pool.ipynb"))
    lines = [line for cell in cells for line in cell.source.splitlines()]
    assert sum(bool(line.strip()) for line in lines) < 40


def test_labelling_keeps_every_answer(labelled):
    folder, text = labelled
    validation = read_labels(folder / "validation.sqlite")
    assert len(validation) == 40
    assert set(validation["strategy"]) == {"Random()"}
    labels = read_labels(folder / "labels.sqlite")
    # Two rounds, of other rows than those of the validation set.
    assert labels["round"].tolist() == [0] * 20 + [1] * 20
    assert not set(labels.index) & set(validation.index)
    truth = load_digits().target
    assert labels["label"].tolist() == [truth[int(id[-4:])] for id in labels.index]
    assert re.findall(r"the same: (\w+)", text) == ["True"]


@pytest.mark.usefixtures("kernel")
def test_labelling_goes_on_in_a_new_kernel_as_if_nothing_had_happened(
    labelled, tmp_path
):
    shutil.copytree(labelled[0], tmp_path, dirs_exist_ok=True)
    # The kernel died in the second round. Events are only ever added to the ledger.
    with closing(sqlite3.connect(tmp_path / "labels.sqlite")) as ledger, ledger:
        answers = ledger.execute("SELECT seq FROM events WHERE kind = 'labeled'")
        seq = sorted(row[0] for row in answers)[33]
        triggers = ledger.execute("SELECT name FROM sqlite_master WHERE type='trigger'")
        for (name,) in triggers.fetchall():
            ledger.execute(f"DROP TRIGGER {name}")
        ledger.execute("DELETE FROM events WHERE seq > ?", [seq])
    assert len(read_labels(tmp_path / "labels.sqlite")) == 34
    run("labelling_your_own_pool", tmp_path)
    for name in ("validation.sqlite", "labels.sqlite"):
        before, after = (read_labels(each / name) for each in (labelled[0], tmp_path))
        assert list(after.index) == list(before.index)
        assert list(after["label"]) == list(before["label"])


# Scripts

SCRIPTS = {
    "plot_few_labels": {"N_ROUNDS": 1, "N_REPEATS": 2},
    "plot_images": {"N_ROUNDS": 1, "N_REPEATS": 2, "N_EPOCHS": 3},
    "plot_parquet_pool": {"N_FILES": 2, "N_ROWS": 1000, "BATCH_ROWS": 300},
    "plot_quickstart": {
        "STRATEGIES": ["badge", "random"],
        "COLORS": ["red", "black"],
        "MARKERS": ["o", "x"],
        "N_ROUNDS": 1,
        "N_REPEATS": 2,
    },
    "plot_text": {"N_ROUNDS": 1, "N_REPEATS": 2},
    "plot_rare_class": {"N_ROUNDS": 1, "N_REPEATS": 2},
    "plot_regression": {"N_ROUNDS": 1, "N_REPEATS": 2},
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_runs_and_saves_its_picture(name, tmp_path, monkeypatch):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    if name == "plot_parquet_pool":
        pytest.importorskip("pyarrow")
    monkeypatch.chdir(tmp_path)
    source = with_constants((EXAMPLES / f"{name}.py").read_text(), SCRIPTS[name])
    with joblib.parallel_config(backend="sequential"):
        exec(compile(source, name, "exec"), {"__name__": "__main__"})
    assert [path.suffix for path in tmp_path.iterdir()] == [".png"]
