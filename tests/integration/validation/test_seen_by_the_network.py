"""An invoice's XML makes nobody fetch anything: the real parsers against a server that listens."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from archive_service.invoices.xml import XmlRefused, parse


@pytest.mark.parametrize(
    "template",
    [
        '<!DOCTYPE a SYSTEM "{url}"><a/>',
        '<!DOCTYPE a [<!ENTITY x SYSTEM "{url}">]><a>&x;</a>',
        '<!DOCTYPE a [<!ENTITY % x SYSTEM "{url}"> %x;]><a/>',
        '<!DOCTYPE a PUBLIC "-//X//Y" "{url}"><a b="c"/>',
    ],
)
def test_no_external_entity_or_dtd_is_fetched(template: str) -> None:
    """Each DOCTYPE is refused by name, and the server that it names sees no connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.3)
        url = f"http://127.0.0.1:{server.getsockname()[1]}/x.dtd"
        with pytest.raises(XmlRefused) as refused:
            parse(template.format(url=url).encode())
        with pytest.raises(TimeoutError):
            server.accept()
    assert refused.value.finding.rule == "invoice.xml.doctype"


def test_a_local_file_is_not_read_through_an_entity(tmp_path: Path) -> None:
    """A file: entity is refused like any other, in UTF-16 as well."""
    (tmp_path / "secret").write_text("secret")
    url = (tmp_path / "secret").as_uri()
    text = f'<?xml version="1.0" encoding="utf-16"?><!DOCTYPE a [<!ENTITY x SYSTEM "{url}">]><a>&x;</a>'
    with pytest.raises(XmlRefused) as refused:
        parse(text.encode("utf-16"))
    assert refused.value.finding.rule == "invoice.xml.doctype"
