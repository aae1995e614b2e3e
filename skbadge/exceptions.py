"""Warnings of the package."""


class QueryWarning(UserWarning):
    """A query was answered, but not quite as asked; the message says how."""


class MonitoringWarning(UserWarning):
    """What is said of a model is probably not what was meant; it says why."""
