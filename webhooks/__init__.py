"""Bytes and headers in, a verified and typed event out. No I/O, no framework, nothing of reana_bridge."""
