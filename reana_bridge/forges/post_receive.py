#!/usr/bin/env python3
"""The post-receive hook of reana-bridge: tells the bridge about every branch and tag that a push moved.

Stands alone (Python 3.8 or newer, nothing beside the standard library): `reana-bridge connect` copies this
file into a bare repository, with `reana-bridge.json` beside it. Promises: a push never fails because of it,
and waits for it a few seconds at most; what could not be delivered lies in `reana-bridge-spool/` and goes
out with the next push, under the same id. Installed by reana-bridge; connect again to renew it.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import http.client
import json
import os
import signal
import ssl
import subprocess
import sys
import time
import uuid
from typing import Any
from urllib.parse import quote, urlsplit

CONFIGURATION = "reana-bridge.json"
SPOOL = "reana-bridge-spool"
CHAINED = "post-receive.before-reana-bridge"

TIMEOUT = 5.0
"""Seconds for one delivery."""
BUDGET = 10.0
"""Seconds that a push waits for all of its deliveries."""
SPOOLED = 200
"""Deliveries that are kept; the oldest go first (the bridge looks for missed pushes by itself, too)."""
MESSAGE = 16384
"""Characters of a commit message that are sent."""

# The bridge would answer the same every time.
_HOPELESS = (400, 413, 415, 422)


class NotDelivered(Exception):
    """Why a delivery did not arrive; `again` when a later try may help."""

    def __init__(self, reason: str, again: bool = True) -> None:
        super().__init__(reason)
        self.again = again


def main() -> int:
    """Deliver what git wrote to the standard input; always 0, unless the hook from before says otherwise."""
    data = sys.stdin.buffer.read()
    status = run_chained(data)
    try:
        directory = os.path.abspath(os.environ.get("GIT_DIR", "."))
        with open(os.path.join(directory, CONFIGURATION), encoding="utf-8") as file:
            Sender(directory, json.load(file)).push(data.decode("utf-8", "surrogateescape"))
    except Exception as error:  # Whatever it is, the push is done and must not look as if it had failed.
        say(f"not told of this push ({type(error).__name__}: {error}); the push is safe")
    return status


def run_chained(data: bytes) -> int:
    """Run the hook that was here before, with the same input; its exit status."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), CHAINED)
    if not os.access(path, os.X_OK):
        return 0
    try:
        return subprocess.run([path], input=data, check=False).returncode
    except OSError as error:
        say(f"the hook {path} cannot be run: {error}")
        return 0


class Sender:
    """Deliveries of one push, over one connection."""

    def __init__(self, directory: str, configuration: dict[str, Any]) -> None:
        self.spool = os.path.join(directory, SPOOL)
        self.url = str(configuration["url"])
        self.project = str(configuration["project"])
        self.key = key(str(configuration["secret"]))
        self.deadline = time.monotonic() + BUDGET
        self.connection: http.client.HTTPConnection | None = None
        self.down = ""

    def push(self, lines: str) -> None:
        """Send what waits from earlier, then one delivery for each of git's `old new ref` lines."""
        moved = [line.split(" ", 2) for line in lines.splitlines() if line.count(" ") >= 2]
        moved = [item for item in moved if item[2].startswith(("refs/heads/", "refs/tags/"))]
        if not moved:
            return
        self.send_spooled()
        branch = git("symbolic-ref", "--short", "--quiet", "HEAD")
        for before, after, ref in moved:
            self.tell(before, after, ref, branch)
        self.trim()

    def tell(self, before: str, after: str, ref: str, branch: str) -> None:
        """Deliver one ref, or spool it; one line to the person who pushed."""
        commit, message = describe(after)
        if not commit:
            return
        document = {
            "project": self.project,
            "ref": ref,
            "before": before,
            "after": commit,
            "actor": actor(),
            "message": message,
            "default_branch": branch,
        }
        identity, body = uuid.uuid4().hex, json.dumps(document).encode("ascii")
        name = shown(ref.split("/", 2)[2])
        try:
            self.deliver(identity, body)
        except NotDelivered as missed:
            if missed.again and self.keep(identity, body):
                say(f"{name}: not reachable now ({missed}); the push is safe, it will be picked up later")
            else:
                say(f"{name}: not delivered ({missed}); the push is safe")
        else:
            what = "run accepted" if after.strip("0") else "deletion noted"
            say(f"{name}: {what}, see {page(self.url, self.project)}")

    def deliver(self, identity: str, body: bytes) -> None:
        """Send one signed body.

        Raises:
            NotDelivered: The bridge did not take it.
        """
        left = self.deadline - time.monotonic()
        if self.down or left < 0.2:
            raise NotDelivered(self.down or "out of time")
        try:
            # Beside the time limits of each read and write: a peer that sends a byte now and then.
            signal.signal(signal.SIGALRM, out_of_time)
            signal.setitimer(signal.ITIMER_REAL, left)
            status = self.post(identity, body, min(TIMEOUT, left))
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.down = str(error) or type(error).__name__
            raise NotDelivered(self.down) from error
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        if status // 100 != 2:
            reason = f"the bridge answered {status}"
            if status == 401:
                reason += ": it has another secret, or this machine's clock is wrong; connect again"
            if status not in _HOPELESS:
                self.down = reason
            raise NotDelivered(reason, status not in _HOPELESS)

    def post(self, identity: str, body: bytes, timeout: float) -> int:
        """One request; the answer's status."""
        target = urlsplit(self.url)
        timestamp = str(int(time.time()))
        content = (f"{identity}.{timestamp}.").encode("ascii") + body
        digest = hmac.new(self.key, content, hashlib.sha256).digest()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "reana-bridge-hook/1",
            "webhook-id": identity,
            "webhook-timestamp": timestamp,
            "webhook-signature": "v1," + base64.b64encode(digest).decode("ascii"),
        }
        connection, self.connection = self.connection, None
        if connection is None or connection.sock is None:
            connection = connect(target.scheme, target.netloc, timeout)
        else:
            connection.sock.settimeout(timeout)
        connection.request("POST", target.path or "/", body, headers)
        response = connection.getresponse()
        response.read(65536)
        if not response.will_close:
            self.connection = connection
        return response.status

    def send_spooled(self) -> None:
        """Try again, oldest first, what earlier pushes could not deliver."""
        for name in self.waiting():
            path = os.path.join(self.spool, name)
            try:
                with open(path, encoding="ascii") as file:
                    kept = json.load(file)
                self.deliver(str(kept["id"]), str(kept["body"]).encode("ascii"))
            except NotDelivered as missed:
                if missed.again:
                    return
            except (OSError, ValueError, KeyError, TypeError) as error:
                say(f"dropped {path}, which cannot be read ({error})")
            remove(path)

    def keep(self, identity: str, body: bytes) -> bool:
        """Spool one body under its id; False when that is not possible."""
        path = os.path.join(self.spool, f"{time.time_ns():020d}-{identity}")
        try:
            os.makedirs(self.spool, mode=0o700, exist_ok=True)
            with open(path + ".new", "w", encoding="ascii") as file:
                json.dump({"id": identity, "body": body.decode("ascii")}, file)
            os.replace(path + ".new", path + ".json")
        except OSError:
            return False
        return True

    def trim(self) -> None:
        """Keep the newest deliveries only."""
        for name in self.waiting()[:-SPOOLED]:
            remove(os.path.join(self.spool, name))

    def waiting(self) -> list[str]:
        """Names of the spooled deliveries, oldest first."""
        try:
            return sorted(name for name in os.listdir(self.spool) if name.endswith(".json"))
        except OSError:
            return []


