"""How a model is read, whatever is read of it."""

from dataclasses import dataclass
from numbers import Integral
from typing import Literal

from skbadge.utils._typing import RandomState


@dataclass(frozen=True)
class ReadingOptions:
    """How a model is read.

    Parameters
    ----------
    feature_layer : str, default="auto"
        The module of a net whose input are the features.

    batch_size : int or "auto", default="auto"
        Rows in one forward pass.

    random_state : None, int or RandomState, default=None
        Draws dropout masks and sketches.
    """

    feature_layer: str = "auto"
    batch_size: int | Literal["auto"] = "auto"
    random_state: RandomState = None

    def __post_init__(self) -> None:
        size = self.batch_size
        is_int = isinstance(size, Integral) and not isinstance(size, bool)
        if size != "auto" and not (is_int and size >= 1):
            raise ValueError(
                f"`batch_size` must be 'auto' or an int >= 1. Got {size!r} instead."
            )
