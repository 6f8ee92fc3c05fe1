//! Whether a configuration holds together. A problem that is found here keeps the app from starting.

use super::declared::is_name;
use super::lines::Lines;
use super::problem::{Check, Problem};
use super::{ApiGeneration, Configuration, NamespaceConfiguration};
use crate::ArmId;
use crate::authority::{AuthorityType, Issuer};
use crate::checks::CheckId;
use crate::rules::{self, Subject};

/// Every problem, in the order of the file.
pub(super) fn problems(configuration: &Configuration, lines: &Lines) -> Vec<Problem> {
    let mut problems = Vec::new();
    if configuration.namespaces.is_empty() {
        problems.push(Problem {
            check: Check::Configuration,
            line: None,
            subject: String::new(),
            message: "there is no [[namespace]]: nothing would be looked after".to_owned(),
            next_step: "Add a [[namespace]] with the ARM id of a Device Registry namespace.".to_owned(),
        });
    }
    for (index, namespace) in configuration.namespaces.iter().enumerate() {
        let is_repeated = configuration.namespaces[..index].iter().any(|earlier| earlier.id == namespace.id);
        let mut inspection = Inspection { namespace, index, lines, problems: Vec::new() };
        inspection.settings(is_repeated);
        inspection.declared();
        inspection.rules();
        problems.append(&mut inspection.problems);
    }
    problems.extend(thresholds(configuration, lines));
    problems.extend(suppressions(configuration, lines));
    problems
}

/// Thresholds that no check could work with.
fn thresholds(configuration: &Configuration, lines: &Lines) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut wrong = |check: CheckId, key: &str, message: &str, next_step: &str| {
        problems.push(Problem {
            check: Check::Configuration,
            line: lines.check_key(check.code(), key),
            subject: format!("check {check}"),
            message: message.to_owned(),
            next_step: next_step.to_owned(),
        });
    };
    let days = &configuration.checks.ca_expiring.days;
    if days.is_empty() || days.contains(&0) || !days.is_sorted_by(|a, b| a > b) {
        wrong(
            CheckId::CaExpiring,
            "days",
            "days is not a ladder that goes down to 1 or more",
            "Write the most days first, each once, e.g. `days = [90, 60, 30, 14, 7, 1]`.",
        );
    }
    let limit = &configuration.checks.hub_certificate_limit;
    if limit.margin >= limit.limit {
        wrong(
            CheckId::HubCertificateLimit,
            "margin",
            "margin is not less than limit, so that every hub would be too near",
            "Make margin smaller.",
        );
    }
    problems
}

/// Suppressions that say too little, or too much.
fn suppressions(configuration: &Configuration, lines: &Lines) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (index, suppression) in configuration.suppressions.iter().enumerate() {
        let mut wrong = |key: &str, message: String, next_step: &str| {
            problems.push(Problem {
                check: Check::Configuration,
                line: lines.suppression_key(index, key),
                subject: format!("suppression of {}", suppression.check),
                message,
                next_step: next_step.to_owned(),
            });
        };
        if suppression.reason.trim().is_empty() {
            wrong("reason", "reason is empty".to_owned(), "Say why you have decided to live with it.");
        }
        if suppression.subject.trim().is_empty() {
            wrong(
                "subject",
                "subject is empty, so it would match nothing".to_owned(),
                "Copy the subject of the finding; `*` is any run of characters.",
            );
        }
        if suppression.check == CheckId::SuppressionExpired {
            wrong(
                "check",
                format!("{} cannot be suppressed", suppression.check),
                "Renew or delete the suppression that has expired.",
            );
        }
    }
    problems
}

/// What to do about a glob that can match nothing.
const GLOBS: &str = "In a glob `*` is any run of characters and `?` is one; there are no sets, ranges or alternatives, so write one \
                     glob for each.";

/// One namespace of the file.
struct Inspection<'a> {
    namespace: &'a NamespaceConfiguration,
    index: usize,
    lines: &'a Lines,
    problems: Vec<Problem>,
}

