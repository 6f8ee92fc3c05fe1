//! Reads the messages that are kept in the records because the parked queue did not take them.

use certificate_management::parked::{Envelope, KEPT, WHOLE_BODIES};
use futures::{StreamExt, stream};
use serde_json::Value;
use state::{ErrorKind, Store};

use super::message::{Place, Waiting};

/// How many records are read at once.
const AT_ONCE: usize = 8;

/// A message in a record, with its body as it was received where the record can be parsed.
pub struct Kept {
    /// The description of the message.
    pub message: Waiting,
    /// The body that `resubmit` would send.
    pub body: Option<String>,
}

/// Reads the kept messages, oldest first, at most `most`; and whether there are more.
///
/// # Errors
/// When the records cannot be listed, or one of them cannot be read now.
pub async fn all(store: &Store, most: usize) -> Result<(Vec<Kept>, bool), state::Error> {
    let listing = store.list(KEPT).await?;
    let is_cut = listing.cut || listing.keys.len() > most;
    let reads = listing.keys.into_iter().take(most).map(|key| one(store, key));
    let read: Vec<_> = stream::iter(reads.collect::<Vec<_>>()).buffered(AT_ONCE).collect().await;
    let kept: Result<Vec<Option<Kept>>, state::Error> = read.into_iter().collect();
    Ok((kept?.into_iter().flatten().collect(), is_cut))
}

/// One of them; `None` when it is gone meanwhile.
async fn one(store: &Store, key: String) -> Result<Option<Kept>, state::Error> {
    let (mut message, body) = match store.get::<Value>(&key).await {
        Ok(None) => return Ok(None),
        Ok(Some(record)) => {
            let text = match &record.value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            let (message, body) = Waiting::parked(Place::Kept, &text, Envelope::read_record(&record.value));
            (message, Some(body))
        }
        // Another read would fail too, so the list shows the record, and a person can discard it.
        Err(error) if matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::TooLarge) => {
            let detail = Some(format!("it cannot be understood: {error}"));
            (Waiting { detail, ..Waiting::at(Place::Kept, "") }, None)
        }
        Err(error) => return Err(error),
    };
    message.record = Some(key);
    Ok(Some(Kept { message, body }))
}

/// The whole body of a message whose envelope only quotes it. `None` where there is no such record, or where the
/// envelope, which others may have written, names another kind of record.
///
/// # Errors
/// When the record cannot be read.
pub async fn whole_body(store: &Store, key: &str) -> Result<Option<String>, state::Error> {
    let is_a_body = key.strip_prefix(WHOLE_BODIES).is_some_and(|rest| rest.starts_with('/'));
    if !is_a_body {
        return Ok(None);
    }
    Ok(store.get::<String>(key).await?.map(|record| record.value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[tokio::test]
    async fn a_text_an_object_and_anything_else_are_read_oldest_first() {
        let store = Store::memory();
        let envelope = json!({"schema": "parked-message/v1", "messageId": "a", "body": "not json"});
        store.put("parked-envelopes/02", &envelope).await.unwrap();
        store.put("parked-envelopes/01", &envelope.to_string()).await.unwrap();
        store.put("parked-envelopes/03", &json!([7])).await.unwrap();
        store.put("parked/04", &"a whole body").await.unwrap();
        let (kept, is_cut) = all(&store, 9).await.unwrap();
        let read: Vec<_> = kept
            .iter()
            .map(|kept| {
                let record = kept.message.record.as_deref().unwrap_or_default();
                (record, kept.message.message_id.as_deref(), kept.body.as_deref())
            })
            .collect();
        let expected = [
            ("parked-envelopes/01", Some("a"), Some("not json")),
            ("parked-envelopes/02", Some("a"), Some("not json")),
            ("parked-envelopes/03", None, Some("[7]")),
        ];
        assert_eq!(read, expected);
        assert!(!is_cut);
        let (kept, is_cut) = all(&store, 2).await.unwrap();
        assert_eq!((kept.len(), is_cut), (2, true));
    }

    #[tokio::test]
    async fn only_a_record_of_a_whole_body_is_read_as_one() {
        let store = Store::memory();
        for key in ["parked/01", "requests/a", "parked-envelopes/01"] {
            store.put(key, &"text").await.unwrap();
        }
        assert_eq!(whole_body(&store, "parked/01").await.unwrap().as_deref(), Some("text"));
        for other in ["parked/02", "requests/a", "parked-envelopes/01", "parked", ""] {
            assert_eq!(whole_body(&store, other).await.unwrap(), None, "{other}");
        }
        assert!(whole_body(&store, "parked/../requests/a").await.is_err());
    }
}
