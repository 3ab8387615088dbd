"""SeaweedFS from a wheel, with every door but authenticated S3 closed.

With its defaults, ``weed mini`` lets anyone on the machine delete a locked version through the filer, the
volume server or gRPC. So: loopback only, no filer or admin HTTP, signed tokens for the volume server, mutual
TLS with a CA of our own on gRPC, and an fsync for each put.
"""

from __future__ import annotations

import re
import secrets
import shutil
import subprocess
import sysconfig
import tempfile
from pathlib import Path

from minio import Minio
from minio.error import MinioException
from urllib3 import PoolManager, Retry
from urllib3.exceptions import HTTPError

from archive_service.adapters.embedded.ports import LOOPBACK, free_port
from archive_service.adapters.embedded.processes import DidNotStart, Part
from archive_service.adapters.embedded.server import Server
from archive_service.adapters.embedded.state import (
    private_folder,
    recall,
    recall_port,
    recall_text,
    remember,
    write_private,
)
from archive_service.adapters.embedded.tls import make_mutual_tls

REGION = "us-east-1"
GRPC_ABOVE = 10_000  # weed's own convention; its maintenance worker knows no other
_DOORS = ("s3", "filer", "master", "volume", "admin")
_GRPC_PARTS = ("master", "volume", "filer", "s3", "admin", "worker", "client", "msg_broker")
_SYNC_EVERY_PUT = "fs.configure -locationPrefix=/buckets/ -fsync -apply\n"
_LONGEST_SOCKET_PATH = 100  # unix(7) ends a socket's path at 108 bytes


