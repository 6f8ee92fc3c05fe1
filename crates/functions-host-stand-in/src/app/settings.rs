//! App settings: the environment of the handler, and the values of `%NAME%`.

use std::collections::BTreeMap;

/// App settings, over this process's environment.
#[derive(Clone, Default)]
pub struct AppSettings {
    settings: BTreeMap<String, String>,
    with_environment: bool,
}

impl AppSettings {
    /// `settings`, and this process's environment for names they lack if `with_environment`.
    #[must_use]
    pub fn new(settings: BTreeMap<String, String>, with_environment: bool) -> Self {
        Self { settings, with_environment }
    }

    /// The settings themselves, without the environment.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &String)> {
        self.settings.iter()
    }

    /// The value of a setting; names are compared without regard to case, as configuration does.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<String> {
        let own = self.settings.get(name).or_else(|| {
            self.settings.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
        });
        own.cloned().or_else(|| if self.with_environment { std::env::var(name).ok() } else { None })
    }

    /// Replaces every `%NAME%` in `text`.
    ///
    /// # Errors
    /// The name of the first setting that does not exist.
    pub fn resolve(&self, text: &str) -> Result<String, String> {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('%') {
            let Some((name, after)) = after.split_once('%') else { break };
            out.push_str(before);
            out.push_str(&self.get(name).filter(|_| !name.is_empty()).ok_or_else(|| name.to_owned())?);
            rest = after;
        }
        out.push_str(rest);
        Ok(out)
    }

    /// Replaces `%NAME%` where the name is known and leaves it where not, as for the handler's command line.
    #[must_use]
    pub fn expand(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('%') {
            out.push_str(before);
            match after.split_once('%').and_then(|(name, after)| Some((self.get(name)?, after))) {
                Some((value, after)) => {
                    out.push_str(&value);
                    rest = after;
                }
                None => {
                    out.push('%');
                    rest = after;
                }
            }
        }
        out.push_str(rest);
        out
    }
}

impl std::fmt::Debug for AppSettings {
    /// Names only: values are secrets often enough.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_set().entries(self.settings.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> AppSettings {
        let settings = [("QUEUE", "jobs"), ("SCHEDULE", "0 */5 * * * *")];
        let settings =
            settings.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        AppSettings::new(settings, false)
    }

    #[test]
    fn names_in_percent_signs_are_replaced() {
        assert_eq!(settings().resolve("%SCHEDULE%").as_deref(), Ok("0 */5 * * * *"));
        assert_eq!(settings().resolve("a-%queue%-%QUEUE%").as_deref(), Ok("a-jobs-jobs"));
        assert_eq!(settings().resolve("100%").as_deref(), Ok("100%"));
        assert_eq!(settings().resolve("%NONE%"), Err("NONE".to_owned()));
    }

    #[test]
    fn a_command_line_keeps_what_is_not_set() {
        assert_eq!(settings().expand("%NONE%/%QUEUE%"), "%NONE%/jobs");
    }

    #[test]
    fn values_are_not_shown() {
        assert!(!format!("{:?}", settings()).contains("jobs"));
    }
}
