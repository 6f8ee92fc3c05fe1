//! Writes `docs/configuration.md`: the keys from the types that read the file, with their comments, and the variables
//! from their table. So the guide says what the code does.

use std::fmt::Write as _;
use std::path::Path;

use certificate_management::configuration::Configuration;
use serde_json::{Map, Value};

use super::variables::{Reader, VARIABLES};

/// Most names whose meanings fit into a cell.
const MOST_EXPLAINED: usize = 6;
/// Set it to write the guide instead of comparing it.
const WRITE: &str = "WRITE_GENERATED_FILES";

const BEFORE: &str = "# Configuration

What `policysync.toml` may say, and which environment variables count. This page is written from the code: after a change to a
key or a variable, `WRITE_GENERATED_FILES=1 cargo test --lib guide` writes it again. `policysync check --offline` checks a file.

An unknown key is an error that names the line, and so is an unknown variable that begins with `POLICYSYNC_`.

```toml
[[namespace]]
id = \"/subscriptions/SUBSCRIPTION/resourceGroups/GROUP/providers/Microsoft.DeviceRegistry/namespaces/contoso\"
provisioning_services = [\"https://contoso-dps.azure-devices-provisioning.net\"]
mode = \"audit\"

[[namespace.rule]]
name = \"lines\"
enrollment_groups = [\"line-*\"]
policy = \"short-lived\"

[[namespace.rule.test]]
enrollment_group = \"line-7\"
expect = \"short-lived\"
```

# Globs

`enrollment_groups`, `hubs`, `tags` and the `subject` of a `[[suppress]]` take globs. A glob is matched with the whole text, in any
case. In it `*` stands for any run of characters, also for none, `?` for exactly one character, and everything else for itself.

There are no sets (`[0-9]`), no alternatives (`{a,b}`), no negation and no escape: a rule takes a list of globs, of which one that matches
is enough, and the first rule that matches decides. `line-*` matches `line-7` and `LINE-`, and not `a-line-7`. A glob of `hubs` is
matched with the name of a hub and with its host name. A glob that no id of a group, or no name of a hub, can match is an error that
names the line.

# The configuration in a blob

`POLICYSYNC_CONFIG` may be the address of a blob: `https://ACCOUNT.blob.core.windows.net/CONTAINER/NAME`, the same in the clouds of the US government and
of China, or on this machine `http://127.0.0.1:PORT/ACCOUNT/CONTAINER/NAME`. The app reads it with its identity (`Storage Blob Data Reader` on the
container); an address with a signature is refused. Then a change needs no new package. `configurationInBlob = true` of the [templates](deploy.md) sets it up.

**When a change counts.** Each invocation works with one version from its beginning to its end. The first one that begins a minute or more after the last look
asks the blob whether there is another version (by its `ETag`, so that nothing is sent while nothing has changed). So a change counts within a minute
for everything that begins then, two instances differ for that long, and a walk that is under way ends with the version that it began with: 14
minutes at the most. To stop every write at once, set `POLICYSYNC_MODE=audit`: that restarts the app. A `freeze` or `mode = \"audit\"` in the file is not as fast.

**A version that cannot be used** (no TOML, refused by the checks or by a test of a rule, without any namespace, over 4 MiB), a blob that is gone and one that may not be
read change nothing: the last good version stays in force, and the finding `configuration-behind` names the version, what is wrong and what to do. It clears with the
first report after a good version was read. Where the blob could be read before and is only out of reach, that is told after ten minutes.

**A process that starts meanwhile** knows from the records (`configuration/last-good`) which version was the last good one, and reads that in the blob, where the account keeps versions: then nothing differs. Where it does not, or the blob cannot be read,
it has only the text in the record. By that it looks and reports, and writes nothing, since who can write records must not decide what the app does: messages of the queue are put back, and the finding is critical. Where the records have none either, or this
release refuses it, nothing at all is done: the HTTP functions answer 503 with the reason (`not-configured`), also on the page; messages of the queue are put back for hours and then
[parked](../RUNBOOK.md), Event Grid sends its events again for a day, and what else was missed the next reconcile finds. The app looks again after ten seconds.

