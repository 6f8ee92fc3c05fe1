//! The test of the checks: templates are broken one way at a time, and each way has to be noticed by the real compiler or
//! by the rules. A check that lets one of them through proves nothing.

use std::fs;
use std::path::Path;

use crate::tools::bicep::Bicep;

use super::files;
use super::rules;
use super::snapshot::Snapshot;

struct Break {
    what: &'static str,
    file: &'static str,
    from: &'static str,
    to: &'static str,
    noticed_by: Noticed,
}

#[derive(PartialEq, Eq)]
enum Noticed {
    /// A diagnostic.
    Compiler,
    /// A committed snapshot that does not hold any more.
    Snapshot,
    /// A rule over the new snapshot, so that renewing the snapshot does not help.
    Rule,
}

const BREAKS: [Break; 6] = [
    Break {
        what: "a property name",
        file: "modules/storage.bicep",
        from: "allowBlobPublicAccess:",
        to: "allowPublicBlobs:",
        noticed_by: Noticed::Compiler,
    },
    Break {
        what: "an API version",
        file: "modules/queue.bicep",
        from: "Microsoft.ServiceBus/namespaces@2026-01-01",
        to: "Microsoft.ServiceBus/namespaces@2026-01-02",
        noticed_by: Noticed::Compiler,
    },
    Break {
        what: "the type of a value",
        file: "sample-world/main.bicep",
        from: "validityPeriodInDays: leafValidityDays",
        to: "validityPeriodInDays: '30'",
        noticed_by: Noticed::Compiler,
    },
    Break {
        what: "a plan that costs more",
        file: "modules/function-app.bicep",
        from: "name: 'FC1'",
        to: "name: 'FC2'",
        noticed_by: Noticed::Snapshot,
    },
    Break {
        what: "a role",
        file: "modules/roles.bicep",
        from: "69a216fc-b8fb-44d8-bc22-1f3c2cd27a39",
        to: "b24988ac-6180-42a0-ab88-20f7382dd24c",
        noticed_by: Noticed::Rule,
    },
    Break {
        what: "a key",
        file: "modules/storage.bicep",
        from: "allowSharedKeyAccess: false",
        to: "allowSharedKeyAccess: true",
        noticed_by: Noticed::Rule,
    },
];

/// The breaks that went unnoticed.
pub fn noticed(bicep: &Bicep, root: &Path, scratch: &Path) -> Result<Vec<String>, String> {
    let mut problems = Vec::new();
    for one in &BREAKS {
        files::copy(&root.join("infra"), scratch)?;
        let path = scratch.join(one.file);
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", one.file))?;
        if !text.contains(one.from) {
            problems.push(format!("{} has no `{}` to break any more", one.file, one.from));
            continue;
        }
        fs::write(&path, text.replace(one.from, one.to)).map_err(|error| format!("{}: {error}", one.file))?;
        if !is_noticed(bicep, root, scratch, one)? {
            problems.push(format!("{} was broken in {} and nothing noticed", one.what, one.file));
        }
    }
    Ok(problems)
}

fn is_noticed(bicep: &Bicep, root: &Path, scratch: &Path, one: &Break) -> Result<bool, String> {
    let file = "main.bicepparam";
    let parameters = scratch.join(file);
    match one.noticed_by {
        Noticed::Compiler => Ok(!bicep.lint(scratch, "bicep")?.is_empty()),
        Noticed::Snapshot => Ok(bicep.snapshot(&parameters, "validate", None, &[]).is_err()),
        Noticed::Rule => {
            let is_stale = bicep.snapshot(&parameters, "validate", None, &[]).is_err();
            bicep.snapshot(&parameters, "overwrite", None, &[])?;
            let problems = rules::problems(root, file, &Snapshot::read(scratch, file)?)?;
            Ok(is_stale && !problems.is_empty())
        }
    }
}
