"""Warnings point at whoever called the library."""

import pytest

from skbadge.utils._caller import warn_caller

# What a function of the library's own would have around it.
OWN = {"__name__": "skbadge.somewhere", "warn_caller": warn_caller}
exec(
    compile(
        "def inner():\n    warn_caller('news', UserWarning)\n"
        "def outer():\n    inner()\n",
        "library.py",
        "exec",
    ),
    OWN,
)


def test_a_warning_points_past_all_functions_of_the_library():
    for call in (OWN["inner"], OWN["outer"]):
        with pytest.warns(UserWarning, match="news") as caught:
            call()
        assert caught[0].filename == __file__


def test_a_warning_of_a_user_s_own_points_at_it():
    with pytest.warns(UserWarning, match="news") as caught:
        warn_caller("news", UserWarning)
    assert caught[0].filename == __file__
