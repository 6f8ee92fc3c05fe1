//! Changes output values on their way to a queue as the host does: four traps (`functions-host-protocol.md` §2.4).
//!
//! A string that is valid base64 turns into bytes and then into the text `System.Byte[]`; a string that looks like JSON
//! is parsed and written again, an array as several messages; an ISO date-time string becomes a .NET date. None of this
//! happens to elements of arrays.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::app::{Binding, DataType};
use crate::newtonsoft::{self, Token};
use crate::zone::Zone;

/// .NET accepts leftover bits before the padding.
const LAX: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

/// An output value after the host's first step.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A string that was valid base64.
    Bytes(Vec<u8>),
    /// Anything else that the handler gave for this output.
    Plain(Token),
    /// A member of a return value that was spread over the outputs: never decoded or parsed.
    Spread(Token),
}

impl Value {
    /// The value that a handler gave for `binding`.
    #[must_use]
    pub fn of(binding: &Binding, token: Token) -> Self {
        match &token {
            Token::Text(text) if binding.data_type != DataType::Binary => match from_base64(text) {
                Some(bytes) => Self::Bytes(bytes),
                None => Self::Plain(token),
            },
            _ => Self::Plain(token),
        }
    }

    /// The text of each message that is sent.
    #[must_use]
    pub fn into_messages(self, binding: &Binding, zone: &Zone) -> Vec<String> {
        let token = match self {
            // A blob takes bytes as they are; collectors of strings print the name of the .NET type.
            Self::Bytes(bytes) if binding.kind == "blob" => {
                return vec![String::from_utf8_lossy(&bytes).into_owned()];
            }
            Self::Bytes(_) => return vec!["System.Byte[]".to_owned()],
            Self::Plain(Token::Null) => return Vec::new(),
            Self::Plain(Token::Text(text))
                if binding.kind != "blob" && newtonsoft::looks_like_json(&text) =>
            {
                newtonsoft::parse(&text, zone).unwrap_or(Token::Text(text))
            }
            Self::Plain(token) | Self::Spread(token) => token,
        };
        match token {
            Token::Array(elements) if binding.kind != "blob" => {
                elements.iter().map(Token::to_net_text).collect()
            }
            other => vec![other.to_net_text()],
        }
    }
}

/// `Convert.FromBase64String`: white space is skipped, an empty text is no bytes.
fn from_base64(text: &str) -> Option<Vec<u8>> {
    let packed: String = text.chars().filter(|character| !" \t\r\n".contains(*character)).collect();
    LAX.decode(packed).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn base64_is_what_dotnet_takes_for_it() {
        for text in ["", "    ", "eg07", "job12345", "done", "am9i MTIz", "QQ==", "QR==", "a+/="] {
            assert!(from_base64(text).is_some(), "{text}");
        }
        for text in ["hello world!", "lower", "abc", "QQ=", "QQ", "a-_b", "===="] {
            assert!(from_base64(text).is_none(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_encoded_text_is_taken_for_base64(bytes in prop::collection::vec(any::<u8>(), 0..32)) {
            let text = base64::engine::general_purpose::STANDARD.encode(&bytes);
            prop_assert_eq!(from_base64(&text), Some(bytes));
        }
    }
}
