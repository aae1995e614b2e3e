"""Displays: each draws what another function of this package computed."""
