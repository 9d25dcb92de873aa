"""Opaque identities that sort by the time they were made."""

import secrets
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def new_id() -> str:
    """26 characters (Crockford's base 32): 48 bits of milliseconds, then 82 random bits."""
    number = (time.time_ns() // 1_000_000) << 82 | secrets.randbits(82)
    return "".join(_ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5))
