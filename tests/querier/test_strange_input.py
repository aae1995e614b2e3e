"""Rows and labels of strange kinds are read rightly, or refused before a training."""

from decimal import Decimal
from enum import Enum

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn.ensemble import (
    BaggingClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, NuSVC
from skorch import NeuralNetClassifier

from skbadge import BadgeQuerier
from skbadge.nn import TabularNetClassifier

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 4)).astype(np.float32)
codes = np.arange(60) % 3


class Animal(str, Enum):  # noqa: UP042 a StrEnum would be a plain string
    CAT = "a cat"
    CAMEL = "camel"
    COW = "cow"


class Plain(Enum):
    CAT = 1
    CAMEL = 2
    COW = 3


def make_net(module=None):
    return NeuralNetClassifier(
        torch.nn.Sequential(torch.nn.Linear(4, 3)) if module is None else module,
        criterion=torch.nn.CrossEntropyLoss,
        max_epochs=1,
        train_split=None,
        verbose=0,
    )


MODELS = {
    "linear": LogisticRegression,
    "net": make_net,
    "scaled": lambda: make_pipeline(StandardScaler(), make_net()),
    "tabular": lambda: TabularNetClassifier(max_epochs=1),
}
models = pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)


def querier_of(make, **params):
    return BadgeQuerier(make(), strategy="margin", random_state=0, **params)


# Labels


@models
@pytest.mark.parametrize("convert", [list, tuple, pd.Series, pd.Categorical])
def test_members_of_an_enumeration_of_strings_are_its_strings(make, convert):
    labels = convert([list(Animal)[code] for code in codes])
    querier = querier_of(make).fit(X, labels)
    assert querier.classes_.tolist() == ["a cat", "camel", "cow"]
    values = [list(Animal)[code].value for code in codes]
    assert querier.y_labeled_.tolist() == values
    querier.relabel([0], [Animal.COW])
    assert querier.y_labeled_[0] == "cow"


LABELS = {
    "bfloat16": torch.tensor(codes).bfloat16(),
    "with gradients": torch.tensor(codes, dtype=torch.float32, requires_grad=True),
}


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
@pytest.mark.parametrize("model", [LogisticRegression(), Ridge()], ids=["labels", ""])
def test_labels_and_targets_in_tensors(labels, model):
    querier = BadgeQuerier(model).fit(X, labels)
    assert querier.y_labeled_.tolist() == codes.tolist()


@pytest.mark.skipif(
    not hasattr(np.dtypes, "StringDType"), reason="NumPy 1 has no strings of any length"
)
def test_strings_of_any_length():
    labels = np.array(["a", "long", "longer"])[codes].astype(np.dtypes.StringDType())
    querier = querier_of(LogisticRegression).fit(X, labels)
    assert querier.classes_.tolist() == ["a", "long", "longer"]


days = np.array(["2026-01-01", "2026-01-02", "2026-01-03"], dtype="M8[D]")[codes]
UNFIT_LABELS = {
    "a missing date": (np.where(codes == 0, np.datetime64("NaT"), days), "row 0"),
    "a missing time": (pd.Series(days).mask(np.arange(60) == 3), "row 3"),
    "bytes": (codes.astype("S"), r"b'0', of type bytes_.*label.decode\(\)"),
    "decimals": ([Decimal(int(code)) for code in codes], r"type Decimal.*str\(label"),
    "huge": ([10**30 + int(code) for code in codes], "type int.*str"),
    "enumeration": ([list(Plain)[code] for code in codes], "type Plain"),
    "periods": (pd.Series(pd.PeriodIndex(days, freq="D")), "type Period"),
    "zoned": (pd.Series(days).dt.tz_localize("UTC"), "type Timestamp"),
    "complex": (codes + 0j, "Complex data not supported: `y`"),
    "generator": ((int(code) for code in codes), "1d array .*generator"),
    "set": ({0, 1, 2}, "1d array .*{0, 1, 2}"),
    "number": (3, "1d array .*Got 3"),
    "string": ("ab", "1d array .*Got 'ab'"),
}


@pytest.mark.parametrize("name", UNFIT_LABELS)
@models
def test_labels_of_no_use_are_refused(make, name):
    labels, message = UNFIT_LABELS[name]
    with pytest.raises(ValueError, match=message) as caught:
        querier_of(make).fit(X, labels)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    "targets", [3.0, {1.0, 2.0}, sparse.csr_matrix(codes[:, None])], ids=str
)
def test_targets_that_are_no_list_are_refused(targets):
    with pytest.raises(ValueError, match="1d array with one entry for each row"):
        BadgeQuerier(Ridge()).fit(X, targets)


