"""run_benchmark(results=): a file of what is done, which is not run again."""

import errno
import gzip
import os
import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from pandas.testing import assert_frame_equal
from sklearn.linear_model import LogisticRegression

from skbadge.exceptions import QueryWarning
from skbadge.experiment import ResultStore, run_benchmark, write_report
from skbadge.experiment.store import ResultsFile, config_hash
from skbadge.inspection import paired_tests
from tests.experiment._benchmarks import (
    CountingClassifier,
    make_benchmark,
    make_data,
    read_log,
    without_times,
)

HOSTILE = ["=1+1", "'=a", 'a "b", c', '"', "two\nlines", "end\r", " ü ", "None", "-1"]


@pytest.fixture
def place(tmp_path):
    return tmp_path / "part.csv.gz"


@pytest.fixture
def log(tmp_path):
    log = tmp_path / "log"
    log.touch()
    return log


def counting(log, **changes):
    return make_benchmark(models={"m": CountingClassifier(str(log))}, **changes)


def text_of(place):
    return gzip.decompress(place.read_bytes()).decode()


def edit(place, old, new, count=-1):
    text = text_of(place)
    assert old in text
    place.write_bytes(gzip.compress(text.replace(old, new, count).encode()))


def test_what_is_in_the_file_is_not_run_again_on_another_machine(tmp_path, place, log):
    benchmark = counting(log, scoring=["accuracy", "neg_log_loss"])
    first = run_benchmark(benchmark, tmp_path / "a.db", results=place)
    content, n = place.read_bytes(), len(read_log(log))
    again = run_benchmark(benchmark, tmp_path / "b.db", results=place)
    assert len(read_log(log)) == n
    assert again.counts == {"pending": 0, "running": 0, "done": 4, "failed": 0}
    assert place.read_bytes() == content
    before, after = first.to_frame(), again.to_frame()
    assert_array_equal(after["score"], [float(f"{x:.6g}") for x in before["score"]])
    for name in ("fit_time", "query_time", "score_time"):
        assert_allclose(after[name], before[name], rtol=5e-3)
    drop = ["score", "fit_time", "query_time", "score_time"]
    assert_frame_equal(after.drop(columns=drop), before.drop(columns=drop))


@pytest.mark.parametrize("n_query", [np.int64(5), [np.int64(5)], np.array([5, 6])])
def test_batch_sizes_may_be_ints_of_numpy(tmp_path, place, n_query):
    plain = np.array(n_query).tolist()
    expected = run_benchmark(make_benchmark(n_query=plain), tmp_path / "a.db")
    benchmark = make_benchmark(n_query=n_query)
    sizes = plain if isinstance(plain, list) else [plain]
    assert list(map(repr, benchmark.batch_sizes)) == list(map(repr, sizes))
    found = run_benchmark(benchmark, tmp_path / "b.db", results=place)
    assert found.hashes == expected.hashes
    assert_frame_equal(
        without_times(found.to_frame()), without_times(expected.to_frame())
    )
    assert set(pd.read_csv(place)["n_query"]) == set(sizes)
    again = run_benchmark(benchmark, tmp_path / "c.db", results=place)
    assert again.counts["done"] == len(found.hashes)


def test_runs_from_the_file_say_where_they_come_from(tmp_path, place):
    first = run_benchmark(make_benchmark(), tmp_path / "a.db", results=place)
    runs = run_benchmark(make_benchmark(), tmp_path / "b.db", results=place)
    runs, before = runs.runs_frame(), first.runs_frame()
    assert set(runs["host"]) == {place.name}
    assert runs[["versions", "started", "finished", "worker"]].isna().all(axis=None)
    assert runs["attempts"].tolist() == [0] * 4
    assert before["versions"].notna().all()
    for same in ("hash", "data", "n_evaluations", "status"):
        assert runs[same].tolist() == before[same].tolist()


def test_only_what_is_missing_is_run_and_put_in_its_place(tmp_path, place, log):
    small, large = counting(log, strategies=["random"]), counting(log)
    run_benchmark(small, tmp_path / "a.db", results=place)
    kept = text_of(place).splitlines()[1:]
    n = len(read_log(log))
    result = run_benchmark(large, tmp_path / "b.db", results=place)
    assert len(read_log(log)) == 2 * n
    whole = run_benchmark(large, tmp_path / "whole.db").to_frame()
    found = without_times(result.to_frame())
    assert_frame_equal(found, without_times(whole), rtol=1e-5)
    lines = text_of(place).splitlines()[1:]
    assert [line for line in lines if ",random," in line] == kept
    order = [config_hash(config)[:16] for config in large.configs()]
    assert list(dict.fromkeys(line.split(",")[-3] for line in lines)) == order


