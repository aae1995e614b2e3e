"""Packages that are not required: import them, or say how to install them."""

from importlib import import_module


def import_optional(module, *, extra, purpose):
    """Import a module of an optional package.

    Parameters
    ----------
    module : str
        Dotted name of the module.

    extra : str
        The extra of this package that installs it.

    purpose : str
        What needs it, as the subject of the error's first sentence.

    Returns
    -------
    module : module
        The module.

    Raises
    ------
    ImportError
        If the package is missing. The message says how to install it. If the package is
        there and fails to import one of its own, that error is raised as it is.

    Examples
    --------
    >>> from skbadge.utils._optional import import_optional
    >>> import_optional("math", extra="plot", purpose="Drawing").floor(2.5)
    2
    """
    package = module.partition(".")[0]
    try:
        import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        raise ImportError(
            f"{purpose} needs {package}, which is not installed. Install it with "
            f'`pip install "skbadge[{extra}]"`.'
        ) from error
    return import_module(module)
