"""
================================================
A regressor asks: where it helps and where not
================================================

Each label is a measurement or an hour of simulation, and the target is a number. Rows
that a net asks for can spare some of them, and most of all the largest errors. That
depends on the data: here are two tasks of three where it helps little or not at all.

Run it with ``python examples/plot_regression.py``; it takes about a minute on two
cores.
"""

# %%
# Three tasks
# -----------
#
# * The impedance of a circuit from its resistance, frequency, inductance and
#   capacitance: a formula (Friedman's second), as a simulation would compute it.
# * The same with a bad instrument: noise with half the spread of the target.
# * 442 people with diabetes, 10 columns, and how the disease went on in a year. Nobody
#   can read that from these columns exactly. The pool is small, too: 240 labels are
#   most of it.

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_diabetes, make_friedman2

from skbadge import BadgeQuerier
from skbadge.experiment import active_learning_curve
from skbadge.inspection import label_efficiency, mean_log_errors
from skbadge.nn import TabularNetRegressor

N_ROWS, N_INITIAL, N_QUERY, N_ROUNDS, N_REPEATS = 2000, 40, 40, 5, 16
STRATEGIES = ["lcmd", "badge", "random"]

X, y = make_friedman2(N_ROWS, random_state=0)
noise = np.random.default_rng(0).normal(0, y.std() / 2, N_ROWS)
TASKS = {
    "circuit": (X, y),
    "circuit, noisy": (X, y + noise),
    "diabetes": load_diabetes(return_X_y=True),
}
net = TabularNetRegressor(hidden_sizes=(64, 64), max_epochs=64)
print(f"the noise alone is an RMSE of {noise.std():.0f} ohms")

# %%
# What it asks for
# ----------------
#
# 40 rows are labelled, 40 more are asked for. As all values are known here, it can be
# seen how wrong the net was about the rows it asked for, beside all rows of the pool.

querier = BadgeQuerier(net, random_state=0).fit(X[:N_INITIAL], y[:N_INITIAL])
pool, y_pool = X[N_INITIAL:], y[N_INITIAL:]
errors = np.abs(querier.predict(pool) - y_pool)
print(f"mean error of {len(pool)} rows of the pool: {errors.mean():.0f} ohms")
for strategy in STRATEGIES:
    rows = querier.set_params(strategy=strategy).query(pool, N_QUERY)
    print(f"mean error of {N_QUERY} rows by {strategy}: {errors[rows].mean():.0f} ohms")

# %%
# Played through
# --------------
#
# From 40 labels to 240, with a third of the rows held out. All strategies of a repeat
# start from the same rows and are tested by the same ones. Besides the root mean
# squared error (RMSE) there are the mean absolute error, the error that one row in a
# hundred is above, and the largest.

METRICS = {
    "neg_mean_absolute_error": "mean absolute",
    "neg_root_mean_squared_error": "RMSE",
    "neg_error_quantile_99": "99 %",
    "neg_max_error": "largest",
}
frames = [
    active_learning_curve(
        BadgeQuerier(net),
        *data,
        strategies=STRATEGIES,
        n_initial=N_INITIAL,
        n_query=N_QUERY,
        n_rounds=N_ROUNDS,
        n_repeats=N_REPEATS,
        test_size=1 / 3,
        scoring=list(METRICS),
        n_jobs=-1,
        random_state=0,
        dataset=name,
        model="net",
    ).to_frame()
    for name, data in TASKS.items()
]
results = pd.concat(frames, ignore_index=True)
results["error"] = -results["score"]

# %%
# Errors by number of labels
# --------------------------
#
# Means of all repeats, in the units of the target.

for metric in ["neg_root_mean_squared_error", "neg_max_error"]:
    table = results[results["metric"] == metric].pivot_table(
        index="n_labeled", columns=["dataset", "strategy"], values="error"
    )
    print(f"\nError ({METRICS[metric]}):\n")
    print(table[list(TASKS)].round(1).to_string())

