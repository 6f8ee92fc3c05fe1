//! The body of an invocation: `{"Data":{...},"Metadata":{...}}` (`functions-host-protocol.md` §1.2 and §1.3).

use indexmap::IndexMap;
use time::OffsetDateTime;
use uuid::Uuid;

use super::encoding::NetValue;
use super::newtonsoft::{self, Kind, Members, NetDate, Token};
use super::zone::Zone;

/// The data of a trigger for an invocation. It is the same for every attempt of a retry sequence.
#[derive(Debug, Clone)]
pub struct Payload {
    /// The trigger's value first, then the other inputs, by binding name.
    pub data: Vec<(String, NetValue)>,
    /// The trigger's metadata about its value.
    pub metadata: Metadata,
    /// The trigger's value if it is one string: its members shadow metadata when it is a JSON object.
    pub shadowing_text: Option<String>,
}

/// Names and values beside the data. Names are compared without regard to case and keep their first spelling.
#[derive(Debug, Clone, Default)]
pub struct Metadata {
    entries: IndexMap<String, NetValue>,
}

impl Metadata {
    /// Sets a value, in place if the name is known.
    pub fn set(&mut self, name: &str, value: NetValue) {
        match self.entries.keys().position(|known| known.eq_ignore_ascii_case(name)) {
            Some(index) => self.entries[index] = value,
            None => {
                self.entries.insert(name.to_owned(), value);
            }
        }
    }

    fn has(&self, name: &str) -> bool {
        self.entries.keys().any(|known| known.eq_ignore_ascii_case(name))
    }

    /// Copies the members of `text`, if it is a JSON object, over the metadata, as the host does. So a sender can forge
    /// metadata.
    ///
    /// Nulls and arrays are not copied; scalars become their .NET text first.
    pub fn shadow(&mut self, text: &str, zone: &Zone) {
        if !newtonsoft::looks_like_json(text) {
            return;
        }
        let Ok(Token::Object(members)) = newtonsoft::parse(text, zone) else { return };
        for (name, value) in members {
            match value {
                Token::Null | Token::Array(_) => {}
                Token::Object(members) => self.set(&name, NetValue::Object(members)),
                scalar => self.set(&name, NetValue::text(scalar.to_net_text())),
            }
        }
    }
}

/// The parts that differ from attempt to attempt.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// When it starts.
    pub now: OffsetDateTime,
    /// `sys.RandGuid`.
    pub random: Uuid,
    /// `RetryContext`, if a retry policy is configured.
    pub retry: Option<Token>,
}

/// Writes the body of one attempt of `function`.
#[must_use]
pub fn write(function: &str, payload: &Payload, attempt: &Attempt, zone: &Zone) -> String {
    let data = payload.data.iter().map(|(name, value)| (name.clone(), value.clone().into_data()));
    let mut metadata = payload.metadata.clone();
    let sys = Members::from([
        ("MethodName".to_owned(), Token::from(function)),
        ("UtcNow".to_owned(), Token::Date(NetDate::new(attempt.now, Kind::Utc))),
        ("RandGuid".to_owned(), Token::Text(attempt.random.to_string())),
    ]);
    let name = if metadata.has("sys") { "$sys" } else { "sys" };
    metadata.set(name, NetValue::Object(sys));
    if let Some(text) = &payload.shadowing_text {
        metadata.shadow(text, zone);
    }
    if let Some(Token::Object(retry)) = &attempt.retry {
        metadata.set("RetryContext", NetValue::Object(retry.clone()));
    }
    let metadata = metadata
        .entries
        .into_iter()
        .filter(|(name, _)| !name.to_ascii_lowercase().ends_with("trigger"))
        .filter_map(|(name, value)| Some((name, value.into_metadata()?)));
    newtonsoft::compact(&Token::Object(Members::from([
        ("Data".to_owned(), Token::Object(data.collect())),
        ("Metadata".to_owned(), Token::Object(metadata.collect())),
    ])))
}
