"""The embedded SeaweedFS: a locked version goes through no door, and survives what kills the server."""

from __future__ import annotations

import io
import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from minio import Minio
from minio.commonconfig import COMPLIANCE
from minio.error import S3Error
from minio.retention import Retention

from archive_service.adapters.embedded.seaweedfs import GRPC_ABOVE, ObjectServer, weed
from archive_service.adapters.embedded.sockets import listening

BODY = b"locked for ten years " * 5000


def client(server: ObjectServer) -> Minio:
    """Connect as the archive does."""
    settings = server.environment()
    return Minio(
        urlsplit(settings["S3_ENDPOINT"]).netloc,
        settings["S3_ACCESS_KEY"],
        settings["S3_SECRET_KEY"],
        secure=False,
        region=settings["S3_REGION"],
    )


def lock_one(server: ObjectServer, bucket: str) -> str:
    """Put one object under a COMPLIANCE lock of a month and return its version."""
    store = client(server)
    if not store.bucket_exists(bucket):
        store.make_bucket(bucket, object_lock=True)
    retention = Retention(COMPLIANCE, datetime.now(UTC) + timedelta(days=30))
    version = store.put_object(bucket, "a/b", io.BytesIO(BODY), len(BODY), retention=retention).version_id
    assert version is not None
    return version


def read(server: ObjectServer, bucket: str, version: str) -> bytes:
    """Return that version's bytes."""
    answer = client(server).get_object(bucket, "a/b", version_id=version)
    try:
        return answer.read()
    finally:
        answer.close()
        answer.release_conn()


def test_s3_refuses_to_delete_a_locked_version(seaweedfs: ObjectServer) -> None:
    """The door with credentials: COMPLIANCE binds even those."""
    version = lock_one(seaweedfs, "by-s3")
    with pytest.raises(S3Error, match="AccessDenied"):
        client(seaweedfs).remove_object("by-s3", "a/b", version_id=version)
    assert read(seaweedfs, "by-s3", version) == BODY


def test_s3_refuses_to_delete_a_bucket_that_holds_something(seaweedfs: ObjectServer) -> None:
    """A lock does not go with its bucket."""
    version = lock_one(seaweedfs, "by-bucket")
    with pytest.raises(S3Error):
        client(seaweedfs).remove_bucket("by-bucket")
    assert read(seaweedfs, "by-bucket", version) == BODY


def test_the_filer_master_and_admin_answer_nothing_over_http(seaweedfs: ObjectServer) -> None:
    """With weed's defaults a plain DELETE on the filer removes a locked version."""
    version = lock_one(seaweedfs, "by-filer")
    for name in ("filer", "master", "admin"):
        for method in ("GET", "POST", "DELETE"):
            answer = httpx.request(method, f"{seaweedfs.doors()[name]}/buckets/by-filer/a?recursive=true")
            assert answer.status_code == httpx.codes.NOT_FOUND, (name, method)
    assert read(seaweedfs, "by-filer", version) == BODY


def test_the_filer_s_unix_socket_answers_nothing_either(seaweedfs: ObjectServer) -> None:
    """It would serve what the TCP port serves."""
    (socket,) = [path for path in _unix_sockets(seaweedfs) if re.search(r"filer(-\d+)?\.sock$", path)]
    with httpx.Client(transport=httpx.HTTPTransport(uds=socket)) as local:
        assert local.delete("http://filer/buckets/?recursive=true").status_code == httpx.codes.NOT_FOUND


def test_the_volume_server_gives_and_takes_nothing_without_a_signed_token(seaweedfs: ObjectServer) -> None:
    """The bytes themselves lie there, under a short identifier."""
    version = lock_one(seaweedfs, "by-volume")
    listed = seaweedfs.shell(f"fs.meta.cat /buckets/by-volume/a/b.versions/v_{version}\n")
    found = re.search(r'"fileId":\s*"([^"]+)"', listed)
    assert found is not None, listed
    chunk = f"{seaweedfs.doors()['volume']}/{found[1]}"
    for method in ("GET", "DELETE", "PUT"):
        assert httpx.request(method, chunk).status_code == httpx.codes.UNAUTHORIZED, method
    assert read(seaweedfs, "by-volume", version) == BODY


def test_the_administrator_s_shell_needs_our_certificate(seaweedfs: ObjectServer, tmp_path: Path) -> None:
    """GRPC reaches below every lock; mutual TLS keeps other local users out."""
    version = lock_one(seaweedfs, "by-grpc")
    master = urlsplit(seaweedfs.doors()["master"]).netloc
    with subprocess.Popen(
        (weed(), "shell", f"-master={master}"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=tmp_path,  # where no security.toml is
        env={"HOME": str(tmp_path)},
    ) as outsider:
        try:
            said, _ = outsider.communicate(b"fs.rm -r /buckets/by-grpc/a\n", timeout=5)
        except subprocess.TimeoutExpired:  # it tries again for ever
            outsider.kill()
            said, _ = outsider.communicate()
    assert b"removed" not in said.lower()
    assert read(seaweedfs, "by-grpc", version) == BODY


def test_it_listens_on_loopback_only_and_on_the_ports_it_was_given(seaweedfs: ObjectServer) -> None:
    """Weed's default is every address of the machine, with gateways that nobody asked for."""
    assert seaweedfs.child is not None
    doors = [*seaweedfs.doors().values(), seaweedfs.environment()["S3_ENDPOINT"]]
    ports = {urlsplit(door).port or 0 for door in doors}
    found = listening(seaweedfs.child.pid).tcp
    assert {address for address, _ in found} == {"127.0.0.1"}
    assert {port for _, port in found} <= ports | {port + GRPC_ABOVE for port in ports}


def test_every_put_is_synced(seaweedfs: ObjectServer) -> None:
    """Without it an acknowledged put can be lost with the power."""
    assert re.search(
        r'"locationPrefix":\s*"/buckets/".*?"fsync":\s*true', seaweedfs.shell("fs.configure\n"), re.DOTALL
    )


def test_a_killed_server_starts_again_at_the_same_address_with_what_was_locked(tmp_path: Path) -> None:
    """Kill -9 loses nothing that was acknowledged, and the lock still holds afterwards."""
    with ObjectServer(tmp_path) as server:
        before = server.environment()
        version = lock_one(server, "kept")
        assert server.child is not None
        server.child.kill()
    with ObjectServer(tmp_path) as server:
        assert server.environment() == before
        assert read(server, "kept", version) == BODY
        with pytest.raises(S3Error, match="AccessDenied"):
            client(server).remove_object("kept", "a/b", version_id=version)


def _unix_sockets(server: ObjectServer) -> tuple[str, ...]:
    assert server.child is not None
    return listening(server.child.pid).unix
