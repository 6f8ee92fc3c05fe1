//! Splits a PEM file into its blocks (RFC 7468).
//!
//! A library skips what stands between the blocks. Here that is a fault: the service takes nothing but blocks of
//! certificates (`ca-lifecycle-facts.md` §1.6), and a private key must be seen wherever it stands.

use data_encoding::BASE64;

/// Largest file, in bytes: 128 times as large as a usual certificate. A bound of ours.
pub const MOST_BYTES: usize = 256 * 1024;

/// Labels that a message may repeat. Any other label may hold anything, so no message shows it.
const KNOWN_LABELS: [&str; 12] = [
    CERTIFICATE,
    REQUEST,
    "NEW CERTIFICATE REQUEST",
    "TRUSTED CERTIFICATE",
    "X509 CERTIFICATE",
    "ATTRIBUTE CERTIFICATE",
    "X509 CRL",
    "PKCS7",
    "CMS",
    "PUBLIC KEY",
    "EC PARAMETERS",
    "DH PARAMETERS",
];

/// The label of a certificate.
pub const CERTIFICATE: &str = "CERTIFICATE";
/// The label of a signing request.
pub const REQUEST: &str = "CERTIFICATE REQUEST";

/// One block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The line on which it begins, from 1.
    pub line: usize,
    /// What it says it is; `None` for what no message may repeat.
    pub label: Option<&'static str>,
    /// Its contents.
    pub der: Vec<u8>,
}

/// Why a file is no list of PEM blocks. No text in it comes from the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PemFault {
    /// A private key is in it.
    #[error("the file holds a private key. It was not read any further, sent or logged")]
    PrivateKey,
    /// It is larger than [`MOST_BYTES`].
    #[error("the file has more than {} KiB, and a chain has a few", MOST_BYTES / 1024)]
    TooLarge,
    /// It is no text.
    #[error("the file is no text in ASCII or UTF-8; it looks like {0}")]
    NotText(&'static str),
    /// Something stands outside of the blocks.
    #[error("line {line} stands outside of a block")]
    ForeignText {
        /// From 1.
        line: usize,
    },
    /// A block is damaged.
    #[error("the block that begins on line {line} is damaged: {problem}")]
    BrokenBlock {
        /// The line on which the block begins, from 1.
        line: usize,
        /// How.
        problem: &'static str,
    },
}

/// The blocks of a file, in order. Of a file that is too large, `bytes` may hold the beginning only, as long as that
/// is more than [`MOST_BYTES`].
///
/// # Errors
/// The first fault. A private key comes before any other.
pub fn blocks(bytes: &[u8]) -> Result<Vec<Block>, PemFault> {
    if names_a_private_key(bytes) {
        return Err(PemFault::PrivateKey);
    }
    if bytes.len() > MOST_BYTES {
        return Err(PemFault::TooLarge);
    }
    let Some(text) = std::str::from_utf8(bytes).ok().filter(|text| !text.contains('\0')) else {
        return Err(PemFault::NotText(kind(bytes)));
    };
    let mut blocks = Vec::new();
    let mut open: Option<(usize, &str, String)> = None;
    for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let (number, line) = (number + 1, line.trim());
        match &mut open {
            None if line.is_empty() => {}
            None => match framed(line, "BEGIN") {
                Some(label) => open = Some((number, label, String::new())),
                None => return Err(PemFault::ForeignText { line: number }),
            },
            Some((begin, label, body)) => {
                let line_of_block = *begin;
                let broken = |problem| Err(PemFault::BrokenBlock { line: line_of_block, problem });
                match framed(line, "END") {
                    Some(end) if end == *label => {
                        let Ok(der) = BASE64.decode(body.as_bytes()) else {
                            return broken("it is not base64");
                        };
                        blocks.push(Block { line: line_of_block, label: known(label), der });
                        open = None;
                    }
                    Some(_) => return broken("it ends as another kind than it begins"),
                    None if line.contains("-----END") && line.contains("-----BEGIN") => {
                        return broken("its last line and the first line of the next block are one line");
                    }
                    None if line.contains("-----BEGIN") => return broken("another block begins within it"),
                    None => body.push_str(line),
                }
            }
        }
    }
    match open {
        Some((line, ..)) => Err(PemFault::BrokenBlock { line, problem: "it does not end" }),
        None => Ok(blocks),
    }
}

/// A certificate as a block.
pub fn of_certificate(der: &[u8]) -> String {
    let mut text = format!("-----BEGIN {CERTIFICATE}-----\n");
    for line in BASE64.encode(der).as_bytes().chunks(64) {
        text.extend(line.iter().copied().map(char::from));
        text.push('\n');
    }
    text + &format!("-----END {CERTIFICATE}-----\n")
}