**What a change does not do.** A namespace that leaves the file is like one that left the file of a package: syncs that are under way there end as `refused` (`namespace-not-configured`),
its groups keep their policies, its section is removed with old records, and its findings end. A namespace that comes is looked at by the next runs.

A change in stages:

1. `policysync check` on the file, in the pull request that changes it.
2. `policysync config push policysync.toml` checks it again, and shows what it would do that the version in the blob does not: namespaces that come and go, modes that change, and by a look at Azure each
   enrollment group that would change its policy, be newly assigned, or not be touched any more. Nothing is uploaded.
3. For a large change, upload it with `mode = \"audit\"` first, look at the report, and then upload it with `mode = \"enforce\"`.
4. `policysync config push policysync.toml --apply --reason \"CHG-4711\"` uploads it over exactly the version that it was compared with. When another one came in between, nothing is uploaded.
   The reason, and who uploaded it, stand in the blob's metadata.
5. `policysync config show` tells which version the blob has and which one the app had in force last, and `policysync status` whether something is wrong with it.

To go back to an earlier version, where the account keeps versions (that of the templates does): find it, and push it like any other, so that it is checked and its effects are seen.

```
az storage blob list --auth-mode login --account-name ACCOUNT --container-name configuration --include v --query \"[].{version: versionId, at: properties.lastModified, by: metadata.by, reason: metadata.reason}\" --output table
az storage blob download --auth-mode login --account-name ACCOUNT --container-name configuration --name policysync.toml --version-id VERSION --file earlier.toml
policysync config push earlier.toml --apply --reason \"back to VERSION\"
```

# policysync.toml
";

const BETWEEN: &str = "
# Environment variables

In Azure these are the app settings, which the [templates](deploy.md) set; the others are for laptops and pipelines.

| variable | read by | without it | meaning |
|---|---|---|---|
";

/// The whole page.
fn page() -> String {
    let schema = serde_json::to_value(schemars::schema_for!(Configuration)).expect("a schema is JSON");
    let definitions = schema["$defs"].as_object().cloned().unwrap_or_default();
    let mut text = BEFORE.to_owned();
    table(&mut text, &definitions, &schema, "At the top", "");
    text.push_str(BETWEEN);
    for variable in VARIABLES {
        let by = match variable.reader {
            Reader::App => "the app",
            Reader::Host => "the host",
        };
        // Writing to a string cannot fail.
        let _ =
            writeln!(text, "| `{}` | {by} | {} | {} |", variable.name, variable.default, variable.meaning);
    }
    text
}

/// How often a table can be in the file.
#[derive(Clone, Copy)]
enum Kind {
    /// `[name]`, once.
    One,
    /// `[[name]]`, any number of times.
    Many,
}

/// A table of the file, and below it those inside it. `head` is how it begins, `path` its name; empty for the file.
fn table(text: &mut String, definitions: &Map<String, Value>, schema: &Value, head: &str, path: &str) {
    let about = one_line(schema);
    let _ =
        writeln!(text, "\n## {head}\n\n{about}\n\n| key | value | without it | meaning |\n|---|---|---|---|");
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut inside = Vec::new();
    for (key, property) in schema["properties"].as_object().into_iter().flatten() {
        let below = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        let (value, default) = if let Some((kind, schema)) = table_in(definitions, property) {
            let (head, words, default) = match kind {
                Kind::One => (format!("`[{below}]`"), "table", "as there"),
                Kind::Many => (format!("`[[{below}]]`"), "tables", "none"),
            };
            let value = format!("{words}, see {head}");
            inside.push((head, below, schema));
            (value, default.to_owned())
        } else {
            let default = if required.contains(&key.as_str()) {
                "an error".to_owned()
            } else {
                shown_default(property)
            };
            (value_of(definitions, property), default)
        };
        let mut meaning = one_line(property);
        let variants = variants(definitions, property);
        // A longer list has a page of its own.
        if variants.len() <= MOST_EXPLAINED {
            for (variant, about) in variants {
                let _ = write!(meaning, " `{variant}`: {about}");
            }
        }
        let _ = writeln!(text, "| `{key}` | {value} | {default} | {meaning} |");
    }
    for (head, path, schema) in inside {
        table(text, definitions, &schema, &head, &path);
    }
}

