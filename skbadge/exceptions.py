"""Warnings of the package."""


class QueryWarning(UserWarning):
    """A query was answered, but not quite as asked; the message says how."""
