"""write_report: what it shows, what it says it lacks, and sources it takes."""

import re

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from sklearn.linear_model import LogisticRegression

from skbadge.experiment import (
    BenchmarkResult,
    ExperimentResult,
    ResultStore,
    run_benchmark,
    write_report,
)
from skbadge.experiment.report import write_csv
from skbadge.experiment.store import config_hash
from skbadge.inspection import (
    error_tails,
    label_efficiency,
    learning_curves,
    mean_log_errors,
    penalty_matrix,
)
from skbadge.inspection._frame import read_results
from skbadge.nn import TabularNetClassifier
from tests.experiment._benchmarks import make_benchmark, make_data
from tests.experiment.report._results import NASTY, make_errors, make_frame

HEADINGS = [
    "# Active learning benchmark",
    "## Runs",
    "## Failures",
    "## accuracy",
    "### Scores at the end",
    "### Label efficiency, relative to random",
    "### Labels saved against random",
    "### Penalty matrix",
    "### Errors divided by those of random",
    "### Paired tests of the area under the curve",
    "## Times",
]


@pytest.fixture(autouse=True)
def _pictures_without_a_screen():
    pytest.importorskip("matplotlib").use("Agg")


def read_in_vain():
    raise OSError("no such | table\nat all")


def report_on(sources, folder, **options):
    path = write_report(sources, folder / "out", **options)
    assert path == folder / "out" / "report.md"
    return path.read_text()


def headings_of(text):
    return [line for line in text.splitlines() if line.startswith("#")]


def read_tables(text):
    """All tables of a report, as lists of rows of cells."""
    blocks = re.findall(r"(?:^\|.*\n)+", text, flags=re.MULTILINE)
    return [
        [re.split(r"(?<!\\) ?\| ?", line)[1:-1] for line in block.splitlines()]
        for block in blocks
    ]


def test_a_report_has_a_section_for_each_question(tmp_path):
    assert headings_of(report_on(make_frame(), tmp_path)) == HEADINGS


def test_every_file_that_a_report_names_is_there_and_the_other_way_round(tmp_path):
    text = report_on(make_frame(), tmp_path)
    named = set(re.findall(r"\]\(([^)]+)\)", text))
    assert named | {"report.md"} == {each.name for each in (tmp_path / "out").iterdir()}
    assert {name for name in named if name.endswith(".png")} == {
        "accuracy_curves_made.png",
        "accuracy_penalties.png",
        "accuracy_error_cdf.png",
        "times.png",
    }
    for name in named:
        content = (tmp_path / "out" / name).read_bytes()
        assert content.startswith(b"\x89PNG") == name.endswith(".png")


def test_the_tables_hold_what_the_statistics_say(tmp_path):
    frame = make_frame()
    report_on(frame, tmp_path)
    folder = tmp_path / "out"
    curves = learning_curves(frame)
    assert_frame_equal(
        pd.read_csv(folder / "accuracy_curves.csv"), curves, check_dtype=False
    )
    final = pd.read_csv(folder / "accuracy_final.csv")
    assert final["n_labeled"].tolist() == [50, 50]
    # Means of 0.5 + 0.2 + 0.004 r, over r = 0 to 4, and 0.1 more.
    np.testing.assert_allclose(final["mean"], [0.808, 0.708])
    efficiency = pd.read_csv(folder / "accuracy_label_efficiency.csv")
    np.testing.assert_allclose(efficiency["ratio"], label_efficiency(frame)["ratio"])
    penalties = pd.read_csv(folder / "accuracy_penalties.csv", index_col="strategy")
    expected = penalty_matrix(frame)
    np.testing.assert_allclose(penalties.iloc[:-1], expected.matrix)
    np.testing.assert_allclose(penalties.iloc[-1], expected.column_average)
    tests = pd.read_csv(folder / "accuracy_tests.csv")
    assert tests[["strategy", "other"]].values.tolist() == [["badge", "random"]]
    times = pd.read_csv(folder / "times.csv")
    # Medians of 2 to 6 seconds, and of 0.5 to 2 after the first round.
    assert times[["fit_time", "query_time"]].values.tolist() == [[4, 1.25], [4, 1.25]]


def test_numbers_are_shown_in_tables_of_markdown(tmp_path):
    tables = read_tables(report_on(make_frame(), tmp_path))
    header, rule, *rows = next(table for table in tables if "sem" in table[0])
    assert header[:5] == ["dataset", "model", "n_query", "strategy", "n_labeled"]
    assert rule == ["---", "---", "---:", "---", "---:", "---:", "---:", "---:"]
    assert rows[0][:6] == ["made", "mlp", "10", "badge", "50", "0.808"]


