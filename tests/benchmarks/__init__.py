"""Speed and memory, measured against public tools on the same files in the same run: `python -m tests.benchmarks`."""
