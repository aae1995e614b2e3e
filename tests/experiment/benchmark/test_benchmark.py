"""Benchmark: the grid, the identity of its runs, and TOML files."""

import os
import pickle
import subprocess
import sys
from copy import deepcopy
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris, make_classification
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import SplineTransformer, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import ExtraTreeClassifier
from skorch import NeuralNetClassifier

from skbadge import BadgeQuerier
from skbadge.experiment import Benchmark
from skbadge.experiment.store import config_hash
from skbadge.nn import TabularNetClassifier, TabularNetRegressor
from skbadge.strategies import ALBL, Badge, Margin

TOML = """
n_query = [5, 10]
n_initial = 10
budget = 40
n_repeats = 2
scoring = ["accuracy", "neg_log_loss"]
random_state = 3

[strategies]
random = "random"
biased = {object = "skbadge.strategies:Badge", include_bias = true}

[datasets]
iris = "sklearn.datasets:load_iris"
[datasets.made]
object = "sklearn.datasets:make_classification"
n_samples = 80
random_state = 0

[models.mlp]
object = "sklearn.neural_network:MLPClassifier"
hidden_layer_sizes = [8]
[models.scaled]
object = "sklearn.pipeline:Pipeline"
steps = [
    ["scale", {object = "sklearn.preprocessing:StandardScaler"}],
    ["linear", {object = "sklearn.linear_model:LogisticRegression", C = 0.5}],
]
"""


class NetOfOurs(NeuralNetClassifier):
    def __init__(self, *args, **parameters):
        super().__init__(*args, **parameters)


@pytest.fixture(autouse=True)
def _path_as_it_was(monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])


def read_local():
    return load_iris(return_X_y=True)


def make_benchmark(**changes):
    defaults = {
        "datasets": {"iris": load_iris},
        "models": {"linear": LogisticRegression()},
        "strategies": ["badge", "random"],
        "n_query": 10,
        "n_initial": 10,
        "budget": 40,
        "n_repeats": 2,
    }
    return Benchmark(**(defaults | changes))


def hashes_of(**changes):
    return [config_hash(config) for config in make_benchmark(**changes).configs()]


def write_toml(folder, text):
    path = folder / "benchmark.toml"
    path.write_text(text)
    return path


def test_a_grid_has_one_run_for_each_combination():
    configs = make_benchmark(
        datasets={"iris": load_iris, "digits": load_digits},
        models={"a": LogisticRegression(), "b": LogisticRegression(C=2)},
        n_query=[5, 10],
    ).configs()
    names = "dataset", "model", "n_query", "repeat", "strategy"
    runs = [tuple(config[name] for name in names) for config in configs]
    assert runs == [
        (dataset, model, n_query, repeat, strategy)
        for dataset in ("iris", "digits")
        for model in "ab"
        for n_query in (5, 10)
        for repeat in (0, 1)
        for strategy in ("badge", "random")
    ]


def test_the_seed_depends_on_data_set_repeat_and_random_state_alone():
    grid = {
        "datasets": {"iris": load_iris, "digits": load_digits},
        "models": {"a": LogisticRegression(), "b": MLPClassifier()},
        "n_query": [5, 10],
    }
    configs = make_benchmark(**grid).configs()
    configs += make_benchmark(**grid, random_state=1, n_initial=5).configs()
    seeds = {}
    for i, config in enumerate(configs):
        key = i < len(configs) / 2, config["dataset"], config["repeat"]
        seeds.setdefault(key, set()).add(config["seed"])
    assert len(seeds) == 8
    assert all(len(each) == 1 for each in seeds.values())
    assert len(set.union(*seeds.values())) == 8


def test_rounds_and_budget_are_two_ways_to_say_the_same():
    assert hashes_of(n_rounds=3, budget=None) == hashes_of(budget=40)
    assert make_benchmark(budget=None).configs()[0]["budget"] == 110


