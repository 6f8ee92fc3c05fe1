//! Which line of `policysync.toml` a namespace, a rule or a key is on, so that a problem can be found.
//!
//! The lines are read from the spans of the parser, apart from the configuration itself, which stays plain data.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Where things are in the text of a configuration. Lines count from 1.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lines {
    namespaces: Vec<NamespaceLines>,
    suppressions: Vec<Place>,
    checks: Vec<(String, Place)>,
}

/// Where the parts of a namespace are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct NamespaceLines {
    place: Place,
    rules: Vec<RuleLines>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct RuleLines {
    place: Place,
    tests: Vec<Place>,
}

/// Where a table begins, and where each of its keys is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Place {
    line: usize,
    keys: Vec<(String, usize)>,
}

impl Lines {
    /// The lines of a text; none of a text that is not TOML.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let Ok(document) = DeTable::parse(text) else { return Self::default() };
        let namespaces = tables(document.get_ref(), "namespace").map(|namespace| NamespaceLines {
            rules: inner(namespace, "rule")
                .map(|rule| RuleLines {
                    tests: inner(rule, "test").map(|test| Place::of(text, test)).collect(),
                    place: Place::of(text, rule),
                })
                .collect(),
            place: Place::of(text, namespace),
        });
        let suppressions = tables(document.get_ref(), "suppress").map(|table| Place::of(text, table));
        Self {
            namespaces: namespaces.collect(),
            suppressions: suppressions.collect(),
            checks: checks(text, document.get_ref()),
        }
    }

    /// Where the namespace of this index begins.
    #[must_use]
    pub fn namespace(&self, namespace: usize) -> Option<usize> {
        Some(self.namespaces.get(namespace)?.place.line)
    }

    /// Where a key of a namespace is; where the namespace begins when it has no such key.
    #[must_use]
    pub fn namespace_key(&self, namespace: usize, key: &str) -> Option<usize> {
        Some(self.namespaces.get(namespace)?.place.key(key))
    }

    /// Where a rule begins.
    #[must_use]
    pub fn rule(&self, namespace: usize, rule: usize) -> Option<usize> {
        Some(self.rules(namespace, rule)?.place.line)
    }

    /// Where a key of a rule is; where the rule begins when it has no such key.
    #[must_use]
    pub fn rule_key(&self, namespace: usize, rule: usize, key: &str) -> Option<usize> {
        Some(self.rules(namespace, rule)?.place.key(key))
    }

    /// Where a key of a test of a rule is; where the test begins when it has no such key.
    #[must_use]
    pub fn test_key(&self, namespace: usize, rule: usize, test: usize, key: &str) -> Option<usize> {
        Some(self.rules(namespace, rule)?.tests.get(test)?.key(key))
    }

    /// Where a key of a suppression is; where the suppression begins when it has no such key.
    #[must_use]
    pub fn suppression_key(&self, suppression: usize, key: &str) -> Option<usize> {
        Some(self.suppressions.get(suppression)?.key(key))
    }

    /// Where a threshold of a check is; where the check's table begins when it has no such key.
    #[must_use]
    pub fn check_key(&self, check: &str, key: &str) -> Option<usize> {
        Some(self.checks.iter().find(|(name, _)| name == check)?.1.key(key))
    }

    fn rules(&self, namespace: usize, rule: usize) -> Option<&RuleLines> {
        self.namespaces.get(namespace)?.rules.get(rule)
    }
}

impl Place {
    fn of(text: &str, table: &Spanned<DeValue<'_>>) -> Self {
        let members = table.get_ref().as_table().into_iter().flatten();
        let keys = members.map(|(key, _)| (key.get_ref().to_string(), line(text, key.span().start)));
        Self { line: line(text, table.span().start), keys: keys.collect() }
    }

    fn key(&self, name: &str) -> usize {
        self.keys.iter().find(|(key, _)| key == name).map_or(self.line, |(_, line)| *line)
    }
}

/// The tables of `[checks]`, by the code of the check.
fn checks(text: &str, document: &DeTable<'_>) -> Vec<(String, Place)> {
    let found = document.iter().find(|(key, _)| key.get_ref() == "checks");
    let members = found.and_then(|(_, value)| value.get_ref().as_table()).into_iter().flatten();
    members.map(|(key, table)| (key.get_ref().to_string(), Place::of(text, table))).collect()
}

/// The tables of an array of tables.
fn tables<'a, 'i>(
    table: &'a DeTable<'i>,
    name: &str,
) -> impl Iterator<Item = &'a Spanned<DeValue<'i>>> + use<'a, 'i> {
    let array =
        table.iter().find(|(key, _)| key.get_ref() == name).and_then(|(_, value)| value.get_ref().as_array());
    array.into_iter().flatten()
}

fn inner<'a, 'i>(
    value: &'a Spanned<DeValue<'i>>,
    name: &'a str,
) -> impl Iterator<Item = &'a Spanned<DeValue<'i>>> {
    value.get_ref().as_table().into_iter().flat_map(move |table| tables(table, name))
}

fn line(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|&byte| byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_a_table_has_its_line() {
        let text = "# comment\n\n[[namespace]]\nid = \"a\"\nrule = [ { name = \"r\",\n  policy = \"p\" } ]\n\n\
                    [[namespace]]\n# comment\ndefault_policy = \"é\"\r\n\r\n[[namespace.rule]]\nname = \"r\"\n\
                    policy = \"p\"\n  [[ namespace.rule.test ]]\nexpect = \"\"\"\n\n\"\"\"\n[[namespace.rule]]\n\
                    tags.site = \"x\"\n[namespace.rule.attestation]\n";
        let lines = Lines::of(text);
        assert_eq!((lines.namespace(0), lines.namespace(1), lines.namespace(2)), (Some(3), Some(8), None));
        assert_eq!((lines.rule(0, 0), lines.rule_key(0, 0, "policy")), (Some(5), Some(6)));
        assert_eq!(lines.namespace_key(1, "default_policy"), Some(10));
        assert_eq!((lines.rule(1, 0), lines.rule_key(1, 0, "policy")), (Some(12), Some(14)));
        assert_eq!(lines.rule_key(1, 0, "hubs"), Some(12));
        assert_eq!(lines.test_key(1, 0, 0, "expect"), Some(16));
        assert_eq!(lines.test_key(1, 0, 0, "enrollment_group"), Some(15));
        assert_eq!((lines.rule(1, 1), lines.rule_key(1, 1, "tags")), (Some(19), Some(20)));
        assert_eq!(lines.rule(1, 2), None);
    }

    #[test]
    fn a_text_that_is_not_such_a_file_has_no_lines() {
        for text in ["[[namespace", "namespace = 1", "[namespace]\nid = 1", ""] {
            assert_eq!(Lines::of(text).namespace(0), None, "{text}");
        }
    }
}
