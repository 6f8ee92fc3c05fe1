//! Changes an input at random, of a seed: what an engine does, without one. It knows no coverage, so it stays near the inputs
//! that it begins with.

use std::sync::LazyLock;

use fastrand::Rng;

/// Words in libFuzzer's form, which reads the same file.
const DICTIONARY: &str = include_str!("../dictionary.txt");
static WORDS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| DICTIONARY.lines().filter_map(word).collect());

/// Most changes to one input.
const MOST_CHANGES: usize = 6;
/// No input grows beyond this, in bytes.
const LONGEST: usize = 64 * 1024;

/// An input made of `input` by a few changes. `other` is one that pieces are taken of.
pub fn of(random: &mut Rng, input: &[u8], other: &[u8]) -> Vec<u8> {
    let mut changed = input.to_vec();
    for _ in 0..random.usize(1..=MOST_CHANGES) {
        change(random, &mut changed, other);
    }
    changed.truncate(LONGEST);
    changed
}

fn change(random: &mut Rng, input: &mut Vec<u8>, other: &[u8]) {
    let at = random.usize(0..=input.len());
    match random.u8(0..9) {
        0 => {
            if let Some(byte) = input.get_mut(at) {
                *byte ^= 1 << random.u8(0..8);
            }
        }
        1 => {
            if let Some(byte) = input.get_mut(at) {
                *byte = random.u8(..);
            }
        }
        2 => {
            input.drain(piece(random, input.len()));
        }
        3 => {
            let repeated = input[piece(random, input.len())].to_vec();
            insert(input, at, &repeated);
        }
        4 => insert(input, at, &other[piece(random, other.len())]),
        5 => insert(input, at, any_word(random)),
        6 => {
            let gone = piece(random, input.len());
            input.splice(gone, any_word(random).iter().copied());
        }
        7 => value(random, input),
        _ => input.truncate(at),
    }
}

fn insert(input: &mut Vec<u8>, at: usize, piece: &[u8]) {
    input.splice(at..at, piece.iter().copied());
}

/// A range of at most a quarter of the input, and of some bytes most often.
fn piece(random: &mut Rng, length: usize) -> std::ops::Range<usize> {
    let begin = random.usize(0..=length);
    let most = if random.bool() { 12 } else { length / 4 };
    begin..length.min(begin + random.usize(0..=most))
}

/// Puts another value in place of a JSON text or number: what byte changes seldom leave readable.
fn value(random: &mut Rng, input: &mut Vec<u8>) {
    let starts: Vec<usize> = (1..input.len()).filter(|at| input[at - 1] == b':').collect();
    let Some(start) = random.choice(starts) else { return };
    let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b'\n');
    let end = input[start..].iter().position(ends).map_or(input.len(), |length| start + length);
    let word = any_word(random);
    let quoted = if random.bool() { [b"\"", word, b"\""].concat() } else { word.to_vec() };
    input.splice(start..end, quoted);
}

fn any_word(random: &mut Rng) -> &'static [u8] {
    random.choice(WORDS.iter()).map_or(&[], Vec::as_slice)
}

/// The word of a line of the dictionary; `None` for a remark.
fn word(line: &str) -> Option<Vec<u8>> {
    let mut rest = line.strip_prefix('"')?.strip_suffix('"')?.bytes();
    let mut word = Vec::new();
    while let Some(byte) = rest.next() {
        word.push(match byte {
            b'\\' => match rest.next()? {
                b'x' => {
                    let digits = [rest.next()?, rest.next()?];
                    u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
                }
                escaped => escaped,
            },
            byte => byte,
        });
    }
    Some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_makes_the_same_inputs_and_another_one_others() {
        let made = |seed| {
            let mut random = Rng::with_seed(seed);
            (0..200).map(|_| of(&mut random, b"{\"a\":1,\"b\":[true]}", b"other")).collect::<Vec<_>>()
        };
        assert_eq!(made(1), made(1));
        assert_ne!(made(1), made(2));
        let different: std::collections::BTreeSet<_> = made(1).into_iter().collect();
        assert!(different.len() > 150, "{}", different.len());
    }

    #[test]
    fn each_line_of_the_dictionary_is_a_word_or_a_remark() {
        assert_eq!(word(r#""a\x0A\"\\""#), Some(b"a\n\"\\".to_vec()));
        let wrong: Vec<_> =
            DICTIONARY.lines().filter(|line| !line.starts_with('#') && word(line).is_none()).collect();
        assert_eq!(wrong, [""; 0]);
        assert!(WORDS.len() > 50 && WORDS.iter().all(|word| !word.is_empty()));
    }

    #[test]
    fn an_empty_input_is_no_obstacle() {
        let mut random = Rng::with_seed(3);
        assert!((0..500).any(|_| !of(&mut random, b"", b"").is_empty()));
    }
}
