"""ALFA-Mix: held to the authors' loop with gradients by torch."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch.nn.functional import cross_entropy

from skbadge import BadgeQuerier
from skbadge.exceptions import QueryWarning
from skbadge.outputs import Head, Labeled, Outputs
from skbadge.samplers import Feasible
from skbadge.strategies import AlfaMix
from skbadge.strategies._alfa_mix import changing_caps, class_anchors, grown_cap

N_ROWS, N_FEATURES = 120, 7


def make_outputs(n_rows, n_classes, seed, head=None, clipped=True):
    rng = np.random.RandomState(seed)
    features = 2 * rng.normal(size=(n_rows, N_FEATURES))
    if clipped:
        # As after a ReLU: coordinates of rows and anchors are often both 0.
        features = np.maximum(features - 1, 0)
    if head is None:
        weight = rng.normal(size=(n_classes, N_FEATURES))
        head = Head(weight, rng.normal(size=n_classes))
    proba = np.full((n_rows, n_classes), 1 / n_classes)
    return Outputs(proba, features, head=head)


def make_task(n_classes=4, clipped=True, absent=False, seed=0):
    pool = make_outputs(N_ROWS, n_classes, seed, clipped=clipped)
    known = make_outputs(9, n_classes, seed + 1, pool.head, clipped)
    codes = np.arange(9) % (n_classes - absent)
    return pool, Labeled(known, codes, codes)


def caps_are_passed_by_loop(pool, labeled, cap):
    """Which rows change for a cap: the formula as it stands, anchor by anchor."""
    weight, bias = (torch.tensor(part) for part in pool.head)
    z = torch.tensor(pool.features, requires_grad=True)
    predicted = (z @ weight.T + bias).argmax(dim=1)
    loss = cross_entropy(z @ weight.T + bias, predicted, reduction="sum")
    gradient = torch.autograd.grad(loss, z)[0]
    changed = torch.zeros(len(z), dtype=bool)
    known = torch.tensor(labeled.outputs.features)
    for label in range(len(bias)):
        own = known[labeled.codes == label]
        anchor = (own if len(own) else known).mean(dim=0)
        difference = anchor - z
        epsilon = cap / np.sqrt(z.shape[1])
        alpha = (
            epsilon
            * difference.norm(dim=1, keepdim=True)
            / gradient.norm(dim=1, keepdim=True)
            * gradient
            / difference
        )
        alpha = torch.where(difference == 0, 0.0, alpha)
        mixed = (1 - alpha) * z + alpha * anchor
        changed |= (mixed @ weight.T + bias).argmax(dim=1) != predicted
    return changed.numpy()


@pytest.mark.parametrize("clipped", [False, True])
@pytest.mark.parametrize(("n_classes", "absent"), [(2, False), (4, False), (5, True)])
def test_candidates_are_those_of_the_loop(n_classes, absent, clipped):
    pool, labeled = make_task(n_classes, clipped, absent)
    anchors = class_anchors(labeled, n_classes)
    caps = changing_caps(pool.features, pool.head, anchors)
    sizes = set()
    for cap in [0.01, 0.03125, 0.1, 0.3, 0.6, 1.0, 3.0]:
        expected = caps_are_passed_by_loop(pool, labeled, cap)
        np.testing.assert_array_equal(caps < cap, expected)
        sizes.add(expected.sum())
    assert len(sizes) > 4
    if clipped:
        differences = anchors[:, None] - pool.features
        assert ((differences == 0).any(axis=2)).any()


def test_single_precision_and_certain_predictions_change_as_well():
    pool, labeled = make_task(3)
    anchors = class_anchors(labeled, 3)
    # By now torch's gradient is exactly 0 for most rows.
    head = Head(pool.head.weight * 1000, pool.head.bias * 1000)
    expected = changing_caps(pool.features, pool.head, anchors)
    sharp = changing_caps(pool.features, head, anchors)
    assert np.isfinite(sharp).sum() > N_ROWS / 2
    assert np.isfinite(expected).sum() > N_ROWS / 2
    single = Head(*(part.astype("f4") for part in pool.head))
    caps = changing_caps(pool.features.astype("f4"), single, anchors)
    np.testing.assert_allclose(caps, expected, rtol=1e-3)


def test_anchors_are_means_of_classes():
    _, labeled = make_task(4, absent=True)
    anchors = class_anchors(labeled, 4)
    features = labeled.outputs.features
    expected = [features[code::3].mean(axis=0) for code in range(3)]
    np.testing.assert_allclose(anchors, [*expected, features.mean(axis=0)])
    # A label that the model has no output for counts in the mean of all.
    strange = Labeled(labeled.outputs, labeled.y, np.where(labeled.y, labeled.y, -1))
    np.testing.assert_allclose(
        class_anchors(strange, 3), [*expected[1:], features.mean(axis=0)]
    )
    with pytest.raises(ValueError, match=r"AlfaMix needs `labeled\.codes`"):
        class_anchors(Labeled(labeled.outputs, labeled.y), 4)


@pytest.mark.parametrize("n", [0, 3, 20, 119, 120])
@pytest.mark.parametrize("step", [0.03125, 0.2, 0.3, 1.0])
def test_the_cap_grows_step_by_step(step, n):
    pool, labeled = make_task()
    caps = changing_caps(pool.features, pool.head, class_anchors(labeled, 4))
    cap = 0.0
    while cap < 1 - 1e-12:
        cap += step
        if (caps < cap).sum() > n:
            break
    assert grown_cap(caps, n, step) == pytest.approx(cap, rel=1e-12)


def test_rows_are_candidates_of_different_kinds():
    pool, labeled = make_task(clipped=False)
    caps = changing_caps(pool.features, pool.head, class_anchors(labeled, 4))
    cap = grown_cap(caps, 10, 0.03125)
    assert 10 < (caps < cap).sum() < N_ROWS
    selection = AlfaMix().run(pool, 10, labeled=labeled, random_state=0)
    assert (caps[selection.rows] < cap).all()
    np.testing.assert_array_equal(selection.values, caps[selection.rows])
    # Not just those of least cap.
    assert set(selection.rows) != set(np.argsort(caps)[:10])


def test_the_rest_is_drawn_without_replacement():
    pool, labeled = make_task(clipped=False)
    head = Head(pool.head.weight, np.array([1e6, 0.0, 0.0, 0.0]))
    pool = Outputs(pool.proba, pool.features, head=head)
    counts = np.zeros(N_ROWS)
    for seed in range(200):
        with pytest.warns(QueryWarning, match="Only 0 of 60 rows changed their predi"):
            selection = AlfaMix().run(pool, 60, labeled=labeled, random_state=seed)
        assert len(set(selection.rows)) == 60
        np.testing.assert_array_equal(selection.values, 1.0)
        counts[selection.rows] += 1
    # Of 200 draws each row is in half, give or take 7.
    assert np.abs(counts - 100).max() < 35


def test_pending_rows_do_not_count_as_candidates():
    pool, labeled = make_task(clipped=False)
    caps = changing_caps(pool.features, pool.head, class_anchors(labeled, 4))
    pending = np.argsort(caps)[:8]
    feasible = Feasible(N_ROWS, pending=pending)
    selection = AlfaMix().run(
        pool, 5, labeled=labeled, feasible=feasible, random_state=0
    )
    left = np.delete(caps, pending)
    cap = grown_cap(left, 5, 0.03125)
    assert (selection.values < cap).all()
    assert not set(selection.rows) & set(pending)


def test_of_a_group_no_more_candidates_count_than_may_be_selected():
    pool, labeled = make_task(clipped=False)
    caps = changing_caps(pool.features, pool.head, class_anchors(labeled, 4))
    # Those that change first are in one group.
    groups = np.argsort(np.argsort(caps)) // 30
    feasible = Feasible(N_ROWS, None, groups)
    selection = AlfaMix().run(
        pool, 2, labeled=labeled, feasible=feasible, random_state=0
    )
    assert selection.fallbacks == ()
    assert sorted(groups[selection.rows]) in ([0, 1], [0, 2], [1, 2])
    assert (selection.values < 1).all()


def test_without_labelled_rows_all_are_candidates():
    pool, _ = make_task()
    selection = AlfaMix().run(pool, 5, random_state=0)
    assert selection.fallbacks == ()
    np.testing.assert_array_equal(selection.values, 0)


def test_labels_of_any_kind():
    X = np.random.RandomState(0).normal(size=(90, 4))
    y = np.array(["b", "a", "c"])[np.digitize(X[:, 0], [-0.4, 0.4])]
    querier = BadgeQuerier(LogisticRegression(), strategy="alfa_mix")
    rows = querier.fit(X[:30], y[:30]).query(X[30:], 5)
    outputs = querier.outputs(X[30:])
    codes = np.searchsorted(["a", "b", "c"], y[:30])
    known = Labeled(Outputs(features=X[:30]), y[:30], codes)
    caps = changing_caps(outputs.features, outputs.head, class_anchors(known, 3))
    assert (caps[rows] < grown_cap(caps, 5, 0.03125)).all()
