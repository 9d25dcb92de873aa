"""The yardstick: an ASGI app that reads the body and answers 202. `python -m tests.benchmarks.bare PORT`."""

import sys

import uvicorn


async def app(scope, receive, send) -> None:
    """Read the body, answer."""
    if scope["type"] != "http":
        return
    more = True
    while more:
        more = (await receive()).get("more_body", False)
    start = {"type": "http.response.start", "status": 202, "headers": [(b"content-length", b"2")]}
    await send(start)
    await send({"type": "http.response.body", "body": b"{}"})


if __name__ == "__main__":
    uvicorn.run(
        app, host="127.0.0.1", port=int(sys.argv[1]), access_log=False, log_level="error", lifespan="off"
    )
