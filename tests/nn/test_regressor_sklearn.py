"""scikit-learn's own checks."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from skbadge.nn import TabularNetRegressor


@parametrize_with_checks([TabularNetRegressor(max_epochs=30, hidden_sizes=(32,))])
def test_scikit_learn_checks(estimator, check):
    check(estimator)
