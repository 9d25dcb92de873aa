"""The detached process that owns a run's processes. Standard library only, so that it starts in milliseconds.

One supervisor a run: it holds the lock on the run's directory, runs the steps, keeps them within their
limits and writes the exit record as its last act. It outlives the process that started it.
"""
