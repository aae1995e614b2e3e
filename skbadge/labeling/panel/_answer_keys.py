"""A key for each class."""

from string import ascii_lowercase

SKIP, UNSURE, UNDO, AGAIN, STOP = "-", "?", "<", "=", "!"
# In the order in which they are given out.
_KEYS = "1234567890" + ascii_lowercase


def keys_of(classes):
    """Keys and the classes they stand for, in the order of the classes.

    A class that is one digit or letter has itself as its key. The others have what is
    left, and from the 37th on none, which is written as a blank.

    Parameters
    ----------
    classes : list
        The classes.

    Returns
    -------
    keys : list of (str, object)
        A key and its class.

    Examples
    --------
    >>> from skbadge.labeling.panel._answer_keys import keys_of
    >>> keys_of(["cat", "dog", "1"])
    [('2', 'cat'), ('3', 'dog'), ('1', '1')]
    """
    names = [str(label).lower() for label in classes]
    # The first of those that share a letter.
    own = {name: i for i, name in reversed([*enumerate(names)]) if name in {*_KEYS}}
    left = (key for key in _KEYS if key not in own)
    return [
        (name if own.get(name) == i else next(left, ""), label)
        for i, (name, label) in enumerate(zip(names, classes, strict=True))
    ]
