"""The example analysis, and the way that a push of it takes, shown from the first commit to the report."""