def test_failures_are_always_shown(tmp_path):
    benchmark = make_benchmark(
        datasets={"blobs": make_data, "gone": read_in_vain},
        models={
            "net": TabularNetClassifier(lr=1e30, max_epochs=5),
            "linear": LogisticRegression(),
        },
    )
    result = run_benchmark(benchmark, tmp_path / "results.db")
    text = report_on(tmp_path / "results.db", tmp_path)
    tables = read_tables(text)
    sources = next(table for table in tables if table[0][0] == "source")
    assert sources[2] == ["results.db", "16", "0", "0", "4", "12"]
    failures = next(table for table in tables if table[0][-1] == "error")
    assert len(failures) - 2 == 12 == result.counts["failed"]
    assert failures[2][:5] == ["blobs", "net", "badge", "5", "0"]
    assert failures[2][5].startswith("FloatingPointError: Training diverged in epoch")
    # On one line, and in one cell.
    assert failures[-1][5] == "OSError: no such \\| table at all"
    written = pd.read_csv(tmp_path / "out" / "failures.csv")
    assert written["error"].iloc[-1] == "OSError: no such | table\nat all"
    versions = next(table for table in tables if table[0][0] == "package")
    assert ["numpy", np.__version__, "16"] in versions
    assert "## accuracy" in text


def test_a_report_on_nothing_but_failures_still_works(tmp_path):
    benchmark = make_benchmark(datasets={"gone": read_in_vain})
    run_benchmark(benchmark, tmp_path / "results.db")
    text = report_on(tmp_path / "results.db", tmp_path)
    assert "No evaluations yet." in text
    assert text.count("OSError: no such") == 4


@pytest.mark.parametrize("strategy", ["badge", "random"])
def test_a_strategy_that_has_failed_in_one_setting_leaves_the_rest(tmp_path, strategy):
    frame = make_frame()
    frame.loc[frame["strategy"] == strategy, "score"] = np.nan
    text = report_on(pd.concat([make_frame(dataset="good"), frame]), tmp_path)
    tests = next(t for t in read_tables(text) if "p_adjusted" in t[0])
    by_dataset = {row[0]: row for row in tests[2:]}
    assert "-" in by_dataset["made"]
    assert "-" not in by_dataset["good"]


def test_results_before_the_first_query_are_drawn(tmp_path):
    text = report_on(make_frame().query("n_labeled == 10"), tmp_path)
    assert "](times.png)" in text
    assert (tmp_path / "out" / "times.png").exists()


def test_without_a_baseline_the_report_says_what_it_leaves_out(tmp_path):
    frame = make_frame().query("strategy == 'badge'")
    text = report_on(frame, tmp_path)
    assert "There is no strategy 'random' to compare with: label efficiency" in text
    assert "### Penalty matrix" not in text
    assert "There is a single strategy." in text
    assert "accuracy_curves_made.png" in text
    renamed = make_frame().replace({"strategy": {"random": "uniform"}})
    text = report_on(renamed, tmp_path)
    assert "There is no strategy 'random'" in text
    # All pairs, for there is none to compare the others with.
    assert "| badge | uniform |" in text
    assert "### Penalty matrix" in report_on(renamed, tmp_path, baseline="uniform")


def test_with_a_single_repeat_the_report_says_what_it_lacks(tmp_path):
    text = report_on(make_frame(n_repeats=1), tmp_path)
    assert "There is a single repeat: differences may be chance" in text
    tables = read_tables(text)
    header, _, *rows = next(table for table in tables if "sem" in table[0])
    assert [row[header.index("sem")] for row in rows] == ["-", "-"]
    # Nothing to draw but empty cells.
    assert "accuracy_penalties.png" not in text
    assert "1 repeats to compare, at least 2 needed" in text
    assert headings_of(text) == HEADINGS


def test_each_metric_has_a_section_of_its_own(tmp_path):
    log_loss = make_frame(metric="neg_log_loss")
    log_loss["score"] = -1 / log_loss["score"]
    text = report_on(pd.concat([make_frame(), log_loss]), tmp_path)
    assert [each for each in headings_of(text) if each.startswith("## ")][2:] == [
        "## accuracy",
        "## neg_log_loss",
        "## Errors by their logarithms",
        "## Times",
    ]
    assert text.count("| 4 | 1.25 |") == 2


