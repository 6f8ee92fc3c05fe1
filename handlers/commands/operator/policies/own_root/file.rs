//! Files of certificates and requests that a person hands in, and the one that is written for them.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use certificate_chain::{MOST_BYTES, RequestError, SigningRequest};

use crate::commands::operator::command_failure::CommandFailure;

/// The bytes of a file, and one more than can be judged where it is larger.
///
/// # Errors
/// When it cannot be read.
pub fn read(path: &Path) -> Result<Vec<u8>, CommandFailure> {
    let mut bytes = Vec::new();
    let most = u64::try_from(MOST_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    let read = File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes));
    match read {
        Ok(_) => Ok(bytes),
        Err(error) => Err(CommandFailure::Failed(format!("cannot read {}: {error}", path.display()))),
    }
}

/// The signing request in a file.
///
/// # Errors
/// When it cannot be read, or is something else.
pub fn request(path: &Path) -> Result<SigningRequest, CommandFailure> {
    SigningRequest::parse(&read(path)?).map_err(|error: RequestError| {
        CommandFailure::Failed(format!("{} is no signing request: {error}", path.display()))
    })
}

/// Writes a signing request; over an older one, and over nothing else.
///
/// # Errors
/// When something else is there, or it cannot be written.
pub fn write_request(path: &Path, pem: &str) -> Result<(), CommandFailure> {
    if path.exists() && request(path).is_err() {
        return Err(CommandFailure::Failed(format!(
            "{} exists and is no signing request; it stays as it is. Name another file.",
            path.display()
        )));
    }
    std::fs::write(path, pem)
        .map_err(|error| CommandFailure::Failed(format!("cannot write {}: {error}", path.display())))
}
