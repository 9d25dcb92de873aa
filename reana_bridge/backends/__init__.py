"""Where runs execute. One Protocol; a new backend is one new module and one entry point."""