def test_negated_errors_are_compared_by_their_logarithms(tmp_path):
    frame = make_errors()
    text = report_on(frame, tmp_path)
    folder = tmp_path / "out"
    assert headings_of(text)[-5:] == [
        "## Errors by their logarithms",
        "### neg_mean_absolute_error divided by that of random",
        "### neg_root_mean_squared_error divided by that of random",
        "### Tails of the first errors",
        "## Times",
    ]
    ratios = pd.read_csv(folder / "neg_root_mean_squared_error_ratios.csv")
    assert ratios["strategy"].tolist() == ["lcmd", "random"]
    np.testing.assert_allclose(ratios["ratio"], [(0.9 * 0.5 * 0.7) ** (1 / 3), 1])
    assert_frame_equal(
        ratios[["on heavy", "on light", "on mid"]],
        pd.DataFrame({"on heavy": [0.5, 1], "on light": [0.9, 1], "on mid": [0.7, 1]}),
    )
    errors = mean_log_errors(frame)
    for name, expected in (
        ("mean_log_errors", errors.table),
        ("mean_log_errors_by_dataset", errors.by_dataset),
        ("error_tails", error_tails(frame).points),
    ):
        found = pd.read_csv(folder / f"{name}.csv")
        assert_frame_equal(found, expected, check_dtype=False)
    named = set(re.findall(r"\]\(([^)]+)\)", text))
    assert {"neg_mean_absolute_error_ratios.png", "error_tails.png"} <= named
    assert named | {"report.md"} == {each.name for each in folder.iterdir()}


def test_errors_of_incomplete_runs_are_said_to_be_left_out(tmp_path):
    frame = make_errors()
    is_last = frame["n_labeled"].eq(30) & frame["dataset"].eq("mid")
    text = report_on(frame[~(is_last & frame["repeat"].eq(1))], tmp_path)
    assert "mean_log_errors_skipped.csv" in text
    assert "1 runs lack a step or a finite score" in text


def test_errors_of_a_single_repeat_have_no_standard_error(tmp_path):
    text = report_on(make_errors(n_repeats=1), tmp_path)
    assert "neg_mean_absolute_error_ratios.png" in text
    assert "error_tails.png" in text


def test_errors_without_a_baseline_are_left_out(tmp_path):
    text = report_on(make_errors().query("strategy == 'lcmd'"), tmp_path)
    assert "Left out, for want of a strategy 'random'." in text
    assert "divided by that of" not in text


def test_scores_below_zero_that_are_no_errors_have_no_logarithms(tmp_path):
    text = report_on(make_frame(metric="r2", score=-1.0), tmp_path)
    assert "## r2" in headings_of(text)
    assert "## Errors by their logarithms" not in headings_of(text)


def test_stores_csv_files_and_frames_are_put_together(tmp_path):
    run_benchmark(make_benchmark(), tmp_path / "mine.db")
    theirs = make_frame().drop(columns=["fit_time", "query_time", "dataset", "model"])
    theirs.to_csv(tmp_path / "theirs.csv", index=False)
    own = make_frame(dataset="own", strategy="new", n_query=7)
    own = own.drop_duplicates(["repeat", "n_labeled"])
    records = make_frame(dataset="curve").assign(score_time=1.0).to_dict("records")
    failure = {"dataset": "curve", "model": "mlp", "strategy": "bait", "n_query": 3}
    curve = ExperimentResult(
        records, [failure | {"repeat": 1, "n_labeled": 20, "error": "no: memory"}]
    )
    sources = [tmp_path / "mine.db", str(tmp_path / "theirs.csv"), own, curve]
    text = report_on(sources, tmp_path)
    sources = next(t for t in read_tables(text) if t[0][0] == "source")
    assert sources[2:] == [
        ["mine.db", "16", "0", "0", "4", "0"],
        ["theirs.csv", "50", "-", "-", "-", "-"],
        ["DataFrame 2", "25", "-", "-", "-", "-"],
        ["ExperimentResult 3", "50", "-", "-", "-", "1"],
    ]
    runs = pd.read_csv(tmp_path / "out" / "runs.csv")
    assert sorted(set(runs["dataset"])) == ["blobs", "curve", "data", "own"]
    assert "| bait | 3 | 1 | no: memory |" in text
    assert "Sources that are no store do not say which runs have failed." in text


def test_only_stores_say_that_nothing_has_failed(tmp_path):
    failures = r"## Failures\n\n(.*)\n"
    run_benchmark(make_benchmark(), tmp_path / "mine.db")
    text = report_on(tmp_path / "mine.db", tmp_path)
    assert re.search(failures, text)[1] == "None."
    text = report_on(make_frame(), tmp_path)
    assert re.search(failures, text)[1].startswith("Sources that are no store")


