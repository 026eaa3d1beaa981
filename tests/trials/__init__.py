"""Trials of crash safety: processes that are killed, logs that grow while they are read, several ingests at once.

`python -m tests.trials crash --kills 200 --seed 1`, `live --seconds 60`, `concurrent --writers 4 --rounds 20`.
"""
