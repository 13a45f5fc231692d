"""Ratings: the report and its CSV, and those of the demo."""
