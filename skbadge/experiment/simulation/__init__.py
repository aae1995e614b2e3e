"""Simulated runs of active learning, one or many."""
