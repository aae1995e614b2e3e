"""Columns in units of their own spread."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.preprocessing import StandardScaler

from skbadge.outputs.readers._standardize import standardized


def both(X, scaling=None, takes_missing=True):
    """The same of dense and of sparse rows."""
    rows, how = standardized(X, scaling, takes_missing=takes_missing)
    kept, too = standardized(sparse.csr_matrix(X), scaling, takes_missing=takes_missing)
    assert sparse.issparse(kept)
    np.testing.assert_allclose(kept.toarray(), rows, atol=1e-12)
    for one, other in zip(how, too, strict=True):
        np.testing.assert_allclose(one, other)
    return rows, how


@pytest.fixture
def X():
    return np.random.RandomState(0).normal(5, 2, size=(50, 4))


@pytest.mark.parametrize("unit", [1.0, 1e-3, 1e200, 1e-200])
def test_full_columns_get_mean_0_and_variance_1(X, unit):
    rows, _ = both(X * unit)
    np.testing.assert_allclose(rows, StandardScaler().fit_transform(X), rtol=1e-9)


def test_columns_of_zeros_stay_zeros_and_have_at_most_1(X):
    X[::2, 1] = 0
    X[:, 3] = 0
    rows, how = both(X)
    assert how.center[1] == how.center[3] == 0
    np.testing.assert_allclose(rows[:, 1], X[:, 1] / X[:, 1].max())
    assert not rows[:, 3].any()


@pytest.mark.parametrize("value", [0.1, 7.0, -1e9])
def test_columns_without_variance_become_zero(X, value):
    X[:, 2] = value
    assert not both(X)[0][:, 2].any()


def test_small_variance_about_a_great_mean_counts(X):
    X[:, 0] = 1.7e9 + np.arange(50)
    np.testing.assert_allclose(both(X)[0].std(axis=0), 1)


def test_missing_values_count_as_the_mean_or_stay(X):
    X[:30, 1] = 0
    X[[3, 40], 1] = X[5, 0] = np.nan
    rows, _ = both(X)
    assert rows[3, 1] == rows[40, 1] == rows[5, 0] == 0
    np.testing.assert_allclose(rows[:, 0].mean(), 0, atol=1e-12)
    kept, _ = both(X, takes_missing=False)
    np.testing.assert_array_equal(np.isnan(kept), np.isnan(X))
    X[:, 2] = np.nan
    assert not both(X)[0][:, 2].any()


def test_other_rows_are_standardised_by_given_statistics(X):
    X[:30, 1] = 0
    whole, how = both(X)
    np.testing.assert_allclose(both(X[:7], how)[0], whole[:7])


def test_the_dtype_is_kept_and_the_rows_are_a_copy(X):
    single = X.astype(np.float32)
    rows, _ = standardized(single, None, takes_missing=True)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(rows, both(X)[0], atol=1e-5)
    np.testing.assert_array_equal(single, X.astype(np.float32))
