//! Reads settings files with types; every error names the file, the key and the allowed values.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::newtonsoft;
use crate::time_span::parse_time_span;

/// A setting that the host does not accept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {key}: {problem}")]
pub struct SettingError {
    /// The file, relative to the app's root.
    pub file: String,
    /// The key, as a path: `customHandler.description.defaultExecutablePath`.
    pub key: String,
    /// What is wrong, and the allowed values.
    pub problem: String,
}

/// Parses a settings file as leniently as the host does.
pub fn parse(file: &str, text: &str) -> Result<Value, SettingError> {
    newtonsoft::parse_settings(text).map_err(|error| SettingError {
        file: file.to_owned(),
        key: format!("line {}", error.line),
        problem: format!("is not JSON: {error}"),
    })
}

/// An object in a settings file.
#[derive(Debug, Clone, Copy)]
pub struct Section<'a> {
    file: &'a str,
    members: Option<&'a Map<String, Value>>,
}

/// A section together with the path that leads to it.
#[derive(Debug, Clone)]
pub struct Located<'a> {
    section: Section<'a>,
    path: String,
}

impl<'a> Located<'a> {
    /// The whole file.
    pub fn root(file: &'a str, value: &'a Value) -> Result<Self, SettingError> {
        Self::of(file, String::new(), Some(value))
    }

    pub(super) fn of(file: &'a str, path: String, value: Option<&'a Value>) -> Result<Self, SettingError> {
        let members = match value {
            None | Some(Value::Null) => None,
            Some(Value::Object(members)) => Some(members),
            Some(other) => {
                let key = if path.is_empty() { "(top level)".to_owned() } else { path };
                let problem = format!("must be an object, not {}", noun(other));
                return Err(SettingError { file: file.to_owned(), key, problem });
            }
        };
        Ok(Self { section: Section { file, members }, path })
    }

    /// Whether the file holds this section at all.
    pub fn exists(&self) -> bool {
        self.section.members.is_some()
    }

    /// The members as they are.
    pub fn members(&self) -> impl Iterator<Item = (&'a String, &'a Value)> + use<'a> {
        self.section.members.into_iter().flatten()
    }

    /// An error at `key` of this section.
    pub fn error(&self, key: &str, problem: impl Into<String>) -> SettingError {
        SettingError { file: self.section.file.to_owned(), key: self.path_to(key), problem: problem.into() }
    }

    fn path_to(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// The value of `key`, in any case of its letters; null counts as absent.
    pub fn value(&self, key: &str) -> Option<&'a Value> {
        let found = self.section.members?.iter().find(|(name, _)| name.eq_ignore_ascii_case(key));
        found.map(|(_, value)| value).filter(|value| !value.is_null())
    }

    /// An object in this one; an empty one when it is absent.
    pub fn section(&self, key: &str) -> Result<Located<'a>, SettingError> {
        Self::of(self.section.file, self.path_to(key), self.value(key))
    }

    /// The objects of an array.
    pub fn sections(&self, key: &str) -> Result<Vec<Located<'a>>, SettingError> {
        let Some(value) = self.value(key) else { return Ok(Vec::new()) };
        let Value::Array(values) = value else {
            return Err(self.error(key, format!("must be an array, not {}", noun(value))));
        };
        let path = self.path_to(key);
        let located = |(index, value)| Self::of(self.section.file, format!("{path}[{index}]"), Some(value));
        values.iter().enumerate().map(located).collect()
    }

    /// A string. Numbers and booleans give their text, as configuration does on the real host.
    pub fn string(&self, key: &str) -> Result<Option<String>, SettingError> {
        match self.value(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(value @ (Value::Number(_) | Value::Bool(_))) => Ok(Some(value.to_string())),
            Some(other) => Err(self.error(key, format!("must be a string, not {}", noun(other)))),
        }
    }

    /// A string that must be there and not be empty.
    pub fn required(&self, key: &str, allowed: &str) -> Result<String, SettingError> {
        match self.string(key)? {
            Some(text) if !text.trim().is_empty() => Ok(text),
            _ => Err(self.error(key, format!("is missing; allowed: {allowed}"))),
        }
    }

    /// One of several words, in any case of their letters.
    pub fn one_of<T: Copy>(&self, key: &str, words: &[(&str, T)]) -> Result<Option<T>, SettingError> {
        let Some(text) = self.string(key)? else { return Ok(None) };
        let found = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(&text));
        found.map(|(_, value)| Some(*value)).ok_or_else(|| {
            let allowed = words.iter().map(|(word, _)| format!("{word:?}")).collect::<Vec<_>>().join(", ");
            self.error(key, format!("{text:?} is not allowed here; allowed: {allowed}"))
        })
    }

    /// `true` or `false`, also as text.
    pub fn boolean(&self, key: &str) -> Result<Option<bool>, SettingError> {
        self.one_of(key, &[("true", true), ("false", false)])
    }

    /// A whole number between `least` and `most`.
    pub fn integer(&self, key: &str, least: i64, most: i64) -> Result<Option<i64>, SettingError> {
        let Some(text) = self.string(key)? else { return Ok(None) };
        let value = text.parse().ok().filter(|value| (least..=most).contains(value));
        let problem = || self.error(key, format!("{text:?} is not allowed here; allowed: {least} to {most}"));
        value.map(Some).ok_or_else(problem)
    }

    /// A time span.
    pub fn time_span(&self, key: &str) -> Result<Option<Duration>, SettingError> {
        let Some(text) = self.string(key)? else { return Ok(None) };
        let problem = || self.error(key, format!("{text:?} is no time span; allowed: \"hh:mm:ss\""));
        parse_time_span(&text).map(Some).ok_or_else(problem)
    }

    /// The strings of an array.
    pub fn strings(&self, key: &str) -> Result<Option<Vec<String>>, SettingError> {
        let problem = || self.error(key, "must be an array of strings");
        match self.value(key) {
            None => Ok(None),
            Some(Value::Array(values)) => {
                let strings =
                    values.iter().map(|value| value.as_str().map(str::to_owned).ok_or_else(problem));
                strings.collect::<Result<_, _>>().map(Some)
            }
            Some(_) => Err(problem()),
        }
    }
}

fn noun(value: &Value) -> &'static str {
    newtonsoft::Token::from_json(value).noun()
}
