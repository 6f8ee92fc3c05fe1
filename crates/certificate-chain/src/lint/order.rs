//! Which certificate has signed which.

use super::{Found, Judgement};
use crate::code::Code;
use crate::request::SigningRequest;

/// The certificates, each once.
pub fn distinct(found: &[Found], judgement: &mut Judgement) -> Vec<Found> {
    let mut distinct: Vec<Found> = Vec::new();
    for one in found {
        match distinct.iter().find(|known| known.certificate.der == one.certificate.der) {
            Some(known) => {
                let message = format!("it is certificate {} once more", known.position);
                judgement.of(one, Code::Duplicate, message, "Leave it out.");
            }
            None => distinct.push(one.clone()),
        }
    }
    distinct
}

/// The certificates from the issuing CA upwards, and behind them those that do not belong there. A chain in the wrong
/// order is put into the right one, so that whatever else is wrong is told at once.
pub fn path(request: &SigningRequest, found: &[Found], judgement: &mut Judgement) -> Vec<Found> {
    let requested = found.iter().position(|one| one.certificate.key.is(&request.key));
    let mut order = upwards(found, requested);
    let others: Vec<usize> = (0..found.len()).filter(|index| !order.contains(index)).collect();
    order.extend(others);
    if !order.is_sorted() {
        let positions: Vec<String> = order.iter().map(|index| found[*index].position.to_string()).collect();
        let message = format!(
            "the certificates are in the wrong order; the issuing CA comes first, each is followed by the one that \
             signed it, the root is last: {}",
            positions.join(", ")
        );
        let next_step =
            "Write the file again in that order: `cat issuing.pem intermediate.pem root.pem > chain.pem`.";
        judgement.say(Code::WrongOrder, None, message, next_step);
    }
    order.into_iter().map(|index| found[index].clone()).collect()
}

/// Follows the signatures from the requested certificate; where there is none, from one that has signed no other.
fn upwards(found: &[Found], requested: Option<usize>) -> Vec<usize> {
    let has_issued = |issuer: &Found| {
        found.iter().any(|other| {
            other.position != issuer.position && issuer.certificate.may_have_issued(&other.certificate)
        })
    };
    let Some(start) = requested.or_else(|| found.iter().position(|one| !has_issued(one))) else {
        return Vec::new();
    };
    let mut path = vec![start];
    while let Some(last) = path.last().map(|last| &found[*last].certificate) {
        let candidates = (0..found.len())
            .filter(|next| !path.contains(next) && found[*next].certificate.may_have_issued(last));
        // Of two with the same name, the one whose key has signed.
        let best =
            candidates.max_by_key(|next| last.signed.is_by(&found[*next].certificate.key) == Some(true));
        match best {
            Some(next) => path.push(next),
            None => break,
        }
    }
    path
}
