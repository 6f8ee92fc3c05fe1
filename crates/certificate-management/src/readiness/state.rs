//! Links and linked resources that have failed, hang or are orphaned (`ca-lifecycle-facts.md` §4.4, §4.5).

use time::Duration;

use super::seen::{Linked, LinkedSide, Seen};
use super::{Aspect, Judged, Outcome, roles};
use crate::generation::{Generation, Link, LinkError, LinkState};
use crate::model::ProvisioningState;
use crate::next_step::{self, Caller, Commands, Lacking, Situation};

const ASPECT: Aspect = Aspect::LinkState;
/// How long after the last write a state that is under way counts as one that hangs. Microsoft's command line gives an
/// operation ten minutes (`ca-lifecycle-facts.md` §1.4).
const STUCK_AFTER: Duration = Duration::minutes(30);

/// What the namespace says of one of its links, where that is not that it stands: the outcome, what was seen, what to do.
#[must_use]
pub fn of_link(link: &Link) -> Option<(Outcome, String, String)> {
    let error = || link.error.as_ref().map(|error| format!(": {error}")).unwrap_or_default();
    let next_step = || {
        let said = link.error.as_ref().map(|error| {
            let mut step = error.next_step().to_owned();
            if let Some(first) = step.get_mut(..1) {
                first.make_ascii_uppercase();
            }
            format!("{step}.")
        });
        said.unwrap_or_else(|| {
            "Read the endpoint's linkingError on the namespace, correct it, and link again.".to_owned()
        })
    };
    match &link.state {
        None | Some(LinkState::Succeeded) => None,
        Some(LinkState::InProgress) => Some((
            Outcome::Doubtful,
            "the link is being made".to_owned(),
            "Look again in some minutes: whether it moves does not show in one look.".to_owned(),
        )),
        Some(LinkState::Failed) => {
            Some((Outcome::Wrong, format!("the link has failed{}", error()), next_step()))
        }
        Some(LinkState::Other(state)) => {
            Some((Outcome::Doubtful, format!("the link is `{state}`{}", error()), next_step()))
        }
    }
}

pub(super) fn judge(seen: &Seen) -> Vec<Judged> {
    let mut problems = of_namespace(seen);
    for linked in &seen.sides.linked {
        let name = linked.id.name();
        let link = seen.namespace.link(&linked.id);
        if let Some((outcome, message, next_step)) = link.and_then(of_link) {
            let is_stuck = outcome == Outcome::Doubtful && is_old(seen);
            let outcome = if is_stuck { Outcome::Wrong } else { outcome };
            let message = if is_stuck { format!("{message}{}", since(seen)) } else { message };
            let judged = Judged::new(ASPECT, name, outcome, message, next_step);
            problems.push(match link.and_then(|link| link.error.as_ref()) {
                Some(error) if error.is_about_roles() => of_roles(seen, linked, judged),
                _ => judged,
            });
        }
        match &linked.side {
            Ok(side) => of_resource(seen, linked, side, link.is_some(), &mut problems),
            Err(error) => problems.push(Judged::unread(ASPECT, name, name, &linked.id, error)),
        }
    }
    super::all_or(problems, ASPECT, seen.sides.linked.len(), || {
        format!("links that stand: {}", seen.sides.linked.len())
    })
}

/// A link that has failed for lack of roles: those that were seen to be missing cure it, and where all are there, linking again does.
fn of_roles(seen: &Seen, linked: &Linked, judged: Judged) -> Judged {
    let needs = roles::lacking(seen, &linked.id);
    let next_step = match needs.len() {
        0 if roles::are_all_granted(seen, &linked.id) => {
            "Every role that it needs is granted by now: link it again from the namespace.".to_owned()
        }
        0 => return judged,
        count => next_step::to_grant(
            Lacking::Link,
            Commands::Below(count),
            // It is not the caller who lacks them.
            &Situation::of_fleet(false, Caller::Person),
        ),
    };
    Judged { next_step: Some(next_step), needs, ..judged }
}

fn of_namespace(seen: &Seen) -> Vec<Judged> {
    let state = &seen.namespace.provisioning_state;
    let links_stand = seen.namespace.links.iter().all(|link| of_link(link).is_none());
    let (outcome, message, next_step) = match state {
        ProvisioningState::Succeeded => return Vec::new(),
        ProvisioningState::Failed if links_stand => (
            Outcome::Wrong,
            "the namespace is Failed though its links stand: devices are refused (403000) until it is written again".to_owned(),
            format!(
                "Write its tags alone, with those that it has: az rest --method patch --url '{}?api-version=2026-11-01' --body '{{\"tags\": {{}}}}'",
                seen.namespace.id
            ),
        ),
        ProvisioningState::Accepted | ProvisioningState::Deleting if !is_old(seen) => (
            Outcome::Doubtful,
            format!("the namespace is {state}"),
            "Look again in some minutes.".to_owned(),
        ),
        ProvisioningState::Other(text) if text.is_empty() => (
            Outcome::Unchecked,
            "could not be checked: the namespace shows no state".to_owned(),
            "Look at the namespace in Azure.".to_owned(),
        ),
        _ => (
            Outcome::Wrong,
            format!("the namespace is {state}{}", since(seen)),
            "Read its activity log, and repeat the write that failed or hangs.".to_owned(),
        ),
    };
    vec![Judged::new(ASPECT, "", outcome, message, next_step)]
}