/// The label of a line that begins or ends a block.
fn framed<'l>(line: &'l str, word: &str) -> Option<&'l str> {
    let label = line.strip_prefix("-----")?.strip_prefix(word)?.strip_prefix(' ')?.strip_suffix("-----")?;
    (!label.contains("-----")).then_some(label)
}

fn known(label: &str) -> Option<&'static str> {
    KNOWN_LABELS.into_iter().find(|known| *known == label)
}

/// Whether the words stand anywhere, in any case, also in UTF-16.
fn names_a_private_key(bytes: &[u8]) -> bool {
    const WORDS: &[u8] = b"PRIVATE KEY";
    let mut matched = 0;
    for byte in bytes.iter().filter(|byte| **byte != 0).map(u8::to_ascii_uppercase) {
        // No beginning of the words is repeated within them, so one mismatch is a new beginning at the most.
        matched = if byte == WORDS[matched] { matched + 1 } else { usize::from(byte == WORDS[0]) };
        if matched == WORDS.len() {
            return true;
        }
    }
    false
}

fn kind(bytes: &[u8]) -> &'static str {
    match bytes {
        [0x30, 0x80..=0x84, ..] => "DER",
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "UTF-16, as PowerShell writes it",
        _ => "binary data",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: &str = "-----BEGIN CERTIFICATE-----\nAAEC\n-----END CERTIFICATE-----\n";

    fn fault(text: &str) -> PemFault {
        blocks(text.as_bytes()).unwrap_err()
    }

    #[test]
    fn blocks_are_read_with_any_line_ends_and_written_as_they_were() {
        let expected = Block { line: 1, label: Some(CERTIFICATE), der: vec![0, 1, 2] };
        for text in [BLOCK.to_owned(), BLOCK.replace('\n', "\r\n"), format!("\u{feff}{BLOCK}\n \n")] {
            assert_eq!(blocks(text.as_bytes()).unwrap(), std::slice::from_ref(&expected));
        }
        assert_eq!(of_certificate(&[0, 1, 2]), BLOCK);
        let long: Vec<u8> = (0..200).collect();
        assert_eq!(blocks(of_certificate(&long).as_bytes()).unwrap()[0].der, long);
        assert_eq!(blocks(format!("{BLOCK}{BLOCK}").as_bytes()).unwrap()[1].line, 4);
        assert_eq!(blocks(b""), Ok(vec![]));
    }

    #[test]
    fn a_private_key_is_seen_wherever_it_stands_and_before_anything_else() {
        let pem = "-----BEGIN EC PRIVATE KEY-----\nAAEC\n-----END EC PRIVATE KEY-----\n";
        let wide: Vec<u8> = pem.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let large = format!("{pem}{}", "x".repeat(MOST_BYTES));
        for bytes in [
            pem.as_bytes(),
            format!("garbage\n{BLOCK}{pem}").as_bytes(),
            b"pprivate key",
            b"PRIVATE PRIVATE KEY",
            &wide,
            large.as_bytes(),
            b"\xff\xfe-----BEGIN ENCRYPTED PRIVATE KEY",
        ] {
            assert_eq!(blocks(bytes), Err(PemFault::PrivateKey));
        }
    }

    #[test]
    fn each_other_fault_is_told_with_its_line() {
        let broken = |line, problem| PemFault::BrokenBlock { line, problem };
        assert_eq!(fault(&"\n".repeat(MOST_BYTES + 1)), PemFault::TooLarge);
        assert_eq!(fault(&format!("{BLOCK}subject=CN = x\n")), PemFault::ForeignText { line: 4 });
        assert_eq!(fault("-----BEGIN CERTIFICATE-----\nAAEC\n"), broken(1, "it does not end"));
        assert_eq!(fault(&BLOCK.replace("AAEC", "A*EC")), broken(1, "it is not base64"));
        assert_eq!(
            fault(&BLOCK.replace("END CERTIFICATE", "END PKCS7")),
            broken(1, "it ends as another kind than it begins")
        );
        assert_eq!(
            fault(&format!("\n{}{BLOCK}", BLOCK.trim_end())),
            broken(2, "its last line and the first line of the next block are one line")
        );
        assert_eq!(
            fault(&format!("-----BEGIN CERTIFICATE-----\n{BLOCK}")),
            broken(1, "another block begins within it")
        );
        assert_eq!(blocks(&[0x30, 0x82, 1, 0xff]), Err(PemFault::NotText("DER")));
        assert_eq!(blocks(b"\xff\xfe-\0-\0"), Err(PemFault::NotText("UTF-16, as PowerShell writes it")));
        assert_eq!(blocks(b"a\0b"), Err(PemFault::NotText("binary data")));
    }

    #[test]
    fn an_unknown_label_is_not_kept() {
        let text = BLOCK.replace("CERTIFICATE", "c2VjcmV0");
        assert_eq!(blocks(text.as_bytes()).unwrap()[0].label, None);
    }
}