# %%
# Each error divided by that of random rows, over the whole curve: below 1 is better.
# ``±`` is the standard error of the mean logarithm over the repeats, which for such
# numbers is about that of the ratio.

table = pd.concat(
    [
        mean_log_errors(frame, baseline="random").table.assign(task=name)
        for name, frame in zip(TASKS, frames, strict=True)
    ]
)
table = table[table["strategy"] != "random"].assign(
    error=lambda table: table["metric"].map(METRICS),
    shown=lambda table: (
        table["ratio"].map("{:.2f}".format)
        + " ± "
        + table["difference_sem_fixed"].map("{:.2f}".format)
    ),
)
ratios = table.pivot(index=["task", "strategy"], columns="error", values="shown")
print(ratios[list(METRICS.values())].to_string())

# %%
# And in labels: how many does each strategy need for the RMSE that random rows have at
# the end? Where curves are flat, this number says little: a small difference of errors
# is a large one of labels.

labels = pd.concat(
    label_efficiency(
        frame, metric="neg_root_mean_squared_error", targets=[1.0], monotone=True
    ).assign(task=name)
    for name, frame in zip(TASKS, frames, strict=True)
)
labels = labels.pivot(index="task", columns="strategy", values="labels_to_target")
print(labels.loc[list(TASKS), STRATEGIES].round().to_string())

# %%
# What it costs: seconds of a training and of a query, mean.

times = results.groupby(["dataset", "strategy"])[["fit_time", "query_time"]].mean()
print(times.loc[list(TASKS)].round(3).to_string())

# %%
# What comes out
# --------------
#
# * On the circuit `lcmd` gains, and most in the largest errors: these are 0.75 times
#   those of random rows, the RMSE 0.91 times, the mean absolute error 0.95 times. It
#   takes some 150 labels for what random rows need 240 for. `badge`, which is the
#   default and selects by the posterior of the last layer, gains less.
# * The instrument takes that away: with the noise, all strategies are within a few
#   hundredths of random rows. Most of the error is noise then, which no choice of
#   rows takes out.
# * On diabetes nothing is gained, and the largest errors are a little larger, if
#   anything. Draw the rows at random there, which costs nothing and leaves a sample of
#   the people that other questions can be asked of.
# * A query of `lcmd` takes about half as long as a training of this net. That is
#   little beside a simulation, and more than nothing beside a cheap label.
#
# So find out how noisy the labels are before anything else: have some rows measured
# twice. And if no large error is dear to you, expect little.

# %%

# Colours by Okabe and Ito, told apart by every kind of colour vision.
COLORS = ["#D55E00", "#56B4E9", "#000000"]
MARKERS = ["o", "D", "x"]

figure, axes = plt.subplots(2, 3, figsize=(10, 6), sharex=True, layout="constrained")
for column, task in zip(axes.T, TASKS, strict=True):
    rows = {
        "RMSE": "neg_root_mean_squared_error",
        "Largest error": "neg_max_error",
    }
    for ax, (label, metric) in zip(column, rows.items(), strict=True):
        here = results[(results["dataset"] == task) & (results["metric"] == metric)]
        groups = here.groupby(["n_labeled", "strategy"])["error"]
        mean, error = groups.mean().unstack(), groups.sem().unstack()
        for name, color, marker in zip(STRATEGIES, COLORS, MARKERS, strict=True):
            middle, band = mean[name], error[name]
            ax.plot(middle.index, middle, marker=marker, ms=4, color=color, label=name)
            ax.fill_between(
                middle.index, middle - band, middle + band, color=color, alpha=0.15
            )
        ax.set_ylim(bottom=0)
        ax.grid(alpha=0.3)
        if task == "circuit":
            ax.set_ylabel(label)
    column[0].set_title(task)
    column[1].set_xlabel("Labelled rows")
handles, names = axes[0, 0].get_legend_handles_labels()
figure.legend(handles, names, loc="outside lower center", ncols=3, frameon=False)
picture = Path("regression.png").resolve()
figure.savefig(picture, dpi=120)
print(f"\nLearning curves: {picture}")
