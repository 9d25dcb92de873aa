"""Runs on this machine: a detached supervisor owns the processes, a sandbox holds them."""
