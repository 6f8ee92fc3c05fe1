//! Why a trigger's data, or one element of it, could not be read.
//!
//! These texts end up in logs, so they name places and kinds and never quote a value: a body may hold anything.

/// The data of a trigger is not what the function expects, so the whole invocation cannot be decoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The envelope has no data under the binding's name: code and `function.json` disagree.
    #[error("no data for binding `{binding}`; the invocation has data for: {present}")]
    MissingBinding {
        /// The name that was asked for.
        binding: String,
        /// The names that the envelope has, separated by commas.
        present: String,
    },
    /// The function asked for another trigger than its [`Definition`](crate::Definition) declares.
    #[error("the function is declared with a {declared} trigger, but its code asks for a {asked} trigger")]
    WrongTrigger {
        /// The trigger of the definition.
        declared: &'static str,
        /// The trigger whose decoder was called.
        asked: &'static str,
    },
    /// The data has another shape than any that the host is known to send.
    #[error("binding `{binding}`: expected {expected}, found {found}")]
    Shape {
        /// The binding's name.
        binding: String,
        /// The shape that the decoder expects.
        expected: &'static str,
        /// The kind of JSON that came.
        found: &'static str,
    },
    /// One element cannot be decoded, where the caller asked for all or nothing.
    #[error("binding `{binding}`, element {index}: {error}")]
    Element {
        /// The binding's name.
        binding: String,
        /// The position in the batch, from 0.
        index: usize,
        /// What is wrong with it.
        #[source]
        error: ElementError,
    },
}

/// One message, event or body cannot be decoded; the others of its batch are not affected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ElementError {
    /// The text is not JSON.
    #[error("not JSON: {0}")]
    NotJson(String),
    /// The JSON does not have the expected members or types.
    #[error("unexpected JSON: {0}")]
    UnexpectedJson(String),
    /// The binding is declared `binary`, but the element is not base64.
    #[error("not base64, although the binding's dataType is binary")]
    NotBase64,
    /// Not an event of a known schema.
    #[error("not an event: {0}")]
    NotAnEvent(&'static str),
}

impl From<serde_json::Error> for ElementError {
    fn from(error: serde_json::Error) -> Self {
        let text = without_value(&error.to_string());
        match error.classify() {
            serde_json::error::Category::Data => Self::UnexpectedJson(text),
            _ => Self::NotJson(text),
        }
    }
}

/// How much of an error's text is kept, in characters: a field name that a sender chose may be long.
const LONGEST: usize = 300;

/// Takes the offending string out of serde's "invalid type: string "...", expected ..."; names and places stay.
fn without_value(message: &str) -> String {
    let mut message = message.to_owned();
    for start in ["invalid type: string ", "invalid value: string "] {
        if let Some(rest) = message.strip_prefix(start)
            && let Some(end) = rest.rfind(", expected ")
        {
            message = format!("{}{}", start.trim_end(), &rest[end..]);
        }
    }
    if message.chars().count() > LONGEST {
        message = message.chars().take(LONGEST).chain("...".chars()).collect();
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_the_place_but_not_the_value() {
        let error = serde_json::from_str::<u32>(r#""SharedAccessKey=abc, expected""#).unwrap_err();
        let error = ElementError::from(error).to_string();
        assert_eq!(error, "unexpected JSON: invalid type: string, expected u32 at line 1 column 31");
    }

    #[test]
    fn a_long_name_is_cut() {
        #[derive(Debug, serde::Deserialize)]
        enum Known {
            Name,
        }
        let long = format!("\"{}\"", "x".repeat(10_000));
        let error = ElementError::from(serde_json::from_str::<Known>(&long).unwrap_err());
        assert!(error.to_string().len() < 400);
        assert!(matches!(serde_json::from_str::<Known>("\"Name\""), Ok(Known::Name)));
    }
}
