//! Every state that a process, the blob and the records can come into together, with versions of the blob that are good and not.

use std::collections::{BTreeSet, HashSet, VecDeque};

use time::Duration;
use time::macros::datetime;

use super::*;

const NOW: OffsetDateTime = datetime!(2026-11-30 10:00 UTC);

/// Versions 1 and 3 pass their checks, 2 and 4 do not.
fn is_good(number: u8) -> bool {
    number % 2 == 1
}

fn version(number: u8) -> Version {
    Version { e_tag: format!("\"{number}\""), version_id: None, modified_at: NOW }
}

fn failure(is_fleeting: bool) -> Failure {
    Failure { is_fleeting, is_denied: !is_fleeting, message: "no".to_owned() }
}

/// What is around the process.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct World {
    /// The version that the blob has; `None`: it is gone.
    blob: Option<u8>,
    /// Whether the identity may read it.
    is_open: bool,
    /// Whether the account keeps versions.
    has_versions: bool,
    /// The last good version that is written down.
    record: Option<u8>,
    /// Whether the records answer.
    has_records: bool,
    process: Knowledge<u8>,
    /// The version that was in force before the last act.
    before: Option<u8>,
}

#[derive(Debug, Clone, Copy)]
enum Act {
    Upload(u8),
    Delete,
    Open(bool),
    Records(bool),
    Restart,
    /// A look with all that follows from it.
    Look,
    /// A look after which the process ends before anything follows.
    KilledLook,
    /// The lifecycle of the storage removes the record, which no process has renewed for weeks.
    Forget,
}

fn acts() -> Vec<Act> {
    let uploads = (1..=4).map(Act::Upload);
    let others = [
        Act::Delete,
        Act::Open(true),
        Act::Open(false),
        Act::Records(true),
        Act::Records(false),
        Act::Restart,
        Act::Look,
        Act::KilledLook,
        Act::Forget,
    ];
    uploads.chain(others).collect()
}

impl World {
    fn in_force(&self) -> Option<u8> {
        self.process.in_force().map(|in_force| in_force.configuration)
    }

    /// Whether the process has written the record down, and so writes it again long before the storage forgets it.
    fn is_renewed(&self) -> bool {
        self.process.in_force().is_some_and(|in_force| matches!(in_force.origin, Origin::Kept(_)))
    }

    /// What the blob answers to the process.
    fn answer(&self) -> Event<u8> {
        let Some(number) = self.blob.filter(|_| self.is_open) else { return Event::Failed(failure(false)) };
        let version = version(number);
        match self.process.known() == Some(&version.e_tag) {
            true => Event::Unchanged,
            false => {
                let judged = if is_good(number) { Ok(number) } else { Err("no TOML".to_owned()) };
                Event::Read { version, judged }
            }
        }
    }

    fn take(&mut self, event: Event<u8>) -> Option<Effect> {
        let (process, effect) = std::mem::take(&mut self.process).step(event, NOW);
        self.process = process;
        effect
    }

    fn look(&mut self) {
        let event = self.answer();
        let mut effect = self.take(event);
        while let Some(next) = effect {
            effect = match (next, self.has_records) {
                (Effect::Remember, true) => {
                    self.record = self.in_force();
                    self.take(Event::Remembered)
                }
                (Effect::Remember, false) => None,
                (Effect::Recall, true) => {
                    let recalled = self.record.map(|number| Recalled {
                        version: version(number),
                        configuration: number,
                        is_of_blob: self.is_open && self.has_versions,
                    });
                    self.take(Event::Recalled(recalled.ok_or_else(|| "there is none".to_owned())))
                }
                (Effect::Recall, false) => self.take(Event::Recalled(Err("no answer".to_owned()))),
            };
        }
    }

    fn after(&self, act: Act) -> Self {
        let mut next = self.clone();
        next.before = self.in_force();
        match act {
            Act::Upload(number) => next.blob = Some(number),
            Act::Delete => next.blob = None,
            Act::Open(is_open) => next.is_open = is_open,
            Act::Records(has_records) => next.has_records = has_records,
            Act::Restart => (next.process, next.before) = (Knowledge::default(), None),
            Act::Look => next.look(),
            Act::KilledLook => {
                let event = next.answer();
                let _ = next.take(event);
                (next.process, next.before) = (Knowledge::default(), None);
            }
            Act::Forget if self.is_renewed() => {}
            Act::Forget => next.record = None,
        }
        next
    }
}

