"""What the answers to a batch say about the model that chose it."""

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
from sklearn import metrics
from sklearn.datasets import make_classification, make_regression
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

import skbadge
from skbadge import BadgeQuerier
from skbadge.monitoring import Monitor, assess, risk_estimate
from skbadge.pools import from_arrays
from skbadge.strategies import Badge, Margin, PosteriorKMeansPlusPlus
from tests.monitoring._asked import NAMES, POWER, X, asked, frozen, y


@pytest.mark.parametrize("interval", ["bernstein", "normal"])
def test_accuracy_is_the_formula(interval):
    querier, report, answers = asked(frozen(), POWER)
    found = assess(querier, report, answers, interval=interval)
    wrong = report.predictions.labels != answers
    risk = risk_estimate(
        wrong, report.probabilities, 540, uniform_share=0.2, interval=interval
    )
    assert found.rest.estimate == pytest.approx(1 - risk.estimate, abs=1e-12)
    assert found.rest.low == pytest.approx(1 - risk.high, abs=1e-12)
    assert found.rest.high == pytest.approx(1 - risk.low, abs=1e-12)
    np.testing.assert_allclose(found.rest.weights, risk.weights)
    assert found.rest.standard_error == pytest.approx(risk.standard_error)
    assert found.error.standard_error == pytest.approx(0.9 * risk.standard_error)
    n_wrong = (querier.predict(X[:60]) != y[:60]).sum()
    for end, of_rest in (
        ("estimate", risk.estimate),
        ("low", risk.low),
        ("high", risk.high),
    ):
        expected = (540 * of_rest + n_wrong) / 600
        assert getattr(found.error, end) == pytest.approx(expected, abs=1e-12)
    assert found.overall.estimate == pytest.approx(1 - found.error.estimate)
    assert found.labeled == pytest.approx(1 - n_wrong / 60)
    assert (found.n_labeled, found.n_folds) == (60, 0)
    assert (found.overall.n, found.overall.n_pool) == (90, 600)


def judged(metric, skips, **options):
    """An assessment by a frozen model, and all that it is made of."""
    other, labels = make_classification(
        60, 6, n_informative=4, n_classes=3, flip_y=0.3, random_state=0
    )
    model = FrozenEstimator(LogisticRegression().fit(other, NAMES[labels]))
    querier, report, answers = asked(model, POWER, labels=NAMES[y], n=60)
    kept = np.ones(60, dtype=bool)
    given = answers.astype(object)
    if skips:
        kept[::7] = False
        given[~kept] = None
    found = assess(querier, report, given, metric=metric, **options)
    said = querier.predict if metric != "log_loss" else querier.predict_proba
    rows = np.concatenate([X[60:][report.rows][kept], X[:60]])
    truth = np.concatenate([answers[kept], NAMES[y][:60]])
    # N_left v / n a row, and 1 of labelled ones, up to one factor. The answered rows
    # have the weight of all.
    weights = found.overall.weights / found.overall.weights[-1]
    v = risk_estimate(np.zeros(60), report.probabilities, 540).weights
    assert np.all(weights[-60:] == 1)
    np.testing.assert_allclose(
        weights[:-60], 540 * v[kept] / 60 * v.sum() / v[kept].sum()
    )
    assert found.overall.low <= found.overall.estimate <= found.overall.high
    return found, truth, said(rows), kept.sum()


@pytest.mark.parametrize(
    ("name", "function", "options"),
    [
        ("balanced_accuracy", metrics.balanced_accuracy_score, {}),
        (
            "precision",
            metrics.precision_score,
            {"labels": ["bee"], "average": "micro"},
        ),
        ("recall", metrics.recall_score, {"labels": ["bee"], "average": "micro"}),
    ],
)
@pytest.mark.parametrize("skips", [False, True])
def test_ratios_are_those_of_scikit_learn_with_these_weights(
    name, function, options, skips
):
    pos_label = {"pos_label": "bee"} if options else {}
    found, truth, said, n = judged(name, skips, **pos_label)
    expected = function(truth, said, sample_weight=found.overall.weights, **options)
    assert found.overall.estimate == pytest.approx(expected, abs=1e-12)
    expected = function(
        truth[:n], said[:n], sample_weight=found.rest.weights, **options
    )
    assert found.rest.estimate == pytest.approx(expected, abs=1e-12)
    assert found.labeled == pytest.approx(function(truth[n:], said[n:], **options))
    assert found.interval == "normal"


