//! Tests the checks: breaks the templates in one way at a time, and the real compiler or a rule has to notice each. A
//! check that lets one of them through proves nothing.

use std::fs;
use std::path::Path;

use crate::tools::bicep::Bicep;
use crate::tools::checkov::Checkov;

use super::files::{self, PARAMETER_FILES, ParameterFile};
use super::snapshot::Snapshot;
use super::{calendar, rules, sample_world, scan};

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
    /// The wrong clock, where there is one.
    Calendar,
    /// The stages of the sample world.
    Stages,
    /// The scanner, where it is installed, and no rule of ours.
    Scanner,
}

/// The tools that can notice a break; not every machine has all of them.
pub struct Tools<'a> {
    /// The compiler.
    pub bicep: &'a Bicep,
    /// Whether there is a wrong clock.
    pub has_clock: bool,
    /// The scanner.
    pub checkov: Option<&'a Checkov>,
}

impl Tools<'_> {
    fn have(&self, noticed: &Noticed) -> bool {
        match noticed {
            Noticed::Calendar => self.has_clock,
            Noticed::Scanner => self.checkov.is_some(),
            _ => true,
        }
    }
}

const BREAKS: [Break; 15] = [
    Break {
        what: "a property name",
        file: "modules/blob-account.bicep",
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
        file: "modules/blob-account.bicep",
        from: "allowSharedKeyAccess: false",
        to: "allowSharedKeyAccess: true",
        noticed_by: Noticed::Rule,
    },
    Break {
        what: "the right to read keys",
        file: "main.bicep",
        from: "param symmetricKeyAccess bool = false",
        to: "param symmetricKeyAccess bool = true",
        noticed_by: Noticed::Rule,
    },
    Break {
        what: "the right to make authorities",
        file: "main.bicep",
        from: "param manageAuthorities bool = false",
        to: "param manageAuthorities bool = true",
        noticed_by: Noticed::Rule,
    },
    Break {
        what: "the role of the other generation",
        file: "main.bicep",
        from: "role => roleIds[role])",
        to: "role => roleIds.resources)",
        noticed_by: Noticed::Rule,
    },
    Break {
        what: "who stores the package",
        file: "modules/app.bicep",
        from: "principalId: isFlex ? packageIdentity!.outputs.principalId : identity.outputs.principalId",
        to: "principalId: identity.outputs.principalId",
        noticed_by: Noticed::Rule,
    },
    Break {
        what: "the alert of timers that stopped",
        file: "modules/alerts.bicep",
        from: "name == \"reconcile-assignments\" and",
        to: "name == \"policy-status\" and",
        noticed_by: Noticed::Rule,
    },
    Break {
        what: "a rule that depends on the day",
        file: "bicepconfig.json",
        from: "\"use-recent-api-versions\": { \"level\": \"off\" }",
        to: "\"use-recent-api-versions\": { \"level\": \"warning\" }",
        noticed_by: Noticed::Calendar,
    },
    Break {
        what: "the order of the sample world",
        file: "sample-world/certificate-authorities/main.bicep",
        from: "var hasAuthorities = stage == 'certificate-authorities'",
        to: "var hasAuthorities = linksProvisioningService",
        noticed_by: Noticed::Stages,
    },
    Break {
        what: "the identity that the app runs as",
        file: "modules/app.bicep",
        from: "name: 'id-package-policysync-${token}'",
        to: "name: 'id-policysync-package-${token}'",
        noticed_by: Noticed::Rule,
    },
    Break {
        what: "what only the scanner looks at",
        file: "modules/function-app.bicep",
        from: "http20Enabled: true",
        to: "http20Enabled: false",
        noticed_by: Noticed::Scanner,
    },
];

/// The breaks that went unnoticed.
pub fn noticed(tools: &Tools<'_>, root: &Path, scratch: &Path) -> Result<Vec<String>, String> {
    let mut problems = Vec::new();
    for one in BREAKS.iter().filter(|one| tools.have(&one.noticed_by)) {
        files::copy(&root.join("infra"), scratch)?;
        let path = scratch.join(one.file);
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", one.file))?;
        if !text.contains(one.from) {
            problems.push(format!("{} has no `{}` to break any more", one.file, one.from));
            continue;
        }
        fs::write(&path, text.replace(one.from, one.to)).map_err(|error| format!("{}: {error}", one.file))?;
        if !is_noticed(tools, root, scratch, one)? {
            problems.push(format!("{} was broken in {} and nothing noticed", one.what, one.file));
        }
    }
    Ok(problems)
}

fn is_noticed(tools: &Tools<'_>, root: &Path, scratch: &Path, one: &Break) -> Result<bool, String> {
    let ParameterFile { file, place } = PARAMETER_FILES[0];
    let Tools { bicep, checkov, .. } = tools;
    let parameters = scratch.join(file);
    match one.noticed_by {
        Noticed::Compiler => Ok(!bicep.lint(scratch, "bicep")?.is_empty()),
        Noticed::Calendar => {
            Ok(!calendar::problems(bicep, scratch, &scratch.with_extension("probe"))?.is_empty())
        }
        Noticed::Stages => {
            Ok(!sample_world::problems(bicep, scratch, &scratch.with_extension("stages"))?.is_empty())
        }
        Noticed::Snapshot => Ok(bicep.snapshot(&parameters, "validate", place, &[]).is_err()),
        Noticed::Scanner => {
            bicep.snapshot(&parameters, "overwrite", place, &[])?;
            let is_allowed = rules::problems(root, file, &Snapshot::read(scratch, file)?)?.is_empty();
            let Some(checkov) = checkov else { return Ok(true) };
            Ok(is_allowed
                && !scan::problems(checkov, scratch, &scratch.with_extension("scanned"))?.is_empty())
        }
        Noticed::Rule => {
            let is_stale = bicep.snapshot(&parameters, "validate", place, &[]).is_err();
            bicep.snapshot(&parameters, "overwrite", place, &[])?;
            let problems = rules::problems(root, file, &Snapshot::read(scratch, file)?)?;
            Ok(is_stale && !problems.is_empty())
        }
    }
}
