//! Searches every combination of target, action and what could be read.

use proptest::prelude::*;
use proptest::sample::select;

use super::*;

/// How one thing was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Read {
    Absent,
    Used,
    Unclear,
    Cut,
    Failed,
}

/// Names that would end a word, begin a command or turn the direction of a line.
const NAMES: [&str; 5] = ["plain", "it's", "a';reboot;'", "$(reboot)", "`x`\"&&y"];

#[derive(Debug, Clone)]
struct World {
    action: Action,
    target: &'static str,
    is_first: bool,
    name: &'static str,
    hubs: Option<Vec<Read>>,
    services: Option<Vec<(Read, Read)>>,
    status: &'static str,
}

fn world() -> impl Strategy<Value = World> {
    let read =
        || select(vec![Read::Absent, Read::Absent, Read::Used, Read::Unclear, Read::Cut, Read::Failed]);
    let hubs = proptest::option::weighted(0.9, proptest::collection::vec(read(), 0..3));
    let services = proptest::option::weighted(0.9, proptest::collection::vec((read(), read()), 0..3));
    let actions = select(vec![Action::Revoke, Action::Rotate, Action::Delete, Action::Unlink]);
    let targets = select(vec!["root", "lines", "own", "short", "hub", "dps"]);
    let status = select(vec!["Active", "PendingActivation", "ActiveButPendingRenewal", "Later"]);
    (actions, targets, any::<bool>(), select(NAMES.to_vec()), hubs, services, status).prop_map(
        |(action, target, is_first, name, hubs, services, status)| World {
            action,
            target,
            is_first,
            name,
            hubs,
            services,
            status,
        },
    )
}

impl World {
    fn is_link(&self) -> bool {
        matches!(self.target, "hub" | "dps")
    }

    /// The facts; `None` for a step that no command can ask about.
    fn facts(&self) -> Option<Facts> {
        if self.is_link() != (self.action == Action::Unlink)
            || (self.is_first && matches!(self.target, "root" | "lines"))
            || (!self.is_first && self.target == "short" && self.action != Action::Delete)
        {
            return None;
        }
        let name = self.name;
        let root = authority("root", AuthorityType::Root, Issuer::Microsoft);
        let lines = issuing(name);
        let mut own = authority(name, AuthorityType::Issuing, Issuer::External);
        own.status = Some(self.status.to_owned());
        let above = match self.target {
            "own" => &own,
            _ => &lines,
        };
        let policy = match self.is_first {
            true => Policy {
                bring_your_own_root: (self.target == "own")
                    .then(|| BringYourOwnRoot { status: self.status.to_owned() }),
                ..policy(name, None)
            },
            false => policy("short", Some(above)),
        };
        let used = match self.is_first {
            true => name.to_owned(),
            false => format!("contoso/{name}/short"),
        };
        let mut facts = second(self.action, "lines");
        facts.target = match self.target {
            "hub" => Target::Hub(hub(name)),
            "dps" => Target::ProvisioningService {
                name: name.to_owned(),
                id: Some(id(&format!("{DEVICES}/provisioningServices/{name}"))),
            },
            _ if self.is_first => Target::Policy(policy.clone()),
            "root" => Target::Authority(root.clone()),
            "short" => Target::Policy(policy.clone()),
            _ => Target::Authority(above.clone()),
        };
        facts.namespace.links.clear();
        facts.namespace.generation = match self.is_first {
            true => NamespaceGeneration::Credentials,
            false => NamespaceGeneration::CertificateAuthorities,
        };
        facts.authorities = if self.is_first { Vec::new() } else { vec![root, above.clone()] };
        let origin = policy.issuer_id().clone();
        facts.policies = vec![policy];
        facts.hubs = self.hubs.as_ref().ok_or_else(failure).map(|hubs| {
            let one = |(place, read): (usize, &Read)| match read {
                Read::Used => observed(&format!("hub-{place}"), &[&origin]),
                Read::Failed => {
                    ObservedHub { certificates: Err(failure()), ..observed(&format!("hub-{place}"), &[]) }
                }
                _ => observed(&format!("hub-{place}"), &[]),
            };
            hubs.iter().enumerate().map(one).collect()
        });
        facts.services = self.services.as_ref().ok_or_else(failure).map(|services| {
            let one = |(place, (groups, individuals)): (usize, &(Read, Read))| Service {
                groups: match groups {
                    Read::Absent => Ok(Vec::new()),
                    Read::Used => Ok(vec![group("g", Some(&used), Count::exactly(1))]),
                    Read::Unclear => Ok(vec![group("g", Some("a/b c"), Count::exactly(1))]),
                    Read::Cut => Ok(vec![group("g", Some(&used), Count::unknown("cut"))]),
                    Read::Failed => Err(failure()),
                },
                individuals: match individuals {
                    Read::Absent => Ok(Individuals::default()),
                    Read::Used => Ok(Individuals { policies: vec![Some(used.clone())], cut: None }),
                    Read::Unclear => Ok(Individuals { policies: vec![Some("a/b c".to_owned())], cut: None }),
                    Read::Cut => Ok(Individuals { policies: Vec::new(), cut: Some("cut".to_owned()) }),
                    Read::Failed => Err(failure()),
                },
                ..service(&format!("dps-{place}"), Vec::new())
            };
            services.iter().enumerate().map(one).collect()
        });
        Some(facts)
    }

