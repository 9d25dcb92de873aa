"""`python -m reana_bridge` is `reana-bridge`."""

from reana_bridge.cli.main import main

if __name__ == "__main__":
    main()