@pytest.mark.parametrize("name", ["accuracy", "log_loss"])
@pytest.mark.parametrize("skips", [False, True])
def test_means_are_means_of_products_with_the_weights(name, skips):
    found, truth, said, n = judged(name, skips)
    if name == "accuracy":
        losses = (truth != said).astype(float)
    else:
        columns = np.searchsorted(NAMES, truth)
        losses = -np.log(said[np.arange(len(truth)), columns])
    of_all, of_rest = np.mean(found.overall.weights * losses), None
    of_rest = np.mean(found.rest.weights * losses[:n])
    if name == "accuracy":
        of_all, of_rest = 1 - of_all, 1 - of_rest
    assert found.overall.estimate == pytest.approx(of_all, abs=1e-12)
    assert found.rest.estimate == pytest.approx(of_rest, abs=1e-12)
    if name == "log_loss":
        expected = metrics.log_loss(truth[n:], said[n:])
        assert found.labeled == pytest.approx(expected)


@pytest.mark.parametrize("n_outputs", [1, 2])
def test_root_mean_squared_error(n_outputs):
    rows, target = make_regression(
        600, 6, n_targets=n_outputs, noise=20.0, random_state=0
    )
    model = FrozenEstimator(LinearRegression().fit(rows[:100], target[:100] + 5))
    querier, report, answers = asked(
        model,
        PosteriorKMeansPlusPlus(uniform_share=0.5),
        labels=target,
        rows=rows,
    )
    found = assess(querier, report, answers, metric="root_mean_squared_error")
    squares = np.concatenate([report.predictions.labels, querier.predict(rows[:60])])
    squares = (squares - np.concatenate([answers, target[:60]])).reshape(90, -1) ** 2
    means = np.mean(found.overall.weights[:, None] * squares, axis=0)
    assert found.overall.estimate == pytest.approx(np.sqrt(means).mean())
    expected = metrics.root_mean_squared_error(target[:60], querier.predict(rows[:60]))
    assert found.labeled == pytest.approx(expected)
    assert found.error is found.overall
    if n_outputs == 1:
        assert found.overall.high == np.inf
        assert "give `max_loss`" in found.notes[-1]
        options = {"metric": "root_mean_squared_error", "max_loss": 300.0}
        found = assess(querier, report, answers, **options)
        squares = (report.predictions.labels - answers) ** 2
        risk = risk_estimate(
            squares, report.probabilities, 540, uniform_share=0.5, max_loss=300.0**2
        )
        assert found.rest.high == pytest.approx(np.sqrt(risk.high))
        with pytest.raises(ValueError, match="`max_loss` must be the greatest loss"):
            assess(querier, report, answers, **options | {"max_loss": 1.0})
    else:
        assert found.interval == "normal"


def test_rows_like_the_pool_as_it_was_are_judged_rightly():
    """On the mean of repeats, by rows that were never in the pool."""
    rows, labels = make_classification(
        6000,
        10,
        n_informative=6,
        n_classes=3,
        flip_y=0.02,
        class_sep=1.2,
        random_state=1,
    )
    strategy = Margin(noise="power", distinct=False, uniform_share=0.3)
    found, truth, of_rest = [], [], []
    for seed in range(25):
        rng = np.random.default_rng(seed)
        order = rng.permutation(6000)
        pool, fresh = order[:500], order[500:]
        left = np.ones(500, dtype=bool)
        querier = BadgeQuerier(
            LogisticRegression(), strategy=strategy, random_state=seed
        )
        batch = rng.choice(500, 40, replace=False)
        for _ in range(3):
            left[batch] = False
            querier.partial_fit(rows[pool][batch], labels[pool][batch])
            batch, report = querier.query(
                rows[pool], 100, candidates=left, return_report=True
            )
        found.append(assess(querier, report, labels[pool][batch], n_folds=5))
        truth.append((querier.predict(rows[fresh]) != labels[fresh]).mean())
        of_rest.append((querier.predict(rows[pool][left]) != labels[pool][left]).mean())
        assert found[-1].error.low <= truth[-1] <= found[-1].error.high
    errors = [each.error.estimate for each in found]
    assert np.mean(errors) == pytest.approx(np.mean(truth), abs=0.01)
    rests = [1 - each.rest.estimate for each in found]
    assert np.mean(rests) == pytest.approx(np.mean(of_rest), abs=0.015)
    # Hard rows were labelled, so that those left are no measure of the model.
    assert np.mean(truth) - np.mean(rests) > 0.025


