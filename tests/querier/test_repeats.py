"""Rows of a pool that equal labelled ones cost a label for nothing."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression

from skbadge import BadgeQuerier
from skbadge.exceptions import QueryWarning

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 3))
y = np.arange(60) % 3

pytestmark = pytest.mark.filterwarnings("error")


def fitted(convert=np.asarray):
    querier = BadgeQuerier(LogisticRegression(), strategy="entropy", random_state=0)
    return querier.fit(convert(X[:20]), y[:20])


@pytest.mark.parametrize("convert", [np.asarray, pd.DataFrame, sparse.csr_matrix])
def test_they_are_warned_of_once(convert):
    querier, pool = fitted(convert), convert(X[10:])
    with pytest.warns(QueryWarning, match="^10 rows that may be selected equal") as got:
        querier.query(pool, 3)
    assert len(got) == 1
    assert got[0].filename == __file__
    assert "out of the pool, or of `candidates`" in str(got[0].message)
    querier.query(pool, 3)
    querier.partial_fit(convert(X[20:25]), y[20:25]).query(pool, 3)


def test_rows_that_may_not_be_selected_are_not_spoken_of():
    left = np.arange(60) >= 20
    querier = fitted()
    querier.query(X, 3, candidates=left)
    querier.query(X, 3, pending=~left)
    querier.query(X[20:], 3)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        querier.query(X, 3)
    assert [str(warning.message)[:7] for warning in caught] == ["20 rows"]
