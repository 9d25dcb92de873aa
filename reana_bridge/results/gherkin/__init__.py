"""Checks that REANA's `tests.files` declare, in Gherkin: evaluated on what a run left.

`features.py` reads a file into scenarios, `steps.py` has the sentences and what each asks, `facts.py` what
they are asked of.
"""
