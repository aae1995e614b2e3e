"""What a strategy needs to know of a model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

from skbadge.utils._validation import is_int

FIELDS = (
    "proba",
    "features",
    "head",
    "inputs",
    "posterior",
    "gradients",
    "prediction",
)
NAMES = (*FIELDS, "labeled", "ids", "temperature")
# Number of samples that the name "posterior" stands for.
N_POSTERIOR = 20


@dataclass(frozen=True)
class Needs:
    """What a strategy needs to know of a model. Nothing else is read.

    The union of two is ``first | second``.

    Parameters
    ----------
    proba : bool, default=False
        Class probabilities.

    features : bool, default=False
        The input of the last linear layer.

    head : bool, default=False
        The last linear layer itself, to be run again on other features.

    inputs : bool, default=False
        Numbers that stand for the rows themselves.

    n_posterior : int, default=0
        Samples of the model's posterior, at least 0: dropout masks of a net. An
        ensemble has as many samples as members, however many are asked for, and
        boosting at most as many as half of its stages. 0 reads none.

    gradients : bool, default=False
        Gradients with respect to the weights of all layers.

    n_columns : int or None, default=None
        Columns that gradients are sketched to while they are read, at least 1. None
        holds them exactly. It says nothing where no gradients are needed.

    prediction : bool, default=False
        The targets that a regressor predicts.

    sparse : bool, default=False
        Whether features and inputs of sparse rows, and leaf memberships as features,
        may be sparse, in CSR format. If not, they are made dense, and refused where
        they would not fit into memory; memberships in many leaves are sketched.

    labeled : bool, default=False
        All of this for the labelled rows as well.

    ids : bool, default=False
        Identities of rows, by which they are known again when positions change.

    temperature : bool, default=False
        How much surer the classifier is than it is right, see `Outputs`. A querier
        finds it by a training, once a fit.

    Raises
    ------
    TypeError
        If a flag is no bool.
    ValueError
        If a number is out of its range.

    See Also
    --------
    model_outputs : Reads what is needed.

    Examples
    --------
    >>> from skbadge.outputs import Needs
    >>> Needs(proba=True) | Needs(features=True, labeled=True)
    Needs(proba, features, labeled)
    >>> Needs.of(("proba", "posterior"))
    Needs(proba, n_posterior=20)
    """

    proba: bool = False
    features: bool = False
    head: bool = False
    inputs: bool = False
    n_posterior: int = 0
    gradients: bool = False
    n_columns: int | None = None
    prediction: bool = False
    sparse: bool = False
    labeled: bool = False
    ids: bool = False
    temperature: bool = False

    def __post_init__(self) -> None:
        for name in FLAGS:
            value = getattr(self, name)
            if not isinstance(value, bool):
                raise TypeError(f"`{name}` must be a bool. Got {value!r} instead.")
        if not is_int(self.n_posterior) or self.n_posterior < 0:
            raise ValueError(
                f"`n_posterior` must be an int >= 0. Got {self.n_posterior!r} instead."
            )
        wide = self.n_columns
        if wide is not None and not (is_int(wide) and wide >= 1):
            raise ValueError(
                f"`n_columns` must be an int >= 1 or None. Got {wide!r} instead."
            )

    @classmethod
    def of(cls, needs: Needs | str | Iterable[str]) -> Needs:
        """What is needed, however a strategy says it.

        Parameters
        ----------
        needs : Needs, str or iterable of str
            Names are those of the flags, and "posterior" for 20 samples.

        Returns
        -------
        needs : Needs
            As given, if it is one.

        Raises
        ------
        ValueError
            If a name is not known.

        Examples
        --------
        >>> from skbadge.outputs import Needs
        >>> Needs.of("features")
        Needs(features)
        """
        if isinstance(needs, Needs):
            return needs
        is_some = isinstance(needs, Iterable) and not isinstance(needs, str)
        names = tuple(needs) if is_some else (needs,)
        for name in names:
            if name not in NAMES:
                raise ValueError(
                    f"`needs` must be one or more of {NAMES}, or a Needs. Got {name!r}."
                )
        flags = {str(name): True for name in names if name != "posterior"}
        return cls(**flags, n_posterior=N_POSTERIOR if "posterior" in names else 0)

    @property
    def posterior(self) -> bool:
        """Whether posterior samples are needed."""
        return self.n_posterior > 0

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the fields of `Outputs` that are needed."""
        return tuple(name for name in FIELDS if getattr(self, name))

    def __or__(self, other: Needs | str | Iterable[str]) -> Needs:
        """What either needs: of two numbers the greater, exact gradients if one does.

        Features are sparse if whoever needs some takes sparse ones.

        Whoever asked for fewer samples or columns gets more, and may sketch further.
        """
        mine, theirs = self, Needs.of(other)
        flags = {name: getattr(mine, name) or getattr(theirs, name) for name in FLAGS}
        takers = [part for part in (mine, theirs) if part.features or part.inputs]
        flags["sparse"] = bool(takers) and all(part.sparse for part in takers)
        readers = [part for part in (mine, theirs) if part.gradients]
        widths = [part.n_columns for part in readers if part.n_columns is not None]
        sketched = readers and len(widths) == len(readers)
        return Needs(
            **flags,
            n_posterior=max(mine.n_posterior, theirs.n_posterior),
            n_columns=max(widths) if sketched else None,
        )

    def __repr__(self) -> str:
        parts = []
        for item in fields(self):
            value = getattr(self, item.name)
            if value is True:
                parts.append(item.name)
            elif value:
                parts.append(f"{item.name}={value}")
        return f"Needs({', '.join(parts)})"


FLAGS = tuple(item.name for item in fields(Needs) if not item.name.startswith("n_"))