def out_of_time(number: int, frame: object) -> None:
    """End whatever the hook waits for."""
    raise TimeoutError("out of time")


def connect(scheme: str, netloc: str, timeout: float) -> http.client.HTTPConnection:
    """A connection to the bridge; `SSL_CERT_FILE` may name another authority."""
    if scheme == "https":
        return http.client.HTTPSConnection(netloc, timeout=timeout, context=ssl.create_default_context())
    return http.client.HTTPConnection(netloc, timeout=timeout)


def key(secret: str) -> bytes:
    """The signing key: decoded after `whsec_`, the text's bytes otherwise."""
    if secret.startswith("whsec_"):
        return base64.b64decode(secret[len("whsec_") :], validate=True)
    return secret.encode("utf-8")


def describe(sha: str) -> tuple[str, str]:
    """The commit that `sha` leads to and its message; two empty texts when it leads to none."""
    if not sha.strip("0"):
        return sha, ""
    answer = git("log", "-1", "--encoding=UTF-8", "--format=%H%n%B", sha + "^{commit}", "--")
    commit, _, message = answer.partition("\n")
    return commit, message.strip("\n")[:MESSAGE]


def actor() -> str:
    """Who pushed, as well as the machine knows."""
    names = ("GL_USERNAME", "GITEA_PUSHER_NAME", "GL_USER", "REMOTE_USER", "LOGNAME", "USER")
    return next((os.environ[name] for name in names if os.environ.get(name)), "")


def page(url: str, project: str) -> str:
    """The project's page on the bridge whose webhook is `url`."""
    base, _, forge = url.partition("/webhooks/")
    return "{}/projects/{}/{}".format(base, forge.split("/")[0], quote(project))


def git(*arguments: str) -> str:
    """What git answers; an empty text when it fails."""
    try:
        done = subprocess.run(
            ["git", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", "replace").strip("\n") if done.returncode == 0 else ""


def shown(text: str) -> str:
    """`text` safe for a terminal."""
    return text.encode("ascii", "backslashreplace").decode("ascii") if not text.isprintable() else text


def say(text: str) -> None:
    """One line to the person who pushed, as well as it arrives."""
    try:
        line = "reana-bridge: " + shown(text) + "\n"
        sys.stdout.buffer.write(line.encode("utf-8", "backslashreplace"))
        sys.stdout.buffer.flush()
    except OSError:
        pass


def remove(path: str) -> None:
    """Remove a file that another push may have removed already."""
    with contextlib.suppress(OSError):
        os.unlink(path)


if __name__ == "__main__":
    sys.exit(main())