def test_each_batch_size_may_have_rounds_of_its_own():
    benchmark = make_benchmark(n_query=[5, 20], n_rounds=[6, 2], budget=None)
    budgets = {run["n_query"]: run["budget"] for run in benchmark.configs()}
    assert budgets == {5: 40, 20: 50}
    with pytest.raises(ValueError, match="one int, or one for each `n_query`"):
        make_benchmark(n_query=[5, 20], n_rounds=[6], budget=None)


@pytest.mark.parametrize(
    "larger",
    [
        {"n_repeats": 3},
        {"n_query": [10, 20]},
        {"strategies": ["margin", "badge", "random"]},
        {"strategies": {"badge": Badge(), "random": "random"}},
        {"models": {"linear": LogisticRegression(C=1.0), "mlp": MLPClassifier()}},
        {"datasets": {"iris": load_iris, "digits": load_digits}},
        {"n_threads": 2},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_benchmark_that_grows_keeps_its_runs(larger):
    assert set(hashes_of()) <= set(hashes_of(**larger))


@pytest.mark.parametrize(
    "changes",
    [
        {"n_initial": 12},
        {"budget": 50},
        {"initial": "uniform"},
        {"test_size": 0.5},
        {"scoring": "neg_log_loss"},
        {"scoring": {"accuracy": make_scorer(accuracy_score)}},
        {"random_state": 1},
        {"models": {"linear": LogisticRegression(C=2)}},
        {"models": {"linear": BadgeQuerier(LogisticRegression())}},
        {"models": {"other": LogisticRegression()}},
        {"strategies": {"badge": Badge(include_bias=True), "random": "margin"}},
        {"datasets": {"iris": read_local}},
        {"datasets": {"iris": partial(load_iris, as_frame=True)}},
        {"datasets": {"iris": load_iris(return_X_y=True)}},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_what_determines_a_result_makes_another_run(changes):
    assert not set(hashes_of()) & set(hashes_of(**changes))


def test_rows_held_out_make_another_run():
    net = {"models": {"net": TabularNetRegressor()}, "scoring": "r2"}
    assert not set(hashes_of(**net)) & set(hashes_of(**net, n_validation=10))


def test_parameters_at_their_defaults_are_left_out_for_libraries_add_some():
    model = make_pipeline(StandardScaler(), LogisticRegression(C=2, tol=1e-4))
    config = make_benchmark(models={"m": model}).configs()[0]
    scaler = {"object": "sklearn.preprocessing._data:StandardScaler", "parameters": {}}
    linear = {
        "object": "sklearn.linear_model._logistic:LogisticRegression",
        "parameters": {"C": 2},
    }
    steps = [["standardscaler", scaler], ["logisticregression", linear]]
    assert config["model_description"]["parameters"] == {"steps": steps}


@pytest.mark.parametrize("kind", [NeuralNetClassifier, NetOfOurs])
def test_a_net_is_known_by_its_parameters_that_are_no_defaults(kind):
    net = kind(torch.nn.Linear, lr=0.5, max_epochs=10, module__in_features=3)
    config = make_benchmark(models={"m": net}).configs()[0]
    assert config["model_description"]["parameters"] == {
        "lr": 0.5,
        "module": {"import": "torch.nn.modules.linear:Linear"},
        "module__in_features": 3,
    }


def test_data_in_memory_is_known_by_its_content():
    X, y = load_iris(return_X_y=True)
    first = hashes_of(datasets={"iris": (X, y)})
    assert hashes_of(datasets={"iris": (X.copy(), y.copy())}) == first
    for changed in ((X + 1e-9, y), (X, y[::-1]), (X.astype(np.float32), y)):
        assert hashes_of(datasets={"iris": changed}) != first


def test_frames_are_known_by_their_content():
    def frame(names):
        return pd.DataFrame({"kind": names, "size": range(len(names))})

    y = np.arange(4) % 2
    first = hashes_of(datasets={"d": (frame(["ant", "bee", "bee", None]), y)})
    # Equal strings that are other objects.
    names = ["".join(["a", "nt"]), "be" + "e", "".join("bee"), None]
    assert hashes_of(datasets={"d": (frame(names), y)}) == first
    assert hashes_of(datasets={"d": (frame(["ant", "bee", "ant", None]), y)}) != first


def test_a_loaded_data_set_is_known_by_its_content():
    X, y = load_iris(return_X_y=True)
    loaded = hashes_of(datasets={"iris": load_iris()})
    assert loaded == hashes_of(datasets={"iris": (X, y)})


def test_hashes_are_the_same_in_every_process(tmp_path):
    path = write_toml(tmp_path, TOML)
    code = (
        "import sys; from skbadge.experiment import Benchmark\n"
        "from skbadge.experiment.store import config_hash\n"
        "for config in Benchmark.from_toml(sys.argv[1]).configs():"
        " print(config_hash(config))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        env=os.environ | {"PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        check=True,
    )
    here = [config_hash(config) for config in Benchmark.from_toml(path).configs()]
    assert result.stdout.split() == here


HARD_TO_KNOW_AGAIN = """
import sys
import numpy as np
import torch
from scipy.stats import loguniform
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.preprocessing import FunctionTransformer
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import RandomizedSearchCV
from sklearn.pipeline import make_pipeline
from skorch import NeuralNetClassifier
from torch import nn
from skbadge.experiment import Benchmark
from skbadge.experiment.store import config_hash

torch.manual_seed(0)
# What NumPy's global generator has drawn does not count.
np.random.seed(int(sys.argv[1]))
X, y = load_iris(return_X_y=True)
linear = LogisticRegression()
net = NeuralNetClassifier(nn.Linear(4, 3), verbose=0, max_epochs=1)
weights = torch.tensor([1.0, 2.0, 1.0])
words = frozenset(["an", "of", "that", "the"])
models = [
    RandomizedSearchCV(linear, {"C": loguniform(0.1, 1)}),
    RandomizedSearchCV(linear, {"C": loguniform(0.1, 2)}),
    LogisticRegression(random_state=np.random.RandomState(0)),
    net,
    NeuralNetClassifier(nn.Linear(4, 3)),
    NeuralNetClassifier(nn.Linear, criterion__weight=weights),
    NeuralNetClassifier(nn.Linear, criterion__weight=2 * weights),
    make_pipeline(FunctionTransformer(kw_args={"words": words}), linear),
    make_pipeline(FrozenEstimator(PCA(1).fit(X[:75])), linear),
    make_pipeline(FrozenEstimator(PCA(1).fit(X[75:])), linear),
    FrozenEstimator(clone(net).fit(np.float32(X), y)),
    NeuralNetClassifier(nn.LazyLinear(3)),
    LogisticRegression(class_weight={0: 1, 1: 2}),
    LogisticRegression(C=1),
    linear,
]
for model in models:
    data = {"iris": (torch.tensor(X), y)}
    benchmark = Benchmark(data, {"m": model}, ["random"], 5, 9)
    print(config_hash(benchmark.configs()[0]))
"""


def test_models_of_any_kind_are_known_again_in_another_process_and_told_apart():
    hashes = [
        subprocess.run(
            [sys.executable, "-W", "ignore", "-c", HARD_TO_KNOW_AGAIN, seed],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        for seed in ("7", "8")
    ]
    assert hashes[0] == hashes[1]
    assert len(set(hashes[0])) == 15


@pytest.mark.parametrize(
    "model",
    [
        LogisticRegression(max_iter=500),
        SVC(),
        # Between the fields of a tree's records lie bytes of no meaning.
        ExtraTreeClassifier(random_state=0),
        HistGradientBoostingClassifier(max_iter=2, random_state=0),
        GridSearchCV(LogisticRegression(max_iter=500), {"C": [1, 2]}, cv=2),
        make_pipeline(SplineTransformer(), GaussianNB()),
    ],
    ids=lambda model: type(model).__name__,
)
def test_a_trained_model_its_copies_and_one_trained_alike_are_one(model):
    X, y = load_iris(return_X_y=True)
    trained = model.fit(X, y)
    loaded = pickle.loads(pickle.dumps(trained))
    again = clone(model).fit(X, y)
    twins = [trained, loaded, deepcopy(trained), again]
    known = [hashes_of(models={"m": FrozenEstimator(twin)}) for twin in twins]
    assert known == [known[0]] * 4
    trained = clone(model).fit(X[::2], y[::2])
    assert hashes_of(models={"m": FrozenEstimator(trained)}) != known[0]


def test_numbers_of_numpy_are_those_of_python():
    numbers = {"n_query": np.int64(10), "n_initial": np.int32(10)}
    numbers |= {"test_size": np.float64(0.25), "random_state": np.uint8(0)}
    assert hashes_of(**numbers) == hashes_of()
    sizes = hashes_of(n_query=[5, 10, 15])
    assert hashes_of(n_query=range(5, 20, 5)) == sizes
    assert hashes_of(n_query=np.array([5, 10, 15])) == sizes


def test_modules_made_by_a_file_have_the_same_weights_each_time(tmp_path):
    text = """
    strategies = ["badge"]
    [datasets]
    iris = "sklearn.datasets:load_iris"
    [models.net]
    object = "skorch:NeuralNetClassifier"
    [models.net.module]
    object = "torch.nn:Linear"
    in_features = 4
    out_features = 3
    """
    path, state = write_toml(tmp_path, text), torch.get_rng_state()
    configs = Benchmark.from_toml(path).configs()
    assert torch.equal(torch.get_rng_state(), state)
    torch.rand(1)
    assert Benchmark.from_toml(path).configs() == configs


def test_toml_and_python_declare_the_same_runs(tmp_path):
    scaled = Pipeline(
        [("scale", StandardScaler()), ("linear", LogisticRegression(C=0.5))]
    )
    made = partial(make_classification, n_samples=80, random_state=0)
    benchmark = Benchmark(
        datasets={"iris": load_iris, "made": made},
        models={"mlp": MLPClassifier(hidden_layer_sizes=(8,)), "scaled": scaled},
        strategies={"random": "random", "biased": Badge(include_bias=True)},
        n_query=[5, 10],
        n_initial=10,
        budget=40,
        n_repeats=2,
        scoring=["accuracy", "neg_log_loss"],
        random_state=3,
    )
    read = Benchmark.from_toml(write_toml(tmp_path, TOML))
    assert read.configs() == benchmark.configs()


def test_toml_writes_tuples_and_dicts_of_any_keys(tmp_path):
    text = """
    strategies = ["badge"]
    [datasets]
    iris = "sklearn.datasets:load_iris"
    [models.linear]
    object = "sklearn.linear_model:LogisticRegression"
    class_weight = {dict = [[0, 1.0], [1, 5.0], [2, 1.0]]}
    [models.mlp]
    object = "sklearn.neural_network:MLPClassifier"
    hidden_layer_sizes = {tuple = [8, 4]}
    """
    models = Benchmark.from_toml(write_toml(tmp_path, text)).models
    assert models["linear"].class_weight == {0: 1.0, 1: 5.0, 2: 1.0}
    assert models["mlp"].hidden_layer_sizes == (8, 4)
    path = write_toml(tmp_path, text.replace("[[0, 1.0], ", "[0, "))
    with pytest.raises(ValueError, match=r"class_weight: a dict .* list of pairs"):
        Benchmark.from_toml(path)


def test_toml_takes_objects_from_a_module_beside_it(tmp_path):
    (tmp_path / "beside_models.py").write_text(
        "from sklearn.linear_model import LogisticRegression\n"
        "from sklearn.datasets import load_iris\n"
        "class Keeper(LogisticRegression):\n"
        "    def __init__(self, kind=None, C=1.0):\n"
        "        super().__init__(C=C)\n"
        "        self.kind = kind\n"
        "ready = LogisticRegression(C=5.0)\n"
        "def make(C=2.0):\n"
        "    return LogisticRegression(C=C)\n"
    )
    text = """
    strategies = ["badge"]
    [datasets]
    iris = "beside_models:load_iris"
    [models]
    made = "beside_models:make"
    other = {object = "beside_models:make", C = 3.0}
    ready = "beside_models:ready"
    keeper = {object = "beside_models:Keeper", kind = {import = "numpy:float32"}}
    """
    benchmark = Benchmark.from_toml(write_toml(tmp_path, text))
    assert [benchmark.models[name].C for name in ("made", "other", "ready")] == [
        2,
        3,
        5,
    ]
    assert benchmark.models["keeper"].kind is np.float32
    assert len(benchmark.configs()) == 4 * 5


def replaced(old, new):
    assert old in TOML
    return TOML.replace(old, new)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("n_query = [", r"'.*benchmark\.toml' is not a TOML file: "),
        (
            replaced("n_query", "n_querry"),
            r"benchmark\.toml: 'n_querry' is not known\. Did you mean 'n_query'\? "
            r"Allowed are \['budget', 'datasets',",
        ),
        (replaced("[strategies]", "[x]"), r"'x' is not known\. Allowed are"),
        ("strategies = ['badge']\nmodels = {}", r"benchmark\.toml: 'datasets' is miss"),
        (
            "strategies = []\n[datasets]\n[models]\na = 1",
            "`datasets` must name at least one. Got {} instead",
        ),
        (
            replaced("sklearn.datasets:load_iris", "sklearn.datasets:load_irish"),
            r"datasets\.iris: 'sklearn\.datasets' has no 'load_irish'\.",
        ),
        (
            replaced("sklearn.datasets:load_iris", "sklearns:load_iris"),
            r"datasets\.iris: importing 'sklearns' failed with ModuleNotFoundErr",
        ),
        (
            replaced("sklearn.datasets:load_iris", "sklearn.datasets"),
            r'datasets\.iris: an object is written as "module:attribute"\. Got',
        ),
        (
            replaced('object = "sklearn.datasets:make_classification"', "id = 6"),
            r'datasets\.made: a data set needs object = "module:function" and the',
        ),
        (
            replaced("hidden_layer_sizes", "hidden_sizes"),
            r"models\.mlp: calling 'sklearn\.neural_network:MLPClassifier' with "
            r"\['hidden_sizes'\] failed with TypeError: .*unexpected keyword",
        ),
        (
            replaced("LogisticRegression", "LogisticRegresion"),
            r"models\.scaled\.steps\[1\]\[1\]: 'sklearn\.linear_model' has no 'Lo",
        ),
        (
            replaced('object = "skbadge.strategies:Badge"', 'import = "numpy:pi"'),
            r"strategies\.biased: 'include_bias' is not known\. Allowed are \['import'",
        ),
        (replaced('"random"', '"radnom"'), "`strategy` 'radnom' is not known. Did you"),
        (
            replaced("budget = 40", "budget = 4"),
            r"benchmark\.toml: `budget` must be at least `n_initial`, 10\. Got 4",
        ),
        (replaced("budget = 40", "budget = 40\nn_rounds = 2"), "say the same thing"),
        (
            "test_size = 1.5\n" + TOML,
            r"benchmark\.toml: The 'test_size' parameter of Benchmark must be a float",
        ),
        (
            replaced("neg_log_loss", "neg_log_los"),
            r"benchmark\.toml: `scoring` 'neg_log_los' is not known\. Did you mean",
        ),
        (
            replaced("n_repeats = 2", "n_repeats = '2'"),
            r"benchmark\.toml: The 'n_repeats' parameter of Benchmark must be an int",
        ),
        (replaced("n_repeats = 2", "n_repeats = true"), "`n_repeats` must not be True"),
        (
            replaced("n_samples", "n_sampels"),
            r"datasets\.made: 'sklearn\.datasets:make_classification': got an unexp",
        ),
        (
            replaced("C = 0.5", "C = -0.5"),
            r"`models\['scaled'\]`: The 'C' parameter of LogisticRegression must be",
        ),
        (
            replaced("sklearn.neural_network:MLP", "skbadge.nn:TabularNet").replace(
                "hidden_layer_sizes", "max_epohcs"
            ),
            r"`models\['mlp'\]`: __init__\(\) got unexpected argument\(s\) max_epohcs",
        ),
        (
            replaced("include_bias = true", "include_bias = 3"),
            r"`strategies\['biased'\]`: The 'include_bias' parameter of Badge must be",
        ),
        (
            replaced('"accuracy", "neg_log_loss"', ""),
            "`scoring` must name at least one",
        ),
        (replaced('"accuracy"', '["accuracy"]'), "`scoring` must be names and scorers"),
        (
            replaced("linear_model:LogisticRegression", "svm:LinearSVC"),
            "'neg_log_loss' needs a model with predict_proba. LinearSVC has none",
        ),
        (
            replaced("MLPClassifier", "MLPRegressor"),
            "`scoring` 'accuracy' is not for regressors, such as MLPRegressor",
        ),
        (
            replaced("skbadge.strategies:Badge", "sys:exit").replace(
                ", include_bias = true", ""
            ),
            r"strategies\.biased: calling 'sys:exit' .* failed with SystemExit",
        ),
        ("x = " + "[" * 9999, "is not a TOML file: maximum recursion depth"),
    ],
)
def test_an_error_in_a_toml_file_says_where_and_what(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        Benchmark.from_toml(write_toml(tmp_path, text))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "latin-1"])
def test_another_encoding_is_named(tmp_path, encoding):
    path = tmp_path / "benchmark.toml"
    path.write_bytes(f"# \u00e9\n{TOML}".encode(encoding))
    with pytest.raises(ValueError, match=r"is not a TOML file: .*Save it as UTF-8"):
        Benchmark.from_toml(path)


def test_a_byte_order_mark_is_no_error(tmp_path):
    path = write_toml(tmp_path, TOML)
    expected = Benchmark.from_toml(path).configs()
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert Benchmark.from_toml(path).configs() == expected


def test_a_toml_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"There is no file '.*none\.toml'"):
        Benchmark.from_toml(tmp_path / "none.toml")


def test_a_module_beside_the_file_that_another_hides_is_an_error(tmp_path):
    (tmp_path / "statistics.py").write_text("def read(): ...\n")
    text = replaced("sklearn.datasets:load_iris", "statistics:mean")
    with pytest.raises(ValueError, match=r"'statistics' in '.*' is hidden by"):
        Benchmark.from_toml(write_toml(tmp_path, text))


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"datasets": {}}, ValueError, "`datasets` must name at least one"),
        (
            {"models": LogisticRegression()},
            ValueError,
            "'models' parameter of Benchmark must be an instance of",
        ),
        (
            {"models": {"a": LogisticRegression}},
            TypeError,
            r"`models\['a'\]` must be an",
        ),
        ({"strategies": []}, ValueError, "`strategies` must name at least one"),
        (
            {"strategies": "badge"},
            ValueError,
            "'strategies' parameter of Benchmark must be an instance",
        ),
        ({"strategies": ["badge", "badge"]}, ValueError, "differ in their names"),
        ({"n_query": [10, 10]}, ValueError, "`n_query` must be some ints that differ"),
        ({"n_query": 0}, ValueError, "'n_query' parameter of Benchmark must be an int"),
        ({"n_query": 2**63}, ValueError, r"'n_query' .* \[1, 9223372036854775807\]"),
        ({"n_query": [5, 2**63]}, ValueError, r"'n_query' .*, 9223372036854775807\]"),
        (
            {"n_repeats": 0},
            ValueError,
            "'n_repeats' parameter of Benchmark must be an int",
        ),
        (
            {"n_validation": 1.5},
            ValueError,
            "'n_validation' parameter of Benchmark must be an int",
        ),
        ({"n_validation": 9}, ValueError, "`n_validation` is for regressors"),
        (
            {"random_state": None},
            ValueError,
            "'random_state' parameter of Benchmark must be an int",
        ),
        (
            {"initial": "first"},
            ValueError,
            r"`initial` must be one of .*max_herding.* Got 'first'",
        ),
        (
            {"strategies": {"s": Margin(uniform_share=0.1)}},
            ValueError,
            r"`strategies\['s'\]`: `uniform_share` above 0 is for draws",
        ),
        (
            {"strategies": {"s": ALBL([Margin(beta=-1), "margin"])}},
            ValueError,
            r"`strategies\['s'\]`: The 'beta' parameter of Margin",
        ),
        (
            {"strategies": {"s": lambda pool, n: range(n)}},
            ValueError,
            r"`strategies\['s'\]`: The strategy <lambda> must be a function",
        ),
        (
            {"models": {"m": TabularNetClassifier(hidden_sizes=[0])}},
            ValueError,
            r"`models\['m'\]`: The 'hidden_sizes' parameter",
        ),
        (
            {"n_threads": 0},
            ValueError,
            "'n_threads' parameter of Benchmark must be an int",
        ),
    ],
)
def test_parameters_are_checked(changes, error, message):
    with pytest.raises(error, match=message):
        make_benchmark(**changes)


