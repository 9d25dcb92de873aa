"""What `doctor` says of a REANA set-up."""

import time
from collections.abc import Mapping
from typing import Any

from reana_bridge.backends.reana.accounts import Accounts
from reana_bridge.backends.reana.calls import Calls
from reana_bridge.backends.reana.errors import NotAccepted, ReanaError
from reana_bridge.backends.reana.settings import ReanaSettings
from reana_bridge.backends.reana.values import items, mapping, text, whole

_CLOCK_SECONDS = 60.0
_UNTRUSTED = "code from forks is refused: there is no `untrusted_token`"


def problems(settings: ReanaSettings, accounts: Accounts) -> list[str]:
    """What keeps runs from being started, one sentence each."""
    try:
        known = accounts.every()
    except ReanaError as error:
        return [f"{error}; check `url` and whether this host reaches it"]
    found: list[str] = []
    if not settings.accounts:
        found.append("has no account: set `token` or `token_file`, or `accounts` for single projects")
    for name, calls in known:
        untrusted = settings.untrusted is not None and name == settings.untrusted.name
        found += _of_account(name, calls, untrusted=untrusted)
    if abs(accounts.voice.offset) > _CLOCK_SECONDS:
        ahead = accounts.voice.offset
        found.append(f"its clock differs from this host's by {ahead:+.0f} s; set the wrong one right")
    return found


def _of_account(name: str, calls: Calls, *, untrusted: bool) -> list[str]:
    try:
        you = calls.you()
        held = calls.secrets() if untrusted else []
    except NotAccepted as error:
        return [f"account {name}: {error}; get a new token from the profile page of REANA's web pages"]
    except ReanaError as error:
        return [f"account {name}: {error}"]
    found = [f"account {name}: its {kind} quota is used up" for kind in _used_up(you)]
    if held:
        found.append(
            f"account {name}: is for code from forks, but has secrets that would enter each of its jobs; "
            "remove them, or use an account without"
        )
    return found


def _used_up(you: Mapping[str, Any]) -> list[str]:
    found: list[str] = []
    for kind, told in mapping(you.get("quota")).items():
        used, most = (whole(mapping(mapping(told).get(key)).get("raw")) for key in ("usage", "limit"))
        if 0 < most <= used:
            found.append(kind)
    return found


def description(settings: ReanaSettings, accounts: Accounts) -> list[str]:
    """Version, protocol, accounts with their quota, compute backends; what cannot be asked is left out."""
    try:
        known = accounts.every()
    except ReanaError:
        return []
    protocol = "specification bundles" if accounts.takes_bundles else "loaded specifications"
    lines = [f"takes workflows as {protocol}; tokens go into {_place(accounts)}"]
    for name, calls in known:
        try:
            lines += _account(name, calls)
        except ReanaError:
            continue
    if settings.untrusted is None:
        lines.append(_UNTRUSTED)
    return lines


def _place(accounts: Accounts) -> str:
    return "a header" if accounts.voice.bearer else "the query of each request, as this server wants it"


def _account(name: str, calls: Calls) -> list[str]:
    before = time.monotonic()
    you = calls.you()
    took = time.monotonic() - before
    version = text(you.get("reana_server_version")) or "of unknown version"
    lines = [f"account {name}: {text(you.get('email'))} on REANA {version}, which answers in {took:.2f} s"]
    for kind, told in mapping(you.get("quota")).items():
        used, most = (
            text(mapping(mapping(told).get(key)).get("human_readable")) for key in ("usage", "limit")
        )
        taken = f"{used or '0'} of {most} used" if most else f"{used or '0'} used, no limit"
        lines.append(f"account {name}: {kind} quota: {taken}")
    try:
        offered = [text(one) for one in items(calls.info().get("compute_backends"))]
    except ReanaError:
        return lines
    return [*lines, f"account {name}: compute backends: {', '.join(offered) or 'none named'}"]
