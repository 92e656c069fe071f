"""Serve an ASGI application over real HTTP, from a thread of this process."""

import contextlib
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn

Asgi = Callable[..., Any]


@contextlib.contextmanager
def serve(app: Asgi, *, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve *app* until the block ends; gives its URL (`http://127.0.0.1:<port>`).

    Port 0 takes a free one. Raises RuntimeError when the server is not up within 10 seconds.
    """
    # without the protocol asyncio leaves Nagle on: 40 ms an answer
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    config = uvicorn.Config(
        app, log_level="error", lifespan="on", timeout_graceful_shutdown=1, ws="none"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started:
        if time.monotonic() > deadline or not thread.is_alive():
            raise RuntimeError("the simulator did not start within 10 seconds")
        time.sleep(0.01)
    try:
        yield f"http://{host}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=5)
        listener.close()


def serve_until_stopped(app: Asgi, *, host: str = "127.0.0.1", port: int = 0) -> None:
    """Serve *app* until SIGINT or SIGTERM; its URL is the first line on stdout."""
    stopped = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stopped.set())
    with serve(app, host=host, port=port) as url:
        sys.stdout.write(f"{url}\n")
        sys.stdout.flush()
        stopped.wait()
