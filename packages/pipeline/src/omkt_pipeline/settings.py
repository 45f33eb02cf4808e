"""What a process reads from its environment, once, at its entry point. docs/configuration.md lists every field."""

import os
import re
import socket
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

_DAY = 86400.0


def _comma_separated(value: Any) -> Any:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


class CommonSettings(BaseSettings):
    """What every process needs."""

    model_config = SettingsConfigDict(
        env_prefix="OMKT_",
        frozen=True,
        extra="ignore",
        secrets_dir="/run/secrets" if Path("/run/secrets").is_dir() else None,
    )

    database_url: str = Field(
        description="Where the queue is: mysql+pymysql://user@host:3306/name, or sqlite:////path/farm.db (embedded)."
    )
    database_password: SecretStr | None = Field(
        default=None,
        description="Password for database_url; in containers the file /run/secrets/omkt_database_password.",
    )
    share_root: Path = Field(description="Where the share is mounted.")
    share_free_floor: int = Field(
        default=2 << 30, ge=0, description="Bytes that stay free on the share: below this nothing new is written."
    )
    log_level: str = Field(default="INFO", description="DEBUG, INFO, WARNING or ERROR.")
    log_format: str = Field(
        default="json", pattern="^(json|console)$", description="json for machines, console for people."
    )
    host_name: str = Field(
        default_factory=socket.gethostname, min_length=1, max_length=255, description="Unique name of this machine."
    )


class MigrationSettings(CommonSettings):
    """What `omkt migrate` reads besides, when it runs as the database's root."""

    role_api: SecretStr | None = Field(
        default=None, description="Password of the user omkt-api, who is made with the rights of the API."
    )
    role_courier: SecretStr | None = Field(default=None, description="The same for omkt-courier.")
    role_worker: SecretStr | None = Field(
        default=None, description="The same for omkt-worker: metadata and transcoder on this host."
    )


class DaemonSettings(CommonSettings):
    """What every daemon needs: courier, metadata, transcoder."""

    scratch_root: Path = Field(default=Path("/scratch"), description="Local disk for work in progress; not the share.")
    identity_file: Path | None = Field(
        default=None,
        description="Tells this machine from another of the same name: one file for all its daemons, kept when they are "
        "made anew. By default host-identity in the scratch folder.",
    )
    share_exported: bool = Field(
        default=False,
        description="Whether the share is another host's, over NFS: then nothing is claimed before that host says that it "
        "exports it safely.",
    )
    scratch_free_floor: int = Field(
        default=1 << 30, ge=0, description="Bytes that stay free on the scratch disk: below this nothing is claimed."
    )
    slots: int | None = Field(
        default=None, ge=1, le=256, description="Tasks at a time; by default what the host has cores for."
    )
    rescue_slots: int = Field(
        default=1,
        ge=0,
        le=256,
        description="Tasks of vanished workers that a busy daemon takes beyond its slots, so that they go on at once. 0 where "
        "memory is short.",
    )
    lease_seconds: float = Field(default=60.0, gt=0, description="A silent worker loses its task after this long.")
    beat_seconds: float = Field(
        default=5.0, gt=0, description="How often a worker says that it lives; at most a quarter of the lease."
    )
    poll_seconds: float = Field(
        default=0.8, gt=0, description="An idle worker asks for work this often: new work waits half of it on average."
    )
    grace_seconds: float = Field(
        default=20.0, ge=0, description="After SIGTERM, how long tasks may finish before they are given back."
    )
    stall_seconds: float = Field(
        default=120.0, gt=0, description="ffmpeg without media progress for so long is killed; at least a beat."
    )
    backoff_seconds: float = Field(
        default=10.0,
        gt=0,
        description="Bound of the first wait before a failed task is tried again; doubles each time.",
    )
    metrics_bind: str | None = Field(
        default=None, description="address:port of the Prometheus endpoint; none by default."
    )
    liveness_file: Path = Field(
        default=Path("/tmp/omkt-alive"),  # noqa: S108 - in containers a folder of the daemon's own
        description="Touched while the daemon's loops turn; read by the health check.",
    )
    sandbox_required: bool = Field(
        default=False,
        description="Whether to refuse to work where the kernel lacks Landlock or seccomp around each ffmpeg.",
    )
    ffmpeg: Path | None = Field(default=None, description="The ffmpeg to use; else the PATH's, else the wheel's.")
    ffprobe: Path | None = Field(default=None, description="The ffprobe to use; else the PATH's, else the wheel's.")

    @model_validator(mode="after")
    def _limits_fit_each_other(self) -> "DaemonSettings":
        if self.beat_seconds * 4 > self.lease_seconds:
            raise ValueError(
                f"OMKT_BEAT_SECONDS ({self.beat_seconds}) must be at most a quarter of "
                f"OMKT_LEASE_SECONDS ({self.lease_seconds}), so that lost beats do not cost the task"
            )
        if self.stall_seconds < self.beat_seconds:
            raise ValueError(
                f"OMKT_STALL_SECONDS ({self.stall_seconds}) must be at least OMKT_BEAT_SECONDS ({self.beat_seconds}): "
                "ffmpeg would be killed as hung before one beat could report its progress"
            )
        return self

    def cores(self) -> int:
        """Cores that this process may use."""
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class MetadataSettings(DaemonSettings):
    """The metadata service: probe and plan."""

    chunk_min_seconds: float = Field(
        default=15.0, ge=2, description="No chunk of a long film is shorter; films under twice this are encoded whole."
    )
    chunk_target_seconds: float = Field(
        default=60.0, ge=2, description="Chunks of a long film are no longer than about this, unless the minimum is."
    )