/// What must hold after a look, said without the machine's own words.
fn broken_promise(before: &World, world: &World) -> Option<&'static str> {
    let standing = world.process.standing(NOW);
    let troubles = standing.as_ref().map(|standing| standing.troubles.clone()).unwrap_or_default();
    let readable = world.blob.filter(|_| world.is_open);
    let tells = |is_meant: fn(&Trouble) -> bool| troubles.iter().any(is_meant);
    let refused = tells(|trouble| matches!(trouble, Trouble::Refused { .. }));
    let unreadable = tells(|trouble| matches!(trouble, Trouble::Unreadable { .. }));
    match (readable, world.in_force()) {
        (Some(number), in_force) if is_good(number) => {
            let is_quiet = troubles.is_empty();
            if in_force != Some(number) || !is_quiet {
                return Some("a good version is in force at once, and nothing is told of it");
            }
            if world.has_records && world.record != Some(number) {
                return Some("a good version is written down with the look that finds it");
            }
        }
        (_, None) => {
            if world.has_records && world.record.is_some() {
                return Some("what is written down is in force where the blob has nothing better");
            }
            if world.process.why_none() == "it was not read yet" {
                return Some("a process without a configuration says why");
            }
        }
        (Some(_), Some(_)) if !refused => return Some("a broken version is told"),
        (None, Some(_)) if !unreadable => return Some("a blob that cannot be read is told"),
        (Some(_), Some(_)) if unreadable => return Some("what can be read is not told as unreadable"),
        (_, Some(_))
            if standing.as_ref().is_some_and(|standing| standing.source == Source::Records)
                && world.is_open
                && world.has_versions
                && world.has_records
                && world.record.is_some() =>
        {
            return Some("the text of the records does not count where the blob can tell it");
        }
        (_, Some(number)) => {
            let is_of = before.in_force().or(before.record.filter(|_| before.has_records));
            if Some(number) != is_of {
                return Some("what is in force stays, or comes from the records");
            }
        }
    }
    let version = standing.map(|standing| standing.version);
    (version != world.in_force().map(self::version)).then_some("the version that is told is that in force")
}

#[test]
fn in_every_state_a_look_ends_with_the_best_version_there_is_and_says_what_is_wrong() {
    let start = |has_versions| World {
        blob: None,
        is_open: true,
        has_versions,
        record: None,
        has_records: true,
        process: Knowledge::default(),
        before: None,
    };
    let mut left = VecDeque::from([start(true), start(false)]);
    let mut seen: HashSet<World> = left.iter().cloned().collect();
    let mut looks = 0;
    while let Some(world) = left.pop_front() {
        for act in acts() {
            let next = world.after(act);
            assert!(next.in_force().is_none_or(is_good), "{act:?} puts a broken version in force: {next:?}");
            assert!(next.record.is_none_or(is_good), "{act:?} writes a broken version down: {next:?}");
            let is_lost = next.before.is_some() && next.in_force().is_none();
            assert!(!is_lost, "{act:?} takes what is in force away: {next:?}");
            if matches!(act, Act::Look) {
                looks += 1;
                assert_eq!(broken_promise(&world, &next), None, "{act:?}: {world:?} -> {next:?}");
            }
            if seen.insert(next.clone()) {
                left.push_back(next);
            }
        }
    }
    // The search has come to what it is about.
    assert!(looks > 500, "{looks}");
    let all = seen.iter().filter_map(World::in_force).collect::<BTreeSet<u8>>();
    assert_eq!(all, BTreeSet::from([1, 3]));
    for source in [Source::Newest, Source::Earlier, Source::Records] {
        let is_of =
            |world: &World| world.process.standing(NOW).is_some_and(|standing| standing.source == source);
        assert!(seen.iter().any(is_of), "{source:?}");
    }
    assert!(
        seen.iter().any(|world| {
            world.process.standing(NOW).is_some_and(|standing| standing.troubles.len() == 2)
        }),
        "a version that is refused, and then not readable any more"
    );
}

fn read(number: u8) -> Event<u8> {
    Event::Read {
        version: version(number),
        judged: if is_good(number) { Ok(number) } else { Err("no".into()) },
    }
}

