//! Runs a target without an engine, on a corpus and on mutations of it, and tells the first input that breaks its property.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use fastrand::Rng;

use crate::mutation;

/// An input that broke a property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The file that it comes from.
    pub file: String,
    /// Which mutation of it, from 1; 0: the file itself.
    pub mutation: usize,
    /// The input.
    pub input: Vec<u8>,
    /// What was wrong.
    pub why: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, mutation, input, why } = self;
        write!(f, "{file}, mutation {mutation}: {why}\ninput: b\"{}\"", input.escape_ascii())
    }
}

/// The inputs of a target, with their file names, in the order of these.
///
/// # Errors
/// When the folder cannot be read.
pub fn corpus(target: &str) -> std::io::Result<Vec<(String, Vec<u8>)>> {
    let folder = corpora().join(target);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        files.push((entry.file_name().to_string_lossy().into_owned(), std::fs::read(entry.path())?));
    }
    files.sort();
    Ok(files)
}

/// Where the corpora are.
#[must_use]
pub fn corpora() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpora")
}

/// Runs a target on each file and on so many mutations of each, drawn of a seed. Answers how many inputs there were.
///
/// # Errors
/// The first input that breaks the property.
pub fn run(
    target: fn(&[u8]),
    files: &[(String, Vec<u8>)],
    mutations: usize,
    seed: u64,
) -> Result<usize, Box<Broken>> {
    let mut random = Rng::with_seed(seed);
    let mut inputs = 0;
    for (file, input) in files {
        for mutation in 0..=mutations {
            let input = match mutation {
                0 => input.clone(),
                _ => {
                    let other = random.choice(files).map_or(&[][..], |(_, other)| other.as_slice());
                    mutation::of(&mut random, input, other)
                }
            };
            inputs += 1;
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| target(&input))) {
                let why = message(&*panic);
                return Err(Box::new(Broken { file: file.clone(), mutation, input, why }));
            }
        }
    }
    Ok(inputs)
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "it panicked".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_input_that_breaks_a_property_is_told() {
        let files = [("a".to_owned(), b"xx".to_vec()), ("b".to_owned(), b"xyx".to_vec())];
        assert_eq!(run(|_| {}, &files, 3, 1), Ok(8));
        let broken = run(|input| assert!(!input.contains(&b'y'), "a y"), &files, 0, 1).unwrap_err();
        assert_eq!((broken.file.as_str(), broken.mutation, broken.why.as_str()), ("b", 0, "a y"));
        assert!(broken.to_string().contains("b\"xyx\""), "{broken}");
        let found = run(|input| assert!(input.len() < 3, "long"), &files[..1], 100, 1).unwrap_err();
        assert!(found.mutation > 0 && found.input.len() >= 3);
    }
}