def test_equal_results_give_equal_bytes_in_files_of_any_name(
    tmp_path, place, monkeypatch
):
    run_benchmark(make_benchmark(), tmp_path / "a.db", results=place)
    monkeypatch.setattr("time.time", lambda: 2e9)
    other = tmp_path / "other.csv.gz"
    run_benchmark(make_benchmark(), tmp_path / "a.db", results=other)
    assert other.read_bytes() == place.read_bytes()


@pytest.mark.parametrize("stop_at", [1, 6, 9])
def test_an_interruption_keeps_the_runs_that_are_done(
    tmp_path, place, log, monkeypatch, stop_at
):
    monkeypatch.setenv("STOP_AT", str(stop_at))
    with pytest.raises(KeyboardInterrupt):
        run_benchmark(counting(log), tmp_path / "a.db", results=place)
    n_done = (stop_at - 1) // 4
    assert place.exists() == bool(n_done)
    if n_done:
        assert len(pd.read_csv(place)) == 4 * n_done
    monkeypatch.delenv("STOP_AT")
    result = run_benchmark(counting(log), tmp_path / "b.db", results=place)
    assert result.counts["done"] == 4
    assert len(pd.read_csv(place)) == 16


class Sometimes(LogisticRegression):
    def fit(self, X, y):
        if len(y) == 20 and Path("fails").exists():
            raise ValueError("not today")
        return super().fit(X, y)