def test_labelled_rows_are_judged_by_models_that_do_not_know_them():
    labels = np.random.default_rng(0).integers(2, size=600)
    querier, report, answers = asked(KNeighborsClassifier(1), "random", labels=labels)
    assert querier.score(X[:60], labels[:60]) == 1
    found = assess(querier, report, answers)
    assert 0.2 < found.labeled < 0.8
    assert found.n_folds == 10


def test_folds_are_fewer_where_labels_are_few():
    rows = np.r_[:3, np.flatnonzero(y[:100] == y[0])[:3]]
    rows = np.unique(np.r_[rows, [np.flatnonzero(y == c)[0] for c in range(3)]])
    querier = BadgeQuerier(LogisticRegression(), strategy="random", random_state=0)
    querier.fit(X[rows], y[rows])
    left = np.setdiff1d(np.arange(600), rows)
    batch, report = querier.query(X, 20, candidates=left, return_report=True)
    found = assess(querier, report, y[batch])
    assert found.n_folds == np.bincount(y[rows]).max() < 10
    assert found.n_labeled == len(rows)


@pytest.mark.parametrize(
    "kind", ["strings", "frame", "sparse", "pipeline", "search", "list", "no_proba"]
)
def test_it_takes_what_queriers_take(kind):
    rows, labels, estimator = X, y, LogisticRegression()
    strategy = "random"
    if kind == "strings":
        labels, strategy = NAMES[y], Badge(uniform_share=0.2)
    elif kind == "frame":
        pd = pytest.importorskip("pandas")
        rows = pd.DataFrame(X, columns=list("abcdef"))
        estimator = make_pipeline(StandardScaler(), LogisticRegression())
    elif kind == "sparse":
        sparse = pytest.importorskip("scipy.sparse")
        rows = sparse.csr_matrix(X * (X > 0))
    elif kind == "pipeline":
        estimator = make_pipeline(StandardScaler(), LogisticRegression())
        strategy = Badge(uniform_share=0.2)
    elif kind == "search":
        estimator = GridSearchCV(LogisticRegression(), {"C": [0.1, 1]}, cv=2)
    elif kind == "list":
        rows = X.tolist()
    elif kind == "no_proba":
        estimator = LinearSVC()
    querier, report, answers = asked(estimator, strategy, labels=labels, rows=rows)
    found = assess(querier, report, answers.tolist(), n_folds=3)
    assert found.n_folds == 3
    assert 0.3 < found.overall.estimate < 1
    assert (report.predictions.proba is None) == (kind == "no_proba")
    picked = [rows[60 + i] for i in report.rows] if kind == "list" else None
    if picked is None:
        take = rows.iloc if kind == "frame" else rows
        picked = take[60 + report.rows]
    np.testing.assert_array_equal(report.predictions.labels, querier.predict(picked))
    if kind == "no_proba":
        with pytest.raises(ValueError, match="'log_loss' needs class probabilities"):
            assess(querier, report, answers, metric="log_loss")


def test_nets_whose_callbacks_write_files(tmp_path):
    torch = pytest.importorskip("torch")
    from skorch import NeuralNetClassifier
    from skorch.callbacks import Checkpoint

    net = NeuralNetClassifier(
        torch.nn.Sequential(torch.nn.Linear(6, 3), torch.nn.Softmax(dim=1)),
        train_split=None,
        max_epochs=3,
        verbose=0,
        callbacks=[Checkpoint(monitor=None, dirname=tmp_path)],
    )
    rows = X.astype(np.float32)
    querier, report, answers = asked(net, labels=NAMES[y], rows=rows)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    found = assess(querier, report, answers, metric="log_loss", n_folds=2)
    assert 0 < found.labeled < 16
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert assess(querier, report, answers, n_folds=2).labeled == pytest.approx(
        assess(querier, report, answers, n_folds=2).labeled
    )


