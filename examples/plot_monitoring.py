"""
==================================================
How good is the model, and when are labels enough?
==================================================

Labels cost, and so do the labels of a test set. This run of active learning watches
itself: the batches that are labelled anyway say how good the model is, a small audit
says for sure when to stop, and a power law says how far it still is to a better model.

Run it with ``python examples/plot_monitoring.py``; it takes about two minutes on one
core. The data is downloaded once. Without a network, scikit-learn's digits are used.
"""

# %%
# The data
# --------
#
# 20 000 distorted capital letters, 16 numbers each. A quarter is held back: nobody has
# such rows in real life, and here they show whether what the monitor says is right.

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

from skbadge import BadgeQuerier
from skbadge.datasets import load_openml
from skbadge.monitoring import Monitor, MonitorDisplay
from skbadge.strategies import Badge

try:
    data = load_openml(6)
    name, X, y = data.name, data.X.to_numpy(np.float32), data.y
    n_initial, n_query, target, wish = 200, 200, 0.2, 0.05
except ConnectionError as error:
    X, y = load_digits(return_X_y=True)
    name, X = "digits", X.astype(np.float32)
    n_initial, n_query, target, wish = 30, 30, 0.15, 0.03
    print(f"{error}\n\nscikit-learn's digits take the place of the letters.\n")

N_ROUNDS, N_AUDIT = 12, 200
# Of letters that are there twice, one.
kept = np.sort(np.unique(X, axis=0, return_index=True)[1])
X, y = X[kept], y[kept]
X, X_new, y, y_new = train_test_split(X, y, test_size=0.25, random_state=0)

# %%
# What is drawn at random
# -----------------------
#
# First of all, 200 rows for the audit. The model never learns from them. Then the first
# labels. All the others are asked for by BADGE with a share of 0.2: of each five rows,
# about one is drawn uniformly. So the probability of each draw is known, and weights
# make a test set of a batch of hard rows.

order = np.random.default_rng(0).permutation(len(X))
audit, start = order[:N_AUDIT], order[N_AUDIT : N_AUDIT + n_initial]
left = np.ones(len(X), dtype=bool)
left[audit] = left[start] = False

querier = BadgeQuerier(
    RandomForestClassifier(random_state=0),
    strategy=Badge(uniform_share=0.2),
    random_state=0,
).fit(X[start], y[start])

# %%
# The rounds
# ----------
#
# One monitor judges by the batches, the other by the audit. Both are told of each batch
# before the model learns from it. What they judge is the model that chose the batch.

by_batch = Monitor(X[left], interval="normal", random_state=0)
by_audit = Monitor(X[left], audit=(X[audit], y[audit]), random_state=0)
truth, stopped = [], None
for _ in range(N_ROUNDS):
    rows, report = querier.query(X, n_query, candidates=left, return_report=True)
    left[rows] = False
    for monitor in (by_batch, by_audit):
        one = monitor.add(querier, report, X[rows], y[rows])
    truth.append(1 - querier.score(X_new, y_new))
    if stopped is None and by_audit.should_stop(target):
        stopped = one.number
        print(by_audit.should_stop(target), end="\n\n")
    querier.partial_fit(X[rows], y[rows])

# %%
# What the batches say
# --------------------
#
# A line for each round. The picks are harder than other rows: the disagreement is far
# above the error.

print(by_batch)

# %%
# When to stop
# ------------
#
# The audit's bound holds for all rounds together: with a confidence of 0.95, no round
# is worse than its bound. It stopped the labelling here, while the picture goes on.

if stopped is None:
    print(by_audit.should_stop(target))
else:
    print(
        f"Stopped in round {stopped}, with an error of {truth[stopped - 1]:.3f} on new "
        f"rows. The target is {target:g}."
    )

# %%
# How far it is to a better model
# -------------------------------

print(by_batch.forecast(wish, random_state=0))

# %%
# The picture
# -----------
#
# The black crosses are the errors on the rows that were held back.

display = MonitorDisplay.from_monitor(
    by_batch, target=target, panels=["error", "agreement", "disagreement", "classes"]
)
n_labeled = [one.n_labeled for one in by_batch.rounds]
ax = display.axes_["error"]
(crosses,) = ax.plot(n_labeled, truth, "kx", zorder=3, label="On new rows")
ax.legend(handles=[crosses])
display.figure_.suptitle(f"{name}: BADGE with a share of 0.2, judged by its batches")
picture = Path("monitoring.png").resolve()
display.figure_.savefig(picture, dpi=120)
print(f"\nRounds: {picture}")