NO_COMMON = {
    "uint64": (np.array([2**63, 2**63 + 1, 2**63 + 2], "u8"), np.array([-1])),
    "dates": (np.array(["2026", "2027", "2028"], "M8[Y]"), np.array([1])),
    "strings": (np.array(["2026", "2027", "2028"], "M8[Y]"), np.array(["a"])),
}


@pytest.mark.parametrize(("labels", "more"), NO_COMMON.values(), ids=NO_COMMON)
@pytest.mark.parametrize("call", ["partial_fit", "relabel"])
def test_labels_that_no_dtype_holds_together_are_refused(labels, more, call):
    querier = querier_of(LogisticRegression).fit(X, labels[codes])
    rows = X[:1] + 1 if call == "partial_fit" else [0]
    with pytest.raises(ValueError, match="`y` must hold labels of"):
        getattr(querier, call)(rows, more)
    assert querier.y_labeled_.tolist() == labels[codes].tolist()


def test_integers_that_no_float_holds_stay_apart():
    labels = np.array([2**53, 2**53 + 1, 0])[codes]
    querier = querier_of(LogisticRegression).fit(X, labels)
    with pytest.raises(ValueError, match="no dtype holds 9007199254740993"):
        querier.partial_fit(X[:1] + 1, [0.0])
    querier.relabel([0], [0.0])
    assert querier.y_labeled_.tolist() == [0, *labels[1:]]


def test_dates_of_finer_units_are_kept():
    years = np.array(["2026", "2027", "2028"], "M8[Y]")
    querier = querier_of(LogisticRegression).fit(X, years[codes])
    querier.partial_fit(X[:1] + 1, np.array(["2026-05-05"], "M8[D]"))
    assert str(querier.y_labeled_[-1]) == "2026-05-05"


# Rows


class Lazy:
    """As polars' LazyFrame."""

    def collect(self):
        return X


NO_ROWS = {
    "generator": (lambda: (row for row in X), "generator.*Make a list"),
    "map": (lambda: map(list, X), "map.*Make a list"),
    "set": (lambda: set(range(60)), "set.*Make a list"),
    "loader": (lambda: torch.utils.data.DataLoader(X), "DataLoader.*Make a list"),
    "lazy": (Lazy, r"Lazy.*`collect\(\)`"),
    "text": (lambda: "abc", "Got 'abc'"),
    "number": (lambda: 3.0, "Got 3.0"),
    "point": (lambda: np.array(3.0), "Got array"),
}


@models
@pytest.mark.parametrize(("strange", "message"), NO_ROWS.values(), ids=NO_ROWS)
def test_what_holds_no_rows_is_refused(make, strange, message):
    with pytest.raises(TypeError, match=f"`X` must hold rows.*{message}"):
        querier_of(make).fit(strange(), codes)
    querier = querier_of(make).fit(X, codes)
    with pytest.raises(TypeError, match=f"`X_pool` must hold rows.*{message}"):
        querier.query(strange(), 2)


TENSORS = {
    "sparse": lambda: torch.tensor(X).to_sparse(),
    "csr": lambda: torch.tensor(X).to_sparse_csr(),
    "meta": lambda: torch.tensor(X).to("meta"),
    "quantised": lambda: torch.quantize_per_tensor(
        torch.tensor(X), 0.1, 0, torch.quint8
    ),
}


@models
@pytest.mark.parametrize("strange", TENSORS.values(), ids=TENSORS)
@pytest.mark.filterwarnings("ignore:Sparse CSR:UserWarning")
@pytest.mark.filterwarnings("ignore:.*quantiz")
def test_tensors_without_plain_values_are_refused(make, strange):
    with pytest.raises(ValueError, match="`X` must be a dense tensor"):
        querier_of(make).fit(strange(), codes)


@pytest.mark.parametrize(
    "change",
    [torch.Tensor.bfloat16, torch.Tensor.half, torch.nn.Parameter],
    ids=["bfloat16", "float16", "with gradients"],
)
@models
def test_tensors_that_numpy_does_not_take(make, change):
    rows = change(torch.tensor(X))
    querier = querier_of(make).fit(rows, codes)
    assert len(querier.query(rows, 3)) == 3
    assert querier.partial_fit(rows, codes).predict(rows).shape == (60,)


def test_groups_that_are_no_list():
    querier = querier_of(LogisticRegression).fit(X, codes)
    for groups in (3, (code for code in codes)):
        with pytest.raises(ValueError, match="`groups` must hold one value for each"):
            querier.query(X + 1, 2, groups=groups)


