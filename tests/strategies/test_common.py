"""Checks that every strategy of the registry must pass."""

import pickle
import warnings

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone

from skbadge.embeddings import OuterProductEmbedding
from skbadge.exceptions import QueryWarning
from skbadge.outputs import Labeled, Outputs
from skbadge.samplers import Feasible
from skbadge.strategies import Strategy, get_strategy, get_strategy_names
from tests.strategies._quick import quick


# Of rounds and subsets, few do for a few rows.
@pytest.fixture(params=get_strategy_names())
def strategy(request):
    return get_strategy(quick(request.param))


def softmax(logits):
    proba = np.exp(logits - logits.max(axis=1, keepdims=True))
    return proba / proba.sum(axis=1, keepdims=True)


def outputs(n=40, n_classes=4, n_features=48, seed=0, dtype=np.float32):
    # More features than rows: no strategy runs out of linearly independent rows.
    rng = np.random.RandomState(seed)
    logits = 2 * rng.normal(size=(n, n_classes))
    features = rng.normal(size=(n, n_features)).astype(dtype)
    # Near to each other, so that no labels of a few rows tell which sample is right.
    posterior = [softmax(logits + rng.normal(0, 0.2, logits.shape)) for _ in range(5)]
    weight = rng.normal(size=(n_classes, n_features)).astype(dtype)
    factors = [rng.normal(size=(n, width)).astype(dtype) for width in (5, 9)]
    return Outputs(
        proba=softmax(logits).astype(dtype),
        features=features,
        posterior=np.array(posterior, dtype=dtype),
        inputs=rng.normal(size=(n, 7)).astype(dtype),
        gradients=OuterProductEmbedding(*factors),
        head=(weight, np.zeros(n_classes, dtype)),
        prediction=rng.normal(size=(n, 1)).astype(dtype),
    )


def labeled_rows(n=6, **shape):
    y = np.arange(n) % 2
    return Labeled(outputs(n, seed=1, **shape), y, codes=y)


def assert_contract(rows, n, n_rows):
    assert isinstance(rows, np.ndarray)
    assert rows.dtype == np.int64
    assert rows.shape == (n,)
    assert len(np.unique(rows)) == n
    assert n == 0 or (rows.min() >= 0 and rows.max() < n_rows)


ARRAYS = ("proba", "features", "posterior", "inputs", "gradients", "prediction")


def replaced(pool, **fields):
    names = (*ARRAYS, "head", "one_logit")
    return Outputs(**{**{name: getattr(pool, name) for name in names}, **fields})


def two_classes():
    return outputs(n_classes=2)


def one_logit():
    return replaced(outputs(n_classes=2), one_logit=True)


def a_missing_class():
    pool = outputs()
    parts = {"proba": pool.proba.copy(), "posterior": pool.posterior.copy()}
    for name, part in parts.items():
        part[..., 1] = 0
        parts[name] = part / part.sum(axis=-1, keepdims=True)
    return replaced(pool, **parts)


def double_precision():
    return outputs(dtype=np.float64)


POOLS = [outputs, two_classes, one_logit, a_missing_class, double_precision]


@pytest.mark.parametrize("make", POOLS, ids=lambda make: make.__name__)
@pytest.mark.parametrize("n", [1, 7, 40])
@pytest.mark.parametrize("with_labeled", [False, True])
def test_rows_are_distinct_positions(strategy, make, n, with_labeled):
    pool = make()
    labeled = None
    if with_labeled:
        part = labeled_rows(n_classes=pool.proba.shape[1])
        outputs_ = replaced(part.outputs, one_logit=pool.one_logit)
        labeled = Labeled(outputs_, part.y, part.codes)
    rows = strategy.select(pool, n, labeled=labeled, random_state=0)
    assert_contract(rows, n, 40)


