"""Rows of anything a model may take: count them, take some, put them together."""
