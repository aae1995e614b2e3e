"""Estimates with intervals, from the losses of rows drawn with known probabilities.

``_draws`` knows what each row weighs, and ``_intervals`` what holds their mean.
``_risk`` is a mean loss, ``_metrics`` are functions of means, and ``_weighing`` puts
both together. No model is asked here.
"""
