//! Reads from the text of a parameter file what it asks for, to compare the snapshot beside it with that.

use std::fs;
use std::path::Path;

/// The parameters that decide which rights there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameters {
    /// `generations`.
    pub generations: Vec<String>,
    /// `symmetricKeyAccess`.
    pub symmetric_key_access: bool,
    /// `manageAuthorities`.
    pub manage_authorities: bool,
    /// `plan`.
    pub is_premium: bool,
    /// `privateNetworking`.
    pub is_private: bool,
}

impl Parameters {
    /// Reads a parameter file of the app below `infra`.
    pub fn read(infra: &Path, file: &str) -> Result<Self, String> {
        Self::parse(&text(infra, file)?).map_err(|why| format!("{file}: {why}"))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let value = |name: &str| {
            text.lines().find_map(|line| line.strip_prefix(&format!("param {name} = ")).map(str::trim))
        };
        let generations: Vec<String> = value("generations")
            .unwrap_or_default()
            .split('\'')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect();
        if generations.is_empty() {
            return Err("there is no `param generations = [...]` on one line".to_owned());
        }
        Ok(Self {
            generations,
            symmetric_key_access: value("symmetricKeyAccess") == Some("true"),
            manage_authorities: value("manageAuthorities") == Some("true"),
            is_premium: value("plan") == Some("'premium'"),
            is_private: value("privateNetworking") == Some("true"),
        })
    }
}

/// The text of a parameter file.
pub fn text(infra: &Path, file: &str) -> Result<String, String> {
    fs::read_to_string(infra.join(file)).map_err(|error| format!("{file}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parameters_are_read_and_generations_have_to_be_there() {
        let text = "param generations = ['credentials', 'certificate-authorities']\nparam symmetricKeyAccess = true\n";
        let read = Parameters::parse(text).unwrap();
        assert_eq!(read.generations, ["credentials", "certificate-authorities"]);
        assert!(
            read.symmetric_key_access && !read.manage_authorities && !read.is_premium && !read.is_private
        );
        assert!(Parameters::parse("param plan = 'premium'\n").is_err());
    }
}
