//! The domain of Policysync: what Azure IoT certificate management is made of, and what to do about it.
//!
//! Nothing in here does I/O, waits, or reads a clock: an observation goes in, a decision with its reasons comes
//! out. That is why a plan can be printed, tested and repeated.
//!
//! - [`model`]: what the app observes: namespaces, policies, hubs, hub certificates, enrollment groups.
//! - [`generation`]: the two generations of the service, and the links of a namespace of the second.
//! - [`reference`](mod@reference): the policy that a group names, as one text.
//! - [`configuration`]: what the operator wants: `policysync.toml`. [`in_force`]: which version of it counts.
//!   [`difference`]: what another version would do.
//! - [`authority`]: certificate authorities as resources.
//! - [`declared`]: the authorities and policies that the file owns, and what is left to do until they exist.
//! - [`blast_radius`]: what a step would break that a person takes elsewhere and cannot take back.
//! - [`rules`]: which policy a group gets, and why.
//! - [`trust`]: whether a hub trusts a policy's current issuing CA, from the evidence on the hub.
//! - [`trust_over_time`]: since when it does, as looks have seen it.
//! - [`plan`]: the writes that the app would do. [`milestones`]: how far a group is on its way to its policy.
//! - [`proposal`]: a first configuration for what exists.
//! - [`request`]: sync requests, their outcomes and the messages that carry them.
//! - [`parked`]: the envelope of a message that could not be handled.
//! - [`sync`](mod@sync): every decision about a sync, as one state machine.
//! - [`readiness`]: whether what a namespace needs for its links is there.
//! - [`attribution`]: who wrote something, why, and by which plan.
//! - [`hold`]: groups that are not written for now. [`writes`]: the runs that wrote last.
//! - [`reason`]: every reason code, with its severity and next step.
//! - [`next_step`]: what a person does next, made from what is so.
//! - [`checks`]: each check looks for one kind of trouble in what was observed, and makes a [`finding::Finding`] of it.
//! - [`causes`]: groups findings by what they come from.
//! - [`issuers`]: the issuing CAs that policies were seen to have over time, and what follows from a rotation.
//! - [`section`]: what a look has seen of one namespace, as it is stored.
//! - [`report`]: the status report that people and pipelines read.
//! - [`alerting`]: announces each finding once.
//! - [`waiting`]: messages that wait for a person, as the report tells of them.
//! - [`walk_run`]: how far a run through the fleet came.
//! - [`digest`]: short names for long texts. [`plural`]: numbers with their nouns. [`phrase`]: texts of others in our sentences.
#![warn(missing_docs)]

pub mod alerting;
pub mod arm_id;
pub mod attribution;
pub mod authority;
pub mod blast_radius;
pub mod causes;
pub mod checks;
pub mod configuration;
pub mod declared;
pub mod difference;
pub mod digest;
pub mod facts;
pub mod finding;
pub mod finding_subject;
#[cfg(test)]
mod generated_files;
pub mod generation;
mod glob;
pub mod hold;
pub mod in_force;
pub mod issuers;
pub mod milestones;
pub mod model;
pub mod next_step;
pub mod parked;
pub mod phrase;
pub mod plan;
pub mod plural;
pub mod proposal;
mod read_failure;
pub mod readiness;
pub mod reason;
pub mod reference;
pub mod report;
mod report_input;
pub mod request;
pub mod section;
pub mod sync;
pub mod trust;
pub mod trust_over_time;
pub mod waiting;
pub mod walk_run;
pub mod writes;

pub use arm_id::ArmId;
pub use configuration::rules;
