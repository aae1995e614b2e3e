"""The notebooks: fit to be read as they are committed, and to be run again.

To execute one after a change, in the folder ``examples``::

    jupyter execute --inplace --NotebookClient.record_timing=False \\
        --NotebookClient.coalesce_streams=True quickstart.ipynb
"""

import ast
import base64
import csv
import importlib
import re
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest

from tests.examples._running import (
    constants_of,
    outputs_of,
    parameters_of,
    pictures_of,
    printed_by,
    read_notebook,
    run_notebook,
    with_constants,
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


def read_table(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def label_images(tmp_path, monkeypatch):
    """The functions of the cell that asks and keeps answers, with our answers."""
    monkeypatch.chdir(tmp_path)
    notebook = read_notebook(EXAMPLES / "labelling_your_own_pool.ipynb")
    (cell,) = [cell for cell in notebook.cells if cell.id == "save-labels"]
    names = np.array(["a", "b", "c", "d"])

    def run_cell(answers):
        answers = iter(answers)
        known = {"csv": csv, "np": np, "pd": pd, "Path": Path, "CLASSES": range(10)}
        known |= {"names_kept": names, "X": np.arange(4)[:, np.newaxis]}
        known |= {"position": {name: i for i, name in enumerate(names)}}
        known["ask"] = lambda question: next(answers)
        exec(cell.source, known)
        return known

    return run_cell


def test_an_answer_is_in_the_file_before_the_next_question(label_images):
    cell = label_images(["3", "", " 7 "])
    # Answers run out as a person does, in the middle of a round.
    with pytest.raises(StopIteration):
        cell["label"](["d", "a", "c", "b"], "training")
    cell = label_images([])
    assert list(cell["read_labels"]()["name"]) == ["d", "a", "c"]
    X, y = cell["rows_and_labels"]("training")
    assert X.tolist() == [[3], [2]]
    assert y.tolist() == [3, 7]
    assert cell["unasked"]().tolist() == [1]
    assert cell["n_asked"]("training") == 3
    assert cell["n_asked"]("validation") == 0


def test_a_typing_error_is_asked_again_and_a_wrong_label_can_be_corrected(label_images):
    cell = label_images(["12", "b", "1", "4", "5"])
    cell["label"](["b", "c"], "training")
    assert cell["rows_and_labels"]("training")[1].tolist() == [1, 4]
    cell["label"](["b"], "training")
    assert sorted(cell["rows_and_labels"]("training")[1]) == [4, 5]


def test_labels_of_images_that_are_gone_are_left_alone(label_images, tmp_path):
    cell = label_images(["1", "2"])
    cell["label"](["gone", "b"], "training")
    X, y = cell["rows_and_labels"]("training")
    assert (X.tolist(), y.tolist()) == ([[1]], [2])
    assert read_table(tmp_path / "labels.csv")[0]["name"] == "gone"


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    """A folder in which rows were labelled, and what the notebook printed."""
    folder = tmp_path_factory.mktemp("labelled")
    with pytest.MonkeyPatch.context() as patch:
        set_up_kernel(patch, tmp_path_factory.mktemp("jupyter"))
        return folder, printed_by(run("labelling_your_own_pool", folder))


def test_labelling_keeps_every_answer(labelled):
    folder, text = labelled
    answers = read_table(folder / "labels.csv")
    # A validation set, the first labels, the round that is shown and two more.
    assert [row["purpose"] for row in answers] == ["validation"] * 40 + [
        "training"
    ] * 90
    assert re.findall(r"asks for the same: +(\w+)", text) == ["True", "True"]


@pytest.mark.usefixtures("kernel")
def test_labelling_goes_on_in_a_new_kernel_and_asks_nothing_twice(labelled, tmp_path):
    before = read_table(labelled[0] / "labels.csv")
    # The kernel died while the last rows were being labelled.
    lines = (labelled[0] / "labels.csv").read_text().splitlines(keepends=True)
    (tmp_path / "labels.csv").write_text("".join(lines[:-7]))
    run("labelling_your_own_pool", tmp_path, MAX_ROUNDS=1)
    after = read_table(tmp_path / "labels.csv")
    assert after[:123] == before[:123]
    assert [row["purpose"] for row in after[123:]] == ["training"] * 40
    assert len({row["name"] for row in after}) == len(after)


def test_labelling_ends_with_a_label_for_each_image(labelled):
    folder, text = labelled
    answers = {row["name"]: row["label"] for row in read_table(folder / "labels.csv")}
    told = {name: label for name, label in answers.items() if label}
    assert 0 < len(told) < len(answers)
    found = {row["name"]: row for row in read_table(folder / "all_labels.csv")}
    assert len(found) == int(re.search(r"(\d+) images", text)[1])
    assert {name: found[name]["label"] for name in told} == told
    # Copies of the images that were answered have their labels too.
    by_human = {name for name, row in found.items() if row["by"] == "human"}
    assert told.keys() < by_human
    for name in found.keys() - by_human:
        assert 0.1 <= float(found[name]["probability"]) <= 1


# Scripts

SCRIPTS = {
    "plot_few_labels": {"N_ROUNDS": 1, "N_REPEATS": 2},
    "plot_quickstart": {
        "STRATEGIES": ["badge", "random"],
        "COLORS": ["red", "black"],
        "MARKERS": ["o", "x"],
        "N_ROUNDS": 1,
        "N_REPEATS": 2,
    },
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_runs_and_saves_its_picture(name, tmp_path, monkeypatch):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    monkeypatch.chdir(tmp_path)
    source = with_constants((EXAMPLES / f"{name}.py").read_text(), SCRIPTS[name])
    with joblib.parallel_config(backend="sequential"):
        exec(compile(source, name, "exec"), {"__name__": "__main__"})
    assert [path.suffix for path in tmp_path.iterdir()] == [".png"]
