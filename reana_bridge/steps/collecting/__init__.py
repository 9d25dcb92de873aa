"""What `collect` does with a workspace beside keeping its outputs: metrics and checks."""
