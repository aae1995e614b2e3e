"""Tables of docs/evidence.md and README.md: what works, by regime.

`pages.py` puts them into the pages.
"""

import math
from functools import cache
from typing import NamedTuple

import pandas as pd
from study_results import (
    SETTING,
    by_dataset,
    markdown,
    mean_and_interval,
    one,
    points,
    results_of,
    span,
)

from skbadge.inspection import labels_saved, mean_ranks, paired_tests, regret

RANDOM_START = "random start: random"


class Regime(NamedTuple):
    """Parts of the study that make a table together, or what is left of them."""

    title: str
    parts: list[str]
    baseline: str = "random"
    model: str | None = None
    n_query: int | None = None
    metric: str = "accuracy"


NETS = ["badge_tables", "badge_noisy_tables", "badge_mnist", "badge_cnn"]
NETS += ["badge_resnet"]
FIRST = ["few_logistic", "few_forest", "few_mlp", "few_uniform"]
FIRST += ["few_logistic_more", "few_refine"]
REGIMES = [
    *(
        Regime(f"10 to 150 labels, {words}", FIRST, RANDOM_START, model)
        for model, words in (
            ("logistic", "logistic"),
            ("forest", "forest"),
            ("mlp", "net"),
        )
    ),
    Regime("100 to 2,000 labels, logistic", ["hundreds_logistic"]),
    Regime("100 to 2,000 labels, forest", ["hundreds_forest"]),
    Regime("100 to 2,000 labels, net", ["hundreds_mlp"]),
    Regime("batches of 100, nets", NETS, n_query=100),
    Regime("batches of 1,000, nets", NETS, n_query=1000),
    Regime("batches of 10,000, nets", ["badge_large_batches"]),
    Regime("one class at 1 %", ["rare"], metric="average_precision"),
    Regime("several rare classes", ["rare_classes"], metric="balanced_accuracy"),
]
AT = "n_labeled"
# What README shows.
QUOTED = ["uncertainty_herding", "badge", "margin"]
# How far along the baseline's curve its score is to be reached.
TARGET = 0.8
# Less than this beyond random rows is next to nothing.
LEVEL = 0.01


def evaluations(regime):
    """Evaluations of a regime, or None."""
    frame = results_of(regime.parts)
    if frame is None:
        return None
    for name in ("model", "n_query", "metric"):
        wanted = getattr(regime, name)
        if wanted is not None:
            frame = frame[frame[name] == wanted]
    # A part under way: a strategy comes in when it has been to all settings.
    settings = frame.groupby(SETTING).ngroup().groupby(frame["strategy"])
    frame = frame[settings.transform("nunique") == settings.nunique().max()]
    # A start of one class trains no model: such a curve begins later, and all others of
    # the setting are compared from there on.
    runs, there = (frame.groupby(names)["run"] for names in (SETTING, [*SETTING, AT]))
    is_shared = there.transform("nunique") == runs.transform("nunique")
    return frame[is_shared].reset_index(drop=True)


def saving(row):
    """Words for a line of `labels_saved`: per cent, and their interval."""
    if row.n_settings == 0:
        return ""
    shown = [
        f"{round(100 * end)}" if math.isfinite(end) else "?"
        for end in (row.at_least, row.at_most, row.low, row.high)
    ]
    known = shown[0] if shown[0] == shown[1] else f"{shown[0]} to {shown[1]}"
    return f"{known} % ({shown[2]} to {shown[3]})"


def savings(frame, baseline):
    """Labels saved by strategy, all settings together."""
    saved = labels_saved(
        frame, baseline=baseline, targets=[TARGET], by=[], random_state=0
    )
    return saved.set_index("strategy")


def verdicts(tests):
    """Settings in which strategies are better than the baseline, level, and worse."""
    significant = tests["p_adjusted"] < 0.05
    better = significant & (tests["mean_difference"] > 0)
    worse = significant & (tests["mean_difference"] < 0)
    level = ~significant & tests["p_adjusted"].notna()
    counts = pd.DataFrame({"better": better, "level": level, "worse": worse})
    return counts.groupby(tests["strategy"]).sum()


def everywhere(frame):
    """Strategies that have as many repeats in all settings as any other."""
    repeats = frame.groupby([*SETTING, "strategy"])["repeat"].nunique().unstack()
    return sorted(repeats.columns[repeats.eq(repeats.max(axis=1), axis=0).all()])


