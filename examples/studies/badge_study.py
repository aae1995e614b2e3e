"""Tables and pictures of docs/reproduction.md: the experiment of the BADGE paper.

`pages.py` puts them into the page.
"""

from functools import cache, partial

import numpy as np
import pandas as pd
from study_results import (
    SETTING,
    by_dataset,
    curves_of,
    markdown,
    mean_and_interval,
    results_of,
    shown,
    span,
)

from skbadge.inspection import (
    ActiveLearningCurveDisplay,
    ErrorCDFDisplay,
    PenaltyMatrixDisplay,
    RunTimesDisplay,
    normalized_error_cdf,
    paired_tests,
    penalty_matrix,
    penalty_null,
    run_times,
)

PARTS = ["badge_tables", "badge_noisy_tables", "badge_mnist", "badge_cnn"]
PARTS += ["badge_resnet", "badge_large_batches"]
SLOW, RAW = "badge_slow_optimiser", "badge_raw_columns"
SAMPLERS, BATCHES = "badge_samplers", "badge_batches"
# Figure 4 of the paper, and two that are newer.
PAPER = ["badge", "margin", "albl", "core_set", "least_confidence", "entropy", "random"]
STRATEGIES = [*PAPER, "falcun", "alfa_mix"]
BINARY = ["adult", "bank", "mushroom"]
DIAGNOSTICS = ["log_det", "mean_norm"]


@cache
def main_results():
    """Runs of the settings that all strategies are run in."""
    frame = results_of(PARTS)
    return frame[frame["strategy"].isin(STRATEGIES)].reset_index(drop=True)


def settings():
    """Markdown: what was run, a line for each net and batch size."""
    frame, rows = main_results(), []
    for (model, n_query), group in frame.groupby(["model", "n_query"]):
        repeats = group.groupby("dataset")["repeat"].nunique()
        rows.append(
            [
                f"{model}, {n_query:,}",
                ", ".join(repeats.index),
                group["strategy"].nunique(),
                span(repeats.min(), repeats.max()),
                f"{group['n_labeled'].max():,}",
            ]
        )
    head = ["net, batch", "data sets", "strategies", "repeats", "labels in the end"]
    n_runs = f"{frame['run'].nunique():,} runs"
    return "\n".join([*markdown(head, rows), "", f"{_count(frame)}, {n_runs}."])


def _count(frame):
    return f"{len(frame[SETTING].drop_duplicates())} settings"


@cache
def matrices():
    """Penalty matrices by title: of all settings, and of groups of them."""
    frame = main_results()
    groups = {"all": frame}
    groups |= {f"batch {n_query:,}": rows for n_query, rows in frame.groupby("n_query")}
    groups |= dict(iter(frame.groupby("model")))
    groups["3 classes and more"] = frame[~frame["dataset"].isin(BINARY)]
    groups["paper's seven"] = frame[frame["strategy"].isin(PAPER)]
    return {title: penalty_matrix(rows) for title, rows in groups.items()}


def penalties():
    """Markdown: how often each strategy is beaten by another, on average."""
    titles = matrices()
    head = [f"{title} ({matrix.n_settings})" for title, matrix in titles.items()]
    beaten = pd.DataFrame({t: matrix.column_average for t, matrix in titles.items()})
    rows = [
        [f"`{name}`", *(shown(value, 2) for value in beaten.loc[name])]
        for name in beaten["all"].sort_values().index
    ]
    return "\n".join([*markdown(["strategy", *head], rows), "", _chance()])


def _chance():
    """Which column averages are no chance."""
    null = penalty_null(main_results(), n_permutations=1000, random_state=0)
    sentences = [
        f"{words}: {_names(null.index[null[column] < 0.05])}."
        for words, column in (
            ("Beaten more often than if no two differed", "p_high_adjusted"),
            ("Less often", "p_low_adjusted"),
        )
    ]
    return " ".join([*sentences, "(Permutation tests, for all of these at once.)"])


def _names(strategies):
    return ", ".join(f"`{name}`" for name in strategies) or "none"


@cache
def beyond_badge():
    """Mean accuracy over the curve beyond badge's, by strategy and data set."""
    return by_dataset(paired_tests(main_results(), baseline="badge"))


def against_badge():
    """Markdown: errors beside those of random, and accuracies beside those of badge."""
    cdf = normalized_error_cdf(main_results()).cdf
    quartiles = {name: _quartiles(*cdf(name)) for name in STRATEGIES}
    points = {name: mean_and_interval(x) for name, x in beyond_badge().iterrows()}
    rows = [
        [f"`{name}`", *(f"{x:.2f}" for x in quartiles[name]), points.get(name, "")]
        for name in sorted(STRATEGIES, key=quartiles.get)
    ]
    head = ["strategy", "quarter", "half", "three quarters", "points beyond badge"]
    n_datasets = beyond_badge().shape[1]
    return "\n".join(
        [
            *markdown(head, rows),
            "",
            f"{_count(main_results())}, {n_datasets} data sets.",
        ]
    )


def sentence():
    """Markdown: what README says of the study."""
    frame, beaten = main_results(), matrices()["all"].column_average.sort_values()
    gain = mean_and_interval(-beyond_badge().loc["random"])
    behind = -beyond_badge().mean(axis=1).sort_values(ascending=False)
    return (
        "[The BADGE paper's](docs/reproduction.md) on tables and images: "
        f"{_count(frame)}, {frame['run'].nunique():,} runs. badge is {gain} points "
        "more accurate than random rows, in the mean over curves and data sets, with a "
        f"95 % interval. Least often beaten are {_names(beaten.index[:2])}; less than "
        f"half a point behind badge are {_names(behind.index[behind < 0.005])}."
    )