#[test]
fn a_blob_that_is_away_for_a_moment_is_told_only_where_it_was_never_read() {
    let (known, _) = Knowledge::default().step(read(1), NOW);
    let told = |known: &Knowledge<u8>, at| known.standing(at).unwrap().troubles.len();
    let (away, _) = known.clone().step(Event::Failed(failure(true)), NOW);
    let (away, _) = away.step(Event::Failed(failure(true)), NOW + Duration::minutes(9));
    assert_eq!(told(&away, NOW + Duration::minutes(9)), 0);
    assert_eq!(told(&away, NOW + FLEETING), 1, "it counts from the first look that failed");
    let (back, _) = away.step(Event::Unchanged, NOW + FLEETING);
    assert_eq!(told(&back, NOW + FLEETING), 0);
    let (denied, _) = known.step(Event::Failed(failure(false)), NOW);
    assert_eq!(told(&denied, NOW), 1, "a right that is missing does not come back by itself");
    let (cold, effect) = Knowledge::default().step(Event::Failed(failure(true)), NOW);
    assert_eq!(effect, Some(Effect::Recall));
    let recalled = Recalled { version: version(1), configuration: 1, is_of_blob: true };
    let (cold, _) = cold.step(Event::Recalled(Ok(recalled)), NOW);
    assert_eq!(told(&cold, NOW), 1);
}

#[test]
fn a_look_is_due_once_a_minute_and_sooner_without_a_configuration() {
    let nothing = Knowledge::<u8>::default();
    assert!(nothing.is_due(NOW));
    let (nothing, _) = nothing.step(Event::Failed(failure(true)), NOW);
    assert!(!nothing.is_due(NOW + Duration::seconds(9)) && nothing.is_due(NOW + AGE_WITHOUT));
    let (known, _) = nothing.step(read(1), NOW);
    assert!(!known.is_due(NOW + Duration::seconds(59)) && known.is_due(NOW + AGE));
    assert!(known.is_due(NOW - Duration::seconds(1)), "a clock that was set back stops no look");
    let (known, _) = known.step(Event::Unchanged, NOW + AGE);
    assert!(!known.is_due(NOW + AGE));
}

#[test]
fn what_is_in_force_is_written_down_until_it_is_and_again_before_the_storage_forgets_it() {
    let (known, first) = Knowledge::default().step(read(1), NOW);
    let (known, again) = known.step(Event::Unchanged, NOW + AGE);
    assert_eq!((first, again), (Some(Effect::Remember), Some(Effect::Remember)));
    let (known, _) = known.step(Event::Remembered, NOW + AGE);
    let (known, none) = known.step(Event::Unchanged, NOW + AGE * 2);
    assert_eq!(none, None);
    let (_, renewed) = known.step(Event::Unchanged, NOW + AGE + KEPT_FOR);
    assert_eq!(renewed, Some(Effect::Remember));
    assert!(KEPT_FOR * 2 < Duration::days(30), "the shortest recordRetentionDays");
}

#[test]
fn a_file_without_a_namespace_and_one_that_is_no_text_are_refused() {
    let namespace = "[[namespace]]\nid = \"/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/n\"\n";
    assert_eq!(judge(namespace.as_bytes()).unwrap().namespaces.len(), 1);
    for text in [b"".as_slice(), b"retention_days = 30\n", b"[[namespace]]\n"] {
        assert!(judge(text).unwrap_err().contains("namespace"), "{text:?}");
    }
    assert!(judge(&[0xff, 0xfe]).unwrap_err().contains("UTF-8"));
    assert!(judge(format!("{namespace}colour = \"red\"\n").as_bytes()).unwrap_err().contains("colour"));
    let large = vec![b'#'; usize::try_from(LARGEST).unwrap() + 1];
    assert!(judge(&large).unwrap_err().contains("bytes"));
}

#[test]
fn a_version_is_named_by_its_id_where_the_account_keeps_versions() {
    assert_eq!(version(1).to_string(), "version 1 of 2026-11-30 10:00:00.0 +00:00:00");
    let kept = Version { version_id: Some("2026-11-30T10:00:00.1234567Z".into()), ..version(1) };
    assert_eq!(kept.to_string(), "version 2026-11-30T10:00:00.1234567Z");
}
