use proptest::prelude::*;
use time::Duration;
use time::macros::datetime;

use super::*;
use crate::configuration::Configuration;

const NAMESPACE: &str = "[[namespace]]\nid = \"/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/contoso\"\n";

fn read(freeze: &str) -> Result<Vec<Freeze>, String> {
    let text = format!("{NAMESPACE}freeze = [{freeze}]\n");
    Configuration::parse(&text)
        .map(|mut configuration| configuration.namespaces.remove(0).freeze)
        .map_err(|error| error.to_string())
}

fn one(freeze: &str) -> Freeze {
    read(freeze).unwrap().remove(0)
}

#[test]
fn a_moment_has_its_own_offset_or_that_of_the_time_zone() {
    let expected = (datetime!(2026-12-19 23:00 UTC), datetime!(2027-01-07 05:30 UTC));
    for written in [
        "{ from = 2026-12-20T00:00:00+01:00, to = 2027-01-07T06:30:00+01:00, reason = \"peak\" }",
        "{ from = \"2026-12-20T00:00:00+01:00\", to = \"2027-01-07T05:30:00Z\", reason = \"peak\" }",
        "{ from = 2026-12-20T00:00:00, to = 2027-01-07T06:30:00, time_zone = \"+01:00\", reason = \"peak\" }",
        "{ from = 2026-12-20, to = 2027-01-07T06:30:00, time_zone = \"+01:00\", reason = \"peak\" }",
        "{ from = 2026-12-19T23:00:00, to = 2027-01-07T05:30:00, time_zone = \"UTC\", reason = \"peak\" }",
        "{ from = 2026-12-19T12:30:00, to = 2027-01-06T19:00:00, time_zone = \"-10:30\", reason = \"peak\" }",
    ] {
        let freeze = one(written);
        assert_eq!((freeze.from, freeze.to), expected, "{written}");
    }
}

#[test]
fn what_is_wrong_is_refused_when_the_file_is_read() {
    for (written, said) in [
        ("from = 2026-12-20T00:00:00, to = 2026-12-21T00:00:00, reason = \"r\"", "no offset"),
        (
            "from = 2026-12-20T00:00:00Z, to = 2026-12-21T00:00:00, time_zone = \"UTC\", reason = \"r\"",
            "keep one of them",
        ),
        (
            "from = 2026-12-20T00:00:00, to = 2026-12-21T00:00:00, time_zone = \"Europe/Berlin\", reason = \"r\"",
            "such as +01:00",
        ),
        ("from = 2026-12-20, to = 2026-12-21, time_zone = \"+1:00\", reason = \"r\"", "+01:00"),
        ("from = 2026-12-20, to = 2026-12-21, time_zone = \"+01:60\", reason = \"r\"", "+01:00"),
        ("from = 2026-12-20, to = 2026-12-21, time_zone = \"+14:01\", reason = \"r\"", "+01:00"),
        ("from = 2026-12-20, to = 2026-12-21, time_zone = \"é1:00\", reason = \"r\"", "+01:00"),
        ("from = 2026-12-20T00:00:00+20:00, to = 2026-12-21T00:00:00Z, reason = \"r\"", "between -12:00"),
        ("from = 2026-12-21T00:00:00Z, to = 2026-12-21T00:00:00Z, reason = \"r\"", "not before"),
        ("from = 2026-12-21T00:00:00+02:00, to = 2026-12-20T23:00:00+01:00, reason = \"r\"", "not before"),
        ("from = 2026-12-20T00:00:00Z, to = 2026-12-21T00:00:00Z, reason = \" \"", "reason"),
        ("from = 2026-12-20T00:00:00Z, to = 2026-12-21T00:00:00Z", "reason"),
        ("from = 12:00:00, to = 2026-12-21T00:00:00Z, reason = \"r\"", "moment"),
        ("from = \"soon\", to = 2026-12-21T00:00:00Z, reason = \"r\"", "moment"),
        ("from = 2026-12-20T00:00:00Z, to = 2026-12-21T00:00:00Z, reason = \"r\", until = 1", "until"),
    ] {
        let error = read(&format!("{{ {written} }}")).unwrap_err();
        assert!(error.contains(said) && error.contains("line 3"), "{written}: {error}");
    }
}

