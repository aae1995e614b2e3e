"""The ledger: what was said, in a SQLite file, and what it comes to.

``_ledger`` writes and reads events, whose table is ``_ledger_format``. ``_standing`` is
what they come to, of each row a ``_row_standing``, and ``_resolution`` makes one label
of several answers. ``_frames``, ``_progress_report`` and ``_reading`` tell of it.
Ids and labels are JSON in it, see ``_scalars``.
"""
