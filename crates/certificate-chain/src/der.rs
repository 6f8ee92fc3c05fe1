//! What stands around signed contents, in DER. The library reads less strict forms too, and no signature covers them.

use x509_parser::asn1_rs::BitString;
use x509_parser::x509::AlgorithmIdentifier;

/// A certificate or a request as DER has it: contents, algorithm, signature.
pub fn signed(contents: &[u8], algorithm: &AlgorithmIdentifier<'_>, signature: &BitString<'_>) -> Vec<u8> {
    let AlgorithmIdentifier { algorithm, parameters } = algorithm;
    let mut signed_with = value(0x06, algorithm.as_bytes());
    if let Some(parameters) = parameters {
        // NULL, or a sequence as that of RSA-PSS.
        signed_with.extend(value(if parameters.data.is_empty() { 0x05 } else { 0x30 }, parameters.data));
    }
    let signature = [&[0], signature.data.as_ref()].concat();
    value(0x30, &[contents.to_vec(), value(0x30, &signed_with), value(0x03, &signature)].concat())
}

/// A value in DER: its tag, its length in as few bytes as it takes, its contents.
fn value(tag: u8, contents: &[u8]) -> Vec<u8> {
    let length = contents.len().to_be_bytes();
    let length = &length[contents.len().leading_zeros() as usize / 8..];
    let mut encoded = vec![tag];
    match length {
        [] => encoded.push(0),
        [short @ ..=0x7f] => encoded.push(*short),
        // At most eight bytes.
        long => {
            encoded.push(0x80 | long.len() as u8);
            encoded.extend_from_slice(long);
        }
    }
    encoded.extend_from_slice(contents);
    encoded
}
