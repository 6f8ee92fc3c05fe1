use proptest::prelude::*;

use super::super::scope::tests::namespaces;
use super::*;

const NOW: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

fn changed(name: &str) -> Changed {
    Changed::ProvisioningService(name.to_owned())
}

fn names(order: &[&NamespaceConfiguration]) -> Vec<String> {
    order.iter().map(|namespace| namespace.id.name().to_owned()).collect()
}

/// Every order of these numbers.
fn permutations(numbers: &[usize]) -> Vec<Vec<usize>> {
    if numbers.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for (place, first) in numbers.iter().enumerate() {
        let mut others = numbers.to_vec();
        others.remove(place);
        all.extend(permutations(&others).into_iter().map(|rest| [vec![*first], rest].concat()));
    }
    all
}

/// Of four namespaces: every order of their last turns, where any of them may have had none, with every set of changes.
#[test]
fn what_changed_comes_first_and_then_what_waited_longest_in_every_order() {
    let all = namespaces(4);
    let mut tried = 0;
    for past in permutations(&[0, 1, 2, 3]) {
        for had_a_turn in 0..=4 {
            let mut turns = Turns::default();
            // Those that had no turn are the last of the permutation.
            past[..had_a_turn].iter().for_each(|index| turns.take(all[*index].id.key(), false));
            let without_one: BTreeSet<usize> = past[had_a_turn..].iter().copied().collect();
            // Among those that had none, the order of the configuration decides at minute 0.
            let longest = without_one.iter().copied().chain(past[..had_a_turn].iter().copied());
            let longest: Vec<usize> = longest.collect();
            for set in 0..16_u32 {
                let is_changed = |index: &usize| set & (1 << index) != 0;
                let changes: Vec<Changed> =
                    (0..4).filter(is_changed).map(|index| changed(&format!("D{index}"))).collect();
                let early = turns.early(&changes, &all);
                let (first, rest): (Vec<usize>, Vec<usize>) = longest.iter().copied().partition(is_changed);
                let expected: Vec<String> =
                    first.iter().chain(&rest).map(|index| format!("n{index}")).collect();
                assert_eq!(names(&turns.order(&all, &early, NOW)), expected, "{past:?} {had_a_turn} {set:b}");
                tried += 1;
            }
        }
    }
    assert_eq!(tried, 24 * 5 * 16);
}

#[test]
fn a_change_is_about_the_namespaces_that_have_the_dps_and_else_about_those_that_may() {
    let mut all = namespaces(4);
    all[2].provisioning_services.clear();
    all[3].provisioning_services.clear();
    let mut turns = Turns::default();
    let about = |turns: &Turns, changed: &Changed| -> Vec<String> {
        let keys = turns.about(changed, &all);
        all.iter().filter(|it| keys.contains(&it.id.key())).map(|it| it.id.name().to_owned()).collect()
    };
    assert_eq!(about(&turns, &changed("D1")), ["n1"], "the configuration names it");
    assert_eq!(about(&turns, &changed("linked")), ["n2", "n3"], "a link may lead to it");
    turns.saw(&all[3].id.key(), vec!["Linked".to_owned()]);
    assert_eq!(about(&turns, &changed("linked")), ["n3"], "it was seen there");
    assert_eq!(about(&turns, &Changed::Namespace(all[0].id.clone())), ["n0"]);
    turns.saw(&all[3].id.key(), Vec::new());
    assert_eq!(about(&turns, &changed("linked")), ["n2", "n3"], "and is there no more");
}

#[test]
fn the_number_of_dps_is_that_of_the_configuration_or_of_what_was_seen() {
    let mut all = namespaces(3);
    all[2].provisioning_services.clear();
    let mut turns = Turns::default();
    assert_eq!(turns.services_of(&all), 2);
    assert!(turns.saw(&all[2].id.key(), vec!["a".to_owned(), "b".to_owned()]));
    assert!(!turns.saw(&all[2].id.key(), vec!["a".to_owned(), "b".to_owned()]), "no news");
    assert_eq!(turns.services_of(&all), 4);
}