#[test]
fn its_first_instant_is_frozen_and_its_last_is_not() {
    let freeze = one("{ from = 2026-12-20T00:00:00Z, to = 2026-12-21T00:00:00Z, reason = \"peak\" }");
    let tick = Duration::nanoseconds(1);
    for (at, open) in [
        (freeze.from - tick, false),
        (freeze.from, true),
        (freeze.from + tick, true),
        (freeze.to - tick, true),
        (freeze.to, false),
        (freeze.to + tick, false),
    ] {
        assert_eq!(freeze.is_open(at), open, "{at}");
        let elsewhere = at.to_offset(UtcOffset::from_hms(5, 45, 0).unwrap());
        assert_eq!(freeze.is_open(elsewhere), open, "the same instant on another clock: {elsewhere}");
    }
    assert_eq!(freeze.why(), "frozen until 2026-12-21 00:00 UTC: peak");
}

#[test]
fn where_clocks_change_each_end_has_its_own_offset() {
    // Clocks in Berlin go back on 2026-10-25 at 01:00 UTC, from +02:00 to +01:00: the day has 25 hours.
    let freeze = one(
        "{ from = 2026-10-25T00:00:00+02:00, to = 2026-10-26T00:00:00+01:00, reason = \"the long day\" }",
    );
    assert_eq!(freeze.to - freeze.from, Duration::hours(25));
    // They go forward on 2027-03-28: it has 23.
    let freeze = one(
        "{ from = 2027-03-28T00:00:00+01:00, to = 2027-03-29T00:00:00+02:00, reason = \"the short day\" }",
    );
    assert_eq!(freeze.to - freeze.from, Duration::hours(23));
}

#[test]
fn a_freeze_of_tags_is_about_the_groups_that_have_them() {
    let freeze = one(
        "{ from = 2026-12-20T00:00:00Z, to = 2026-12-21T00:00:00Z, reason = \"r\", tags = { site = \"north-*\" } }",
    );
    let tags = |text: &str| serde_json::from_str::<Map<String, Value>>(text).unwrap();
    assert!(!freeze.is_whole());
    assert!(freeze.is_about(&tags(r#"{"site": "north-7"}"#)));
    assert!(!freeze.is_about(&tags(r#"{"site": "south-7"}"#)));
    assert!(!freeze.is_about(&tags("{}")));
}

proptest! {
    /// Whatever offset an end is written with, the window is the same set of instants.
    #[test]
    fn the_offset_of_the_spelling_moves_no_edge(
        start in 1_700_000_000_i64..1_900_000_000,
        length in 1_i64..40 * 86_400,
        at in -90_000_i64..41 * 86_400,
        nanosecond in 0_i64..1_000_000_000,
        (first, second) in (-48_i32..=56, -48_i32..=56),
    ) {
        let from = OffsetDateTime::from_unix_timestamp(start).unwrap();
        let to = from + Duration::seconds(length);
        let spelt = |at: OffsetDateTime, quarters: i32| {
            let at = at.to_offset(UtcOffset::from_whole_seconds(quarters * 900).unwrap());
            at.format(&time::format_description::well_known::Rfc3339).unwrap()
        };
        let freeze =
            one(&format!("{{ from = {}, to = {}, reason = \"r\" }}", spelt(from, first), spelt(to, second)));
        for edge in [from, to, from + Duration::seconds(at)] {
            for instant in [edge - Duration::nanoseconds(nanosecond), edge, edge + Duration::nanoseconds(nanosecond)] {
                prop_assert_eq!(freeze.is_open(instant), from <= instant && instant < to, "{}", instant);
            }
        }
    }
}
