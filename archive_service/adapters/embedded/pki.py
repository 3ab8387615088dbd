"""A PKI for development: root, seal, time-stamping authority, CRLs and OCSP, by certomancer.

Keys and certificates are made once per data folder and kept. Every subject says "not qualified".
"""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from string import Template

import httpx
from asn1crypto import pem
from certomancer.registry import ArchLabel, CertLabel, CertomancerConfig
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from archive_service.adapters.embedded.ports import LOOPBACK, free_port
from archive_service.adapters.embedded.processes import Part
from archive_service.adapters.embedded.server import Server
from archive_service.adapters.embedded.state import (
    private_folder,
    recall,
    recall_port,
    remember,
    write_private,
)

ARCHITECTURE = "development"
KEYS = ("root", "seal-ca", "tsa-ca", "seal", "seal-ocsp", "tsa", "tsa-ocsp")
_LIFE = timedelta(days=365 * 20)  # an evidence bundle of today must still chain to this root in ten years


class Pki(Server):
    """A certomancer PKI in ``<data>/pki`` and the server for its TSA, OCSP and CRLs."""

    name = "pki"

    def __init__(self, data: Path) -> None:
        """Take the data folder; nothing is made yet."""
        super().__init__(data)
        self.folder = self.data / "pki"
        self._memory = self.run / "pki.json"
        self._port = 0

    def prepare(self) -> Part:
        """Make keys and certificates if they are missing, and say how to serve them."""
        self._port = free_port(recall_port(recall(self._memory), "port"))
        remember(self._memory, {"port": self._port})
        make(private_folder(self.folder), url=self.url, now=datetime.now(UTC))
        module = "archive_service.adapters.embedded.pki_server"
        return Part(
            name=self.name,
            command=(sys.executable, "-m", module, str(self.folder), str(self._port)),
            environment=dict(os.environ),
        )

    @property
    def url(self) -> str:
        """Where the TSA, OCSP and CRL paths start."""
        return f"http://{LOOPBACK}:{self._port}"

    @property
    def tsa_url(self) -> str:
        """Where to post time-stamp requests (RFC 3161 §3.4)."""
        return f"{self.url}/{ARCHITECTURE}/tsa/tsa"

    @property
    def roots(self) -> Path:
        """The PEM file of what to trust: the development root."""
        return self.certificate("root")

    def certificate(self, label: str) -> Path:
        """Return the PEM file of one certificate: one of KEYS."""
        return self.folder / "certificates" / f"{label}.pem"

    def key(self, label: str) -> Path:
        """Return the PEM file (PKCS#8, no passphrase, mode 0600) of one private key: one of KEYS."""
        return self.folder / "keys" / f"{label}.pem"

    @property
    def seal_certificates(self) -> Path:
        """The PEM file of the seal's certificate, then its chain without the root."""
        return self.folder / "seal-chain.pem"

    def ready(self) -> bool:
        """Say whether the server answers."""
        try:
            answer = httpx.get(
                f"{self.url}/{ARCHITECTURE}/crls/root/latest.crl", timeout=2.0, trust_env=False
            )
        except httpx.TransportError:
            return False
        return answer.status_code == httpx.codes.OK

    def environment(self) -> dict[str, str]:
        """Return the settings for sealing and time-stamping."""
        return {
            "TSA_URLS": self.tsa_url,
            "TRUST_ROOTS": str(self.roots),
            "SEAL_KEY": str(self.key("seal")),
            "SEAL_CERTIFICATES": str(self.seal_certificates),
        }


def make(folder: Path, *, url: str, now: datetime) -> None:
    """Make keys, certificates and configuration, unless the configuration, written last, is there.

    The certificates name ``url`` for revocation for good; a port lost later leaves that address dead, which
    nothing in the archive asks for.
    """
    config = folder / "certomancer.yaml"
    if config.exists():
        return
    for part in ("keys", "certificates"):
        private_folder(folder / part)
    for label in KEYS:
        write_private(folder / "keys" / f"{label}.pem", _new_key())
    described = _describe(url=url, now=now)
    issued = load(described, folder).get_pki_arch(ArchLabel(ARCHITECTURE))
    for label in KEYS:
        body = pem.armor("CERTIFICATE", issued.get_cert(CertLabel(label)).dump())
        write_private(folder / "certificates" / f"{label}.pem", body)
    chain = [(folder / "certificates" / f"{label}.pem").read_bytes() for label in ("seal", "seal-ca")]
    write_private(folder / "seal-chain.pem", b"".join(chain))
    write_private(config, described.replace("# certificate-file:", "certificate-file:").encode())


def load(described: str, folder: Path) -> CertomancerConfig:
    """Read a configuration (YAML) whose keys and certificates are in ``folder``."""
    return CertomancerConfig.from_yaml(described, key_search_dir=str(folder), config_search_dir=str(folder))


def _describe(*, url: str, now: datetime) -> str:
    template = Template(files(__package__).joinpath("pki.yaml").read_text(encoding="utf-8"))
    start = (now - timedelta(days=1)).replace(microsecond=0)
    return template.substitute({"url": url, "from": start.isoformat(), "to": (start + _LIFE).isoformat()})


def _new_key() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())  # RSA-2048 costs 30 ms a token here, P-256 about one
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
