"""Faults that a review found, each with the logs that showed it."""