def regime_table(frame, baseline, saved, tests):
    """Lines of one Markdown table, and sentences below it."""
    by_set, counts = by_dataset(tests), verdicts(tests)
    strategies = everywhere(frame)
    ranks = mean_ranks(frame, strategies=strategies)
    lost = regret(frame, strategies=strategies, random_state=0).table
    lost = lost[lost["at"] == "area"].set_index("strategy")
    rank = ranks.table.set_index("strategy")["mean_rank"]
    repeats = n_repeats(frame)
    order = sorted(repeats, key=lambda name: (rank.get(name, math.inf), name))
    head = ["strategy", "repeats", "points", "labels saved"]
    head += ["better / level / worse", "mean rank", "regret"]
    rows = []
    for name in order:
        cells = [f"`{name}`", repeats[name], "", "", ""]
        if name != baseline:
            better, level, worse = counts.loc[name, ["better", "level", "worse"]]
            cells[2] = mean_and_interval(by_set.loc[name])
            cells[3] = saving(saved.loc[name])
            cells[4] = f"{better} / {level} / {worse}"
        if name in rank:
            mean, worst = lost.loc[name, ["cross_mean", "cross_worst"]]
            cells += [f"{rank[name]:.2f}", f"{points(mean)} ({points(worst)})"]
        else:
            cells += ["", ""]
        rows.append(cells)
    return [*markdown(head, rows), "", facts(frame, baseline, ranks)]


def n_repeats(frame):
    """Words for the numbers of repeats of the settings, by strategy."""
    repeats = frame.groupby(["strategy", *SETTING])["repeat"].nunique()
    ends = repeats.groupby("strategy").agg(["min", "max"])
    return {line.Index: span(line.min, line.max) for line in ends.itertuples()}


def facts(frame, baseline, ranks):
    """What a table rests on."""
    n_runs = frame["run"].nunique()
    sentences = [
        f"{frame['dataset'].nunique()} data sets, {n_runs:,} runs.",
        f"Mean ranks differ from {ranks.critical_difference:.2f} on; Friedman's test "
        f"has p = {ranks.p_value:.2g}.",
    ]
    if frame.groupby(SETTING)["repeat"].nunique().max() < 5:
        sentences.append("Next to no test can come out with so few repeats.")
    left_out = without_savings(frame, baseline)
    if left_out:
        sentences.append(f"Without savings: {', '.join(left_out)}.")
    return " ".join(sentences)


def without_savings(frame, baseline):
    """Settings in which random rows are as good at the start, in words."""
    saved = labels_saved(
        frame, baseline=baseline, targets=[TARGET], n_bootstrap=100, random_state=0
    )
    compared = saved.groupby(["dataset", "model"])["n_settings"].sum()
    return [f"{dataset} ({model})" for dataset, model in compared.index[compared == 0]]


@cache
def regimes():
    """Title, evaluations, baseline, savings and tests of the regimes with results."""
    found = []
    for regime in REGIMES:
        frame = evaluations(regime)
        if frame is not None and regime.baseline in set(frame["strategy"]):
            saved = savings(frame, regime.baseline)
            tests = paired_tests(frame, baseline=regime.baseline)
            found.append((regime.title, frame, regime.baseline, saved, tests))
    return found


def tables():
    """Markdown: a table for each regime."""
    text = []
    for title, *parts in regimes():
        text += [f"### {title.capitalize()}", "", *regime_table(*parts), ""]
    return "\n".join(text)


def as_good():
    """Markdown: where no strategy is a point beyond random rows, by regime."""
    rows = []
    for title, *_, tests in regimes():
        best = by_dataset(tests).max().sort_values()
        level = [
            f"{name} {points(x)}" for name, x in best[best.round(3) < LEVEL].items()
        ]
        rows.append([title, f"{len(level)} of {len(best)}", ", ".join(level)])
    head = ["regime", "data sets", "points of the best strategy"]
    return "\n".join(markdown(head, rows))


def rare_rows(part):
    """Markdown: rare rows among the labels in the end, by model."""
    frame = results_of([part])
    frame = frame[frame["metric"] == "found"]
    frame = frame[frame[AT] == frame.groupby("dataset")[AT].transform("max")]
    rows_found = frame.pivot_table("score", ["strategy", "model"], "dataset")
    each = rows_found.mean(axis=1).unstack()
    means = rows_found.groupby("strategy").mean()
    beyond = means.drop("random") - means.loc["random"]
    cells = {name: mean_and_interval(x, one) for name, x in beyond.iterrows()}
    rows = [
        [f"`{name}`", *(one(x) for x in each.loc[name]), cells.get(name, "")]
        for name in means.mean(axis=1).sort_values(ascending=False).index
    ]
    head = ["strategy", *each, "beyond random"]
    return "\n".join(markdown(head, rows))


def summary():
    """Markdown: what some strategies save, a line for each regime."""
    rows = []
    for title, _, _, saved, _ in regimes():
        cells = [saving(saved.loc[x]) if x in saved.index else "" for x in QUOTED]
        rows.append([title, saved["n_datasets"].max(), *cells])
    head = ["labels saved", "data sets", *(f"`{name}`" for name in QUOTED)]
    return "\n".join(markdown(head, rows))
