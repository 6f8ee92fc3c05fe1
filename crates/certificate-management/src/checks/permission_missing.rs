//! Something that the identity may not read, with the feature and the action where the service tells them.

use super::CheckId;
use crate::facts::Facts;
use crate::finding::Finding;
use crate::model::ReadFailureKind;
use crate::next_step;
use crate::reason::Reason;

pub(super) fn check(facts: &Facts<'_>) -> Vec<Finding> {
    let unread = facts.unread().into_iter();
    let forbidden = unread.filter(|(_, failure)| failure.kind.is_denied());
    forbidden
        .map(|(subject, failure)| {
            let finding = Finding::new(
                CheckId::PermissionMissing,
                Reason::PermissionMissing,
                subject,
                failure.message.clone(),
            );
            match &failure.permission {
                Some(missing) => finding
                    .with("feature", &missing.feature)
                    .with("action", &missing.action)
                    .with_next_step(next_step::grant(missing, facts.caller)),
                None if failure.kind == ReadFailureKind::Unauthorized => {
                    finding.with_next_step(next_step::login(facts.caller))
                }
                None => finding,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::World;
    use super::*;
    use crate::model::{MissingPermission, ReadFailure};

    #[test]
    fn the_action_that_is_missing_is_in_the_next_step() {
        let mut world = World::healthy();
        assert_eq!(world.found(CheckId::PermissionMissing), []);
        let action = "Microsoft.Devices/IotHubs/certificates/read".to_owned();
        world.hub().certificates = Err(ReadFailure {
            kind: ReadFailureKind::Forbidden,
            message: "403".into(),
            permission: Some(MissingPermission { feature: "observe".into(), action: action.clone() }),
        });
        let found = world.found(CheckId::PermissionMissing).remove(0);
        assert!(found.next_step.contains(&action));
        assert_eq!(found.subject.hub.as_deref(), Some("h1"));
        assert_eq!(world.found(CheckId::Unreadable), []);
    }
}
