"""The Lambda Runtime API on loopback: one server for all workers, told apart by a secret token.

Source: AWS Lambda developer guide, "Using the Lambda runtime API for custom runtimes".
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from typing_extensions import Self

API = "/2018-06-01/runtime/"
REASONS = {200: "OK", 202: "Accepted", 400: "Bad Request", 404: "Not Found", 410: "Gone"}


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A worker's request: ``path`` is what follows the API's version."""

    token: str
    method: str
    path: str
    body: bytes


@final
@dataclass(frozen=True, slots=True)
class Reply:
    """Status, body and further headers of the answer."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


Answering = Callable[[Request], Awaitable[Reply]]


_TURNS = 5


class RuntimeApi:
    """An HTTP/1.1 server on 127.0.0.1 that hands requests to a function; an async context manager."""

    def __init__(self, answering: Answering) -> None:
        self._answering = answering
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self.address = ""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()[:2]
        self.address = f"{host}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
        # A connection that has just been accepted takes a few turns of the loop to show up.
        for _turn in range(_TURNS):
            await asyncio.sleep(0)
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # No coroutine: asyncio would make a task of it that nobody knows before it has started.
        task = asyncio.ensure_future(self._connected(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A worker that is killed breaks its connection; the pool hears of it from elsewhere.
        try:
            while True:
                request = await _read(reader)
                reply = Reply(400) if request is None else await self._answering(request)
                writer.write(_written(reply))
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()  # after a fault of ours too: a worker that waits for ever would hide it


async def _read(reader: asyncio.StreamReader) -> Request | None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.split("\r\n")
    headers = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    body = await reader.readexactly(int(headers.get("content-length") or 0))
    method, target, *_ = [*first.split(" "), "", ""]
    token, found, path = target.lstrip("/").partition(API)
    return Request(token=token, method=method, path=path, body=body) if found else None


def _written(reply: Reply) -> bytes:
    headers = [*reply.headers, ("Content-Length", str(len(reply.body)))]
    lines = [
        f"HTTP/1.1 {reply.status} {REASONS[reply.status]}",
        *(f"{name}: {value}" for name, value in headers),
    ]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + reply.body
