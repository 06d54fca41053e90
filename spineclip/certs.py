"""Certificates for the clinic's broker: an authority of its own and a server certificate signed by it.

A clinic that has certificates already puts them in the same places and needs none of this.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from spineclip.contract.errors import SettingsError
from spineclip.private_file import write_private

AUTHORITY_DAYS = 3650
SERVER_DAYS = 398
"""The longest life that current clients accept of a server certificate (CA/Browser Forum, ballot SC31)."""


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """Where the certificates stand: `authority` goes to every collector, the keys stay where they are."""

    authority: Path
    authority_key: Path
    server: Path
    server_key: Path

    @classmethod
    def within(cls, folder: Path) -> CertificateFiles:
        """Name the files in a folder."""
        return cls(folder / "ca.crt", folder / "ca.key", folder / "server.crt", folder / "server.key")


def make(folder: Path, hosts: Sequence[str], now: dt.datetime, *, server_days: int = SERVER_DAYS) -> CertificateFiles:
    """Make what is missing: the authority once, the server certificate anew at each call.

    Parameters
    ----------
    folder
        Where the files go; made with mode 0700 if it is not there.
    hosts
        Names and addresses under which collectors reach the broker.
    now
        The present, with time zone; both certificates begin a day earlier, for clocks that are late.
    server_days
        Life of the server certificate from `now`; the past is possible, for those who test refusals.

    Raises
    ------
    SettingsError
        If no host is given, or an authority's certificate is there without its key.
    """
    if not hosts:
        raise SettingsError(
            "a server certificate needs at least one name", advice="Give the broker's host name with --host"
        )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    files = CertificateFiles.within(folder)
    authority, key = _authority(files, now)
    server_key = ec.generate_private_key(ec.SECP256R1())
    begin = min(now, now + dt.timedelta(days=server_days)) - dt.timedelta(days=1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(_name(hosts[0]))
        .issuer_name(authority.subject)
        .public_key(server_key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(now + dt.timedelta(days=server_days))
        .add_extension(x509.SubjectAlternativeName([_alternative(host) for host in hosts]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    write_private(files.server_key, _key_bytes(server_key))
    files.server.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return files


def _authority(files: CertificateFiles, now: dt.datetime) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    if files.authority.exists():
        if not files.authority_key.exists():
            raise SettingsError(
                f"{files.authority} is there, but its key {files.authority_key.name} is not",
                advice="Bring the key back, or move the certificate away to begin with a new authority",
            )
        try:
            key = serialization.load_pem_private_key(files.authority_key.read_bytes(), None)
            certificate = x509.load_pem_x509_certificate(files.authority.read_bytes())
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise SettingsError(
                f"the authority in {files.authority} and {files.authority_key.name} cannot be read ({error})",
                advice="Bring both back as they were, without a password, or move them away to begin with a new one",
            ) from error
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise SettingsError(
                f"{files.authority_key} is not an elliptic curve key",
                advice="Sign the server certificate with your own tools",
            )
        return certificate, key
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("spineclip clinic authority")
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=AUTHORITY_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_signing_only(), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    write_private(files.authority_key, _key_bytes(key))
    files.authority.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return certificate, key


def _signing_only() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common[:64])])


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        pass  # a name
    try:
        return x509.DNSName(host)
    except ValueError as error:
        raise SettingsError(
            f"{host!r} cannot be a host name", advice="Write it as the network does, in ASCII"
        ) from error


def _key_bytes(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
