"""What a customer does with a certificate signing request: a root of one's own signs it."""

import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def chain(request_pem):
    """The signed certificate and the root behind it, PEM."""
    request = x509.load_pem_x509_csr(request_pem.encode())
    assert request.is_signature_valid
    key = ec.generate_private_key(ec.SECP384R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Bakery Root")])
    root = certificate(name, name, key.public_key(), key, 1)
    signed = certificate(request.subject, name, request.public_key(), key, 0)
    pem = serialization.Encoding.PEM
    return (signed.public_bytes(pem) + root.public_bytes(pem)).decode()


def certificate(subject, issuer, public_key, key, path_length):
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=730))
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
    )
    return builder.sign(key, hashes.SHA384())
