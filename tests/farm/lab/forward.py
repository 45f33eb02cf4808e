"""Makes a port inside the lab's network reachable from outside as a Unix socket: forward.py SOCKET ADDRESS PORT.

Runs inside the namespace. A socket file is on this machine's disk, so no packet leaves the lab.
"""

import asyncio
import contextlib
import sys


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while block := await reader.read(1 << 16):
            writer.write(block)
            await writer.drain()
    with contextlib.suppress(OSError):
        writer.close()


async def _serve(path: str, address: str, port: int) -> None:
    async def both(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.wait_for(asyncio.open_connection(address, port), 10)
        except (OSError, TimeoutError):
            writer.close()
            return
        await asyncio.gather(_pump(reader, back), _pump(there, writer))

    server = await asyncio.start_unix_server(both, path)
    await server.serve_forever()


asyncio.run(_serve(sys.argv[1], sys.argv[2], int(sys.argv[3])))
