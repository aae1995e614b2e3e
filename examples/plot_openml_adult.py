"""
==============================================
A table of people: words, numbers and blanks
==============================================

Real tables hold words beside numbers, and cells that nobody filled in. Which rows of
such a table should be labelled next? The adult data set (OpenML 1590) asks whether a
person earns more than 50 000 dollars a year.

Run it with ``python examples/plot_openml_adult.py``; it takes about two minutes on two
cores. The data is downloaded once. Without a network, a made-up table is used.
"""

# %%
# The data
# --------
#
# 48 842 people, 6 columns of numbers, 8 of words, 6465 empty cells. A draw of 15 000 of
# them is plenty here.

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.pipeline import make_pipeline

from skbadge import BadgeQuerier
from skbadge.datasets import load_openml, load_table
from skbadge.experiment import active_learning_curve
from skbadge.inspection import ActiveLearningCurveDisplay
from skbadge.nn import TabularNetClassifier


def made_up_people(n=6000):
    """A table of the same kind, read from a CSV file like one of your own."""
    rng = np.random.default_rng(0)
    schooling = rng.choice(["school", "college", "university"], n, p=[0.5, 0.3, 0.2])
    age = rng.integers(18, 80, n)
    years = pd.Series(schooling).map({"school": 10, "college": 13, "university": 17})
    wealth = years / 2 - ((age - 50) / 12) ** 2 + rng.normal(0, 2, n)
    people = pd.DataFrame(
        {
            "age": np.where(rng.random(n) < 0.05, np.nan, age),
            "schooling": pd.Series(schooling).mask(rng.random(n) < 0.1),
            "town": rng.choice(["Ulm", "Bonn", "Jena", "Trier"], n),
            "income": np.where(wealth > 5, ">50K", "<=50K"),
        }
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "people.csv")
        people.to_csv(path, index=False)
        return load_table(path, "income")


try:
    data = load_openml("adult", version=2, max_rows=15000, random_state=0)
except ConnectionError as error:
    print(f"{error}\n\nA made-up table takes the place of the adult data set.\n")
    data = made_up_people()
print(data)
print(data.X.head().T.to_string())

# %%
# The model
# ---------
#
# The preprocessor that comes with the data fills blanks, makes a column of each
# category, with one for "unknown", and scales numbers. It knows all categories, so that
# the width of the net's input does not depend on which rows are labelled. Everything
# else, such as medians, it learns from the labelled rows, as the net does: both are
# steps of one pipeline, and the querier trains that anew in each round.
#
# Who earns how much is not written in these columns alone, so the net must not learn
# its rows by heart: it is small, and stops early.

net = TabularNetClassifier(
    hidden_sizes=(64,),
    max_epochs=30,
    train_accuracy=None,
    optimizer__weight_decay=0.01,
)
model = make_pipeline(data.preprocessor, net)
labels = data.classes[data.y]
querier = BadgeQuerier(model, random_state=0)
querier.fit(data.X[:100], labels[:100])

# %%
# Rows go in as they are. These are the people that it would like to know about first:

pool = data.X[100:]
rows = querier.query(pool, n=5)
print("\nThe first five rows to label:\n")
print(pool.iloc[rows].T.to_string())

# %%
# The experiment
# --------------
#
# Three strategies from the same 100 first labels, eight times over.

STRATEGIES = ["badge", "margin", "random"]
N_REPEATS = 8

result = active_learning_curve(
    BadgeQuerier(model),
    data.X,
    labels,
    strategies=STRATEGIES,
    n_initial=100,
    n_query=50,
    n_rounds=10,
    n_repeats=N_REPEATS,
    n_jobs=-1,
    random_state=0,
    verbose=1,
    dataset=data.name,
    model="MLP",
)

# %%
# The result
# ----------
#
# Mean accuracy on the rows held out, and its standard error over the repeats.

groups = result.to_frame().groupby(["n_labeled", "strategy"])["score"]
mean, error = groups.mean().unstack()[STRATEGIES], groups.sem().unstack()[STRATEGIES]
table = mean.map("{:.3f}".format) + " ± " + error.map("{:.3f}".format)
print(f"\nHeld-out accuracy, mean ± standard error of {N_REPEATS} repeats:\n")
print(table.to_string())

# %%

figure, ax = plt.subplots(figsize=(7, 4.5), layout="constrained")
ActiveLearningCurveDisplay.from_frame(result, strategies=STRATEGIES, ax=ax)
picture = Path("openml_adult.png").resolve()
figure.savefig(picture, dpi=120)
print(f"\nLearning curves: {picture}")
