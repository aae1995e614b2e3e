"""
==========================================
Letters of OpenML, with the net of a paper
==========================================

Ash et al. (BADGE, arXiv:1906.03671) compare query strategies on OpenML's data set 6,
distorted capital letters of 20 fonts, with a net of one hidden layer. This is their
experiment in small: four strategies, 1500 labels, three repeats.

Run it with ``python examples/plot_openml_letter.py``; it takes about two minutes on two
cores. The data is downloaded once. Without a network, scikit-learn's digits are used.
"""

# %%
# The data
# --------
#
# 20 000 letters, each described by 16 small integers: how wide it is, how many pixels
# are on, and so on. All columns are numbers, and the net standardises its input itself,
# so that the preprocessor that comes with the data is not needed.

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

from skbadge import BadgeQuerier
from skbadge.datasets import load_openml
from skbadge.experiment import active_learning_curve
from skbadge.inspection import ActiveLearningCurveDisplay
from skbadge.nn import TabularNetClassifier

try:
    data = load_openml(6)
    print(data)
    name, X, y, n_rounds = data.name, data.X.to_numpy(np.float32), data.y, 14
except ConnectionError as error:
    X, y = load_digits(return_X_y=True)
    name, X, n_rounds = "digits", X.astype(np.float32), 9
    print(f"{error}\n\nscikit-learn's digits take the place of the letters.")

# %%
# The net
# -------
#
# As in the paper: 1024 hidden units, Adam, mini-batches of 128, from scratch in every
# round, until 99 % of the labelled rows are classified correctly. Only the learning
# rate differs: theirs, 1e-4, needs nine times as many epochs to get to the same
# accuracy.

net = TabularNetClassifier(
    hidden_sizes=(1024,), lr=1e-3, batch_size=128, train_accuracy=0.99, min_steps=0
)

# %%
# The experiment
# --------------
#
# Every repeat draws a quarter of the rows for testing and 100 rows to start with, the
# same for all strategies. Then they ask for 100 labels a round.

STRATEGIES = ["badge", "margin", "core_set", "random"]
N_REPEATS = 3

result = active_learning_curve(
    BadgeQuerier(net),
    X,
    y,
    strategies=STRATEGIES,
    n_initial=100,
    n_query=100,
    n_rounds=n_rounds,
    n_repeats=N_REPEATS,
    n_jobs=-1,
    random_state=0,
    verbose=1,
    dataset=name,
    model="MLP",
)

# %%
# The result
# ----------
#
# Mean accuracy on the test rows, and its standard error over the repeats.

frame = result.to_frame()
groups = frame.groupby(["n_labeled", "strategy"])["score"]
mean, error = groups.mean().unstack()[STRATEGIES], groups.sem().unstack()[STRATEGIES]
table = mean.map("{:.3f}".format) + " ± " + error.map("{:.3f}".format)
print(f"\nAccuracy on {name}, mean ± standard error of {N_REPEATS} repeats:\n")
print(table.to_string())

# %%
# What a run costs, in seconds: training and asking, all rounds together.

times = frame.groupby(["strategy", "repeat"])[["fit_time", "query_time"]].sum()
print("\nSeconds per run:\n")
print(times.groupby("strategy").mean().round(2).loc[STRATEGIES].to_string())

# %%

figure, ax = plt.subplots(figsize=(7, 4.5), layout="constrained")
ActiveLearningCurveDisplay.from_frame(result, strategies=STRATEGIES, ax=ax)
picture = Path("openml_letter.png").resolve()
figure.savefig(picture, dpi=120)
print(f"\nLearning curves: {picture}")