class OutsideSettings(BaseSettings):
    """How api and courier reach the outside."""

    model_config = SettingsConfigDict(env_prefix="OMKT_", frozen=True, extra="ignore")

    allowed_networks: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, AfterValidator(tuple)] = Field(
        default=(),
        description="Private networks that sources and callbacks may lie in, comma-separated. None by default.",
    )
    allowed_ports: Annotated[tuple[int, ...], NoDecode] = Field(
        default=(), description="Ports of sources and callbacks beside 80 and 443, comma-separated."
    )
    fetch_max_bytes: int = Field(default=200 << 30, gt=0, description="Largest source that is fetched or uploaded.")
    fetch_seconds: float = Field(default=6 * 3600.0, gt=0, description="Longest time for one fetch.")

    @model_validator(mode="before")
    @classmethod
    def _split(cls, values: dict[str, Any]) -> dict[str, Any]:
        return {
            key: _comma_separated(value) if key in ("allowed_networks", "allowed_ports") else value
            for key, value in values.items()
        }


class WireSettings(BaseSettings):
    """The original's API, for api and courier. docs/omkt-compatibility.md says what it is."""

    model_config = SettingsConfigDict(env_prefix="OMKT_", frozen=True, extra="ignore")

    public_url: str | None = Field(
        default=None,
        pattern=r"^https?://\S+$",
        description="How clients reach this API, for links in answers and mails; by default what the request says, and in "
        "mails http://127.0.0.1:8080.",
    )
    wire_public: bool = Field(
        default=False,
        description="Whether programs may make themselves accounts by the original's API (app_subscribe).",
    )
    wire_calls_per_minute: int = Field(
        default=100, ge=1, description="Calls of one client of the original's API in a minute; pulling results is free."
    )
    wire_cron_parallel: int = Field(default=100, ge=1, le=1000, description="Web-cron calls at a time.")
    wire_silent_days: float = Field(
        default=62.0, gt=0, description="A client that did not call for so long, and whose site fails, is disabled."
    )
    wire_cron_failing_days: float = Field(
        default=31.0, gt=0, description="How long web-cron must have failed for that."
    )
    smtp_host: str | None = Field(
        default=None, description="The mail server; without one, mails are written to the courier's log."
    )
    smtp_port: int = Field(default=587, ge=1, le=65535, description="Its port.")
    smtp_security: Literal["starttls", "tls", "none"] = Field(default="starttls", description="How it is spoken to.")
    smtp_user: str | None = Field(default=None, description="Who we are to it.")
    smtp_password: SecretStr | None = Field(
        default=None, description="Our password there; in containers the file /run/secrets/omkt_smtp_password."
    )
    mail_from: str = Field(default="omkt@localhost", description="Sender of mails.")
    announce_url: str | None = Field(
        default=None, description="A discovery service that is told daily of this public transcoder. None by default."
    )
    announce_name: str | None = Field(default=None, description="The transcoder's name there.")
    announce_email: str | None = Field(default=None, description="The operator's address there.")

    @model_validator(mode="after")
    def _mails_have_links(self) -> "WireSettings":
        if self.smtp_host is not None and self.public_url is None:
            raise ValueError("OMKT_SMTP_HOST needs OMKT_PUBLIC_URL, which stands in the mails")
        if self.announce_url is not None and None in (self.public_url, self.announce_name, self.announce_email):
            raise ValueError("OMKT_ANNOUNCE_URL needs OMKT_PUBLIC_URL, OMKT_ANNOUNCE_NAME and OMKT_ANNOUNCE_EMAIL")
        return self


