"""The command `reana-bridge`: one file a command."""