/// The table that a key holds, once or in a list.
fn table_in(definitions: &Map<String, Value>, property: &Value) -> Option<(Kind, Value)> {
    let (one, many) = (resolved(definitions, property), resolved(definitions, &property["items"]));
    if one["properties"].is_object() {
        Some((Kind::One, one))
    } else {
        many["properties"].is_object().then_some((Kind::Many, many))
    }
}

/// The schema that a `$ref` refers to, whether that stands alone or beside other members.
fn resolved(definitions: &Map<String, Value>, schema: &Value) -> Value {
    let alternatives = schema["anyOf"].as_array().into_iter().flatten();
    let mut references = std::iter::once(schema).chain(alternatives).filter_map(|one| one["$ref"].as_str());
    let name = references.next().and_then(|reference| reference.rsplit('/').next());
    name.and_then(|name| definitions.get(name)).unwrap_or(schema).clone()
}

/// The names that a value may have, with what each means.
fn variants(definitions: &Map<String, Value>, property: &Value) -> Vec<(String, String)> {
    let own = resolved(definitions, property);
    let of = if own["oneOf"].is_array() { own } else { resolved(definitions, &own["items"]) };
    let found = of["oneOf"].as_array().into_iter().flatten();
    found.filter_map(|one| Some((one["const"].as_str()?.to_owned(), one_line(one)))).collect()
}

/// What kind of value a key takes, in words.
fn value_of(definitions: &Map<String, Value>, property: &Value) -> String {
    let own = resolved(definitions, property);
    if own["oneOf"].is_array() {
        let names = variants(definitions, property).into_iter().map(|(name, _)| format!("`\"{name}\"`"));
        return names.collect::<Vec<_>>().join(", ");
    }
    let kind = own["type"].as_array().map_or(own["type"].as_str(), |kinds| kinds[0].as_str());
    match kind {
        Some("string") => "text".to_owned(),
        Some("boolean") => "`true`, `false`".to_owned(),
        Some("integer") => match (own["minimum"].as_i64(), own["maximum"].as_i64()) {
            (Some(least), Some(most)) => format!("number, {least} to {most}"),
            (Some(least), None) => format!("number, {least} or more"),
            _ => "number".to_owned(),
        },
        Some("number") => "number".to_owned(),
        Some("array") => format!("list: {}", value_of(definitions, &own["items"])),
        Some("object") => "table".to_owned(),
        _ => "any".to_owned(),
    }
}

fn shown_default(property: &Value) -> String {
    match &property["default"] {
        Value::Null => "nothing".to_owned(),
        Value::Array(list) if list.is_empty() => "none".to_owned(),
        Value::Object(members) if members.is_empty() => "none".to_owned(),
        value => format!("`{value}`"),
    }
}

/// A comment as one line of a table.
fn one_line(schema: &Value) -> String {
    let text = schema["description"].as_str().unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

#[test]
fn the_guide_says_what_the_code_reads() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/configuration.md");
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&path, page()).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page(),
        "docs/configuration.md is not what the code says: run `{WRITE}=1 cargo test --lib guide`"
    );
}

#[test]
fn the_example_of_the_guide_is_a_configuration() {
    let example = BEFORE.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    Configuration::parse(example).unwrap();
}

#[test]
fn every_key_has_a_meaning() {
    for line in page().lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.split(" | ").collect();
        assert!(cells.len() >= 4 && cells[3].trim_matches([' ', '|']).len() > 3, "{line}");
    }
}