class ObjectServer(Server):
    """An S3 server with Object Lock; its objects are in ``<data>/objects``."""

    name = "seaweedfs"

    def __init__(self, data: Path) -> None:
        """Take the data folder; nothing is made yet."""
        super().__init__(data)
        self._objects = self.data / "objects"
        self._config = self.data / "objects-config"
        self._memory = self.run / "seaweedfs.json"
        self._ports: dict[str, int] = {}
        self._secrets: dict[str, str] = {}

    def prepare(self) -> Part:
        """Write its configuration and choose its ports."""
        private_folder(self._objects)
        private_folder(self._config)
        self._recall()
        make_mutual_tls(self._config / "tls")
        write_private(self._config / "security.toml", self._security().encode())
        write_private(self._config / "s3.json", _identities(self._secrets).encode())
        # weed saves the flags of its first start there and would mix them with ours.
        (self._objects / "mini.options").unlink(missing_ok=True)
        self._remove_sockets()
        return Part(
            name=self.name,
            command=(weed(), "mini", *self._flags()),
            environment=self._process_environment(),
            folder=self._config,  # security.toml is read from the working directory first
        )

    def _recall(self) -> None:
        facts = recall(self._memory)
        for door in _DOORS:
            taken = frozenset(self._ports.values())
            self._ports[door] = free_port(recall_port(facts, door), also=GRPC_ABOVE, taken=taken)
        names = ("access_key", "secret_key", "jwt_write", "jwt_read", "jwt_filer")
        self._secrets = {name: recall_text(facts, name) or secrets.token_hex(24) for name in names}
        remember(self._memory, {**self._ports, **self._secrets})

    def _flags(self) -> tuple[str, ...]:
        return (
            f"-dir={self._objects}",
            f"-ip={LOOPBACK}",
            f"-ip.bind={LOOPBACK}",
            "-disableHttp",
            "-webdav=false",
            "-admin.ui=false",
            "-master.telemetry=false",
            f"-s3.config={self._config / 's3.json'}",
            "-s3.autoCreateBucket=false",  # a bucket made by a put would have no lock
            "-s3.allowDeleteBucketNotEmpty=false",
            "-s3.iam=false",
            "-volume.preStopSeconds=0",  # there is no other volume server to hand over to
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            *(f"-{door}.port={port}" for door, port in self._ports.items()),
            *self._local_sockets(),
        )

    def _local_sockets(self) -> tuple[str, ...]:
        sockets = {door: self.run / f"{door}.sock" for door in ("filer", "s3")}
        if any(len(bytes(path)) > _LONGEST_SOCKET_PATH for path in sockets.values()):
            return ()  # weed then makes them in the temporary folder; only our user may connect there too
        return tuple(f"-{door}.localSocket={path}" for door, path in sockets.items())

    def _remove_sockets(self) -> None:
        """Remove the sockets that weed makes in /tmp, whatever TMPDIR says, and leaves when killed."""
        for door, port in self._ports.items():
            for name in (f"seaweedfs-{door}-grpc-{port + GRPC_ABOVE}.sock", f"seaweedfs-{door}-{port}.sock"):
                Path("/tmp", name).unlink(missing_ok=True)  # noqa: S108 -- weed's choice, not ours

    def _security(self) -> str:
        tls = self._config / "tls"
        tokens = {"jwt.signing": "write", "jwt.signing.read": "read", "jwt.filer_signing": "filer"}
        lines = [f'[{section}]\nkey = "{self._secrets[f"jwt_{key}"]}"\n' for section, key in tokens.items()]
        lines.append(f'[grpc]\nca = "{tls / "ca.pem"}"\n')
        lines += [
            f'[grpc.{part}]\ncert = "{tls / "part.pem"}"\nkey = "{tls / "part-key.pem"}"\n'
            for part in _GRPC_PARTS
        ]
        return "\n".join(lines)

    def _process_environment(self) -> dict[str, str]:
        return {"HOME": str(self._config), "PATH": "/usr/bin:/bin", "TMPDIR": tempfile.gettempdir()}

    def ready(self) -> bool:
        """Say whether it answers a signed S3 request."""
        pool = PoolManager(timeout=2.0, retries=Retry(0))
        keys = self._secrets["access_key"], self._secrets["secret_key"]
        client = Minio(
            f"{LOOPBACK}:{self._ports['s3']}", *keys, secure=False, region=REGION, http_client=pool
        )
        try:
            client.list_buckets()
        except (MinioException, HTTPError):
            return False
        finally:
            pool.clear()
        return True

    def settle(self) -> None:
        """Have every put below ``/buckets`` synced to disk before it is acknowledged."""
        answer = self.shell(_SYNC_EVERY_PUT)
        if not re.search(r'"fsync":\s*true', answer):
            raise DidNotStart(f"SeaweedFS did not take the fsync setting:\n{answer}")

    def shell(self, commands: str) -> str:
        """Run ``weed shell`` commands as an administrator and return what it prints."""
        done = subprocess.run(
            (weed(), "shell", f"-master={LOOPBACK}:{self._ports['master']}"),
            input=commands,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            cwd=self._config,
            env=self._process_environment(),
        )
        return done.stdout + done.stderr

    def stop(self) -> None:
        """End it and remove its sockets."""
        super().stop()
        self._remove_sockets()

    def environment(self) -> dict[str, str]:
        """Return where S3 is and with which keys."""
        return {
            "S3_ENDPOINT": f"http://{LOOPBACK}:{self._ports['s3']}",
            "S3_ACCESS_KEY": self._secrets["access_key"],
            "S3_SECRET_KEY": self._secrets["secret_key"],
            "S3_REGION": REGION,
            "S3_OTHER_DOORS": ",".join(self.doors().values()),
        }

    def doors(self) -> dict[str, str]:
        """Return the addresses that it listens on beside S3, for the probe that tries them all."""
        return {name: f"http://{LOOPBACK}:{port}" for name, port in self._ports.items() if name != "s3"}


def weed() -> str:
    """Return the path of the wheel's binary. Raises DidNotStart where there is none."""
    found = shutil.which("weed", path=sysconfig.get_path("scripts")) or shutil.which("weed")
    if found is None:
        raise DidNotStart("The embedded SeaweedFS is not installed: install the extra 'embedded'.")
    return found


def _identities(keys: dict[str, str]) -> str:
    return (
        '{"identities": [{"name": "archive", "actions": ["Admin", "Read", "Write", "List", "Tagging"], '
        f'"credentials": [{{"accessKey": "{keys["access_key"]}", "secretKey": "{keys["secret_key"]}"}}]}}]}}'
    )