def test_parameters_of_fit_go_with_the_rows():
    weight = np.where(y[:60] == 0, 100.0, 1.0)
    querier = BadgeQuerier(LogisticRegression(), strategy="random", random_state=0)
    querier.fit(X[:60], y[:60], sample_weight=weight)
    batch, report = querier.query(X[60:], 30, return_report=True)
    weighted = assess(querier, report, y[60:][batch], metric="recall", pos_label=0)
    querier.fit(X[:60], y[:60])
    batch, report = querier.query(X[60:], 30, return_report=True)
    plain = assess(querier, report, y[60:][batch], metric="recall", pos_label=0)
    assert weighted.labeled > plain.labeled


def test_the_same_seed_makes_the_same_and_nothing_else_is_changed():
    first, report, answers = asked(seed=np.random.RandomState(3))
    state = first.random_state.get_state()[1].copy()
    found = [assess(first, report, answers) for _ in range(2)]
    assert found[0].labeled == found[1].labeled
    np.testing.assert_array_equal(first.random_state.get_state()[1], state)
    other, _, _ = asked(seed=np.random.RandomState(3))
    np.testing.assert_array_equal(first.query(X[60:], 5), other.query(X[60:], 5))


def test_skipped_rows_may_have_had_any_loss():
    querier, report, answers = asked(frozen(), POWER, n=100)
    kept = np.random.default_rng(0).random(100) < 0.8
    given = answers.astype(object)
    given[~kept] = [None, np.nan] * ((~kept).sum() // 2) + [None] * ((~kept).sum() % 2)
    found = assess(querier, report, given)
    wrong = (report.predictions.labels != answers).astype(float)
    chances = report.probabilities
    v = risk_estimate(wrong, chances, 540, uniform_share=0.2).weights
    expected = 1 - (v * wrong)[kept].sum() / v[kept].sum() * v.mean()
    assert found.rest.estimate == pytest.approx(expected, abs=1e-12)
    assert found.rest.n == kept.sum()
    assert f"{(~kept).sum()} of 100 rows were skipped" in found.notes[0]
    # The worst and the best that the skipped rows may have been.
    for losses, end in ((1.0, "low"), (0.0, "high")):
        filled = np.where(kept, wrong, losses)
        risk = risk_estimate(filled, chances, 540, uniform_share=0.2)
        other = 1 - (risk.high if end == "low" else risk.low)
        assert getattr(found.rest, end) == pytest.approx(other, abs=1e-12)
    normal = assess(querier, report, given, interval="normal").rest
    whole = assess(querier, report, answers, interval="normal").rest
    assert normal.high - normal.low > whole.high - whole.low


def test_one_skipped_row_changes_little():
    # The weights' own mean varies much: a ratio must not be divided by it alone.
    without, spread = [], []
    for seed in range(60):
        querier, report, answers = asked(frozen(), seed=seed, n=40)
        given = answers.astype(object)
        given[seed % 40] = None
        found = [assess(querier, report, y).rest.estimate for y in (answers, given)]
        without.append(found[1] - found[0])
        spread.append(found[0])
    assert np.std(without) < 0.5 * np.std(spread)


def test_a_querier_that_was_trained_since():
    querier, report, answers = asked()
    before = assess(querier, report, answers)
    querier.partial_fit(X[60:][report.rows], answers)
    after = assess(querier, report, answers)
    assert after.rest.estimate == before.rest.estimate
    assert after.n_labeled == 60
    assert "was trained since" in after.notes[0]


@pytest.mark.parametrize("n", [50, 60, 90])
def test_labelled_rows_that_were_replaced_are_not_judged(n):
    querier, report, answers = asked()
    querier.fit(X[100:][:n], y[100:][:n])
    with pytest.raises(ValueError, match="had 60 labelled rows when it was asked"):
        assess(querier, report, answers)


def test_labelled_rows_that_were_forgotten_are_not_made_up_for():
    querier, report, answers = asked()
    querier.forget(np.arange(10)).partial_fit(X[60:][report.rows], answers)
    with pytest.raises(ValueError, match=r"lost some since.*before `fit` and `forget`"):
        assess(querier, report, answers)


def test_pools_in_chunks_need_the_rows():
    pool = from_arrays(X[60:], chunk_rows=100)
    querier = BadgeQuerier(
        LogisticRegression(), strategy=Badge(uniform_share=0.2), random_state=0
    )
    querier.fit(X[:60], y[:60])
    rows, report = querier.query(pool, 30, return_report=True)
    answers = y[60:][rows]
    with pytest.raises(ValueError, match=r"rows=pool.take\(report.rows\)"):
        assess(querier, report, answers)
    batch = pool.take(report.rows)
    found = assess(querier, report, answers, rows=batch)
    whole, other, _ = asked()
    expected = assess(whole, other, answers)
    np.testing.assert_array_equal(other.rows, rows)
    assert found.overall.estimate == expected.overall.estimate
    with pytest.raises(ValueError, match="`rows` must be the 30 rows of the batch"):
        assess(querier, report, answers, rows=batch[:5])
    again = deepcopy(querier).partial_fit(batch, answers)
    # Another model, of as many rows.
    other = deepcopy(querier).fit(X[200:260], y[200:260])
    for since in (again, other):
        with pytest.raises(ValueError, match="`querier` was trained since"):
            assess(since, report, answers, rows=batch)
        with pytest.raises(ValueError, match="The querier was trained since"):
            Monitor().add(since, report, batch, answers)


def test_subsamples_and_candidates():
    querier, report, answers = asked(strategy="random", subsample=200)
    found = assess(querier, report, answers)
    assert (found.rest.n_pool, found.overall.n_pool) == (540, 600)
    assert "drawn from 200 of 540 rows" in found.notes[0]
    np.testing.assert_array_equal(
        report.predictions.labels, querier.predict(X[60:][report.rows])
    )
    querier, report, answers = asked(candidates=np.arange(0, 540, 3))
    assert assess(querier, report, answers).rest.n_pool == 180
    np.testing.assert_array_equal(
        report.predictions.proba, querier.predict_proba(X[60:][report.rows])
    )


def test_queriers_inside_pipelines():
    pipeline = make_pipeline(
        StandardScaler(),
        BadgeQuerier(LogisticRegression(), strategy="random", random_state=0),
    ).fit(X[:60], y[:60])
    rows, report = skbadge.query(pipeline, X[60:], 30, return_report=True)
    found = assess(pipeline, report, y[60:][rows])
    # Rows that are asked for are prepared as well.
    bare = replace(report, predictions=None)
    again = assess(pipeline, bare, y[60:][rows], rows=X[60:][rows])
    assert 0.3 < found.overall.estimate == again.overall.estimate < 1


def test_one_class_is_missing_from_a_fold():
    rows = np.r_[0:40][y[:40] != 2]
    rows = np.r_[rows, np.flatnonzero(y == 2)[0]]
    querier = BadgeQuerier(LogisticRegression(), strategy="random", random_state=0)
    querier.fit(X[rows], y[rows])
    left = np.setdiff1d(np.arange(600), rows)
    batch, report = querier.query(X, 20, candidates=left, return_report=True)
    found = assess(querier, report, y[batch], metric="log_loss", n_folds=4)
    # That row's class has no probability from a model that has not seen it.
    assert found.labeled > -np.log(np.finfo(float).eps) / len(rows)


def test_a_share_of_nothing_says_nothing():
    querier, report, answers = asked(
        strategy=Margin(noise="softmax", distinct=False), n=20
    )
    found = assess(querier, report, answers)
    assert (found.rest.low, found.rest.high) == (0, 1)
    assert "give the strategy a `uniform_share` above 0" in found.notes[-1]
    normal = assess(querier, report, answers, interval="normal").rest
    assert normal.high - normal.low < 1


def test_it_can_be_printed():
    querier, report, answers = asked()
    found = assess(querier, report, answers)
    text = str(found)
    assert text.startswith(f"accuracy {found.overall.estimate:.3g} (")
    assert f"error: {1 - found.overall.estimate:.3g} (" in text
    assert "on rows like: the pool as it was before any row was labelled" in text
    assert f"rows left: {found.rest.estimate:.3g}" in text
    assert "cross-fitted by 10 models" in text
    assert repr(found).startswith("<Assessment: accuracy")
    assert "<table>" in found._repr_html_()
