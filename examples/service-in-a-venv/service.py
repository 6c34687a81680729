"""A service on the loopback interface: answers one request with what it was asked, and ends."""

import asyncio
import json
import logging
import sys
import urllib.parse

logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stdout)
log = logging.getLogger("service")


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, done: asyncio.Event) -> None:
    request = (await reader.readline()).decode().split()
    while (await reader.readline()).strip():
        pass
    url = urllib.parse.urlsplit(request[1])
    body = json.dumps({"path": url.path, "query": dict(urllib.parse.parse_qsl(url.query))}).encode()
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    await writer.drain()
    writer.close()
    log.info("answered %s", request[1])
    done.set()


async def main() -> None:
    done = asyncio.Event()
    server = await asyncio.start_server(lambda reader, writer: answer(reader, writer, done), "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        if sys.argv[1:] == ["--self-test"]:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /here?a=1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
            log.info("got %s", (await reader.read()).decode().splitlines()[-1])
            writer.close()
        else:
            log.info("http://127.0.0.1:%d/", port)
        await done.wait()


asyncio.run(main())
