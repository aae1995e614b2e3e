"""How a model is read, whatever is read of it."""

from dataclasses import dataclass
from typing import Any, Literal

from skbadge.utils._typing import RandomState
from skbadge.utils._validation import is_int


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

    scaling : object or None, default=None
        How columns are standardised where features are a model's input: `Outputs` of
        other rows say it. None for the statistics of these rows.

    temperature : float, default=1.0
        What the outputs say, see `Outputs`.
    """

    feature_layer: str = "auto"
    batch_size: int | Literal["auto"] = "auto"
    random_state: RandomState = None
    scaling: Any = None
    temperature: float = 1.0

    def __post_init__(self) -> None:
        size = self.batch_size
        if size != "auto" and not (is_int(size) and size >= 1):
            raise ValueError(
                f"`batch_size` must be 'auto' or an int >= 1. Got {size!r} instead."
            )
