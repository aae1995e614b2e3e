"""Rounds: which rows go out to whom, and what is trained on the answers.

``_row_ids`` knows the rows of the pool by their ids. ``_desk`` knows who has which of
them, and ``_rounds`` trains and asks, one process at a time, by a ``_taught_querier``
that chooses among ``_rows_left``. What goes out is a ``_task``.
"""
