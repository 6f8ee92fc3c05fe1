//! Breaks the app at its edges, one way for each oracle, to show that the oracle can fail. What is broken is what leaves the app and what
//! it gets back, so that the code that ships has no switch for it.

/// A way in which the app is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sabotage {
    /// Each POST of a sync is sent twice.
    PostsTwice,
    /// It takes every namespace for one that may be written.
    IgnoresMode,
    /// It believes the first list of a hub's certificates, and of a namespace's policies, for ever.
    RemembersTrust,
    /// A write of a group leaves its tags out.
    DropsMembers,
    /// It panics now and then while it calls.
    Panics,
    /// Follow-ups and requests do not reach the queue, and the queue says that they did.
    LosesMessages,
    /// POSTs of syncs do not reach the service, and are taken for accepted.
    NeverSyncs,
    /// It gives a group that names another policy that of its rule.
    TakesBack,
    /// Each report asks for a sync once more.
    NeverRests,
}

impl Sabotage {
    /// Every way, with the oracle that finds it.
    pub const ALL: [(Self, &'static str); 9] = [
        (Self::PostsTwice, "one-post"),
        (Self::IgnoresMode, "mode"),
        (Self::RemembersTrust, "trust-first"),
        (Self::DropsMembers, "group-members"),
        (Self::Panics, "panics"),
        (Self::LosesMessages, "final-requests"),
        (Self::NeverSyncs, "converged"),
        (Self::TakesBack, "left-alone"),
        (Self::NeverRests, "silence"),
    ];
}
