//! Where the configuration is.

use std::fmt;
use std::path::PathBuf;

use state::BlobAddress;

/// Where the configuration is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigurationSource {
    /// A file, which is read when the process starts.
    File(PathBuf),
    /// A blob, which is read again while the process runs.
    Blob(BlobAddress),
}

impl ConfigurationSource {
    /// Reads a path, or the address of a blob.
    ///
    /// # Errors
    /// What is wrong with the address.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.contains("://") {
            true => BlobAddress::parse(text).map(Self::Blob).map_err(|error| error.to_string()),
            false => Ok(Self::File(PathBuf::from(text))),
        }
    }
}

impl fmt::Display for ConfigurationSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Blob(address) => address.fmt(f),
        }
    }
}
