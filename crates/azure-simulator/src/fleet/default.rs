//! The values of keys that a fleet file leaves out.

pub(super) fn synchronize_seconds() -> u32 {
    3
}

pub(super) fn operation_seconds() -> u32 {
    1
}

pub(super) fn retry_after_seconds() -> u32 {
    2
}

pub(super) fn diagnostics_delay_seconds() -> u32 {
    1
}

pub(super) fn issuing_ca_validity_days() -> u32 {
    365
}

pub(super) fn push_seconds() -> u32 {
    3
}

pub(super) fn is_zero(number: &u32) -> bool {
    *number == 0
}

pub(super) fn page_size() -> u32 {
    20
}

pub(super) fn yes() -> bool {
    true
}

pub(super) fn succeeded() -> String {
    "Succeeded".to_owned()
}

pub(super) fn is_succeeded(state: &String) -> bool {
    state == "Succeeded"
}
