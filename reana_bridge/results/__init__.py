"""From files to verdicts: readers of metrics, choice of a baseline, comparison. Values in, values out."""
