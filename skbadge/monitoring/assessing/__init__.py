"""How good a model is: `assess` by the batch that it chose, `audit` by random rows.

Both read ``_answers`` and end in ``_assessed``. ``_cross_fit`` has the labelled rows
judged by models ``_retrained`` without them.
"""