/// What the hub or DPS says itself.
fn of_resource(seen: &Seen, linked: &Linked, side: &LinkedSide, is_named: bool, problems: &mut Vec<Judged>) {
    let name = linked.id.name();
    let mut tell = |outcome, message: String, next_step: &str| {
        problems.push(Judged::new(ASPECT, name, outcome, message, next_step.to_owned()));
    };
    let is =
        |text: &Option<String>, word: &str| text.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(word));
    match side.provisioning_state.as_deref() {
        Some(state) if state.eq_ignore_ascii_case("Succeeded") => {}
        Some(state) => tell(
            if is(&side.provisioning_state, "Failed") { Outcome::Wrong } else { Outcome::Doubtful },
            format!("its provisioning state is {state}: it cannot be linked before it is Succeeded"),
            "Look again in some minutes; where it has failed, repeat the write that failed.",
        ),
        None => tell(
            Outcome::Unchecked,
            "could not be checked: it shows no provisioning state".to_owned(),
            "Look at the resource in Azure.",
        ),
    }
    if side.state.is_some() && !is(&side.state, "Active") {
        let state = side.state.as_deref().unwrap_or_default();
        let next_step = "Look again in some minutes; a resource that stays so needs Azure's support.";
        tell(Outcome::Doubtful, format!("its state is {state}, not Active"), next_step);
    }
    let uuid = seen.sides.side.as_ref().ok().and_then(|side| side.uuid.as_ref());
    let is_of_another = matches!((uuid, &side.namespace_uuid), (Some(own), Some(theirs)) if !own.eq_ignore_ascii_case(theirs));
    let is_orphaned = is(&side.link_state, "Orphaned");
    let names_another = side.namespace_id.as_ref().is_some_and(|id| *id != seen.namespace.id);
    if names_another {
        let other = side.namespace_id.as_ref().map(|id| id.name()).unwrap_or_default();
        let next_step = "Link it to one namespace only.";
        tell(Outcome::Wrong, format!("it says that it is linked to another namespace, {other}"), next_step);
    } else if is_of_another || is_orphaned {
        tell(
            Outcome::Wrong,
            "its link is orphaned: it is linked to a namespace that is no more, or that was made again under the same name".to_owned(),
            "Link it again from the namespace; where that is refused, it has to be made anew: a link is permanent.",
        );
    } else if is(&side.link_state, "Failed") {
        let error = side.link_error.as_ref().map(|error| format!(": {error}")).unwrap_or_default();
        let judged = Judged::new(
            ASPECT,
            name,
            Outcome::Wrong,
            format!("it says that the link has failed{error}"),
            "See the roles of `link-roles`, wait some minutes after granting, and link it again.".to_owned(),
        );
        let is_about_roles = side.link_error.as_ref().is_some_and(LinkError::is_about_roles);
        problems.push(if is_about_roles { of_roles(seen, linked, judged) } else { judged });
    } else if is(&side.link_state, "InProgress") || is(&side.link_state, "NotLinked") {
        let state = side.link_state.as_deref().unwrap_or_default();
        let outcome = if is_old(seen) { Outcome::Wrong } else { Outcome::Doubtful };
        tell(
            outcome,
            format!("it says that the link is {state}{}", since_if(seen)),
            "Look again in some minutes, then link it again.",
        );
    } else if is_named
        && side.namespace_id.is_none()
        && !seen.namespace.generation.has(Generation::Credentials)
    {
        tell(
            Outcome::Doubtful,
            "the namespace names it, and it does not name the namespace".to_owned(),
            "Look again in some minutes, then link it again.",
        );
    }
}

/// Whether the namespace was last written so long ago that what is under way hangs.
fn is_old(seen: &Seen) -> bool {
    let modified = seen.sides.side.as_ref().ok().and_then(|side| side.modified_at);
    modified.is_some_and(|at| seen.now - at > STUCK_AFTER)
}

fn since(seen: &Seen) -> String {
    let modified = seen.sides.side.as_ref().ok().and_then(|side| side.modified_at);
    modified.map(|at| format!(", and was last written {}", at.date())).unwrap_or_default()
}

fn since_if(seen: &Seen) -> String {
    if is_old(seen) { since(seen) } else { String::new() }
}
