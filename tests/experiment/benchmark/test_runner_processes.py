"""run_benchmark in processes that are killed at any moment, and in several at once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import skbadge
from skbadge.experiment import ResultStore, run_benchmark
from tests.experiment._benchmarks import counted, without_times
from tests.experiment._killing import kill_benchmark

ROOT = Path(__file__).parents[3]


def run_program(mode, store, seed=0):
    """Number of kills."""
    program = [sys.executable, "-m", "tests.experiment._killing"]
    result = subprocess.run(
        [*program, mode, str(store), str(seed)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(Path(skbadge.__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return int(result.stdout)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Rows of a run that nothing interrupts."""
    path = tmp_path_factory.mktemp("whole") / "results.db"
    result = run_benchmark(kill_benchmark(), path)
    assert result.counts["done"] == 4
    assert set(result.runs_frame()["attempts"]) == {1}
    return without_times(result.to_frame())


@pytest.mark.parametrize(
    ("mode", "seed"),
    [
        ("statement", 0),
        ("moment", 1),
        pytest.param("workers", 2, marks=pytest.mark.slow),
    ],
)
def test_a_benchmark_killed_again_and_again_ends_with_the_same_rows(
    tmp_path, whole, mode, seed
):
    path = tmp_path / "results.db"
    assert run_program(mode, path, seed) >= 2
    with ResultStore(path, create=False) as store:
        assert store.counts() == {"pending": 0, "running": 0, "done": 4, "failed": 0}
        assert without_times(store.to_frame()).equals(whole)
        assert store.runs_frame()["attempts"].sum() > 4
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_two_processes_on_one_store_do_no_work_twice(tmp_path):
    path = tmp_path / "results.db"
    assert run_program("pair", path) == 0
    with ResultStore(path, create=False) as store:
        runs, frame = store.runs_frame(), store.to_frame()
    assert len(runs) == 16
    assert set(runs["status"]) == {"done"}
    assert set(runs["attempts"]) == {1}
    assert runs["worker"].str.split("-").str[-2].nunique() == 2
    assert counted(f"{path}.log") == {10: 16, 15: 16, 20: 16, 25: 16}
    assert len(frame) == 16 * 4
