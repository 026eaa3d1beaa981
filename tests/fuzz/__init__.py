"""Mutated logs against the reader: `python -m tests.fuzz --inputs 1000000 --seed 1`; a short version runs in pytest."""
