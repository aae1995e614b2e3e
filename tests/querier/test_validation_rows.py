"""Nets that hold out rows for validation, or bring some along."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.ensemble import BaggingRegressor, VotingClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from skorch import NeuralNetBinaryClassifier, NeuralNetClassifier, NeuralNetRegressor
from skorch.dataset import Dataset, ValidSplit
from skorch.helper import predefined_split
from torch import nn
from torch.utils.data import Subset, TensorDataset

from skbadge import BadgeQuerier
from skbadge.nn import ArrayDataset, JointEntropyTabularClassifier, TabularNetClassifier

LABELS = {
    "codes": lambda codes: codes,
    "from one": lambda codes: codes + 1,
    "int32": lambda codes: codes.astype(np.int32),
    "minus one": lambda codes: 2 * codes - 1,
    "bool": lambda codes: codes > 0,
    "floats": lambda codes: 2.0 * codes,
    "strings": lambda codes: np.array(["no", "yes"])[codes],
    "objects": lambda codes: np.array(["no", "yes"], dtype=object)[codes],
}


class Items(torch.utils.data.Dataset):
    """A data set of the user's, whose attributes are not what it gives."""

    def __init__(self, X, y):
        self.X, self.y = 0 * X, y
        self.rows = X

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, i):
        return self.rows[i], self.y[i]


def some(dataset):
    return Subset(dataset, np.arange(len(dataset)))


CONTAINERS = {
    "skorch": Dataset,
    "frame": lambda X, y: Dataset(pd.DataFrame(X), pd.Series(y)),
    "array": ArrayDataset,
    "items": Items,
    "pair": lambda X, y: (X, y),
    "lists": lambda X, y: (X.tolist(), y.tolist()),
    "subset": lambda X, y: some(Dataset(X, y)),
    "subset of items": lambda X, y: some(Items(X, y)),
}


def make_data(n_rows=40, seed=0):
    X = np.random.RandomState(seed).normal(size=(n_rows, 3))
    return X, (X[:, 0] > 0).astype(np.int64)


def make_net(split, n_outputs=2):
    torch.manual_seed(0)
    return NeuralNetClassifier(
        nn.Linear(3, n_outputs),
        criterion=nn.CrossEntropyLoss,
        train_split=split,
        max_epochs=10,
        lr=0.5,
        verbose=0,
    )


def binary_net(split):
    torch.manual_seed(0)
    return NeuralNetBinaryClassifier(
        nn.Linear(3, 1), train_split=split, max_epochs=10, lr=0.5, verbose=0
    )


def table_net(split):
    return TabularNetClassifier(train_split=split, max_epochs=3)


def joint_net(split):
    return JointEntropyTabularClassifier(train_split=split, max_epochs=3)


def valid_losses(querier):
    net = querier.estimator_
    net = getattr(net, "best_estimator_", net)
    net = getattr(net, "estimators_", [net])[-1]
    net = getattr(net, "steps", [("net", net)])[-1][1]
    return net.history[:, "valid_loss"]


@pytest.mark.parametrize("kind", LABELS)
@pytest.mark.parametrize("container", CONTAINERS)
def test_rows_brought_along_for_validation(container, kind):
    X, codes = make_data()
    X_valid, codes_valid = make_data(15, seed=1)
    y, y_valid = LABELS[kind](codes), LABELS[kind](codes_valid)
    split = predefined_split(CONTAINERS[container](X_valid, y_valid))
    querier = BadgeQuerier(make_net(split), random_state=0).fit(X, y)
    assert len(querier.query(X + 1, 3)) == 3
    logits = querier.estimator_.forward(ArrayDataset(X_valid))
    loss = nn.functional.cross_entropy(logits, torch.from_numpy(codes_valid))
    # The last epoch's weights are those of the net.
    assert valid_losses(querier)[-1] == pytest.approx(loss.item(), rel=1e-5)


@pytest.mark.parametrize("kind", ["from one", "strings"])
@pytest.mark.parametrize(
    "make",
    [
        binary_net,
        table_net,
        joint_net,
        lambda split: make_pipeline(FunctionTransformer(), make_net(split)),
        lambda split: GridSearchCV(make_net(split), {"lr": [0.5]}, cv=2),
        lambda split: VotingClassifier([("net", make_net(split))], voting="soft"),
    ],
    ids=["binary", "table", "joint", "pipeline", "search", "voting"],
)
def test_models_with_rows_brought_along(make, kind):
    X, codes = make_data()
    y = LABELS[kind](codes)
    losses = []
    for target in (y, codes):
        # Labels that are codes already remain.
        querier = BadgeQuerier(
            make(predefined_split(Dataset(X, target))), random_state=0
        )
        losses.append(valid_losses(querier.fit(X, y)))
    assert losses[0][-1] < losses[0][0]
    if kind == "strings":
        assert losses[0] == losses[1]
    querier.partial_fit(X, y)


