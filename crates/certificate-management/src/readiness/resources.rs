//! Regions and tiers of what is linked (`ca-lifecycle-facts.md` §4.2, §6).

use super::seen::{Kind, Linked, LinkedSide, Seen};
use super::{Aspect, Judged, Outcome, all_or};
use crate::generation::Generation;

/// The same region in Azure's spellings: `westeurope`, `West Europe`.
fn plain(region: &str) -> String {
    region.split_whitespace().collect::<String>().to_ascii_lowercase()
}

pub(super) fn regions(seen: &Seen) -> Vec<Judged> {
    const ASPECT: Aspect = Aspect::LinkRegion;
    let own = match &seen.sides.side {
        Ok(side) if !side.location.is_empty() => plain(&side.location),
        Ok(_) if seen.sides.linked.is_empty() => return Vec::new(),
        Ok(_) => {
            let message = "could not be checked: the namespace shows no region".to_owned();
            let next_step = "Look at the namespace in Azure.".to_owned();
            return vec![Judged::new(ASPECT, "", Outcome::Unchecked, message, next_step)];
        }
        Err(error) => return vec![Judged::unread(ASPECT, "", "the namespace", &seen.namespace.id, error)],
    };
    let mut problems = Vec::new();
    for linked in &seen.sides.linked {
        let name = linked.id.name();
        let side = match read(linked, ASPECT, &mut problems) {
            Some(side) => side,
            None => continue,
        };
        if side.location.is_empty() {
            let message = "could not be checked: it shows no region".to_owned();
            let next_step = "Look at the resource in Azure.".to_owned();
            problems.push(Judged::new(ASPECT, name, Outcome::Unchecked, message, next_step));
        } else if plain(&side.location) != own {
            // For a hub of the older generation no source says so.
            let is_inferred = linked.kind == Kind::Hub
                && !seen.namespace.generation.has(Generation::CertificateAuthorities);
            let (outcome, mark) = match is_inferred {
                true => (Outcome::Doubtful, " (inferred for a hub of this generation)"),
                false => (Outcome::Wrong, ""),
            };
            let message = format!(
                "it is in {}, the namespace in {own}: they must be in one region{mark}",
                plain(&side.location)
            );
            let next_step = format!("Link a resource that is in {own}; none can be moved.");
            problems.push(Judged::new(ASPECT, name, outcome, message, next_step));
        }
    }
    all_or(problems, ASPECT, seen.sides.linked.len(), || format!("all in {own}"))
}

pub(super) fn tiers(seen: &Seen) -> Vec<Judged> {
    const ASPECT: Aspect = Aspect::LinkTier;
    let mut problems = Vec::new();
    let mut tiers = Vec::new();
    let hubs = seen.sides.linked.iter().filter(|linked| linked.kind == Kind::Hub);
    for linked in hubs {
        let name = linked.id.name();
        let side = match read(linked, ASPECT, &mut problems) {
            Some(side) => side,
            None => continue,
        };
        let Some(sku) = &side.sku else {
            let message = "could not be checked: it shows no SKU".to_owned();
            let next_step = "Look at the hub in Azure.".to_owned();
            problems.push(Judged::new(ASPECT, name, Outcome::Unchecked, message, next_step));
            continue;
        };
        let upper = sku.to_ascii_uppercase();
        let is_older = !seen.namespace.generation.has(Generation::CertificateAuthorities);
        if !(upper.starts_with('S') || (is_older && matches!(upper.as_str(), "GEN2" | "F1"))) {
            let message = format!("its SKU is {sku}; sources agree on the standard tier alone (S1, S2, S3)");
            let next_step =
                "Use a hub of a standard tier; sources contradict each other on the others.".to_owned();
            problems.push(Judged::new(ASPECT, name, Outcome::Doubtful, message, next_step));
        } else if side.is_public == Some(false) {
            let message = "its public network access is off; the documentation asks for it".to_owned();
            let next_step = "Turn public network access on before linking.".to_owned();
            problems.push(Judged::new(ASPECT, name, Outcome::Doubtful, message, next_step));
        } else if !tiers.contains(&upper) {
            tiers.push(upper);
        }
    }
    let looked_at = tiers.len();
    all_or(problems, ASPECT, looked_at, || format!("SKUs of the hubs: {}", tiers.join(", ")))
}

/// The side of a resource; tells where it could not be read.
fn read<'s>(linked: &'s Linked, aspect: Aspect, problems: &mut Vec<Judged>) -> Option<&'s LinkedSide> {
    match &linked.side {
        Ok(side) => Some(side),
        Err(error) => {
            problems.push(Judged::unread(aspect, linked.id.name(), linked.id.name(), &linked.id, error));
            None
        }
    }
}
