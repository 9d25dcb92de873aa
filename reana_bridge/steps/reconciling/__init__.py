"""What `reconcile` looks at on a forge: heads, merge requests, hooks."""