def test_runs_of_the_same_names_must_be_told_apart(tmp_path):
    path = tmp_path / "results.db"
    first = run_benchmark(make_benchmark(), path)
    run_benchmark(make_benchmark(random_state=1), path)
    with pytest.raises(
        ValueError, match="16 evaluations are there twice, the first of"
    ):
        write_report(path, tmp_path / "out")
    by_hash = report_on(path, tmp_path, hashes=first.hashes)
    assert report_on(path, tmp_path, hashes=iter(first.hashes)) == by_hash
    with ResultStore(path) as store:
        with pytest.raises(ValueError, match="16 evaluations are there twice"):
            write_report(store, tmp_path / "out")
        for options in (
            {"sources": first},
            {"sources": path, "hashes": first.hashes},
            {"sources": store, "hashes": first.hashes},
        ):
            write_report(**options, out=tmp_path / "out")
            curves = pd.read_csv(tmp_path / "out" / "accuracy_curves.csv")
            expected = learning_curves(first)
            np.testing.assert_allclose(curves["mean"], expected["mean"])


@pytest.mark.parametrize("names", [["a.db"], ["a.csv.gz"], ["a.db", "b.csv.gz"]])
def test_runs_that_no_source_has_make_no_report(tmp_path, names):
    sources = [tmp_path / name for name in names]
    for source in sources:
        store = source.with_name(f"{source.name[0]}.db")
        benchmark = make_benchmark(datasets={source.name: make_data})
        file = source if source.suffix == ".gz" else None
        result = run_benchmark(benchmark, store, results=file)
    other = make_benchmark(random_state=1).configs()
    unknown = [config_hash(config) for config in other]
    message = ", ".join(map(repr, names))
    with pytest.raises(ValueError, match=f"None of the 4 runs .* is in {message}. W"):
        write_report(sources, tmp_path / "out", hashes=unknown)
    assert not (tmp_path / "out").exists()
    # One of them is enough.
    write_report(sources, tmp_path / "out", hashes=[*unknown, result.hashes[0]])


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        ("gone.db", FileNotFoundError, r"There is no file '.*gone\.db' to report on"),
        ("bad.csv", ValueError, r"Cannot read '.*bad\.csv': .*Missing: strategy"),
        (3, TypeError, "`sources` must be paths .*Got int among them"),
        ([], ValueError, "`sources` must name at least one"),
    ],
)
def test_a_source_that_is_none_is_named(tmp_path, source, error, message):
    (tmp_path / "bad.csv").write_text("n_query,score\n1,2\n")
    source = tmp_path / source if isinstance(source, str) else source
    with pytest.raises(error, match=message):
        write_report(source, tmp_path / "out")


def test_a_report_replaces_an_earlier_one(tmp_path):
    first = report_on(make_frame(), tmp_path)
    report_on(make_frame(n_repeats=2), tmp_path)
    assert report_on(make_frame(), tmp_path) == first


def names_of(folder):
    return {each.name for each in folder.iterdir()}


def test_names_that_look_alike_have_files_of_their_own(tmp_path):
    names = ["a b", "a_b", "A_b", "a.b", "\u732b", "\u72ac", "x" * 300, "x" * 301]
    frames = [make_frame(dataset=name, score=0.01 * i) for i, name in enumerate(names)]
    text = report_on(pd.concat(frames), tmp_path)
    pictures = dict(
        re.findall(r"!\[Learning curves of accuracy on (.*)\]\((.*)\)", text)
    )
    assert set(pictures) == set(names)
    assert len({file.lower() for file in pictures.values()}) == len(names)
    contents = {(tmp_path / "out" / file).read_bytes() for file in pictures.values()}
    assert len(contents) == len(names)
    assert max(len(name) for name in names_of(tmp_path / "out")) < 100
    # Another report gives them the same files.
    alone = report_on(frames[4], tmp_path / "again")
    assert pictures["\u732b"] in alone


def test_files_of_two_metrics_do_not_meet(tmp_path):
    # Both would be called a_curves_b_curves_c.
    frames = [
        make_frame(metric="a", dataset="b_curves_c"),
        make_frame(metric="a_curves_b", dataset="c"),
    ]
    text = report_on(pd.concat(frames), tmp_path)
    files = re.findall(r"\]\(([^)]+)\)", text)
    assert len(files) == len(set(files))
    assert set(files) | {"report.md"} == names_of(tmp_path / "out")