def test_failed_runs_are_not_in_the_file_and_give_way_to_it(
    tmp_path, place, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    Path("fails").touch()
    benchmark = make_benchmark(models={"m": Sometimes()})
    assert run_benchmark(benchmark, "a.db", results=place).counts["failed"] == 4
    assert not place.exists()
    Path("fails").unlink()
    run_benchmark(benchmark, "b.db", results=place)
    result = run_benchmark(benchmark, "a.db", results=place)
    assert result.counts["done"] == 4
    assert len(result.failures_frame()) == 0
    assert len(result.to_frame()) == 16


def test_a_changed_setting_is_run_again_and_what_it_was_is_kept_until_told(
    tmp_path, place, log
):
    run_benchmark(counting(log), tmp_path / "a.db", results=place)
    lines, n = text_of(place).splitlines(), len(read_log(log))
    grid = {"strategies": ["badge"], "n_query": [5, 10], "n_rounds": [3, 2]}
    changed = counting(log, **grid)
    with pytest.warns(QueryWarning, match="8 rows are of 2 runs that the benchmark d"):
        result = run_benchmark(changed, tmp_path / "b.db", results=place)
    # Two repeats of three trainings.
    assert len(read_log(log)) == n + 6
    assert result.counts["done"] == 4
    found = text_of(place).splitlines()
    assert set(lines) < set(found)
    # They come last.
    assert found[-8:] == [line for line in lines if ",random," in line]
    run_benchmark(changed, tmp_path / "b.db", results=place, drop_stale=True)
    assert text_of(place).splitlines() == found[:-8]


def test_a_file_of_none_but_other_runs_is_refused_before_any_run(tmp_path, place, log):
    run_benchmark(make_benchmark(), tmp_path / "a.db", results=place)
    content = place.read_bytes()
    for drop_stale in (False, True):
        with pytest.raises(ValueError, match=r"None of the 16 rows of .* is of a run"):
            run_benchmark(
                counting(log), tmp_path / "b.db", results=place, drop_stale=drop_stale
            )
    assert place.read_bytes() == content
    assert not (tmp_path / "b.db").exists()


def read_table(path):
    table = pd.read_csv(path)
    return table[["a", "b"]], table["y"].to_numpy()


def write_table(path, seed):
    X, y = make_data(seed=seed)
    pd.DataFrame(X, columns=["a", "b"]).assign(y=y).to_csv(path, index=False)


def test_other_data_by_the_same_name_are_refused(tmp_path, place):
    csv = tmp_path / "data.csv"
    small, large = (
        make_benchmark(
            datasets={"file": partial(read_table, str(csv))}, n_repeats=n_repeats
        )
        for n_repeats in (1, 2)
    )
    write_table(csv, seed=0)
    run_benchmark(small, tmp_path / "a.db", results=place)
    content = place.read_bytes()
    write_table(csv, seed=1)
    with pytest.raises(ValueError, match="'file' has changed: 2 runs have results of"):
        run_benchmark(large, tmp_path / "b.db", results=place)
    assert place.read_bytes() == content
    # A store that has seen the other data already.
    other = make_benchmark(datasets=small.datasets, strategies=["margin"])
    run_benchmark(other, tmp_path / "c.db")
    with pytest.raises(ValueError, match="have seen different rows or targets"):
        run_benchmark(large, tmp_path / "c.db", results=place)
    with ResultStore(tmp_path / "c.db") as store:
        assert store.counts() == {"pending": 4, "running": 0, "done": 2, "failed": 0}


def test_a_run_that_lacks_rows_is_run_again(tmp_path, place, log):
    run_benchmark(counting(log), tmp_path / "a.db", results=place)
    content, lines = place.read_bytes(), text_of(place).splitlines()
    n = len(read_log(log))
    # The last evaluation of the second run.
    edit(place, lines[8] + "\n", "")
    with pytest.warns(QueryWarning, match="1 runs lack some of their rows"):
        result = run_benchmark(counting(log), tmp_path / "b.db", results=place)
    assert len(read_log(log)) == n + 4
    assert result.counts["done"] == 4
    found = pd.read_csv(place)
    place.write_bytes(content)
    assert_frame_equal(without_times(found), without_times(pd.read_csv(place)))


def test_scores_that_were_edited_are_noticed_where_they_are_known(tmp_path, place):
    run_benchmark(make_benchmark(), tmp_path / "a.db", results=place)
    line = text_of(place).splitlines()[6]
    cells = line.split(",")
    cells[7] = "0.99"
    edit(place, line, ",".join(cells))
    content = place.read_bytes()
    with pytest.warns(QueryWarning, match="1 runs have other scores in the store, th"):
        run_benchmark(make_benchmark(), tmp_path / "a.db", results=place)
    assert place.read_bytes() == content
    # Where nothing is known, the file is believed.
    frame = run_benchmark(make_benchmark(), tmp_path / "b.db", results=place)
    assert frame.to_frame()["score"].tolist().count(0.99) == 1


def damaged(change):
    def damage(place):
        place.write_bytes(change(place.read_bytes()))

    return damage


def edited(column, value):
    def damage(place):
        lines = text_of(place).splitlines()
        cells = lines[3].split(",")
        cells[lines[0].split(",").index(column)] = value
        lines[3] = ",".join(cells)
        place.write_bytes(gzip.compress("\n".join(lines).encode()))

    return damage


DAMAGES = {
    "cut": damaged(lambda content: content[:-20]),
    "spoilt": damaged(lambda content: content[:60] + b"\xa5\x5a" + content[62:]),
    "not compressed": damaged(gzip.decompress),
    "other table": damaged(lambda content: gzip.compress(b"a,b\n1,2\n")),
    "no text": damaged(lambda content: gzip.compress(b"\xff\xfe\x00")),
    "no score": edited("score", "much"),
    "no number": edited("n_labeled", "-5"),
    "huge number": edited("n_labeled", "9" * 19),
    "number without end": edited("n_labeled", "9" * 5000),
    "negative time": edited("fit_time", "-1"),
    "no time": edited("fit_time", "nan"),
    "empty time": edited("fit_time", ""),
    "other strategy": edited("strategy", "random"),
    "other repeat": edited("repeat", "7"),
    "other data": edited("data", "0" * 64),
    "other length": edited("run_rows", "5"),
    "twice": edited("n_labeled", "10"),
    "more cells": edited("run_rows", "4,4"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_file_that_is_damaged_is_refused_before_any_run_and_left(
    tmp_path, place, damage
):
    run_benchmark(make_benchmark(), tmp_path / "a.db", results=place)
    DAMAGES[damage](place)
    content = place.read_bytes()
    with pytest.raises(ValueError, match="is no file of results, or was damaged"):
        run_benchmark(make_benchmark(), tmp_path / "b.db", results=place)
    assert place.read_bytes() == content
    assert not (tmp_path / "b.db").exists()


@pytest.mark.parametrize("kind", ["empty", "windows", "link"])
def test_files_that_are_as_good(tmp_path, place, log, kind):
    benchmark = counting(log)
    real = tmp_path / "real.csv.gz"
    if kind == "link":
        place.symlink_to(real)
    run_benchmark(benchmark, tmp_path / "a.db", results=place)
    n = len(read_log(log))
    if kind == "empty":
        place.write_bytes(b"")
    if kind == "windows":
        edit(place, "\n", "\r\n")
    run_benchmark(benchmark, tmp_path / "b.db", results=place)
    assert len(read_log(log)) == (2 * n if kind == "empty" else n)
    assert len(pd.read_csv(place)) == 16
    assert place.is_symlink() == (kind == "link")


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("part.csv", ValueError, "must end in .csv.gz"),
        ("gone/part.csv.gz", FileNotFoundError, "could not be written"),
        ("folder.csv.gz", ValueError, "a file of its own"),
        ("pipe.csv.gz", ValueError, "a file of its own"),
        ("a.locks/part.csv.gz", ValueError, "a file of its own"),
        ("store.csv.gz", ValueError, "another file than `store`"),
    ],
)
def test_places_where_no_file_can_be_are_refused_before_any_run(
    tmp_path, name, error, message
):
    (tmp_path / "folder.csv.gz").mkdir()
    os.mkfifo(tmp_path / "pipe.csv.gz")
    (tmp_path / "a.locks").mkdir()
    store = tmp_path / "store.csv.gz"
    with pytest.raises(error, match=message):
        run_benchmark(make_benchmark(), store, results=tmp_path / name)
    assert not store.exists()


def test_without_a_file_there_is_nothing_to_drop(tmp_path):
    with pytest.raises(ValueError, match="`drop_stale` is for rows of `results`"):
        run_benchmark(make_benchmark(), tmp_path / "a.db", drop_stale=True)


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs Linux")
def test_a_folder_that_nobody_can_write_to_is_refused_before_any_run(tmp_path):
    with pytest.raises(OSError, match="could not be written"):
        run_benchmark(
            make_benchmark(), tmp_path / "a.db", results="/proc/self/part.csv.gz"
        )
    assert not (tmp_path / "a.db").exists()


def test_a_full_disk_at_the_end_leaves_the_file_and_the_store(
    tmp_path, place, monkeypatch
):
    run_benchmark(make_benchmark(n_repeats=1), tmp_path / "a.db", results=place)
    content = place.read_bytes()
    write = Path.write_bytes

    def fill(self, data):
        write(self, data[: len(data) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fill)
    with pytest.raises(OSError, match=r"No space left.*All results are in the store "):
        run_benchmark(make_benchmark(), tmp_path / "b.db", results=place)
    monkeypatch.undo()
    assert place.read_bytes() == content
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        *("a.db", "b.db", place.name)
    ]
    result = run_benchmark(make_benchmark(), tmp_path / "b.db", results=place)
    assert result.runs_frame()["attempts"].tolist() == [0, 0, 1, 1]
    assert len(pd.read_csv(place)) == 16


def test_what_another_process_wrote_meanwhile_is_kept(tmp_path, place, monkeypatch):
    run_benchmark(make_benchmark(n_repeats=1), tmp_path / "a.db", results=place)
    theirs = tmp_path / "theirs.csv.gz"
    shutil.copy(place, theirs)
    run_benchmark(make_benchmark(), tmp_path / "a.db", results=theirs)
    write, n_writes = Path.write_bytes, []

    def overtaken(self, data):
        write(self, data)
        n_writes.append(1)
        if len(n_writes) == 1:
            os.replace(theirs, place)

    monkeypatch.setattr(Path, "write_bytes", overtaken)
    strategies = ["badge", "random", "margin"]
    run_benchmark(
        make_benchmark(strategies=strategies, n_repeats=1),
        tmp_path / "b.db",
        results=place,
    )
    assert len(n_writes) == 2
    repeats = pd.read_csv(place).groupby("strategy")["repeat"].nunique()
    # Two repeats of theirs, one of ours.
    assert repeats.to_dict() == {"badge": 2, "margin": 1, "random": 2}


def test_names_and_scores_of_any_kind_come_back_as_they_were(tmp_path, place):
    configs = [
        {"dataset": name, "model": name, "strategy": name, "n_query": 5}
        | {"repeat": 0, "seed": 0}
        for name in HOSTILE
    ]
    scores = [np.nan, np.inf, -1e-12, 0.1 + 0.2, 123456789.0, 0.0, None, 1.0, 2.0]
    scores = dict(zip(HOSTILE, scores, strict=True))
    with ResultStore(tmp_path / "a.db") as store:
        hashes = store.add(configs)
        found = {
            run: [
                (n, metric, i, scores[name], 1e-7, 2.0, 3.0)
                for i, n in enumerate((5, 10))
                for metric in (name, "plain")
            ]
            for run, name in zip(hashes, HOSTILE, strict=True)
        }
        store.put_done(found, dict.fromkeys(hashes), "elsewhere")
        ResultsFile(place, configs).write(store)
        before = store.to_frame()
    with ResultStore(tmp_path / "b.db") as store:
        assert store.add(configs) == hashes
        ResultsFile(place, configs).fill(store)
        assert_frame_equal(store.to_frame(), before, rtol=1e-5)
        assert store.runs_frame()["data"].isna().all()


def test_reports_and_statistics_read_the_file(tmp_path, place):
    pytest.importorskip("matplotlib").use("Agg")
    store = tmp_path / "a.db"
    result = run_benchmark(make_benchmark(), store, results=place)
    page = write_report(place, tmp_path / "out")
    assert "badge" in page.read_text()
    found, expected = (
        paired_tests(each, baseline="random") for each in (place, result)
    )
    assert_frame_equal(found, expected, rtol=1e-3)
