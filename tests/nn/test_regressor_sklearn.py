"""scikit-learn's own checks."""

from sklearn.utils.estimator_checks import parametrize_with_checks

from skbadge.nn import TabularNetRegressor

# It holds up to the rounding of float32, which the check does not allow for: see
# test_row_weights.py.
ROUNDED = {
    f"check_sample_weight_equivalence_on_{kind}_data": "float32 weights of a net"
    for kind in ("dense", "sparse")
}


@parametrize_with_checks(
    [TabularNetRegressor(max_epochs=30, hidden_sizes=(32,))],
    expected_failed_checks=lambda _: ROUNDED,
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)
