"""What strategies share that are made of others."""

from dataclasses import replace
from operator import attrgetter

from sklearn.base import clone

from skbadge.strategies._base import Strategy
from skbadge.strategies._registry import get_strategy


class CompositeStrategy(Strategy):
    """A strategy with parameters that stand for others, alone or in a list.

    Attributes
    ----------
    parts : tuple of str
        Names of these parameters.
    """

    parts: tuple[str, ...] = ()

    def _validate_params(self):
        """Check the parameters of the parts, too."""
        super()._validate_params()
        for name in self.parts:
            value = getattr(self, name)
            for part in value if isinstance(value, list | tuple) else [value]:
                get_strategy(part)._validate_params()

    def __sklearn_clone__(self):
        """A clone that shares functions: they, and what they hold, are the user's."""
        params = self.get_params(deep=False)
        return type(self)(**{name: _cloned(value) for name, value in params.items()})


def with_parts(selection, parts):
    """A selection that says, too, what was out of the usual in those of its parts.

    ``parts`` are pairs of a name and a selection.
    """
    fallbacks, notes = (
        dict.fromkeys(f"{name}: {line}" for name, part in parts for line in lines(part))
        for lines in (attrgetter("fallbacks"), attrgetter("notes"))
    )
    return replace(
        selection,
        fallbacks=(*selection.fallbacks, *fallbacks),
        notes=(*selection.notes, *notes),
    )


def _cloned(value):
    if isinstance(value, list | tuple):
        return type(value)(map(_cloned, value))
    return clone(value) if isinstance(value, Strategy) else value
