"""Measurements, apart from tests: `python -m tests.benchmarks` prints a table with machine and targets."""
