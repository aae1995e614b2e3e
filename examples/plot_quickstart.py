"""
===================================
Which rows should be labelled next?
===================================

Six strategies choose, round by round, which handwritten digits to have labelled. The
labels are known here, so that the answer of a human can be looked up, and the net's
accuracy on held-out digits tells what the choice was worth.

Run it with ``python examples/plot_quickstart.py``; it takes about a minute.
"""

# %%
# The data
# --------
#
# scikit-learn's digits: 1797 images of 8 x 8 pixels. A third is held out for testing,
# the rest is the pool. Each repeat draws its own split and its own 20 first labels,
# the same for all strategies, so that these are compared like with like.

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from tqdm.auto import tqdm

from skbadge import BadgeQuerier

X, y = load_digits(return_X_y=True)

STRATEGIES = ["badge", "margin", "least_confidence", "entropy", "core_set", "random"]
N_INITIAL, N_QUERY, N_ROUNDS, N_REPEATS = 20, 20, 9, 5


# %%
# One run
# -------
#
# Label 20 rows, then ask for 20 more, nine times. The querier keeps the labelled rows;
# the loop only keeps track of what is left in the pool.


def learning_curve(strategy, repeat):
    """Accuracy by number of labels of one run."""
    X_pool, X_test, y_pool, y_test = train_test_split(
        X, y, test_size=1 / 3, stratify=y, random_state=repeat
    )
    left = np.random.default_rng(repeat).permutation(len(X_pool))
    first, left = left[:N_INITIAL], left[N_INITIAL:]
    querier = BadgeQuerier(
        strategy=strategy, classes=np.unique(y), random_state=repeat
    ).fit(X_pool[first], y_pool[first])
    scores = {N_INITIAL: querier.score(X_test, y_test)}
    for _ in range(N_ROUNDS):
        rows = querier.query(X_pool[left], n=N_QUERY)
        querier.partial_fit(X_pool[left[rows]], y_pool[left[rows]])
        left = np.delete(left, rows)
        scores[len(querier.y_labeled_)] = querier.score(X_test, y_test)
    return pd.Series(scores, name="accuracy").rename_axis("n_labeled")


# %%
# All runs
# --------
#
# One process for each core; joblib gives each of them one thread.

settings = [
    (strategy, repeat) for repeat in range(N_REPEATS) for strategy in STRATEGIES
]
runs = Parallel(n_jobs=-1, return_as="generator")(
    delayed(learning_curve)(*setting) for setting in settings
)
runs = list(tqdm(runs, total=len(settings), unit="run"))
curves = pd.concat(dict(zip(settings, runs, strict=True)), names=["strategy", "repeat"])

# %%
# The result
# ----------
#
# Mean accuracy, and its standard error over the repeats.

groups = curves.groupby(["n_labeled", "strategy"])
mean, error = groups.mean().unstack()[STRATEGIES], groups.sem().unstack()[STRATEGIES]
table = mean.map("{:.3f}".format) + " ± " + error.map("{:.3f}".format)
print(f"\nAccuracy on held-out digits, mean ± standard error of {N_REPEATS} repeats:\n")
print(table.to_string())

# %%

# Colours by Okabe and Ito, told apart by every kind of colour vision.
COLORS = ["#D55E00", "#0072B2", "#56B4E9", "#009E73", "#CC79A7", "#000000"]
MARKERS = ["o", "s", "D", "^", "v", "x"]

figure, ax = plt.subplots(figsize=(7, 4.5), layout="constrained")
for strategy, color, marker in zip(STRATEGIES, COLORS, MARKERS, strict=True):
    middle, band = mean[strategy], error[strategy]
    ax.plot(middle.index, middle, marker=marker, ms=4, color=color, label=strategy)
    ax.fill_between(
        middle.index, middle - band, middle + band, color=color, alpha=0.15, lw=0
    )
ax.set(
    xlabel="Labelled rows",
    ylabel="Accuracy on held-out rows",
    title=f"Digits, {N_QUERY} labels a round: mean and standard error, "
    f"{N_REPEATS} repeats",
)
ax.grid(alpha=0.3)
ax.legend(loc="lower right", frameon=False)
picture = Path("quickstart.png").resolve()
figure.savefig(picture, dpi=120)
print(f"\nLearning curves: {picture}")
