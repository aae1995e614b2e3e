"""Benchmark: which data, models, strategies and batch sizes to compare, and how."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import partial
from inspect import signature
from numbers import Integral, Real
from os import PathLike
from pathlib import Path
from typing import Any, Self

import numpy as np

from skbadge._compat import (
    HasMethods,
    Interval,
    validate_all_parameters,
    validate_parameter_constraints,
)
from skbadge.experiment.benchmark._data import describe_data
from skbadge.experiment.benchmark._toml import (
    build,
    build_parameters,
    check_keys,
    import_attribute,
    read_toml,
)
from skbadge.experiment.simulation import (
    AT_LEAST_ONE,
    SCHEDULE,
    check_initial,
    check_takes_held_out,
    named_strategies,
    resolve_scoring,
    total_budget,
)
from skbadge.experiment.store import describe
from skbadge.querier._strategy_in_use import kind_of
from skbadge.strategies import Strategy, get_strategy
from skbadge.utils._shared_state import seeded
from skbadge.utils._streams import stream_seed
from skbadge.utils._validation import check_names

_CONSTRAINTS = {
    **SCHEDULE,
    "datasets": [Mapping],
    "models": [Mapping],
    "strategies": [list, tuple, Mapping],
    "n_query": [*SCHEDULE["n_query"], "array-like"],
    "n_rounds": [*SCHEDULE["n_rounds"], "array-like"],
    "n_repeats": [AT_LEAST_ONE],
    "test_size": [Interval(Real, 0, 1, closed="neither"), AT_LEAST_ONE],
    "scoring": [str, callable, list, tuple, Mapping],
    "random_state": [Interval(Integral, 0, None, closed="left")],
    "n_threads": [AT_LEAST_ONE, None],
    "folder": [Path, None],
}


@dataclass(frozen=True, eq=False)
class Benchmark:
    """A grid of data sets, models, strategies, batch sizes and repeats.

    All runs of a repeat on a data set share test rows, first labels and seed, over
    strategies, models and batch sizes: compare them repeat by repeat.

    Parameters
    ----------
    datasets : dict
        Name to ``(X, y)``, or to a function without parameters that returns such a
        pair, or an object with ``X``, ``y`` and perhaps a ``preprocessor``, or one
        with ``data`` and ``target`` like scikit-learn's loaders. A function, or a
        `functools.partial` of one, must be importable, and return the same rows each
        time; it is called by the workers. A preprocessor is fitted to the labelled
        rows as the first step of a Pipeline before the model.

    models : dict
        Name to a classifier or regressor, a `BadgeQuerier`, or a Pipeline or search
        that ends in one. They stay as they are. Give them no ``random_state``: it is
        set from the seed of the run.

    strategies : list or dict
        Names and strategy objects; a dict names them.

    n_query : int or list of int, default=100
        Rows asked for in a round; each is a grid point.

    n_initial : int, default=100
        Rows labelled from the start.

    n_rounds : int, list of int or None, default=None
        Number of queries, 10 unless ``budget`` is given. A list has one for each
        ``n_query``.

    budget : int or None, default=None
        In place of ``n_rounds``, number of labels at the end. The last round may be
        smaller.

    n_repeats : int, default=5
        Independent repeats.

    initial : {"auto", "stratified", "uniform"}, str or Strategy, default="auto"
        How first labels and test rows are drawn, see `draw_split`, or the strategy that
        asks for the first labels, see `active_learning_curve`.

    test_size : float or int, default=0.25
        Share or number of rows held out.

    n_validation : int, default=0
        Number of rows held out besides, for the model's parameter ``validation_data``,
        see `active_learning_curve`.

    scoring : str, list or dict, default="accuracy"
        Names of scorers, of scikit-learn's and "neg_error_quantile_95" and
        "neg_error_quantile_99", or scorers by name. Greater is better.

    random_state : int, default=0
        Determines everything, together with the name of the data set and the repeat.

    n_threads : int or None, default=1
        Threads that a run may use for its linear algebra, see `active_learning_curve`.

    folder : Path or None, default=None
        Where the modules of the objects lie, if they are not installed: beside the
        TOML file.

    Raises
    ------
    ValueError, TypeError
        If a parameter is none of these.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skbadge.experiment import Benchmark
    >>> benchmark = Benchmark(
    ...     datasets={"iris": load_iris},
    ...     models={"linear": LogisticRegression()},
    ...     strategies=["badge", "random"],
    ...     n_query=[5, 10], n_initial=10, budget=50, n_repeats=3,
    ... )
    >>> len(benchmark.configs())
    12
    """

    datasets: Mapping[str, Any]
    models: Mapping[str, Any]
    strategies: list | Mapping[str, str | Strategy | Callable]
    n_query: int | list[int] = 100
    n_initial: int = 100
    n_rounds: int | list[int] | None = None
    budget: int | None = None
    n_repeats: int = 5
    initial: str | Strategy | Callable = "auto"
    test_size: float | int = 0.25
    n_validation: int = 0
    scoring: str | Callable | list | Mapping = "accuracy"
    random_state: int = 0
    n_threads: int | None = 1
    folder: Path | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        _check(vars(self))
        for name in ("datasets", "models", "strategies"):
            _check_some(name, getattr(self, name))
        check_names(self.datasets, "datasets")
        check_names(self.models, "models")
        self._budgets()
        for name, strategy in self.named_strategies.items():
            validate_all_parameters(get_strategy(strategy), f"strategies[{name!r}]")
        for name, model in self.models.items():
            _check({f"models[{name!r}]": model}, [HasMethods(["fit"])])
            if isinstance(model, type):
                raise TypeError(
                    f"`models[{name!r}]` must be an estimator object. Got {model!r}."
                )
            validate_all_parameters(model, f"models[{name!r}]")
            resolve_scoring(model, self.scoring)
            check_initial(model, self.initial)
            if self.n_validation:
                check_takes_held_out(model)

    @property
    def batch_sizes(self) -> list[int]:
        """Rows asked for in a round, a list of int."""
        sizes = self.n_query
        sizes = list(sizes) if np.iterable(sizes) else [sizes]
        for size in sizes:
            _check({"n_query": size}, SCHEDULE["n_query"])
        if not sizes or len(set(sizes)) < len(sizes):
            raise ValueError(
                f"`n_query` must be some ints that differ. Got {self.n_query!r}."
            )
        return [int(size) for size in sizes]

    def _budgets(self):
        """Labels at the end, by the rows asked for in a round."""
        sizes, rounds = self.batch_sizes, self.n_rounds
        rounds = list(rounds) if np.iterable(rounds) else [rounds] * len(sizes)
        if len(rounds) != len(sizes):
            raise ValueError(
                "`n_rounds` must be one int, or one for each `n_query`. Got "
                f"{self.n_rounds!r} for n_query={self.n_query!r}."
            )
        for each in rounds:
            _check({"n_rounds": each}, SCHEDULE["n_rounds"])
        return {
            n_query: total_budget(self.n_initial, n_query, n_rounds, self.budget)
            for n_query, n_rounds in zip(sizes, rounds, strict=True)
        }

    @property
    def named_strategies(self) -> dict[str, str | Strategy | Callable]:
        """Strategies by their names in the results, a dict."""
        return named_strategies(None, self.strategies)

    @classmethod
    def from_toml(cls, path: str | PathLike) -> Self:
        """Read a benchmark from a TOML file.

        The keys are the parameters of this class. An object is written as a table
        with the place to import it from, and its parameters::

            n_query = [100, 1000]
            budget = 5000
            scoring = ["accuracy", "neg_log_loss"]
            strategies = ["badge", "margin", "random"]

            [datasets.letter]
            object = "skbadge.datasets:load_openml"
            data = 6

            [models.mlp]
            object = "skbadge.nn:TabularNetClassifier"
            hidden_sizes = [1024]
            lr = 1e-4

        Objects nest, in parameters and in lists, and ``{import = "module:name"}`` is
        the name itself, uncalled::

            [models.scaled]
            object = "sklearn.pipeline:Pipeline"
            steps = [
                ["scale", {object = "sklearn.preprocessing:StandardScaler"}],
                ["net", {object = "mynets:MyNet", module = {import = "mynets:Net"}}],
            ]

        What TOML does not have is written as a table, too: ``{tuple = [1, 2]}``, and
        ``{dict = [[0, 1.0], [1, 5.0]]}`` for a dict whose keys are no strings.

        A string, ``scaled = "mynets:make_scaled"``, is short for a table without
        parameters. Modules may lie beside the file; their folder is appended to
        ``sys.path``. Strategies are a list of names, or a table of names and objects.

        Parameters
        ----------
        path : path-like
            The file.

        Returns
        -------
        benchmark : Benchmark
            Data sets are not read yet.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError, TypeError
            If it says something that this class does not understand, or names objects
            that are not there.
        """
        path = Path(path)
        table = read_toml(path)
        try:
            # Weights of modules are the same each time.
            with seeded(0):
                return cls._from_table(table, path.resolve().parent)
        except (TypeError, ValueError) as error:
            raise type(error)(f"{path.name}: {error}") from error

    @classmethod
    def _from_table(cls, table, folder):
        check_keys(table, {each.name for each in fields(cls)} - {"folder"})
        for name in ("datasets", "models", "strategies"):
            if name not in table:
                raise ValueError(f"{name!r} is missing.")
            if name != "strategies":
                _check({name: table[name]})
                _check_some(name, table[name])
        parts = {
            "datasets": {
                name: _dataset(spec, f"datasets.{name}", folder)
                for name, spec in table.pop("datasets").items()
            },
            "models": {
                name: build(_as_table(spec), f"models.{name}", folder)
                for name, spec in table.pop("models").items()
            },
        }
        rest = {name: build(value, name, folder) for name, value in table.items()}
        return cls(**parts, **rest, folder=folder)

    def configs(self) -> list[dict]:
        """What determines the result of each run, and nothing else.

        Names and descriptions of the data set, model and strategy, the protocol, and
        the seed, but neither the versions of libraries, nor the number of threads, nor
        the rest of the grid: a benchmark may grow and keep the runs it has.

        Returns
        -------
        configs : list of dict
            For `ResultStore.add`; data sets vary slowest, then models, batch sizes,
            repeats and strategies.

        Raises
        ------
        ValueError
            If an object cannot be known again in another process.
        """
        data = {
            name: describe_data(source, f"`datasets[{name!r}]`")
            for name, source in self.datasets.items()
        }
        models = {
            name: describe(model, f"`models[{name!r}]`")
            for name, model in self.models.items()
        }
        strategies = {
            (kind, name): describe(
                get_strategy(strategy, kind), f"`strategies[{name!r}]`"
            )
            for name, strategy in self.named_strategies.items()
            for kind in ("classifier", "regressor")
        }
        kinds = {name: kind_of(model) for name, model in self.models.items()}
        common = {
            "n_initial": self.n_initial,
            "initial": describe(self.initial, "`initial`"),
            "test_size": self.test_size,
            "n_validation": self.n_validation,
            "scoring": describe(self.scoring, "`scoring`"),
        }
        return [
            {
                "dataset": dataset,
                "model": model,
                "strategy": strategy,
                "n_query": n_query,
                "repeat": repeat,
                "seed": stream_seed(self.random_state, f"{dataset}-{repeat}"),
                "budget": budget,
                "data_description": data[dataset],
                "model_description": models[model],
                "strategy_description": strategies[kinds[model], strategy],
                **common,
            }
            for dataset in data
            for model in models
            for n_query, budget in self._budgets().items()
            for repeat in range(self.n_repeats)
            for strategy in self.named_strategies
        ]


def _check(parameters, constraints=None):
    for name, value in parameters.items():
        # Python takes booleans for ints.
        if isinstance(value, bool):
            raise ValueError(f"`{name}` must not be {value}.")
    if constraints is not None:
        constraints = dict.fromkeys(parameters, constraints)
    validate_parameter_constraints(constraints or _CONSTRAINTS, parameters, "Benchmark")


def _check_some(name, value):
    if not value:
        raise ValueError(f"`{name}` must name at least one. Got {value!r} instead.")


def _as_table(spec):
    return {"object": spec} if isinstance(spec, str) else spec


def _dataset(spec, where, folder):
    """A reader that the workers call, for reading takes long and may fail."""
    spec = _as_table(spec)
    if not isinstance(spec, dict) or "object" not in spec:
        raise ValueError(
            f'{where}: a data set needs object = "module:function" and the parameters '
            f"of that function. Got {spec!r}."
        )
    reader = import_attribute(spec["object"], where, folder)
    parameters = build_parameters(spec, where, folder)
    if not callable(reader):
        raise ValueError(f"{where}: {spec['object']!r} is not a function.")
    try:
        signature(reader).bind(**parameters)
    except TypeError as error:
        raise ValueError(f"{where}: {spec['object']!r}: {error}.") from error
    except ValueError:
        # Functions in C may have no signature.
        pass
    return partial(reader, **parameters) if parameters else reader