def _quartiles(x, p):
    # Sums of weights fall short of a level by rounding.
    return [x[np.searchsorted(p, level - 1e-9)] for level in (0.25, 0.5, 0.75)]


def times():
    """Markdown: median seconds of a training, and of the queries of each strategy."""
    rows = []
    for (dataset, model, n_query), group in run_times(main_results()).groupby(SETTING):
        query = group.set_index("strategy")["query_time"]
        rows.append(
            [
                f"{dataset}, {model}, {n_query:,}",
                span(group["fit_time"].min(), group["fit_time"].max(), 1),
                *(shown(query[name], 2) for name in STRATEGIES),
            ]
        )
    head = ["setting", "training", *(f"`{name}`" for name in STRATEGIES)]
    return "\n".join(markdown(head, rows))


def optimiser():
    """Markdown: Core-Set on tables, nearer and nearer to the paper's training."""
    slow, usual = results_of([SLOW]), main_results()
    usual = usual[(usual["n_query"] == 100) & (usual["model"] == "mlp")]
    usual = usual[usual["n_labeled"] <= slow["n_labeled"].max()]
    ways = {"1e-3": usual, "1e-4": slow, "1e-4, raw columns": results_of([RAW])}
    rows = []
    for dataset in sorted(slow["dataset"].unique()):
        for way, frame in ways.items():
            frame = frame[frame["dataset"] == dataset]
            if len(frame):
                differences = _differences(frame, "random")
                cells = [
                    mean_and_interval(differences[name]) if name in differences else ""
                    for name in ("badge", "core_set")
                ]
                seconds = f"{frame['fit_time'].median():.1f}"
                n_repeats = frame["repeat"].nunique()
                rows.append([f"{dataset}, {way}", *cells, n_repeats, seconds])
    head = [
        "learning rate",
        "`badge`",
        "`core_set`",
        "repeats",
        "seconds of a training",
    ]
    return "\n".join(markdown(head, rows))


def _differences(frame, baseline):
    """Mean accuracy over the curve beyond the baseline's, by repeat and strategy.

    Of one setting, whose curves are all of the same numbers of labels.
    """
    means = frame.groupby(["repeat", "strategy"])["score"].mean().unstack().dropna()
    return means.sub(means[baseline], axis=0).drop(columns=baseline)


@cache
def sampler_results():
    """Samplers of gradient embeddings, in batches of 100 letters."""
    frame, others = main_results(), results_of([SAMPLERS])
    same = (frame["dataset"] == "letter") & (frame["n_query"] == 100)
    frame = frame[same & frame["strategy"].isin(["badge", "random"])]
    frame = pd.concat([frame, others], ignore_index=True)
    shared = frame.groupby("repeat")["strategy"].transform("nunique")
    return frame[shared == shared.max()].reset_index(drop=True)


def samplers():
    """Markdown: accuracies and times of other samplers beside those of k-means++."""
    frame = sampler_results()
    differences = _differences(frame, "badge")
    seconds = run_times(frame).set_index("strategy")["query_time"]
    rows = [
        [f"`{name}`", mean_and_interval(differences[name]), f"{seconds[name]:.2f}"]
        for name in differences
    ]
    rows.insert(0, ["`badge`", "", f"{seconds['badge']:.2f}"])
    head = ["strategy", "points beyond badge", "seconds of a query"]
    return "\n".join([*markdown(head, rows), "", f"{len(differences)} repeats."])


@cache
def batches():
    """Diagnostics as metrics, of the samplers as strategies."""
    frame = results_of([BATCHES])
    names = frame["metric"].str.extract(rf"({'|'.join(DIAGNOSTICS)})_(.*)")
    return frame.assign(metric=names[0], strategy=names[1])


def diagnostics():
    """Markdown: means over all rounds and repeats."""
    means = batches().pivot_table("score", "strategy", ["dataset", "metric"])
    head = [f"{dataset}, {metric}" for dataset, metric in means]
    rows = [
        [f"`{name}`", *(shown(value, 1) for value in values)]
        for name, values in means.iterrows()
    ]
    return "\n".join(markdown(["sampler", *head], rows))


def curves():
    """Markdown: pictures of learning curves, and of which results all pictures are."""
    names = sorted(main_results()["dataset"].unique())
    return curves_of("badge", names, [*PARTS, SAMPLERS, BATCHES])


def pictures():
    """Functions that draw a Display, by the names of their files."""
    frame, draw = main_results(), ActiveLearningCurveDisplay.from_frame
    yield "badge_penalties", _matrix("all")
    for n_query in sorted(frame["n_query"].unique()):
        yield f"badge_penalties_{n_query}", _matrix(f"batch {n_query:,}")
    yield "badge_error_cdf", _errors
    yield "badge_times", partial(RunTimesDisplay.from_frame, frame)
    for dataset in sorted(frame["dataset"].unique()):
        yield f"badge_{dataset}", partial(draw, frame, dataset=dataset)
    yield "badge_samplers", partial(draw, sampler_results())
    for name in DIAGNOSTICS:
        yield f"badge_batches_{name}", partial(draw, batches(), metric=name)


def _matrix(title):
    return partial(PenaltyMatrixDisplay.from_matrix, matrices()[title])


def _errors():
    display = ErrorCDFDisplay.from_frame(main_results())
    # Where random rows make next to no error, ratios are large.
    display.ax_.set_xlim(0, 2)
    return display
