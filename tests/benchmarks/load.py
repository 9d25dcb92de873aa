"""A load generator in a process of its own: keep-alive connections over raw sockets, bounded in time.

Run as `python -m tests.benchmarks.load PORT PATH SECRET CONNECTIONS SECONDS SIZE KIND`; prints JSON.
"""

import asyncio
import hashlib
import hmac
import json
import secrets
import sys
import time

from webhooks import signatures


def request(path: str, secret: str, size: int, kind: str) -> bytes:
    """One signed delivery, unlike every other."""
    mark = secrets.token_hex(8)
    document = {"project": "group/name", "ref": "refs/heads/main", "ping": True, "mark": mark, "fill": ""}
    document["fill"] = "x" * (size - len(json.dumps(document)))
    body = json.dumps(document).encode()
    if kind == "hmac":
        digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        headers = {"X-Hub-Signature-256": f"sha256={digest}"}
    else:
        headers = signatures.signed_headers(
            secret=secret, delivery=f"load-{mark}", timestamp=int(time.time()), body=body
        )
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += [f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


async def _connection(port: int, make, until: float, seen: list[tuple[int, float]]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while time.monotonic() < until:
        data = make()
        begun = time.monotonic()
        writer.write(data)
        head = await reader.readuntil(b"\r\n\r\n")
        lower = head.lower()
        if b"content-length:" in lower:
            length = int(lower.partition(b"content-length:")[2].split(b"\r\n", 1)[0])
            await reader.readexactly(length)
        elif b"transfer-encoding: chunked" in lower:
            while await reader.readline() != b"0\r\n":
                pass
            await reader.readline()
        seen.append((int(head.split(b" ", 2)[1]), time.monotonic() - begun))
    writer.close()


async def run(
    port: int, path: str, secret: str, connections: int, seconds: float, size: int, kind: str
) -> None:
    """Send for `seconds`, and print what came back."""
    # Made beforehand, so that signing does not slow the sender down.
    ready = [request(path, secret, size, kind) for _ in range(int(seconds * 9000))]

    def make() -> bytes:
        return ready.pop() if ready else request(path, secret, size, kind)

    seen: list[tuple[int, float]] = []
    begun = time.monotonic()
    until = begun + seconds
    await asyncio.gather(*(_connection(port, make, until, seen) for _ in range(connections)))
    took = time.monotonic() - begun
    good = sorted(latency for status, latency in seen if status in (200, 202))
    print(
        json.dumps(
            {
                "per_second": len(good) / took,
                "bad": len(seen) - len(good),
                "p50_ms": good[len(good) // 2] * 1000 if good else None,
                "p99_ms": good[int(len(good) * 0.99)] * 1000 if good else None,
            }
        )
    )


if __name__ == "__main__":
    _, port, path, secret, connections, seconds, size, kind = sys.argv
    asyncio.run(run(int(port), path, secret, int(connections), float(seconds), int(size), kind))
