"""What a customer does with a certificate signing request: a root of one's own signs it, by the official recipe."""

import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

ROOT = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Bakery Root")])


def rsa_key():
    return rsa.generate_private_key(65537, 2048)


def chain(request_pem, *, key=None, digest=None, client_auth=True, days=1825, root=True, name=None):
    """The signed certificate and the root behind it, PEM. Without arguments as the recipe says, with them not."""
    request = x509.load_pem_x509_csr(request_pem.encode())
    assert request.is_signature_valid
    key = key or ec.generate_private_key(ec.SECP384R1())
    digest = digest or hashes.SHA384()
    above = certificate(ROOT, key.public_key(), 3650, 1).sign(key, digest)
    signed = certificate(name or request.subject, request.public_key(), days, 0)
    signed = signed.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
    if client_auth:
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
        signed = signed.add_extension(usage, critical=False)
    certificates = [signed.sign(key, digest)] + ([above] if root else [])
    return "".join(one.public_bytes(serialization.Encoding.PEM).decode() for one in certificates)


def certificate(subject, public_key, days, path_length):
    now = datetime.datetime.now(datetime.timezone.utc)
    usage = x509.KeyUsage(
        digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(ROOT)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )
