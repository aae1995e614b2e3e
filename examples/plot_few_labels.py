"""
======================================
The first labels, on a frozen encoder
======================================

A model that somebody else has trained turns images or texts into features; what they
mean for your task, a small classifier has to learn from few labels. Which rows should
get the first ones? Here the encoder is a net trained on the digits 0 to 4, and the task
is to tell 5 to 9 apart. Sentence embeddings are used in the same way: for the library,
features are just ``X``.

Run it with ``python examples/plot_few_labels.py``; it takes about a minute.
"""

# %%
# An encoder from another task
# ----------------------------
#
# Its last hidden layer gives 64 features. It has never seen a 5.

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from skbadge import BadgeQuerier
from skbadge.experiment import active_learning_curve
from skbadge.inspection import ActiveLearningCurveDisplay
from skbadge.nn import TabularNetClassifier
from skbadge.outputs import model_outputs

images, digits = map(np.asarray, load_digits(return_X_y=True))
N_ROUNDS, N_REPEATS = 9, 20

is_known = digits < 5
encoder = TabularNetClassifier(hidden_sizes=[64], random_state=0)
encoder.fit(images[is_known], digits[is_known])

X = model_outputs(encoder, images[~is_known], needs="features").features
y = digits[~is_known]
print(f"{len(X)} unlabelled rows of {X.shape[1]} features")

# %%
# The first query
# ---------------
#
# Before any label there is no model to ask. ``cold_start`` names a strategy that looks
# at the rows alone: `max_herding` picks rows that stand for as many others as they can.

querier = BadgeQuerier(LogisticRegression(), strategy="max_herding", random_state=0)
rows = querier.query(X, n=5)
print("the first five picks are the digits", y[rows])

# %%
# Starts and strategies
# ---------------------
#
# From 5 labels to 50 by fives. ``initial`` says how the first ones are found. With a
# strategy for few labels, the start by herding is most of the gain at first; what comes
# after makes the rest.

classifier = BadgeQuerier(LogisticRegression(max_iter=1000))
frames = []
for initial, strategies in {
    "uniform": {"random": "random", "margin, random start": "margin"},
    "max_herding": {
        "margin": "margin",
        "typiclust": "typiclust",
        "uncertainty_herding": "uncertainty_herding",
    },
}.items():
    result = active_learning_curve(
        classifier,
        X,
        y,
        strategies=strategies,
        initial=initial,
        n_initial=5,
        n_query=5,
        n_rounds=N_ROUNDS,
        n_repeats=N_REPEATS,
        random_state=0,
    )
    frames.append(result.to_frame())
results = pd.concat(frames)

# %%
# What it was worth
# -----------------
#
# Mean accuracy on held-out rows.

table = results.pivot_table(index="strategy", columns="n_labeled", values="score")
print(table.round(3).to_string())

# %%
figure, ax = plt.subplots(figsize=(7, 4.5), layout="constrained")
ActiveLearningCurveDisplay.from_frame(results, ax=ax)
ax.set(title="Digits 5 to 9 by an encoder for 0 to 4", ylabel="accuracy")

picture = Path("few_labels.png").resolve()
figure.savefig(picture, dpi=120)
print(f"\nLearning curves: {picture}")
