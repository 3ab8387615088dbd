"""Settings, read from the environment once, at the edge. ``archive up`` sets them for its own parts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict


class Settings(BaseSettings):
    """Where the parts are and how much they may take. Names are the environment variables, upper case."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    data: Path = Path("var/data")
    host: str = "127.0.0.1"
    port: int = 8080

    database_url: SecretStr  # postgresql://…, the application role: owns nothing
    database_owner_url: SecretStr | None = None  # the owner, for migrations only

    s3_endpoint: str  # http://host:port or https://…
    s3_access_key: str
    s3_secret_key: SecretStr
    s3_region: str = "us-east-1"
    s3_records_bucket: str = "archive-records"  # Object Lock: records, full tiles, stamped checkpoints
    s3_keys_bucket: str = "archive-keys"  # no lock, no versions: wrapped keys and salts
    s3_other_doors: Annotated[
        tuple[str, ...], NoDecode
    ] = ()  # URLs beside S3 that the probe must find closed
    s3_edge_bucket: str = "archive-log-edge"  # no lock: current checkpoint, partial tiles

    tsa_urls: Annotated[tuple[str, ...], NoDecode] = ()  # tried in this order
    trust_roots: Path  # PEM: the roots that seals and tokens must chain to
    seal_key: Path  # PEM, PKCS#8
    seal_certificates: Path  # PEM: the seal's certificate, then its chain
    master_key: Path  # 32 bytes, base64 in a file of mode 0600

    verapdf_jar: Path
    java: Path = Path("java")

    log_origin: str = "archive.localhost"  # the first part of every log's origin
    max_document_bytes: int = Field(default=32 * 1024 * 1024, gt=0)
    validation_deadline_seconds: float = Field(default=20.0, gt=0)
    worker_concurrency: int = Field(default=4, gt=0)
    checkpoint_stamp_seconds: float = Field(default=60.0, gt=0)

    @field_validator("tsa_urls", "s3_other_doors", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return (
            tuple(part.strip() for part in value.split(",") if part.strip())
            if isinstance(value, str)
            else value
        )