# Modules


class Module(torch.nn.Module):
    """One that returns what a function makes of its logits."""

    def __init__(self, change):
        super().__init__()
        self.change = change
        self.last = torch.nn.Linear(4, 3)

    def forward(self, X):
        return self.change(self.last(X))


class OfTwo(Module):
    def forward(self, first, second):
        return self.last(first + second)


class OfCodes(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.table = torch.nn.Embedding(2, 3)

    def forward(self, X):
        return self.table(X).sum(dim=1)


ODD_MODULES = {
    "a tuple": (Module(lambda z: (z, z)), X, "tuple.*`get_loss`"),
    "a vector": (Module(lambda z: z[:, 0]), X, "criterion.*do not fit"),
    "a mean": (Module(lambda z: z.mean(0, keepdim=True)), X, "criterion.*do not fit"),
    "two arguments": (OfTwo(None), [X, X], "one list.*dict"),
    "other keys": (OfTwo(None), {"a": X, "b": X}, r"keys, \['a', 'b'\]"),
    "no codes": (OfCodes(), X, "codes must be integers"),
    "codes above": (OfCodes(), (X > 0) * 5, "below the `num_embeddings`"),
}


@pytest.mark.parametrize("name", ODD_MODULES)
@pytest.mark.filterwarnings("ignore:Equal labelled rows")
def test_modules_that_fit_no_rows_say_what_to_do(name):
    module, rows, message = ODD_MODULES[name]
    net = make_net(module)
    with pytest.raises(ValueError, match=f"(?s){message}"):
        BadgeQuerier(net).fit(rows, codes)


def test_a_criterion_of_several_labels_says_what_to_do():
    net = make_net().set_params(criterion=torch.nn.BCEWithLogitsLoss)
    with pytest.raises(ValueError, match=r"BCEWithLogitsLoss.*do not fit"):
        BadgeQuerier(net).fit(X, codes)


def test_classes_that_are_missing_are_refused():
    with pytest.raises(ValueError, match="`classes` must hold labels only"):
        querier_of(LogisticRegression, classes=[0, 1, 2, None]).fit(X, codes)


# Models


NO_PROBABILITIES = {
    "hard votes": lambda: VotingClassifier([("a", LogisticRegression())]),
    "hinge": SGDClassifier,
    "nu": lambda: NuSVC(probability=False),
    "vectors": lambda: make_pipeline(StandardScaler(), SVC(probability=False)),
}


@pytest.mark.parametrize("make", NO_PROBABILITIES.values(), ids=NO_PROBABILITIES)
@pytest.mark.filterwarnings("ignore:.*probability:FutureWarning")
def test_models_that_tell_no_probabilities_are_refused_before_training(make):
    querier = querier_of(make)
    with pytest.raises(TypeError, match="has no `predict_proba`"):
        querier.fit(X, codes)
    assert not hasattr(querier, "estimator_")


# Going on from a model that cannot


GROWING = {
    "bagging": lambda: BaggingClassifier(LogisticRegression(), 2),
    "extra trees": lambda: ExtraTreesClassifier(2),
    "forest": lambda: RandomForestClassifier(2),
    "boosting": lambda: GradientBoostingClassifier(n_estimators=2),
    "histograms": lambda: HistGradientBoostingClassifier(max_iter=2),
}


@pytest.mark.parametrize("make", GROWING.values(), ids=GROWING)
def test_a_warm_ensemble_would_never_see_new_rows(make):
    querier = querier_of(make, warm_start=True).fit(X[:40], codes[:40])
    with pytest.raises(ValueError, match=r"never see the new rows.*`warm_start=False`"):
        querier.partial_fit(X[40:], codes[40:])
    assert len(querier.y_labeled_) == 60
    querier.set_params(warm_start=False).partial_fit()
    assert len(querier.query(X + 1, 2)) == 2


WARM = {
    "perceptron": lambda: MLPClassifier(4, max_iter=2),
    "linear": LogisticRegression,
    "descent": lambda: SGDClassifier(loss="log_loss"),
}


@pytest.mark.parametrize("make", WARM.values(), ids=WARM)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_warm_model_learns_no_new_classes(make):
    querier = querier_of(make, warm_start=True).fit(X, codes)
    with pytest.raises(ValueError, match=r"did not occur before: \[7\].*=False`"):
        querier.partial_fit(X[:1] + 1, [7])
    assert querier.partial_fit(X[:1] + 1, [2]).classes_.tolist() == [0, 1, 2]
