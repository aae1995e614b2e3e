"""Warnings that point at the line of the user's that called the library."""

import sys
import warnings


def warn_caller(message, category):
    """Warn at the first line up the stack that is not the library's own."""
    # Level 1 is this function.
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and _is_own(frame):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def _is_own(frame):
    name = frame.f_globals.get("__name__", "")
    # Functions that check their parameters are called by scikit-learn's wrapper.
    return name.split(".")[0] == "skbadge" or name == "sklearn.utils._param_validation"
