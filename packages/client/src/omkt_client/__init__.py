"""A typed client of an OpenMediaKit farm's HTTP API, sync and async.

    from omkt_client import Client, jobs

    with Client("http://farm.example:8080", key) as farm:
        job = farm.send(jobs.submit({"url": "https://example.com/film.mov"}, ["hls-h264"]))
        for job in farm.watch(job.id):
            print(job.state, job.progress)

Each function of `jobs`, `media`, `uploads`, `presets`, `webhooks`, `keys`, `accounts` and `farm` describes one request;
`Client.send` and `AsyncClient.send` carry it out and return what the function's type says.
"""

from omkt_client import accounts, farm, jobs, keys, media, presets, uploads, webhooks
from omkt_client.aio import AsyncClient
from omkt_client.client import Client
from omkt_client.errors import ClientError, Misunderstood, Problem, Unreachable

__all__ = [
    "AsyncClient",
    "Client",
    "ClientError",
    "Misunderstood",
    "Problem",
    "Unreachable",
    "accounts",
    "farm",
    "jobs",
    "keys",
    "media",
    "presets",
    "uploads",
    "webhooks",
]
