//! Device Provisioning Services: what Resource Manager knows of them, and their enrollment groups.

pub mod groups;
mod keys;
pub mod raw_group;
mod reference;
pub mod services;
pub(crate) mod versions;
pub mod write_guard;

pub use self::groups::{CreateError, EnrollmentGroups, Group, IndividualEnrollments, RegistrationCount};
pub use self::raw_group::RawGroup;
pub use self::services::ProvisioningServices;
pub use self::write_guard::{AssignError, Assigned};