@pytest.mark.parametrize("column", ["dataset", "model", "strategy", "metric"])
def test_names_mean_nothing_to_markdown_spreadsheets_and_mathtext(tmp_path, column):
    frames = [make_frame(n_repeats=2)]
    frames += [make_frame(n_repeats=2, **{column: name}) for name in NASTY[::2]]
    if column == "strategy":
        frames = [frame.drop_duplicates(["repeat", "n_labeled"]) for frame in frames]
        random = make_frame(n_repeats=2).query("strategy == 'random'")
        frames = [*frames, random]
    text = report_on(pd.concat(frames), tmp_path)
    assert "<script" not in text.replace("\\<script", "")
    assert "\\<script\\>alert(1)\\</script\\>" in text
    for table in read_tables(text):
        assert {len(row) for row in table} == {len(table[0])}
    for path in (tmp_path / "out").glob("*.csv"):
        for cells in pd.read_csv(path, dtype=str).to_numpy().ravel():
            is_number = pd.notna(pd.to_numeric(pd.Series([cells]), "coerce")[0])
            assert is_number or not str(cells).startswith(tuple("=+-@"))


def test_nothing_is_replaced_but_earlier_reports(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    mine = folder / "runs.csv"
    make_frame().to_csv(mine, index=False)
    before = mine.read_bytes()
    with pytest.raises(FileExistsError, match=r"replace '.*runs\.csv', which is of no"):
        write_report(mine, folder)
    assert mine.read_bytes() == before
    # Nothing of the report that did not come to be is left to be in the way.
    assert names_of(folder) == {"runs.csv"}
    (folder / "report.md").write_text("# Mine")
    with pytest.raises(FileExistsError, match=r"report\.md"):
        write_report(make_frame(), folder)
    assert (folder / "report.md").read_text() == "# Mine"


def test_a_table_of_a_report_may_be_a_source_but_is_not_replaced_by_its_report(
    tmp_path,
):
    report_on(make_frame(), tmp_path)
    source = tmp_path / "out" / "runs.csv"
    make_frame().to_csv(source, index=False)
    with pytest.raises(FileExistsError, match=r"runs\.csv"):
        write_report(source, tmp_path / "out")


def test_a_baseline_that_is_not_there_is_refused_where_it_was_named(tmp_path):
    with pytest.raises(ValueError, match="`baseline` must be one of 'badge', 'random'"):
        write_report(make_frame(), tmp_path / "out", baseline="radnom")
    assert not (tmp_path / "out").exists()


def test_files_that_a_later_report_lacks_go_and_may_come_back(tmp_path):
    first = report_on(make_frame(), tmp_path)
    whole = names_of(tmp_path / "out")
    (tmp_path / "out" / "mine.txt").touch()
    report_on(make_frame().query("strategy == 'badge'"), tmp_path)
    assert names_of(tmp_path / "out") < whole | {"mine.txt"}
    assert report_on(make_frame(), tmp_path) == first
    assert names_of(tmp_path / "out") == whole | {"mine.txt"}


def test_a_name_that_looks_like_a_link_makes_no_file_one_of_the_report(tmp_path):
    report_on(make_frame(dataset="[x](mine.csv)"), tmp_path)
    (tmp_path / "out" / "mine.csv").write_text("mine")
    report_on(make_frame(), tmp_path)
    assert (tmp_path / "out" / "mine.csv").read_text() == "mine"


def test_a_link_in_the_place_of_a_table_is_replaced_and_not_followed(tmp_path):
    report_on(make_frame(), tmp_path)
    (tmp_path / "mine.csv").write_text("mine")
    (tmp_path / "out" / "sources.csv").unlink()
    (tmp_path / "out" / "sources.csv").symlink_to(tmp_path / "mine.csv")
    report_on(make_frame(), tmp_path)
    assert (tmp_path / "mine.csv").read_text() == "mine"


def test_strategies_on_different_data_make_no_report_together(tmp_path):
    path = tmp_path / "results.db"
    results = [
        run_benchmark(
            make_benchmark(datasets={"d": make_data(seed=i)}, strategies=[strategy]),
            path,
        )
        for i, strategy in enumerate(["badge", "random"])
    ]
    both = BenchmarkResult(path, results[0].hashes + results[1].hashes, {})
    with ResultStore(path) as store:
        for source in (path, store, both):
            with pytest.raises(ValueError, match="Runs on 'd' have seen different ro"):
                write_report(source, tmp_path / "out")
        for source in (path, store):
            write_report(source, tmp_path / "out", hashes=results[0].hashes)


@pytest.mark.parametrize("name", [*NASTY, "'=a", "''-b", "NA", "007", "it's", "a\rb"])
def test_names_are_the_same_after_an_export(tmp_path, name):
    write_csv(make_frame(dataset=name), tmp_path / "results.csv")
    assert set(read_results(tmp_path / "results.csv")["dataset"]) == {name}
