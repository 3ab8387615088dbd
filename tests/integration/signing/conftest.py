"""A real PKI by certomancer, with its time-stamping authorities listening on loopback."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pikepdf
import pytest
from asn1crypto import x509
from certomancer.integrations.animator import Animator, AnimatorArchStore
from certomancer.registry import ArchLabel, CertLabel, CertomancerConfig
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from fpdf import FPDF
from werkzeug.serving import make_server

from archive_service.adapters.tsa import HttpTsa
from signing.certificates import to_pem
from signing.keys import FileKey
from signing.timestamps import Timestamper

VECTORS = Path(__file__).parents[2] / "vectors" / "signing"
KEYS = ("root", "issuing", "seal", "tsa", "tsa-bad-purpose", "other-root", "other-tsa")


@dataclass(frozen=True, slots=True, kw_only=True)
class TestPki:
    """The certificates of the test PKI, their keys' folder, and where its authorities answer."""

    __test__ = False
    folder: Path
    base: str
    certificates: dict[str, x509.Certificate]

    @property
    def roots(self) -> tuple[x509.Certificate, ...]:
        """Return the one root that the tests trust."""
        return (self.certificates["root"],)

    def tsa(self, label: str) -> str:
        """Return the address of one of certomancer's authorities."""
        return f"{self.base}/archive/tsa/{label}"

    def key(self, label: str) -> FileKey:
        """Load a seal's key and write its certificates beside it, as an operator would have them."""
        chain = self.folder / f"{label}.crt"
        chain.write_bytes(to_pem((self.certificates[label], self.certificates["issuing"])))
        return FileKey.load(self.folder / f"{label}.pem", chain)

    def timestamper(self, *labels: str, timeout: float = 10.0) -> Timestamper:
        """Return a Timestamper over authorities, by label or by address."""
        urls = tuple(label if "://" in label else self.tsa(label) for label in labels)
        return Timestamper(urls=urls, transport=HttpTsa(), roots=self.roots, timeout=timeout)


@pytest.fixture(scope="session")
def pki_for_signing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestPki]:
    """Make fresh keys, let certomancer issue the certificates, and serve its authorities."""
    folder = tmp_path_factory.mktemp("pki")
    private = {label: ec.generate_private_key(ec.SECP256R1()) for label in KEYS}
    keys = {**private, "seal-rsa": rsa.generate_private_key(65537, 3072)}
    for label, key in keys.items():
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (folder / f"{label}.pem").write_bytes(pem)
    config = CertomancerConfig.from_yaml((VECTORS / "pki.yml").read_text(), key_search_dir=str(folder))
    architecture = config.get_pki_arch(ArchLabel("archive"))
    application = Animator(AnimatorArchStore({ArchLabel("archive"): architecture}), with_web_ui=False)
    labels = ("root", "issuing", "seal", "seal-rsa", "tsa", "other-root", "other-tsa")
    certificates = {label: architecture.get_cert(CertLabel(label)) for label in labels}
    server = make_server("127.0.0.1", 0, application, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield TestPki(folder=folder, base=f"http://127.0.0.1:{server.server_port}", certificates=certificates)
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def plain_pdf() -> bytes:
    """A PDF/A-3B of one page, by fpdf2 (not by the code under test)."""
    pdf = FPDF(enforce_compliance="PDF/A-3B")
    pdf.set_title("A test document")
    pdf.add_page()
    pdf.rect(20, 20, 40, 40)
    return bytes(pdf.output())


@pytest.fixture(scope="session")
def encrypted_pdf(plain_pdf: bytes) -> bytes:
    """The same document, encrypted with an empty user password, by qpdf."""
    output = BytesIO()
    with pikepdf.open(BytesIO(plain_pdf)) as document:
        document.save(output, encryption=pikepdf.Encryption(owner="owner", user=""))
    return output.getvalue()


@pytest.fixture
def now() -> datetime:
    """The moment of sealing, within the certificates' validity."""
    return datetime(2026, 6, 1, 12, 0, 0, tzinfo=UTC)