    /// Whether anything was left unread, or seen to use the target, other than what says nothing about a deleted policy.
    fn is_clean(&self) -> bool {
        let (Some(hubs), Some(services)) = (&self.hubs, &self.services) else { return false };
        // A hub keeps the CA of a deleted policy.
        let is_policy = self.action == Action::Delete && (self.is_first || self.target == "short");
        let hub_is_clean = |read: &Read| match read {
            Read::Absent | Read::Unclear | Read::Cut => true,
            Read::Used => is_policy,
            Read::Failed => false,
        };
        let is_absent = |(groups, individuals): &(Read, Read)| {
            let enrollments_stay = matches!(self.action, Action::Revoke | Action::Rotate);
            let is_fine = |read: &Read| match read {
                Read::Absent => true,
                // Their devices connect to no hub now, or nothing is taken from them.
                Read::Used | Read::Unclear => enrollments_stay,
                Read::Cut | Read::Failed => false,
            };
            (is_fine(groups) || (enrollments_stay && *groups == Read::Cut)) && is_fine(individuals)
        };
        let lists_prove_something = !self.is_first || (!hubs.is_empty() && !services.is_empty());
        hubs.iter().all(hub_is_clean) && services.iter().all(is_absent) && lists_prove_something
    }

    /// The same with one more thing unread.
    fn hidden(&self) -> Vec<Self> {
        let mut hidden = vec![Self { hubs: None, ..self.clone() }, Self { services: None, ..self.clone() }];
        for place in 0..self.hubs.as_ref().map_or(0, Vec::len) {
            let mut one = self.clone();
            one.hubs.as_mut().unwrap()[place] = Read::Failed;
            hidden.push(one);
        }
        for place in 0..self.services.as_ref().map_or(0, Vec::len) {
            let mut one = self.clone();
            one.services.as_mut().unwrap()[place].0 = Read::Failed;
            hidden.push(one.clone());
            one.services.as_mut().unwrap()[place] = (Read::Absent, Read::Cut);
            hidden.push(one);
        }
        hidden
    }
}

/// What of a shell command stands outside of quotes.
fn unquoted(text: &str) -> String {
    let mut rest = String::new();
    let mut is_quoted = false;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\'' => is_quoted = !is_quoted,
            '\\' if !is_quoted => {
                characters.next();
            }
            _ if is_quoted => {}
            other => rest.push(other),
        }
    }
    assert!(!is_quoted, "a quote stays open: {text}");
    rest
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.max(2048), ..ProptestConfig::default() })]

    #[test]
    fn nothing_stops_is_said_only_where_all_was_read_and_nothing_depends_on_it(world in world()) {
        let Some(facts) = world.facts() else { return Ok(()) };
        let radius = assess(&facts);
        prop_assert_eq!(&radius, &assess(&facts));
        if radius.verdict == Verdict::NothingStops {
            prop_assert!(world.is_clean(), "{:?}", radius);
            prop_assert!(!world.is_link());
            for hidden in world.hidden() {
                prop_assert!(assess(&hidden.facts().unwrap()).verdict.is_harmful(), "{:?}", hidden);
            }
        }
        // Nothing that is known to be free of harm is called harmful.
        let is_refused = radius.verdict == Verdict::Refused;
        let is_root = world.target == "root" && !is_refused;
        if world.is_clean() && !world.is_link() && !is_root && !is_refused {
            prop_assert_eq!(radius.verdict, Verdict::NothingStops, "{:?}", radius);
        }
    }

    #[test]
    fn each_sentence_has_its_reason_and_each_verdict_its_sentence(world in world()) {
        let Some(facts) = world.facts() else { return Ok(()) };
        let radius = assess(&facts);
        let lists = [&radius.at_once, &radius.later, &radius.irreversible, &radius.unknown, &radius.safe_order];
        for statement in lists.into_iter().flatten() {
            prop_assert!(statement.text.ends_with('.') && statement.why.len() > 2, "{:?}", statement);
        }
        match radius.verdict {
            Verdict::Stops => prop_assert!(radius.at_once.iter().any(|one| matches!(one.basis, Basis::Observed | Basis::Published))),
            Verdict::MayStop => prop_assert!(!radius.at_once.is_empty() || !radius.unknown.is_empty()),
            Verdict::Refused | Verdict::NothingStops => prop_assert!(radius.at_once.is_empty() && radius.unknown.is_empty()),
        }
        // A group whose devices were not counted leaves no exact sum.
        let counts: Vec<&Count> = radius.groups.iter().map(|group| &group.devices).collect();
        if counts.iter().any(|count| count.why().is_some()) {
            prop_assert!(radius.devices.why().is_some(), "{:?}", radius.devices);
        }
        if facts.services.is_err() {
            prop_assert!(radius.individual_enrollments.why().is_some());
        }
    }

    #[test]
    fn a_command_is_of_the_right_generation_and_no_name_leaves_its_quotes(world in world()) {
        let Some(facts) = world.facts() else { return Ok(()) };
        let radius = assess(&facts);
        let is_root_revoked = world.target == "root" && world.action != Action::Delete;
        prop_assert_eq!(radius.commands.is_empty(), is_root_revoked);
        for command in &radius.commands {
            let rest = unquoted(&command.text);
            let is_plain = |c: char| c.is_ascii_alphanumeric() || " -_.@>,\n".contains(c);
            prop_assert!(rest.chars().all(is_plain), "{}: {rest}", command.text);
            let other = if world.is_first { "certificateAuthorities" } else { "/credentials/" };
            prop_assert!(!command.text.contains(other), "{}", command.text);
        }
    }
}
