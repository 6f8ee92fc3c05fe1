//! A zip that is the same, byte for byte, for the same content: in the given order, without times, with fixed modes.

use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// Five passes of zopfli: `zip` takes a level past the nine of zlib as their number. With parts of this size they make the program
/// a 32nd smaller than zlib's best, in half a minute; fifteen passes would take twice as long and gain nothing.
const LEVEL: i64 = 14;
/// How many bytes zopfli gets at once. It divides each part into a few blocks with a code of their own, so parts must not be large.
const PART: usize = 250_000;

/// Zips files in their order; `executable` is the one that may be started.
pub fn zipped(files: &[(String, Vec<u8>)], executable: &str) -> Result<Vec<u8>, String> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(LEVEL))
            // The earliest time that the format can say.
            .last_modified_time(DateTime::default())
            .unix_permissions(if name == executable { 0o755 } else { 0o644 });
        zip.start_file(name.as_str(), options).map_err(|error| format!("{name}: {error}"))?;
        for part in content.chunks(PART) {
            zip.write_all(part).map_err(|error| format!("{name}: {error}"))?;
        }
    }
    zip.finish().map(Cursor::into_inner).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use zip::ZipArchive;

    use super::*;

    fn content() -> Vec<(String, Vec<u8>)> {
        let file = |name: &str| (name.to_owned(), name.repeat(1_000).into_bytes());
        vec![file("assign-policy/function.json"), file("host.json"), file("policysync")]
    }

    #[test]
    fn the_same_content_gives_the_same_bytes_whenever_it_is_zipped() {
        let first = zipped(&content(), "policysync").unwrap();
        // Longer than the two seconds that a zip's clock counts in, were there one in it.
        std::thread::sleep(std::time::Duration::from_millis(2_100));
        assert_eq!(first, zipped(&content(), "policysync").unwrap());
        let mut other = content();
        other[1].1.push(b' ');
        assert_ne!(first, zipped(&other, "policysync").unwrap());
    }

    #[test]
    fn everything_is_in_it_and_only_the_handler_is_executable() {
        let bytes = zipped(&content(), "policysync").unwrap();
        let mut archive = ZipArchive::new(Cursor::new(bytes)).unwrap();
        for (index, (name, expected)) in content().into_iter().enumerate() {
            let mut file = archive.by_index(index).unwrap();
            assert_eq!(file.name().unwrap(), name);
            let mode = file.unix_mode().unwrap();
            assert_eq!(mode & 0o777, if name == "policysync" { 0o755 } else { 0o644 }, "{name}");
            let mut found = Vec::new();
            file.read_to_end(&mut found).unwrap();
            assert_eq!(found, expected);
        }
    }
}
