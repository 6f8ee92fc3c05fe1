//! The text that a person sends in the place of a parked message: of a file, or edited. A text that would be parked again is not
//! sent.

use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use ambient::Ambient;
use azure::service_bus::MESSAGE_LIMIT;
use certificate_management::request::Message;

use super::error::ShelfError;

/// A text that the function understands.
#[derive(Debug)]
pub struct Replacement {
    /// The text.
    pub text: String,
    /// The file that the editor saved, which is deleted once the text is sent.
    pub kept_at: Option<PathBuf>,
}

impl Replacement {
    /// Deletes the file of the editor, when its text was sent.
    pub fn forget(self) {
        if let Some(path) = self.kept_at
            && let Err(error) = fs::remove_file(&path)
        {
            complain!("{} could not be deleted: {error}", path.display());
        }
    }
}

/// The text of a file, or of stdin where the path is `-`.
///
/// # Errors
/// When it cannot be read, or would be parked again.
pub fn of_file(path: &Path) -> Result<Replacement, ShelfError> {
    let read = match path.to_str() {
        Some("-") => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map(|_| text)
        }
        _ => fs::read_to_string(path),
    };
    let text =
        read.map_err(|error| ShelfError::NoReplacement(format!("cannot read {}: {error}", path.display())))?;
    checked(text, None)
}

/// What a person makes of a body in the editor of the environment. The file is the person's own and stays until the text is sent.
///
/// # Errors
/// When there is no editor, it fails, or what it saved would be parked again.
pub fn edited(body: &str, ambient: &Ambient) -> Result<Replacement, ShelfError> {
    let of = |name: &str| std::env::var(name).ok().filter(|editor| !editor.trim().is_empty());
    let Some(editor) = of("VISUAL").or_else(|| of("EDITOR")) else {
        let how = "no editor is known: set EDITOR, or send the text of a file with --file";
        return Err(ShelfError::NoReplacement(how.to_owned()));
    };
    let path = std::env::temp_dir().join(format!("policysync-{}.json", ambient.ulid()));
    let failed = |doing: &str, error: std::io::Error| {
        ShelfError::NoReplacement(format!("{doing} {} failed: {error}", path.display()))
    };
    // Others on this machine may not read what was sent to the queue.
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)
        .map_err(|error| failed("making", error))?;
    file.write_all(body.as_bytes()).map_err(|error| failed("writing", error))?;
    drop(file);
    // Through a shell, since the variable may hold options too: `code --wait`.
    let status = Command::new("sh").arg("-c").arg(format!("{editor} \"$1\"")).arg("sh").arg(&path).status();
    match status {
        Ok(status) if status.success() => {}
        Ok(status) => {
            let message = format!("the editor `{editor}` ended with {status}; nothing was sent");
            return Err(ShelfError::NoReplacement(format!("{message}{}", kept(&path))));
        }
        Err(error) => return Err(failed("editing", error)),
    }
    let text = fs::read_to_string(&path).map_err(|error| failed("reading", error))?;
    checked(text, Some(path))
}

fn kept(path: &Path) -> String {
    format!(".\nYour text is in {}: correct it, and send it with --file.", path.display())
}

/// The text, where the function of this version would understand it.
fn checked(text: String, kept_at: Option<PathBuf>) -> Result<Replacement, ShelfError> {
    let is_kept = kept_at.as_deref().map(kept).unwrap_or_default();
    if text.len() > MESSAGE_LIMIT {
        let why = format!("it has {} bytes, and a message {MESSAGE_LIMIT} at the most", text.len());
        return Err(ShelfError::WouldBeParked { why, kept_at: is_kept });
    }
    match Message::parse(&text) {
        Ok(_) => Ok(Replacement { text, kept_at }),
        Err(why) => Err(ShelfError::WouldBeParked { why: why.to_string(), kept_at: is_kept }),
    }
}
