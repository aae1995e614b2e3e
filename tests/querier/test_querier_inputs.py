"""Rows as users hold them: the same table gives the same rows in any container."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from skorch.callbacks import EarlyStopping
from skorch.dataset import ValidSplit
from torch import nn

from skbadge import BadgeQuerier
from skbadge.nn import TabularNetClassifier
from tests.querier._nets import Net, make_net


class TwoInputs(nn.Module):
    def __init__(self):
        super().__init__()
        self.left = nn.Linear(2, 4)
        self.right = nn.Linear(2, 4)
        self.head = nn.Linear(8, 3)

    def forward(self, first, second):
        hidden = torch.cat([self.left(first), self.right(second)], dim=1)
        return self.head(torch.relu(hidden))


class Convolution(nn.Module):
    def __init__(self):
        super().__init__()
        self.convolve = nn.Conv2d(1, 2, 3)
        self.head = nn.Linear(2 * 16, 3)

    def forward(self, X):
        return self.head(torch.relu(self.convolve(X)).flatten(1))


class Bag(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.EmbeddingBag(30, 6)
        self.head = nn.Linear(6, 3)

    def forward(self, X):
        return self.head(self.embed(X))


def make_data():
    # Multiples of 1/8 are exact in half precision, so that no container rounds them.
    rng = np.random.RandomState(0)
    X = np.round(rng.normal(size=(60, 4)) * 8) / 8
    return X, np.array(["ant", "bee", "cat"])[rng.randint(3, size=60)]


def make_dataset(X):
    X = torch.tensor(X, dtype=torch.float32)
    return torch.utils.data.TensorDataset(X, torch.zeros(len(X), dtype=torch.int64))


CONTAINERS = {
    "float32": lambda X: X.astype(np.float32),
    "float16": lambda X: X.astype(np.float16),
    "fortran": np.asfortranarray,
    "reversed view": lambda X: X[::-1].copy()[::-1],
    "objects": lambda X: X.astype(object),
    "list": lambda X: X.tolist(),
    "frame": lambda X: pd.DataFrame(X, columns=list("abcd")),
    "frame with odd index": lambda X: pd.DataFrame(X, index=np.arange(len(X))[::-1]),
    "csr": sparse.csr_matrix,
    "csc array": sparse.csc_array,
    "coo": sparse.coo_matrix,
    "tensor": torch.tensor,
    "float32 tensor": lambda X: torch.tensor(X, dtype=torch.float32),
    "dict": lambda X: {"X": X},
}


@pytest.mark.parametrize("convert", CONTAINERS.values(), ids=CONTAINERS)
def test_a_net_picks_the_same_rows_from_any_container(convert):
    X, y = make_data()
    expected = BadgeQuerier(make_net(), random_state=0).fit(X[:30], y[:30])
    querier = BadgeQuerier(make_net(), random_state=0).fit(convert(X[:30]), y[:30])
    np.testing.assert_array_equal(querier.query(convert(X), 8), expected.query(X, 8))
    np.testing.assert_array_equal(querier.predict(convert(X)), expected.predict(X))
    querier.partial_fit(convert(X[30:]), y[30:])
    expected.partial_fit(X[30:], y[30:])
    np.testing.assert_allclose(
        querier.predict_proba(convert(X)), expected.predict_proba(X), rtol=1e-5
    )


@pytest.mark.parametrize(
    "convert",
    [CONTAINERS[name] for name in ("frame", "csr", "csc array", "list")],
)
@pytest.mark.parametrize(
    "estimator", [LogisticRegression(), TabularNetClassifier(max_epochs=2)]
)
def test_other_models_pick_the_same_rows_from_any_table(estimator, convert):
    X, y = make_data()
    expected = BadgeQuerier(estimator, random_state=0).fit(X[:30], y[:30])
    querier = BadgeQuerier(estimator, random_state=0).fit(convert(X[:30]), y[:30])
    querier.partial_fit(convert(X[30:]), y[30:])
    expected.partial_fit(X[30:], y[30:])
    np.testing.assert_array_equal(querier.query(convert(X), 8), expected.query(X, 8))


@pytest.mark.parametrize("dtype", [np.int64, np.int8, np.uint8, bool])
@pytest.mark.filterwarnings("ignore:Equal labelled rows")
def test_integers_reach_a_net_as_numbers(dtype):
    X, y = make_data()
    X = (X > 0).astype(dtype)
    querier = BadgeQuerier(make_net(), random_state=0).fit(X, y)
    expected = BadgeQuerier(make_net(), random_state=0).fit(X.astype(np.float32), y)
    np.testing.assert_array_equal(querier.predict_proba(X), expected.predict_proba(X))


def test_a_net_of_double_precision_gets_double_precision():
    X, y = make_data()
    querier = BadgeQuerier(make_net(Net().double()), random_state=0)
    querier.fit(X.astype(np.float32), y)
    assert querier.predict_proba(X).dtype == np.float64
    assert len(querier.query(X, 5)) == 5


def test_a_torch_dataset_gives_the_rows_and_y_the_labels():
    # skorch by itself would train on the zeros that the dataset holds.
    X, y = make_data()
    expected = BadgeQuerier(make_net(), random_state=0).fit(X[:30], y[:30])
    querier = BadgeQuerier(make_net(), random_state=0)
    querier.fit(make_dataset(X[:30]), y[:30])
    rows = querier.query(make_dataset(X), 8)
    np.testing.assert_array_equal(rows, expected.query(X, 8))
    querier.partial_fit(make_dataset(X[30:]), y[30:])
    assert len(querier.X_labeled_) == 60


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("convert", [np.asarray, torch.tensor])
def test_a_module_with_several_inputs_gets_a_dict(convert, dtype):
    X, y = make_data()
    X = X.astype(dtype)

    def split(X):
        return {"first": convert(X[:, :2]), "second": convert(X[:, 2:])}

    querier = BadgeQuerier(make_net(TwoInputs), random_state=0)
    querier.fit(split(X[:30]), y[:30]).partial_fit(split(X[30:]), y[30:])
    assert len(np.unique(querier.query(split(X), 8))) == 8
    assert querier.predict_proba(split(X)).shape == (60, 3)
    assert querier.X_labeled_["first"].shape == (60, 2)


# skorch hands the arrays of a frame to torch, and pandas makes them read-only.
@pytest.mark.filterwarnings("ignore:The given NumPy array is not writable")
def test_a_module_with_several_inputs_gets_the_columns_of_a_frame():
    X, y = make_data()

    class Columns(nn.Module):
        def __init__(self):
            super().__init__()
            self.head = nn.Linear(2, 3)

        def forward(self, height, weight):
            return self.head(torch.cat([height, weight], dim=1))

    frame = pd.DataFrame(X[:, :2].astype(np.float32), columns=["height", "weight"])
    querier = BadgeQuerier(make_net(Columns), random_state=0).fit(frame[:30], y[:30])
    querier.partial_fit(frame[30:], y[30:])
    assert len(np.unique(querier.query(frame, 8))) == 8


@pytest.mark.parametrize("convert", [np.asarray, torch.tensor])
def test_images(convert):
    rng = np.random.RandomState(0)
    X, y = rng.normal(size=(40, 1, 6, 6)), rng.randint(3, size=40)
    querier = BadgeQuerier(make_net(Convolution), random_state=0)
    querier.fit(convert(X[:20]), y[:20]).partial_fit(convert(X[20:]), y[20:])
    rows, report = querier.query(convert(X), 6, return_report=True)
    assert len(np.unique(rows)) == 6
    assert querier.X_labeled_.shape == (40, 1, 6, 6)
    assert (report.norms > 0).all()


@pytest.mark.parametrize(
    "convert", [np.asarray, torch.tensor, lambda X: X.astype("i4")]
)
def test_integers_that_are_looked_up_stay_integers(convert):
    rng = np.random.RandomState(0)
    X, y = rng.randint(30, size=(40, 5)), rng.randint(3, size=40)
    querier = BadgeQuerier(make_net(Bag), random_state=0).fit(convert(X), y)
    assert len(np.unique(querier.query(convert(X), 6))) == 6


def test_token_tensors_may_be_longer_in_the_pool():
    rng = np.random.RandomState(0)
    X, y = torch.tensor(rng.randint(30, size=(40, 5))), rng.randint(3, size=40)
    querier = BadgeQuerier(make_net(Bag), random_state=0).fit(X, y)
    longer = torch.tensor(rng.randint(30, size=(20, 9)))
    assert len(querier.query(longer, 6)) == 6


# Nets as users write them


@pytest.mark.parametrize(
    "params",
    [
        {"criterion__weight": torch.tensor([1.0, 2.0, 3.0])},
        {"criterion": nn.CrossEntropyLoss(label_smoothing=0.1)},
        {"iterator_train__shuffle": True, "batch_size": 16},
        {"iterator_valid__batch_size": 7},
        {"train_split": ValidSplit(3, stratified=True)},
        {"train_split": ValidSplit(3), "callbacks": [EarlyStopping(patience=1)]},
        {"module": Net()},
        {"module": nn.Sequential(nn.Linear(4, 5), nn.Dropout(0.5), nn.Linear(5, 3))},
        {"module": nn.Sequential(nn.BatchNorm1d(4), nn.Linear(4, 3))},
    ],
    ids=lambda params: " ".join(params),
)
def test_nets_with_settings_of_their_own(params):
    X, y = make_data()
    querier = BadgeQuerier(make_net(**params), random_state=0).fit(X[:30], y[:30])
    rows = querier.query(X, 5)
    np.testing.assert_array_equal(rows, querier.query(X, 5))
    querier.partial_fit(X[30:], y[30:])
    assert set(querier.predict(X)) <= set(y)
    assert len(np.unique(querier.query(X, 5))) == 5


def test_names_and_widths_of_a_frame_are_kept():
    X, y = make_data()
    frame = pd.DataFrame(X, columns=list("abcd"))
    querier = BadgeQuerier(make_net(), random_state=0).fit(frame, y)
    assert querier.feature_names_in_.tolist() == list("abcd")
    assert querier.n_features_in_ == 4


def test_rows_leave_the_pool_as_they_are_labelled():
    X, y = make_data()
    pool, answers = pd.DataFrame(X), pd.Series(y, index=np.arange(60) * 7 + 3)
    pool.index = answers.index
    querier = BadgeQuerier(make_net(), random_state=0).fit(pool[:10], answers[:10])
    pool = pool[10:]
    for _ in range(5):
        rows = querier.query(pool, 10)
        querier.partial_fit(pool.iloc[rows], answers[pool.index[rows]])
        pool = pool.drop(pool.index[rows])
    assert len(pool) == 0
    order = np.lexsort(querier.X_labeled_.T)
    expected = np.lexsort(X.T)
    np.testing.assert_array_equal(querier.X_labeled_[order], X[expected])
    np.testing.assert_array_equal(querier.y_labeled_[order], y[expected])


@pytest.mark.parametrize("estimator", [make_net(), LogisticRegression()])
def test_rows_may_be_read_only_and_stay_as_they_are(estimator):
    X, y = make_data()
    kept, kept_y = X.copy(), y.copy()
    X.setflags(write=False)
    y.setflags(write=False)
    querier = BadgeQuerier(estimator, random_state=0).fit(X, y)
    querier.partial_fit(X, y).query(X, 5)
    querier.predict(X)
    np.testing.assert_array_equal(X, kept)
    np.testing.assert_array_equal(y, kept_y)
