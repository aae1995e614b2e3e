"""Warnings of thousands of trainings, each shown once."""

import warnings
from contextlib import contextmanager


class WarningsOnce:
    """Shows no warning again that it has shown for the same study in this process.

    Python's filters cannot: whoever changes them in between, and scikit-learn does in
    each training, makes them forget what was shown. What filters ignore or turn into
    errors never comes here.
    """

    def __init__(self):
        self._token, self._shown = None, set()

    @contextmanager
    def of(self, token):
        """While it lasts, show warnings that are new to the study with this token."""
        if token != self._token:
            self._token, self._shown = token, set()
        show = warnings.showwarning

        def show_if_new(message, category, *place):
            if (str(message), category) not in self._shown:
                self._shown.add((str(message), category))
                show(message, category, *place)

        warnings.showwarning = show_if_new
        try:
            yield
        finally:
            warnings.showwarning = show
