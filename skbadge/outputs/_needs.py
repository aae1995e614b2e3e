"""What a strategy needs to know of a model."""

from dataclasses import dataclass, fields

FIELDS = ("proba", "features", "inputs", "posterior", "gradients")


@dataclass(frozen=True)
class Needs:
    """What a strategy needs to know of a model, and nothing else is read.

    The union of two is ``first | second``.

    Parameters
    ----------
    proba : bool, default=False
        Class probabilities.

    features : bool, default=False
        The input of the last linear layer.

    inputs : bool, default=False
        Numbers that stand for the rows themselves.

    n_posterior : int, default=0
        Samples of the model's posterior: dropout masks of a net, while an ensemble has
        as many as members. 0 for none.

    gradients : bool, default=False
        Gradients with respect to the weights of all layers.

    n_columns : int or None, default=None
        Columns that gradients are sketched to while they are read; None holds them
        exactly.

    labeled : bool, default=False
        The same of the labelled rows.

    ids : bool, default=False
        Identities of rows, by which they are known again when positions change.

    Examples
    --------
    >>> from skbadge.outputs import Needs
    >>> Needs(proba=True) | Needs(features=True, labeled=True)
    Needs(proba, features, labeled)
    """

    proba: bool = False
    features: bool = False
    inputs: bool = False
    n_posterior: int = 0
    gradients: bool = False
    n_columns: int | None = None
    labeled: bool = False
    ids: bool = False

    @classmethod
    def of(cls, needs):
        """What is needed, as a strategy may say it.

        Parameters
        ----------
        needs : Needs, str or iterable of str
            Names are those of the parameters, and "posterior" for 20 samples.
        """
        if isinstance(needs, cls):
            return needs
        names = (needs,) if isinstance(needs, str) else tuple(needs)
        known = {item.name for item in fields(cls)} - {"n_posterior", "n_columns"}
        known |= {"posterior"}
        unknown = [name for name in names if name not in known]
        if unknown:
            raise ValueError(
                f"`needs` must be among {sorted(known)}. Got {unknown[0]!r}."
            )
        found = {name: True for name in names if name != "posterior"}
        return cls(**found, n_posterior=20 if "posterior" in names else 0)

    @property
    def posterior(self):
        """Whether posterior samples are needed."""
        return self.n_posterior > 0

    @property
    def fields(self):
        """Names of the fields of `Outputs` that are needed, a tuple of str."""
        return tuple(name for name in FIELDS if getattr(self, name))

    def __or__(self, other):
        """What either needs: of two numbers the greater, exact gradients if one does.

        Whoever asked for fewer samples or columns gets more, and may sketch further.
        """
        mine, theirs = self, Needs.of(other)
        widths = [part.n_columns for part in (mine, theirs) if part.gradients]
        exact = not widths or None in widths
        return Needs(
            proba=mine.proba or theirs.proba,
            features=mine.features or theirs.features,
            inputs=mine.inputs or theirs.inputs,
            n_posterior=max(mine.n_posterior, theirs.n_posterior),
            gradients=mine.gradients or theirs.gradients,
            n_columns=None if exact else max(widths),
            labeled=mine.labeled or theirs.labeled,
            ids=mine.ids or theirs.ids,
        )

    def __repr__(self):
        parts = []
        for item in fields(self):
            value = getattr(self, item.name)
            if value is True:
                parts.append(item.name)
            elif value:
                parts.append(f"{item.name}={value}")
        return f"Needs({', '.join(parts)})"
