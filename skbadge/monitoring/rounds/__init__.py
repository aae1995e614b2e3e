"""What a `Monitor` keeps of each round, and how it is printed.

An ``_answered_batch`` is checked against the model that chose it. A ``_judge`` says how
good that is, and ``_agreement`` how far it says the same as the one before.
"""