impl Inspection<'_> {
    fn settings(&mut self, is_repeated: bool) {
        let namespace = self.namespace;
        let id = &namespace.id;
        if !id.is_of_type("Microsoft.DeviceRegistry/namespaces") {
            self.wrong(
                "id",
                format!("`{id}` is not the id of a Microsoft.DeviceRegistry namespace"),
                "Copy the id from the namespace's JSON view in the Azure portal.",
            );
        }
        if is_repeated {
            self.wrong(
                "id",
                format!("namespace `{id}` is there twice"),
                "Make one [[namespace]] of the two.",
            );
        }
        if namespace.api_generation == ApiGeneration::Credentials && !namespace.migrations.is_empty() {
            self.wrong(
                "api_generation",
                "api_generation = \"credentials\" never sees what [[namespace.migration]] moves groups to"
                    .to_owned(),
                "Use \"auto\", or delete the migration.",
            );
        }
        for (index, migration) in namespace.migrations.iter().enumerate() {
            if let Some((key, problem)) = migration.problem() {
                self.wrong(
                    "migration",
                    format!("{key} of [[namespace.migration]]: {problem}"),
                    "Write from = \"policy\" and to = \"authority/policy\".",
                );
            }
            let is_repeated = namespace.migrations[..index]
                .iter()
                .any(|earlier| earlier.from.eq_ignore_ascii_case(&migration.from));
            if is_repeated {
                self.wrong(
                    "migration",
                    format!("policy `{}` is migrated twice", migration.from),
                    "Keep the one that is meant.",
                );
            }
        }
        if namespace.evidence_deadline_seconds == 0 {
            self.wrong(
                "evidence_deadline_seconds",
                "evidence_deadline_seconds is 0, so no sync would have time to be proven".to_owned(),
                "Write how many seconds a sync may take until its hubs show it, or leave it out to use 1800.",
            );
        }
        if namespace.opt_out_tag.is_empty() {
            self.wrong(
                "opt_out_tag",
                "opt_out_tag is empty, so no group could opt out".to_owned(),
                "Name a tag, or leave opt_out_tag out to use \"policysync\".",
            );
        }
        if namespace.default_policy.as_deref() == Some("") {
            self.wrong(
                "default_policy",
                "default_policy is empty".to_owned(),
                "Name a policy or \"none\", or leave default_policy out.",
            );
        }
        for scope in &namespace.scopes {
            let subscription = scope.strip_prefix("/subscriptions/").filter(|id| !id.is_empty());
            if subscription.is_none_or(|id| id.contains('/')) {
                self.wrong(
                    "scopes",
                    format!("scope `{scope}` is not `/subscriptions/{{id}}`"),
                    "Name whole subscriptions.",
                );
            }
        }
        for service in &namespace.provisioning_services {
            let is_id =
                ArmId::parse(service).is_ok_and(|id| id.is_of_type("Microsoft.Devices/provisioningServices"));
            if !is_id && !service.starts_with("https://") && !service.starts_with("http://127.0.0.1:") {
                self.wrong(
                    "provisioning_services",
                    format!("provisioning service `{service}` is neither an https:// endpoint nor the ARM id of a DPS"),
                    "Name it as https://{name}.azure-devices-provisioning.net, or by its ARM id.",
                );
            }
        }
    }

    /// Authorities and policies that no namespace could have. Their bounds are the service's.
    fn declared(&mut self) {
        let (authorities, policies) = (&self.namespace.authorities, &self.namespace.policies);
        for (index, authority) in authorities.iter().enumerate() {
            let name = &authority.name;
            self.name("authority", name);
            if authorities[..index].iter().any(|earlier| earlier.name.eq_ignore_ascii_case(name)) {
                let message = format!("authority `{name}` is declared twice");
                self.wrong("authority", message, "Keep the one that is meant.");
            }
            if authority.kind == AuthorityType::Root && authority.issuer == Issuer::External {
                let message = format!("authority `{name}` is a root and has an issuer; a root signs itself");
                let next_step = "Delete `issuer`; or, for an authority that a root of yours signs, write \
                                 type = \"issuing\" and declare no root.";
                self.wrong("authority", message, next_step);
            }
        }
        for (index, policy) in policies.iter().enumerate() {
            let name = policy.full_name();
            self.name("policy", &policy.name);
            if policies[..index].iter().any(|earlier| earlier.full_name().eq_ignore_ascii_case(&name)) {
                self.wrong(
                    "policy",
                    format!("policy `{name}` is declared twice"),
                    "Keep the one that is meant.",
                );
            }
            if policy.leaf_validity_days == Some(0) {
                let message = format!("leaf_validity_days of policy `{name}` is 0");
                self.wrong("policy", message, "Write 1 or more days.");
            }
            let Some(authority) = &policy.authority else { continue };
            self.name("policy", authority);
            if policy.own_root {
                let message = format!("policy `{name}` has an authority and own_root");
                let next_step = "Delete own_root, and write issuer = \"external\" at the authority.";
                self.wrong("policy", message, next_step);
            }
            let is_root = authorities.iter().any(|declared| {
                declared.kind == AuthorityType::Root && declared.name.eq_ignore_ascii_case(authority)
            });
            if is_root {
                let message = format!("policy `{name}` is under a root, and a root has no policies");
                self.wrong("policy", message, "Name an issuing authority.");
            }
        }
        let has_authorities =
            !authorities.is_empty() || policies.iter().any(|policy| policy.authority.is_some());
        let has_credential_policies = policies.iter().any(|policy| policy.authority.is_none());
        let foreign = match self.namespace.api_generation {
            ApiGeneration::Credentials if has_authorities => Some("certificate authorities"),
            ApiGeneration::CertificateAuthorities if has_credential_policies => {
                Some("policies of a credential")
            }
            _ => None,
        };
        if let Some(what) = foreign {
            let message = format!("the file declares {what}, which api_generation excludes");
            self.wrong(
                "api_generation",
                message,
                "Use \"auto\", or delete what is declared of the other generation.",
            );
        }
    }

    /// A name of an authority or a policy.
    fn name(&mut self, key: &str, name: &str) {
        if !is_name(name) {
            self.wrong(
                key,
                format!(
                    "`{name}` is not 3 to 63 letters, digits and hyphens, of which the first is no hyphen"
                ),
                "Correct the name.",
            );
        }
    }

    fn rules(&mut self) {
        let rules = &self.namespace.rules;
        for (index, rule) in rules.iter().enumerate() {
            if !rule.has_selector() {
                self.wrong_rule(
                    index,
                    "name",
                    "it selects by nothing, so it can never match",
                    "Add enrollment_groups (`[\"*\"]` is every group), tags, attestation, hubs or enabled.",
                );
            }
            let groups = rule.enrollment_groups.iter().map(|glob| (glob, rules::no_group(glob)));
            let hubs = rule.hubs.iter().map(|glob| (glob, rules::no_hub(glob)));
            for (key, (glob, why)) in
                groups.map(|one| ("enrollment_groups", one)).chain(hubs.map(|one| ("hubs", one)))
            {
                if let Some(why) = why {
                    let message = format!("the glob `{}` can match nothing: {why}", glob.escape_default());
                    self.wrong_rule(index, key, &message, GLOBS);
                }
            }
            if rule.policy.is_empty() {
                self.wrong_rule(index, "policy", "policy is empty", "Name a policy, or \"none\".");
            }
            if rules[..index].iter().any(|earlier| earlier.name == rule.name) {
                self.wrong_rule(
                    index,
                    "name",
                    "there are two rules of this name",
                    "Give each rule a name of its own, since explanations name it.",
                );
            }
            for (number, test) in rule.test.iter().enumerate() {
                let verdict = rules::decide(self.namespace, &Subject::from(test)).verdict;
                let got = verdict.policy().unwrap_or("none");
                if got != test.expect {
                    let line = self.lines.test_key(self.index, index, number, "expect");
                    let message = format!(
                        "test expects `{}` for group `{}`, but it gets `{got}` ({})",
                        test.expect,
                        test.enrollment_group,
                        verdict.origin()
                    );
                    let next_step = format!(
                        "Correct the rules or the test; `policysync explain {} --offline --namespace {}`, with the \
                         test's facts as flags, shows every rule tried.",
                        test.enrollment_group,
                        self.namespace.id.name()
                    );
                    let subject = subject(self.namespace, Some(&rule.name));
                    self.problems.push(Problem {
                        check: Check::RuleTests,
                        line,
                        subject,
                        message,
                        next_step,
                    });
                }
            }
        }
    }

    fn wrong(&mut self, key: &str, message: String, next_step: &str) {
        self.problems.push(Problem {
            check: Check::Configuration,
            line: self.lines.namespace_key(self.index, key),
            subject: subject(self.namespace, None),
            message,
            next_step: next_step.to_owned(),
        });
    }

    fn wrong_rule(&mut self, rule: usize, key: &str, message: &str, next_step: &str) {
        let name = self.namespace.rules.get(rule).map(|rule| rule.name.as_str());
        self.problems.push(Problem {
            check: Check::Configuration,
            line: self.lines.rule_key(self.index, rule, key),
            subject: subject(self.namespace, name),
            message: message.to_owned(),
            next_step: next_step.to_owned(),
        });
    }
}

/// What a problem is about.
pub(super) fn subject(namespace: &NamespaceConfiguration, rule: Option<&str>) -> String {
    let name = namespace.id.name();
    match rule {
        Some(rule) => format!("namespace {name}, rule `{rule}`"),
        None => format!("namespace {name}"),
    }
}
