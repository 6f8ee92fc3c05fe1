//! The timer's value: its schedule, when it ran last, whether it is late (`functions-host-protocol.md` §1.7).

use time::OffsetDateTime;
use time::macros::datetime;

use crate::app::Function;
use crate::encoding::NetValue;
use crate::envelope::{Metadata, Payload};
use crate::newtonsoft::{Kind, Members, NetDate, Token};
use crate::zone::Zone;

/// The record of a timer's monitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScheduleStatus {
    /// When it ran last; `None`: never.
    pub last: Option<OffsetDateTime>,
    /// When it is due.
    pub next: OffsetDateTime,
    /// Whether times were stored with `Z` instead of an offset; they come back as they were stored.
    pub stored_utc: bool,
}

impl ScheduleStatus {
    /// The status of a timer that never ran.
    #[must_use]
    pub fn first(next: OffsetDateTime) -> Self {
        Self { last: None, next, stored_utc: false }
    }

    fn to_token(self, zone: &Zone) -> Token {
        let date = |instant: OffsetDateTime| {
            let kind = if self.stored_utc { Kind::Utc } else { Kind::Offset(zone.offset_minutes(instant)) };
            Token::Date(NetDate::new(instant, kind))
        };
        let last = self.last.unwrap_or(datetime!(0001-01-01 00:00 UTC));
        Token::Object(Members::from([
            ("Last".to_owned(), date(last)),
            ("Next".to_owned(), date(self.next)),
            ("LastUpdated".to_owned(), date(last)),
        ]))
    }
}

/// The payload of an invocation by a timer.
#[must_use]
pub fn timer(
    function: &Function,
    adjusts_for_summer_time: bool,
    status: Option<ScheduleStatus>,
    is_past_due: bool,
    zone: &Zone,
) -> Payload {
    let schedule = Members::from([("AdjustForDST".to_owned(), Token::from(adjusts_for_summer_time))]);
    let value = Members::from([
        ("Schedule".to_owned(), Token::Object(schedule)),
        ("ScheduleStatus".to_owned(), status.map_or(Token::Null, |status| status.to_token(zone))),
        ("IsPastDue".to_owned(), Token::from(is_past_due)),
    ]);
    super::payload(function, NetValue::Object(value), Metadata::default())
}
