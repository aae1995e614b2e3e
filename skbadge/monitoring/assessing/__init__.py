"""How good a model is: `assess` by the batch that it chose, `audit` by random rows.

Both ask a ``_question`` about rows whose ``_answers`` are known. ``_cross_fit`` has the
labelled rows judged by models ``_retrained`` without them.
"""