@pytest.mark.parametrize("name", [1, None, ("a", 1)], ids=str)
@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("datasets", load_iris),
        ("models", LogisticRegression()),
        ("strategies", "random"),
        ("scoring", "accuracy"),
    ],
)
def test_names_that_are_no_strings_are_refused(parameter, value, name):
    message = f"The keys of `{parameter}` are names in the results and must be str. Got"
    with pytest.raises(ValueError, match=message):
        make_benchmark(**{parameter: {"1": value, name: value}})


def test_mistakes_in_parameters_of_nets_are_found_and_modules_may_have_some():
    parts = {"module__out_features": 2, "optimizer__momentum": 0.9, "critic__size": 3}
    net = NetOfOurs(torch.nn.Linear, **parts)
    for model in (net, make_pipeline(StandardScaler(), net)):
        assert make_benchmark(models={"m": model}).configs()
    net = NetOfOurs(torch.nn.Linear, max_epoch=3, **parts)
    for model in (net, make_pipeline(StandardScaler(), net)):
        with pytest.raises(ValueError, match=r"unexpected argument.* max_epoch"):
            make_benchmark(models={"m": model})


class Unpicklable:
    def __reduce__(self):
        raise RuntimeError("no")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"datasets": {"d": lambda: None}}, r"`datasets\['d'\]` must be importable"),
        (
            {"strategies": {"s": lambda pool, n, **rest: range(n)}},
            r"`strategies\['s'\]`'s `function` must be importable.*<lambda>",
        ),
        (
            {"models": {"m": KNeighborsClassifier(metric_params={"w": Unpicklable()})}},
            r"`models\['m'\]`'s `metric_params` cannot be known again",
        ),
        (
            {"datasets": {"d": partial(load_iris, as_frame=lambda: 1)}},
            r"`datasets\['d'\]` must be importable",
        ),
        ({"scoring": {"s": lambda *args: 0.0}}, "`scoring` must be importable"),
    ],
)
def test_what_cannot_be_known_again_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        make_benchmark(**changes).configs()


@pytest.mark.parametrize(
    ("found", "error", "message"),
    [
        (3, TypeError, r"`datasets\['d'\]` must be a pair .*Got int instead"),
        (
            (np.zeros((3, 2)), [0, 1]),
            ValueError,
            r"must have as many rows as targets\. Got 3 rows and 2 targets",
        ),
    ],
)
def test_data_in_memory_is_checked(found, error, message):
    with pytest.raises(error, match=message):
        make_benchmark(datasets={"d": found}).configs()