class CourierSettings(DaemonSettings, OutsideSettings, WireSettings):
    """The courier: fetch, notify, expire, and the queue's ticks."""

    model_config = CommonSettings.model_config

    exports_file: Path | None = Field(
        default=None,
        description="The NFS server's table of exports, /var/lib/nfs/etab, where this host shares its disk.",
    )
    exported_tree: str = Field(
        default="/srv/omkt", description="The folder of this host that is the share, if exported."
    )
    keep_originals_days: float = Field(
        default=7.0, ge=0, description="Fetched and uploaded originals stay so long after their last job; 0 keeps them."
    )
    keep_results_days: float = Field(default=30.0, ge=0, description="Results stay so long; 0 keeps them.")
    keep_failed_days: float = Field(
        default=3.0, ge=0, description="A failed or cancelled job can be tried again for so long; 0 keeps it."
    )


class ApiSettings(CommonSettings, OutsideSettings, WireSettings):
    """The HTTP API."""

    model_config = CommonSettings.model_config

    http_host: str = Field(default="127.0.0.1", description="Address to listen on.")
    http_port: int = Field(default=8080, ge=0, le=65535, description="Port to listen on.")
    trusted_proxies: str = Field(
        default="127.0.0.1",
        description="Addresses and networks, comma-separated, whose X-Forwarded-For and X-Forwarded-Proto are believed.",
    )
    accel_prefix: str | None = Field(
        default=None,
        pattern=r"^/[A-Za-z0-9/_-]*/$",
        description="Lets a proxy before the API send files itself, from its own mount of the share: X-Accel-Redirect with "
        "this prefix, then the file's path below the share. See compose/nginx.example.conf.",
    )
    max_json_bytes: int = Field(default=1 << 20, gt=0, description="Largest JSON body.")
    requests_per_second: float = Field(
        default=0.0,
        ge=0,
        description="Requests of one account, to one API process, in the long run; ten seconds' worth at once. 0: no limit.",
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_comma_separated)] = Field(
        default=(),
        description="Origins whose pages may read files by signed link, comma-separated, or *. None by default.",
    )

    @field_validator("cors_origins")
    @classmethod
    def _are_origins(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        for value in values:
            if value != "*" and not re.fullmatch(r"https?://[^/\s]+", value):
                raise ValueError(f"{value!r} is no origin; write it like https://shop.example, without a path")
        return values


ALL_SETTINGS = (CommonSettings, DaemonSettings, MetadataSettings, CourierSettings, ApiSettings)