@pytest.mark.parametrize("kind", ["from one", "strings"])
def test_a_ready_net_by_itself(kind):
    X, codes = make_data()
    y = LABELS[kind](codes)
    net = table_net(predefined_split(Dataset(X, y))).fit(X, y)
    assert net.history[-1, "valid_loss"] < net.history[0, "valid_loss"]


def test_labelled_rows_that_are_a_torch_dataset():
    X, codes = make_data()
    X = X.astype(np.float32)
    tensors = TensorDataset(torch.from_numpy(X), torch.from_numpy(codes))
    y = LABELS["strings"](codes)
    for valid in (tensors, Items(X, y), Dataset(X, y), (X, y)):
        querier = BadgeQuerier(make_net(predefined_split(valid)), random_state=0)
        losses = valid_losses(querier.fit(tensors, y))
        assert losses[-1] < losses[0]


class Columns(nn.Module):
    """Takes the columns of a table by their names."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.linear = nn.Linear(2, 2)

    def forward(self, age, pay):
        columns = [each.reshape(-1, 1).float() for each in (age, pay)]
        return self.linear(torch.cat(columns, 1))


# pandas hands out columns that are not writeable, and skorch passes them on.
@pytest.mark.filterwarnings("ignore:The given NumPy array is not writable")
@pytest.mark.parametrize("kind", ["codes", "strings"])
@pytest.mark.parametrize(
    "container", [Dataset, lambda X, y: (X, y), lambda X, y: some(Dataset(X, y))]
)
@pytest.mark.parametrize(
    "table", [pd.DataFrame, lambda data: {k: v.to_numpy() for k, v in data.items()}]
)
def test_rows_whose_columns_go_by_their_names(kind, container, table):
    X, codes = make_data()
    frame = pd.DataFrame(X[:, :2], columns=["age", "pay"], index=range(5, 45))
    y = LABELS[kind](codes)
    net = NeuralNetClassifier(
        Columns,
        criterion=nn.CrossEntropyLoss,
        train_split=predefined_split(container(table(frame), y)),
        max_epochs=3,
        verbose=0,
    )
    querier = BadgeQuerier(net, random_state=0).fit(frame, y)
    loss = log_loss(codes, querier.predict_proba(frame))
    assert valid_losses(querier)[-1] == pytest.approx(loss, rel=1e-5)


@pytest.mark.parametrize("shape", [(40,), (40, 1)])
@pytest.mark.parametrize("dtype", [np.float64, np.int64])
def test_targets_of_a_regression(shape, dtype):
    X, _ = make_data()
    y = (10 * X[:, 0]).astype(dtype)
    split = predefined_split(Dataset(X, y.reshape(shape)))
    torch.manual_seed(0)
    net = NeuralNetRegressor(
        nn.Linear(3, 1), train_split=split, max_epochs=5, verbose=0
    )
    querier = BadgeQuerier(net, random_state=0).fit(X, y)
    loss = np.mean((querier.predict(X) - y) ** 2)
    assert valid_losses(querier)[-1] == pytest.approx(loss, rel=1e-4)
    BadgeQuerier(BaggingRegressor(net, 2), random_state=0).fit(X, y)


@pytest.mark.parametrize("kind", LABELS)
@pytest.mark.parametrize("split", [None, ValidSplit(4), ValidSplit(4, stratified=True)])
def test_rows_held_out_of_the_labelled_ones(split, kind):
    X, codes = make_data()
    y = LABELS[kind](codes)
    querier = BadgeQuerier(make_net(split), random_state=0).fit(X, y)
    assert np.mean(querier.predict(X) == y) > 0.7
    history = querier.estimator_.history
    assert ("valid_loss" in history[-1]) == (split is not None)


@pytest.mark.parametrize(
    ("valid", "match"),
    [
        ((np.ones((2, 3)), ["yes", "maybe"]), r"among the classes.*Got \['maybe'\]"),
        ((np.ones((2, 3)), [0, 7]), r"among the classes.*Got \[0, 7\]"),
        (Dataset(np.ones((2, 3)), None), "must hold labels. Got y=None"),
        (torch.utils.data.StackDataset(torch.ones(4, 3)), "pairs of a row and its"),
    ],
    ids=["unknown", "no code", "none", "rows only"],
)
def test_validation_labels_that_cannot_be_read(valid, match):
    X, codes = make_data()
    querier = BadgeQuerier(make_net(predefined_split(valid)))
    with pytest.raises(ValueError, match=match):
        querier.fit(X, LABELS["strings"](codes))


def test_training_goes_on_with_rows_brought_along():
    X, codes = make_data()
    y = LABELS["strings"](codes)
    net = make_net(predefined_split(Dataset(X, y)))
    querier = BadgeQuerier(net, warm_start=True, random_state=0).fit(X, y)
    losses = valid_losses(querier.partial_fit(X, y))
    assert len(losses) == 20
    assert losses[-1] < losses[9]
