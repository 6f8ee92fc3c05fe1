//! The promises about what a message says and how it is called.

use proptest::prelude::*;

use super::*;

fn waiting(place: Place, id: &str, number: i64) -> Waiting {
    let message_id = (!id.is_empty()).then(|| id.to_owned());
    Waiting { message_id, sequence_number: Some(number), ..Waiting::at(place, "{") }
}

fn names(mut messages: Vec<Waiting>) -> Vec<String> {
    name(&mut messages);
    messages.into_iter().map(|message| message.id).collect()
}

#[test]
fn a_message_is_called_by_its_own_id_unless_another_has_the_same_or_it_cannot_be_typed() {
    let parked = |id: &str, number: i64| waiting(Place::Parked, id, number);
    let ids = names(vec![
        parked("a", 1),
        parked("b", 2),
        waiting(Place::DeadLetter, "b", 2),
        parked("", 4),
        parked("-rf", 5),
        parked("two words", 6),
        parked("\u{1b}[2J", 7),
        parked("größe", 8),
    ]);
    let expected =
        ["a", "parked/2", "dead-letter/2", "parked/4", "parked/5", "parked/6", "parked/7", "größe"];
    assert_eq!(ids, expected);
}

#[test]
fn no_id_can_pass_for_the_place_of_another_message() {
    let ids = names(vec![
        waiting(Place::Parked, "dead-letter/2", 1),
        waiting(Place::DeadLetter, "", 2),
        waiting(Place::ParkedDeadLetter, "2", 2),
        Waiting { record: Some("parked-envelopes/01".to_owned()), ..waiting(Place::Kept, "", 0) },
        waiting(Place::Parked, "parked-envelopes/01", 3),
    ]);
    assert_eq!(ids, ["parked/1", "dead-letter/2", "2", "parked-envelopes/01", "parked/3"]);
}

#[test]
fn a_foreign_message_is_shown_and_kept_as_it_is() {
    for text in ["not json", "{\"schema\":\"parked-message/v2\",\"body\":\"x\"}", ""] {
        let (message, body) = Waiting::parked(Place::Parked, text, Envelope::read(text));
        assert_eq!((body.as_str(), message.reason), (text, None));
        assert!(message.detail.unwrap().contains("not parked by Policysync"));
    }
}

#[test]
fn a_unique_beginning_is_enough_when_all_were_seen_and_a_whole_id_always_wins() {
    let ids = ["r-1", "r-12", "x-1"];
    assert_eq!(find(&ids, "r-1", false), Ok(0));
    assert_eq!(find(&ids, "r-12", true), Ok(1));
    assert_eq!(find(&ids, "x", true), Ok(2));
    assert!(find(&ids, "x", false).unwrap_err().contains("x-1"));
    assert!(find(&ids, "r", true).unwrap_err().contains("r-12"));
    assert!(find(&ids, "y", true).unwrap_err().contains("parked list"));
    assert!(find(&ids, "y", false).unwrap_err().contains("there may be others"));
    for empty in ["", " "] {
        assert!(find(&ids[..1], empty, true).is_err(), "{empty:?}");
    }
}

#[test]
fn nothing_that_a_terminal_obeys_is_shown() {
    let text = "\u{1b}[31mred\u{9b}2J\r\n\t\u{202e}gpj.exe\u{2066}\u{200f}\u{7f}\u{0}";
    assert_eq!(plain(text, 80), " [31mred 2J    gpj.exe    ");
    assert_eq!(plain("abc", 2), "ab…");
    assert_eq!(plain("ab", 2), "ab");
}

proptest! {
    #[test]
    fn a_fresh_id_fits_differs_and_does_not_grow(id in "(?s).{0,200}") {
        let first = fresh_id(&id);
        let second = fresh_id(&first);
        prop_assert!(first != second && first != id);
        prop_assert!(first.chars().count() <= 128);
        prop_assert_eq!(first.chars().count(), second.chars().count());
        prop_assert!(can_be_typed(&first));
    }

    #[test]
    fn every_message_can_be_named_and_is_found_by_its_name(
        given in proptest::collection::vec(("[a-c/1-3-]{0,3}|(?s).{0,9}|parked/[1-9]", 0_usize..3), 0..9),
    ) {
        let places = [Place::Parked, Place::DeadLetter, Place::ParkedDeadLetter];
        let numbered = given.iter().zip(1..);
        let ids = names(numbered.map(|((id, place), n)| waiting(places[*place], id, n)).collect());
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        for (at, id) in ids.iter().enumerate() {
            prop_assert!(can_be_typed(id));
            prop_assert_eq!(find(&ids, id, false), Ok(at));
        }
    }

    #[test]
    fn no_text_panics_or_is_deceptive(text in "(?s).*") {
        let (message, body) = Waiting::parked(Place::Kept, &text, Envelope::read(&text));
        prop_assert!(message.body.chars().count() <= EXCERPT + 1);
        prop_assert!(!message.body.chars().any(is_deceptive));
        prop_assert_eq!(body, text);
    }
}