# Its probabilities and their gradients are all the same.
@pytest.mark.filterwarnings("ignore::skbadge.exceptions.QueryWarning")
@pytest.mark.parametrize("n", [1, 7, 40])
def test_a_model_may_know_one_class_only(strategy, n):
    y = np.zeros(6, dtype=np.int64)
    labeled = Labeled(outputs(6, n_classes=1, seed=1), y, codes=y)
    rows = strategy.select(outputs(n_classes=1), n, labeled=labeled, random_state=0)
    assert_contract(rows, n, 40)


def test_the_report_is_of_the_same_rows(strategy):
    pool, labeled = outputs(), labeled_rows()
    selection = strategy.run(pool, 7, labeled=labeled, random_state=0)
    rows = strategy.select(pool, 7, labeled=labeled, random_state=0)
    np.testing.assert_array_equal(selection.rows, rows)
    assert selection.fallbacks == ()
    for values in (selection.values, selection.norms):
        assert values is None or (values.shape == (7,) and np.isfinite(values).all())


def test_a_seed_gives_the_same_rows(strategy):
    pool, labeled = outputs(), labeled_rows()
    rows = strategy.select(pool, 9, labeled=labeled, random_state=5)
    again = strategy.select(pool, 9, labeled=labeled, random_state=5)
    np.testing.assert_array_equal(rows, again)
    rng = np.random.RandomState(5)
    again = strategy.select(pool, 9, labeled=labeled, random_state=rng)
    np.testing.assert_array_equal(rows, again)


