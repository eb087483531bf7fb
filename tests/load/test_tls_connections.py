"""Over TLS: a kept connection is read as a plain one is, and a limit holds there too."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from pathlib import Path

import pytest
from breaking_server import Server, half_a_body_then_hangs, hangs, one_byte_at_a_time, well
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from harness.core.operation import Detail, Outcome
from load import odoo as module
from load.odoo import Odoo
from load.password import Password
from load.plan import Application


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> tuple[Path, Path]:
    """(certificate, key) of 127.0.0.1, signed by itself."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "here")])
    now = dt.datetime.now(dt.UTC)
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=1))
        .add_extension(here, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem, private = folder / "cert.pem", folder / "key.pem"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return pem, private


@pytest.fixture
def over_tls(certificate, monkeypatch):
    """A client, and the server that answers it in these ways."""
    trusting = ssl.create_default_context(cafile=certificate[0])
    monkeypatch.setattr(module.ssl, "create_default_context", lambda: trusting)
    presenting = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    presenting.load_cert_chain(*certificate)
    made = []

    def make(*ways):
        server = Server(*ways)
        plain = server.serve

        def serve(sock) -> None:
            server.open.append(presenting.wrap_socket(sock, server_side=True))
            plain(server.open[-1])

        server.serve = serve
        where = f"https://127.0.0.1:{server.port}"
        odoo = Odoo(Application(where, "shop", "admin", Path("none"), 19, 20.0), Password("s"))
        made.append((server, odoo))
        return server, odoo

    yield make
    for server, odoo in made:
        odoo.close()
        server.close()


def test_answers_are_read_and_the_connection_is_kept(over_tls):
    server, odoo = over_tls(well, one_byte_at_a_time, well)
    answers = [odoo.call("sale.order", "create", [{"x": "y" * 40_000}]) for _ in range(3)]
    assert [answer.outcome for answer in answers] == [Outcome.ACKED] * 3
    assert len(server.requests) == 3
    assert server.connections == 1


@pytest.mark.parametrize("way", [hangs, half_a_body_then_hangs])
def test_a_time_out_is_unknown_and_the_next_call_has_another_connection(over_tls, way):
    server, odoo = over_tls(way, well)
    answer = odoo.call("sale.order", "create", [{}], timeout_s=1.0)
    assert (answer.outcome, answer.detail) == (Outcome.UNKNOWN, Detail.TIMEOUT)
    assert odoo.call("sale.order", "create", [{}]).acked
    assert server.connections == 2
