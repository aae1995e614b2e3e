"""Files: rows go out as tables and tasks of Label Studio, and answers come back.

``_exchange`` has the methods. ``_tables`` and ``_label_studio`` write and read, with
what is said of a row in ``_fields``. ``_matching`` decides what an answer that comes
back means, ``_taking_in`` adds it to the ledger; ``_imported`` says what came of it.
"""
