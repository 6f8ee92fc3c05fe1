//! The errors of `parked`, as texts for a person.

/// Why a message was not found, sent again or removed.
#[derive(Debug, thiserror::Error)]
pub enum ShelfError {
    /// No message, or more than one, has the id.
    #[error("{0}")]
    NotFound(String),
    /// A queue cannot be used.
    #[error("{0}")]
    Queue(#[from] azure::Error),
    /// The records cannot be used.
    #[error("records: {0}")]
    Records(#[from] state::Error),
    /// The body is not text, or is not known, so it cannot be sent as it was received.
    #[error(
        "{id} holds no text that could be sent as it was received, and stays where it is.\n\
         `policysync parked resubmit {id} --file FILE` sends another text in its place, `policysync parked discard {id}` throws it away."
    )]
    NotText {
        /// The message.
        id: String,
    },
    /// Only the beginning of its body is parked, and this process cannot see the records.
    #[error(
        "{id} was too large to be parked whole; its body is the record `{kept_at}`.\n\
         Set AzureWebJobsStorage as the app has it, and run this again."
    )]
    OutOfReach {
        /// The message.
        id: String,
        /// Key of the record.
        kept_at: String,
    },
    /// Only the beginning of its body is parked, and the rest is gone.
    #[error(
        "{id} was too large to be parked whole, and there is no record `{kept_at}` of its body any more.\n\
         `policysync parked resubmit {id} --file FILE` sends another text in its place, `policysync parked discard {id}` throws it away."
    )]
    Incomplete {
        /// The message.
        id: String,
        /// Key of the record.
        kept_at: String,
    },
    /// The text that is to be sent in its place cannot be had.
    #[error("{0}")]
    NoReplacement(String),
    /// The text that is to be sent in its place would be parked again.
    #[error("the text would be parked again: {why}{kept_at}")]
    WouldBeParked {
        /// What is wrong with it.
        why: String,
        /// Where the edited text is, as a sentence; empty where it is the person's own file.
        kept_at: String,
    },
    /// It was sent again, but it could not be taken from where it waited.
    #[error(
        "{id} is on the queue again, but still waits here too: {source}\n`policysync parked discard {id}` takes it away."
    )]
    SentButStillThere {
        /// The message.
        id: String,
        /// Why.
        source: Box<ShelfError>,
    },
}