#[test]
fn a_walk_that_died_of_what_changed_does_not_begin_with_it_again() {
    let all = namespaces(3);
    let mut turns = Turns::default();
    all.iter().for_each(|namespace| turns.take(namespace.id.key(), false));
    let changes = [changed("d2")];
    let early = turns.early(&changes, &all);
    assert_eq!(names(&turns.order(&all, &early, NOW)), ["n2", "n0", "n1"]);
    // It dies here.
    turns.take(all[2].id.key(), true);
    assert_eq!(names(&turns.order(&all, &turns.early(&changes, &all), NOW)), ["n0", "n1", "n2"]);
    // When all others had a turn, it may come first again.
    all[..2].iter().for_each(|namespace| turns.take(namespace.id.key(), false));
    assert_eq!(names(&turns.order(&all, &turns.early(&changes, &all), NOW)), ["n2", "n0", "n1"]);
}

proptest! {
    /// A walk that begins only `fits` visits each time still visits every namespace once in ⌈n / fits⌉ walks, for
    /// any record and any clock, where nothing changes; and in twice as many whatever changes.
    #[test]
    fn none_waits_longer_than_it_must(
        count in 1..12_usize,
        fits in 1..5_usize,
        taken in 0..100_u64,
        before in proptest::collection::vec(proptest::option::of(0..1_000_u64), 12),
        early_before in proptest::collection::vec(proptest::option::of(0..1_000_u64), 12),
        changes in proptest::collection::vec(proptest::option::of(proptest::collection::vec(0..12_usize, 0..12)), 24),
        clock in proptest::collection::vec(0..2_000_000_000_i64, 24),
        is_quiet in proptest::bool::ANY,
    ) {
        let all = namespaces(count);
        let known = |turns: Vec<Option<u64>>| -> BTreeMap<String, u64> {
            all.iter().zip(turns).filter_map(|(namespace, turn)| Some((namespace.id.key(), turn?))).collect()
        };
        let mut turns =
            Turns { taken, namespaces: known(before), early: known(early_before), services: BTreeMap::new() };
        let mut visited = BTreeSet::new();
        let walks = if is_quiet { count.div_ceil(fits) } else { (2 * count).div_ceil(fits) };
        for (now, changes) in clock.into_iter().zip(changes).take(walks) {
            let changes: Vec<Changed> = match changes {
                Some(changes) if !is_quiet => changes.iter().map(|index| changed(&format!("d{index}"))).collect(),
                _ => Vec::new(),
            };
            let early = turns.early(&changes, &all);
            let order = turns.order(&all, &early, OffsetDateTime::from_unix_timestamp(now).unwrap());
            prop_assert_eq!(order.len(), count);
            for namespace in order.into_iter().take(fits) {
                let key = namespace.id.key();
                turns.take(key.clone(), early.contains(&key));
                visited.insert(key);
            }
        }
        prop_assert_eq!(visited.len(), count);
    }
}

#[test]
fn without_a_record_the_first_one_changes_with_time() {
    let all = namespaces(3);
    let first = |minute: i64| {
        let now = OffsetDateTime::from_unix_timestamp(minute * 60).unwrap();
        Turns::default().order(&all, &BTreeSet::new(), now)[0].id.name().to_owned()
    };
    assert_eq!([0, 1, 2, 3].map(first), ["n0", "n1", "n2", "n0"]);
}

#[test]
fn the_record_is_a_contract() {
    let mut turns = Turns::default();
    let key = "/subscriptions/s/resourcegroups/r/providers/microsoft.deviceregistry/namespaces/n0";
    turns.take(namespaces(1)[0].id.key(), false);
    let text = serde_json::to_string(&turns).unwrap();
    assert_eq!(text, format!(r#"{{"taken":1,"namespaces":{{"{key}":1}}}}"#));
    assert_eq!(serde_json::from_str::<Turns>(&text).unwrap(), turns);
    turns.take(key.to_owned(), true);
    turns.saw(key, vec!["d0".to_owned()]);
    let text = serde_json::to_string(&turns).unwrap();
    let more = format!(r#""early":{{"{key}":2}},"services":{{"{key}":["d0"]}}"#);
    assert_eq!(text, format!(r#"{{"taken":2,"namespaces":{{"{key}":2}},{more}}}"#));
    assert_eq!(serde_json::from_str::<Turns>(&text).unwrap(), turns);
}

#[test]
fn a_namespace_that_is_not_configured_any_more_is_forgotten() {
    let all = namespaces(3);
    let mut turns = Turns::default();
    for namespace in &all {
        turns.take(namespace.id.key(), true);
        turns.saw(&namespace.id.key(), vec!["d".to_owned()]);
    }
    turns.keep(&all[..1]);
    assert_eq!((turns.namespaces.len(), turns.early.len(), turns.services.len()), (1, 1, 1));
}