def test_numpys_global_generator_is_left_alone(strategy):
    before = np.random.get_state()
    strategy.select(outputs(), 9, labeled=labeled_rows(), random_state=0)
    after = np.random.get_state()
    np.testing.assert_array_equal(before[1], after[1])
    assert before[2:] == after[2:]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_inputs_are_left_alone(strategy, dtype):
    pool = outputs(dtype=dtype)
    labeled = labeled_rows(dtype=dtype)
    arrays = [labeled.y]
    for part in (pool, labeled.outputs):
        arrays += [part.proba, part.features, part.posterior, part.inputs]
        arrays += [part.prediction]
        arrays += [part.gradients.left, part.gradients.right]
    copies = [array.copy() for array in arrays]
    for array in arrays:
        array.flags.writeable = False
    strategy.select(pool, 9, labeled=labeled, random_state=0)
    for array, copy in zip(arrays, copies, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_nothing_asked_for(strategy):
    assert_contract(strategy.select(outputs(), 0, labeled=labeled_rows()), 0, 40)
    empty = outputs(0)
    assert_contract(strategy.select(empty, 0), 0, 0)


def test_more_than_there_are(strategy):
    with pytest.warns(QueryWarning, match="`n`=41 is above the 40 rows") as caught:
        rows = strategy.select(outputs(), 41, labeled=labeled_rows(), random_state=0)
    assert len(caught) == 1
    assert_contract(rows, 40, 40)


@pytest.mark.parametrize(
    ("n", "error"), [(-1, ValueError), (1.0, TypeError), (True, TypeError)]
)
def test_a_wrong_n_is_refused(strategy, n, error):
    with pytest.raises(error, match="`n` must be"):
        strategy.select(outputs(), n)


def repeated(pool, times):
    rows = np.tile(np.arange(len(pool)), times)
    return Outputs(
        pool.proba[rows],
        pool.features[rows],
        posterior=pool.posterior[:, rows],
        inputs=pool.inputs[rows],
        gradients=pool.gradients.take(rows),
        head=pool.head,
        prediction=pool.prediction[rows],
    )


@pytest.mark.parametrize("n", [5, 12, 20])
def test_duplicated_rows(strategy, n):
    pool = repeated(outputs(5), 4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", QueryWarning)
        rows = strategy.select(pool, n, random_state=0)
    assert_contract(rows, n, 20)


# To these a copy of a row that was picked is worth nothing.
TELL_COPIES = [
    "badge",
    "badge_k_center",
    "badge_kdpp",
    "badge_max_det",
    "core_set",
    "lcmd",
    "posterior_kmeans_plus_plus",
]


@pytest.mark.parametrize("name", TELL_COPIES)
def test_more_rows_than_can_be_told_apart_are_filled_up_and_warned_of(name):
    pool = repeated(outputs(5), 4)
    with pytest.warns(QueryWarning, match="drawn uniformly from the rest"):
        selection = get_strategy(name).run(pool, 12, random_state=0)
    assert_contract(selection.rows, 12, 20)
    assert len(set(selection.rows[:5] % 5)) == 5
    assert len(selection.fallbacks) == 1


def test_equal_rows(strategy):
    pool = repeated(outputs(1), 15)
    chosen = set()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", QueryWarning)
        for seed in range(60):
            rows = strategy.select(pool, 4, random_state=seed)
            assert_contract(rows, 4, 15)
            chosen |= set(rows.tolist())
    # Nothing tells them apart, so that each has its turn.
    assert chosen == set(range(15))


@pytest.mark.parametrize("scale", [1e-41, 1e-30])
def test_features_may_be_tiny(strategy, scale):
    pool = outputs()
    pool = replaced(pool, features=(scale * pool.features).astype(np.float32))
    with warnings.catch_warnings():
        # Not all rows can be told apart at the end of float32's range.
        warnings.simplefilter("ignore", QueryWarning)
        rows = strategy.select(pool, 5, random_state=0)
    assert_contract(rows, 5, 40)


@pytest.mark.parametrize("n", [1, 6, 40])
def test_features_that_are_all_zero(strategy, n):
    zeros = np.zeros((40, 5), dtype=np.float32)
    parts = {"features": zeros, "inputs": zeros, "head": (np.eye(4, 5), np.zeros(4))}
    pool = replaced(outputs(), gradients=OuterProductEmbedding(zeros, zeros), **parts)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", QueryWarning)
        assert_contract(strategy.select(pool, n, random_state=0), n, 40)


@pytest.mark.parametrize("n", [1, 6, 40])
def test_predictions_that_are_all_certain(strategy, n):
    proba = np.eye(4, dtype=np.float32)[np.arange(40) % 4]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", QueryWarning)
        pool = replaced(outputs(), proba=proba, posterior=proba[None].repeat(3, axis=0))
        rows = strategy.select(pool, n, random_state=0)
    assert_contract(rows, n, 40)


def needed(strategy, part):
    fields = {name: getattr(part, name) for name in strategy.needs.fields}
    return Outputs(**fields, n_rows=len(part))


def test_the_fields_it_needs_are_all_it_reads(strategy):
    pool, labeled = outputs(), labeled_rows()
    full = strategy.select(pool, 9, labeled=labeled, random_state=0)
    least = Labeled(needed(strategy, labeled.outputs), labeled.y, labeled.codes)
    if not strategy.needs.labeled:
        least = None
    fresh = clone(strategy)
    rows = fresh.select(needed(strategy, pool), 9, labeled=least, random_state=0)
    np.testing.assert_array_equal(rows, full)


def test_labelled_rows_are_read_just_if_needed(strategy):
    pool = outputs()
    without = strategy.select(pool, 9, random_state=0)
    rows = strategy.select(pool, 9, labeled=labeled_rows(30), random_state=0)
    assert (rows == without).all() == (not strategy.needs.labeled)


def test_a_missing_field_is_named(strategy):
    pool = outputs()
    for name in strategy.needs.fields:
        match = f"{type(strategy).__name__} needs `pool.{name}`. Got None instead"
        with pytest.raises(ValueError, match=match):
            strategy.select(Outputs(**{**vars(pool), name: None}), 3)


def spoiled(part, name, row, value):
    """Outputs of which a number of one row is another, or one of the head."""
    if name == "head":
        weight = part.head.weight.copy()
        weight[0, row] = value
        return replaced(part, head=(weight, part.head.bias))
    if name == "gradients":
        left = part.gradients.left.copy()
        left[row] = value
        return replaced(
            part, gradients=OuterProductEmbedding(left, part.gradients.right)
        )
    array = getattr(part, name).copy()
    array[..., row, 0] = value
    return replaced(part, **{name: array})


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("whose", ["pool", "labeled.outputs"])
def test_numbers_that_are_not_finite_are_refused_by_name(strategy, whose, value):
    if whose != "pool" and not strategy.needs.labeled:
        pytest.skip("does not look at labelled rows")
    for name in strategy.needs.fields:
        pool, labeled = outputs(), labeled_rows()
        if whose == "pool":
            pool = spoiled(pool, name, 3, value)
        else:
            known = spoiled(labeled.outputs, name, 3, value)
            labeled = Labeled(known, labeled.y, labeled.codes)
        with pytest.raises(ValueError, match=rf"`{whose}.{name}.* finite") as error:
            strategy.select(pool, 5, labeled=labeled, random_state=0)
        assert name == "head" or "is row 3" in str(error.value)


def test_numbers_of_rows_that_it_may_not_look_at_are_not_looked_at(strategy):
    mask = np.arange(40) != 3
    for name in set(strategy.needs.fields) - {"head"}:
        pool = spoiled(outputs(), name, 3, np.nan)
        if strategy.reads_population:
            with pytest.raises(ValueError, match=f"`pool.{name}.*is row 3"):
                strategy.select(pool, 5, feasible=mask, random_state=0)
        else:
            assert_contract(strategy.select(pool, 5, feasible=mask), 5, 40)
            mask_without = mask & (np.arange(40) != 20)
            pool = spoiled(pool, name, 30, np.nan)
            with pytest.raises(ValueError, match=f"`pool.{name}.*is row 30"):
                strategy.select(pool, 5, feasible=mask_without, random_state=0)


@pytest.mark.parametrize("name", ["proba", "posterior"])
def test_probabilities_that_are_none_are_refused(strategy, name):
    if name not in strategy.needs.fields:
        pytest.skip("does not look at them")
    pool = outputs()
    proba = getattr(pool, name)
    for wrong in (np.log(proba), 2 * proba, proba - proba.mean(axis=-1, keepdims=True)):
        with pytest.raises(ValueError, match=rf"`pool.{name}.* take the softmax"):
            strategy.select(replaced(pool, **{name: wrong}), 5, random_state=0)


@pytest.mark.parametrize("name", ["proba", "posterior"])
def test_probabilities_rounded_to_three_decimals_are_taken(strategy, name):
    if name not in strategy.needs.fields:
        pytest.skip("does not look at them")
    pool = outputs()
    rounded = getattr(pool, name).round(3)
    divided = rounded / rounded.sum(axis=-1, keepdims=True)
    rows = [
        strategy.select(replaced(pool, **{name: each}), 5, random_state=0)
        for each in (rounded, divided)
    ]
    np.testing.assert_array_equal(*rows)


def test_no_labelled_rows_are_like_none(strategy):
    pool = outputs()
    none = Labeled(outputs(0), np.empty(0))
    np.testing.assert_array_equal(
        strategy.select(pool, 9, labeled=none, random_state=0),
        strategy.select(pool, 9, random_state=0),
    )


@pytest.fixture
def pending():
    return np.array([3, 30])


def feasible_rows(pending, groups=True):
    mask = np.arange(40) % 4 > 0
    codes = np.arange(40) // 3 if groups else None
    return Feasible(40, mask, codes, max_per_group=1, pending=pending)


@pytest.mark.parametrize("n", [1, 5, 9])
@pytest.mark.parametrize("with_labeled", [False, True])
def test_just_what_may_be_picked_is_selected(strategy, n, with_labeled, pending):
    labeled = labeled_rows() if with_labeled else None
    feasible = feasible_rows(pending, groups=type(strategy).__name__ != "BadgeKDPP")
    options = {"labeled": labeled, "feasible": feasible}
    rows = strategy.select(outputs(), n, **options, random_state=0)
    assert_contract(rows, n, 40)
    assert feasible.mask[rows].all()
    assert not set(rows) & set(pending)
    if feasible.groups is not None:
        groups = feasible.groups[[*rows, *pending]]
        assert len(set(groups)) == n + len(pending)
    again = clone(strategy).select(outputs(), n, **options, random_state=0)
    np.testing.assert_array_equal(rows, again)


def test_quotas_leave_fewer_rows_than_there_are(strategy):
    if type(strategy).__name__ == "BadgeKDPP":
        pytest.skip("refuses groups")
    feasible = Feasible(40, None, np.arange(40) // 10, max_per_group=2)
    with pytest.warns(QueryWarning, match="`n`=11 is above the 8 rows that may be"):
        rows = strategy.select(outputs(), 11, feasible=feasible, random_state=0)
    assert_contract(rows, 8, 40)
    assert (np.bincount(rows // 10) == 2).all()


@pytest.mark.parametrize("with_labeled", [False, True])
def test_candidates_are_selected_from_as_a_pool_of_their_own(strategy, with_labeled):
    if strategy.reads_population:
        pytest.skip("sums over the pool")
    labeled = labeled_rows() if with_labeled else None
    mask = np.arange(40) % 3 > 0
    rows = clone(strategy).select(
        outputs(), 6, labeled=labeled, feasible=mask, random_state=0
    )
    part = outputs().take(np.flatnonzero(mask))
    alone = strategy.select(part, 6, labeled=labeled, random_state=0)
    np.testing.assert_array_equal(rows, np.flatnonzero(mask)[alone])


def test_no_row_that_may_be_picked_is_an_error(strategy):
    with pytest.raises(ValueError, match="No row may be picked"):
        strategy.select(outputs(), 3, feasible=np.zeros(40, dtype=bool))


def test_it_is_a_scikit_learn_object(strategy):
    assert isinstance(strategy, Strategy)
    copy = clone(strategy)
    assert copy is not strategy
    assert copy.get_params() == strategy.get_params()
    assert repr(strategy).startswith(type(strategy).__name__ + "(")
    assert set(strategy._parameter_constraints) == set(strategy.get_params())
    for name, value in strategy.get_params().items():
        assert getattr(strategy, name) is value
        assert getattr(strategy.set_params(**{name: value}), name) is value


def test_it_survives_pickling(strategy):
    copy = pickle.loads(pickle.dumps(strategy))
    pool, labeled = outputs(), labeled_rows()
    np.testing.assert_array_equal(
        copy.select(pool, 9, labeled=labeled, random_state=0),
        strategy.select(pool, 9, labeled=labeled, random_state=0),
    )


def test_selecting_does_not_change_its_parameters(strategy):
    before = strategy.get_params(deep=False)
    copies = pickle.dumps(before)
    strategy.select(outputs(), 9, labeled=labeled_rows(), random_state=0)
    after = strategy.get_params(deep=False)
    assert all(after[name] is value for name, value in before.items())
    assert pickle.dumps(after) == copies


def test_selecting_keeps_no_state_but_where_rows_are_known_again(strategy):
    before = dict(vars(strategy))
    strategy.select(outputs(), 9, labeled=labeled_rows(), random_state=0)
    assert (vars(strategy) == before) == (not strategy.learns)


def test_wrong_parameters_are_refused(strategy):
    for name in strategy.get_params():
        wrong = clone(strategy).set_params(**{name: object()})
        match = f"The '{name}' parameter of {type(strategy).__name__}"
        with pytest.raises(ValueError, match=match):
            wrong.select(outputs(), 1)


def test_sparse_rows_are_taken_or_refused_by_name(strategy):
    pool, labeled = outputs(), labeled_rows()
    for name in {"features", "inputs"} & set(strategy.needs.fields):
        matrix = sparse.csr_matrix(getattr(pool, name))
        with_sparse = replaced(pool, **{name: matrix})
        if not strategy.needs.sparse:
            match = f"needs a dense `pool.{name}`. Got a csr_matrix.* `toarray`"
            with pytest.raises(TypeError, match=match):
                strategy.select(with_sparse, 3, labeled=labeled)
