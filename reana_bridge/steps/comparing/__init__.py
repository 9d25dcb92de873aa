"""What `compare` gathers before it judges: the baseline, the rules that count."""
