//! The permissions of callers: role-based access, as far as a simulation has it.
//!
//! All callers have one role, which allows everything; `PUT /simulator/permissions` takes actions out of it, as the
//! `notActions` of a role do. Every service refuses such an action, and `Microsoft.Authorization/permissions` says so:
//! both read the same list.

use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use wildmatch::WildMatch;

/// The actions that the one role leaves out. Names may hold `*`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct LeftOut {
    /// Actions on resources.
    pub not_actions: Vec<String>,
    /// Actions on their data.
    pub not_data_actions: Vec<String>,
}

/// The permissions of every caller.
#[derive(Debug, Default)]
pub struct Permissions(Mutex<LeftOut>);

impl Permissions {
    /// The actions that are left out.
    #[must_use]
    pub fn left_out(&self) -> LeftOut {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Leaves out these actions and no others.
    pub fn leave_out(&self, left_out: LeftOut) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = left_out;
    }

    /// Whether the role allows an action, in any case of its letters. `is_data`: whether it is an action on data.
    pub(crate) fn allow(&self, action: &str, is_data: bool) -> bool {
        let left_out = self.left_out();
        let names = if is_data { &left_out.not_data_actions } else { &left_out.not_actions };
        !names.iter().any(|name| covers(name, action))
    }
}

/// Whether a name of a role covers an action. `*` stands for any text.
fn covers(name: &str, action: &str) -> bool {
    WildMatch::new_case_insensitive(name).matches(action)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything_and_case_for_nothing() {
        assert!(covers("microsoft.devices/IOTHUBS/read", "Microsoft.Devices/IotHubs/read"));
        assert!(covers("*/read", "Microsoft.Devices/IotHubs/read") && covers("*", "a/b"));
        assert!(covers("Microsoft.Devices/*/read", "Microsoft.Devices/IotHubs/certificates/read"));
        assert!(!covers("Microsoft.Devices/*/read", "Microsoft.Devices/IotHubs/write"));
        assert!(!covers("Microsoft.Devices/IotHubs", "Microsoft.Devices/IotHubs/read"));
    }
}
