//! From when until when.

use time::{Duration, OffsetDateTime};

use super::{Found, Judgement};
use crate::code::Code;
use crate::requirements::LEAST_VALIDITY;

pub fn judge(path: &[Found], now: OffsetDateTime, judgement: &mut Judgement) {
    for (index, one) in path.iter().enumerate() {
        let certificate = &one.certificate;
        let (begin, end) = (certificate.not_before, certificate.not_after);
        if begin > now {
            let message = format!("it is valid from {} on, and now it is {}", second(begin), second(now));
            let next_step = "Wait until then, or correct the clock of the machine that signs and sign again.";
            judgement.of(one, Code::NotYetValid, message, next_step);
        }
        let left = end - now;
        if end < now {
            let message = format!("it expired at {}", second(end));
            let next_step = if index == 0 {
                "Sign the request again with `-days 1825`."
            } else {
                "Renew the certificate of this CA, and sign with what is valid."
            };
            judgement.of(one, Code::Expired, message, next_step);
        } else if index == 0 && left < LEAST_VALIDITY {
            let message = format!(
                "it is valid until {}, {}; 365 days are expected when it is activated",
                second(end),
                from_now(left)
            );
            let next_step = "Sign the request again with `-days 1825`.";
            judgement.of(one, Code::ValidityTooShort, message, next_step);
        } else if index > 0 && left < LEAST_VALIDITY {
            let message = format!("it is valid until {}, {}", second(end), from_now(left));
            let next_step =
                "Renew the certificate of this CA first: what it has signed does not hold beyond it.";
            judgement.of(one, Code::EndsSoon, message, next_step);
        }
        if let Some(issuer) = path.get(index + 1).filter(|issuer| issuer.certificate.not_after < end) {
            let message = format!(
                "it is valid until {}, and certificate {}, which has signed it, until {}",
                second(end),
                issuer.position,
                second(issuer.certificate.not_after)
            );
            let next_step = "Sign it for no longer than its issuer is valid, or renew the issuer first.";
            judgement.of(one, Code::OutlivesIssuer, message, next_step);
        }
    }
}

/// A moment to the second.
fn from_now(left: Duration) -> String {
    match left.whole_days() {
        1 => "1 day from now".to_owned(),
        days => format!("{days} days from now"),
    }
}

fn second(at: OffsetDateTime) -> String {
    let (date, time) = (at.date(), at.time());
    format!("{date} {:02}:{:02}:{:02} UTC", time.hour(), time.minute(), time.second())
}
