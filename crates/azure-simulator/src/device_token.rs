//! Shared access signatures of devices: `SharedAccessSignature sr={idScope}%2fregistrations%2f{id}&sig=..&se=..&skn=registration`,
//! signed with a key that is derived from the group's (`azure-wire-facts.md` §4).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use sha2::Sha256;

/// What RFC 3986 leaves unescaped.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A token as it was sent. No `Debug`: it is a credential.
pub(crate) struct Token {
    /// Still escaped, since that is what was signed.
    resource: String,
    signature: Vec<u8>,
    /// Unix seconds.
    pub expiry: i64,
}

impl Token {
    /// Reads an `Authorization` header. `None` when it is no such token.
    pub(crate) fn parse(header: &str) -> Option<Self> {
        let parameters = header.strip_prefix("SharedAccessSignature ")?;
        let (mut resource, mut signature, mut expiry) = (None, None, None);
        for parameter in parameters.split('&') {
            let (name, value) = parameter.split_once('=')?;
            match name {
                "sr" => resource = Some(value.to_owned()),
                "sig" => {
                    let text = percent_decode_str(value).decode_utf8().ok()?;
                    signature = STANDARD.decode(&*text).ok();
                }
                "se" => expiry = value.parse().ok(),
                _ => {}
            }
        }
        Some(Self { resource: resource?, signature: signature?, expiry: expiry? })
    }

    /// Whether it names this registration.
    pub(crate) fn is_for(&self, id_scope: &str, registration_id: &str) -> bool {
        let wanted = format!("{id_scope}/registrations/{registration_id}");
        percent_decode_str(&self.resource)
            .decode_utf8()
            .is_ok_and(|resource| resource.eq_ignore_ascii_case(&wanted))
    }

    /// Whether it was signed with the device key that belongs to a group key (base64).
    pub(crate) fn is_signed_with(&self, group_key: &str, registration_id: &str) -> bool {
        let key = device_key(group_key, registration_id);
        let mac = key.and_then(|key| mac(&key, &format!("{}\n{}", self.resource, self.expiry)));
        // Compared in constant time by the library.
        mac.is_some_and(|mac| mac.verify_slice(&self.signature).is_ok())
    }
}

/// The key of one device of a group: HMAC-SHA256 of its registration id under the group's key (base64).
/// `None` when the group key is not base64.
pub(crate) fn device_key(group_key: &str, registration_id: &str) -> Option<Vec<u8>> {
    let group_key = STANDARD.decode(group_key).ok()?;
    Some(mac(&group_key, registration_id)?.finalize().into_bytes().to_vec())
}

/// The `Authorization` header of a device. `None` when the group key is not base64.
pub(crate) fn authorization(
    group_key: &str,
    id_scope: &str,
    registration_id: &str,
    expiry: i64,
) -> Option<String> {
    let resource = format!("{id_scope}/registrations/{registration_id}");
    let resource = utf8_percent_encode(&resource, ESCAPED).to_string();
    let signed = mac(&device_key(group_key, registration_id)?, &format!("{resource}\n{expiry}"))?;
    let signature = STANDARD.encode(signed.finalize().into_bytes());
    let signature = utf8_percent_encode(&signature, ESCAPED);
    Some(format!("SharedAccessSignature sr={resource}&sig={signature}&se={expiry}&skn=registration"))
}

fn mac(key: &[u8], text: &str) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(text.as_bytes());
    Some(mac)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of Microsoft's documentation of symmetric key attestation.
    #[test]
    fn device_keys_are_derived_as_documented() {
        let group =
            "8isrFI1sGsIlvvFSSFRiMfCNzv21fjbE/+ah/lSh3lF8e2YG1Te7w1KpZhJFFXJrqYKi9yegxkqIChbqOS9Egw==";
        let key = device_key(group, "sn-007-888-abc-mac-a1-b2-c3-d4-e5-f6").unwrap();
        assert_eq!(STANDARD.encode(key), "Jsm0lyGpjaVYVP2g3FnmnmG9dI/9qU24wNoykUmermc=");
    }

    #[test]
    fn a_token_verifies_for_its_own_registration_and_key_only() {
        let (one, other) = (STANDARD.encode([1; 64]), STANDARD.encode([2; 64]));
        let header = authorization(&one, "0ne00000001", "pump:1", 42).unwrap();
        let token = Token::parse(&header).unwrap();
        assert!(token.is_for("0ne00000001", "pump:1") && !token.is_for("0ne00000001", "pump:2"));
        assert!(token.is_signed_with(&one, "pump:1"));
        assert!(!token.is_signed_with(&other, "pump:1") && !token.is_signed_with(&one, "pump:2"));
        let later = Token::parse(&header.replace("se=42", "se=43")).unwrap();
        assert!(!later.is_signed_with(&one, "pump:1"), "the expiry is signed too");
        for bad in ["", "Bearer x", "SharedAccessSignature sr=a", "SharedAccessSignature sr=a&sig=!&se=1"] {
            assert!(Token::parse(bad).is_none(), "{bad}");
        }
    }
}
