//! Reads from a Linux binary what it needs of the machine that it runs on (ELF, 64 bit, little-endian).

/// Type of the section that lists dynamic libraries, and the tag of one of them (System V ABI, "Dynamic Section").
const DYNAMIC_SECTION: u32 = 6;
const NEEDED: u64 = 1;

/// libc and its parts: there on every image with glibc.
const LIBC: [&str; 7] = [
    "ld-linux-x86-64.so.2",
    "libc.so.6",
    "libdl.so.2",
    "libgcc_s.so.1",
    "libm.so.6",
    "libpthread.so.0",
    "librt.so.1",
];

/// What a binary needs that an image with glibc `2.minor` does not have.
pub fn problems(binary: &[u8], minor: u32) -> Vec<String> {
    let Some(libraries) = libraries(binary) else {
        return vec!["it is not a 64-bit Linux program with a dynamic section".to_owned()];
    };
    let mut problems: Vec<String> = libraries
        .into_iter()
        .filter(|library| !LIBC.contains(&library.as_str()))
        .map(|library| format!("it needs {library}"))
        .collect();
    match newest_glibc(binary) {
        Some(newest) if newest <= minor => {}
        Some(newest) => problems.push(format!("it needs glibc 2.{newest}; the oldest image has 2.{minor}")),
        None => problems.push("it names no version of glibc".to_owned()),
    }
    problems
}

/// The highest `GLIBC_2.N` among the version names.
pub fn newest_glibc(binary: &[u8]) -> Option<u32> {
    const PREFIX: &[u8] = b"\0GLIBC_2.";
    let starts = binary.windows(PREFIX.len()).enumerate().filter(|(_, window)| *window == PREFIX);
    starts
        .filter_map(|(at, _)| {
            let rest = &binary[at + PREFIX.len()..];
            let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
            std::str::from_utf8(&rest[..digits]).ok()?.parse().ok()
        })
        .max()
}

/// The dynamic libraries by name; `None` for anything but such a program.
fn libraries(binary: &[u8]) -> Option<Vec<String>> {
    if binary.get(..6)? != b"\x7fELF\x02\x01" {
        return None;
    }
    let sections = to_usize(number(binary, 0x28, 8)?)?;
    let size = to_usize(number(binary, 0x3a, 2)?)?;
    let count = to_usize(number(binary, 0x3c, 2)?)?;
    let header = |index: usize| sections.checked_add(index.checked_mul(size)?);
    let dynamic = (0..count)
        .filter_map(header)
        .find(|at| number(binary, at + 4, 4) == Some(u64::from(DYNAMIC_SECTION)))?;
    let bytes = section(binary, dynamic)?;
    let names = section(binary, header(to_usize(number(binary, dynamic + 0x28, 4)?)?)?)?;
    let entries = bytes.chunks_exact(16).filter(|entry| number(entry, 0, 8) == Some(NEEDED));
    entries
        .map(|entry| {
            let name = names.get(to_usize(number(entry, 8, 8)?)?..)?;
            let end = name.iter().position(|byte| *byte == 0)?;
            String::from_utf8(name[..end].to_vec()).ok()
        })
        .collect()
}

/// The bytes of the section whose header is at `header`.
fn section(binary: &[u8], header: usize) -> Option<&[u8]> {
    let start = to_usize(number(binary, header + 0x18, 8)?)?;
    let length = to_usize(number(binary, header + 0x20, 8)?)?;
    binary.get(start..start.checked_add(length)?)
}

/// A little-endian number of up to eight bytes.
fn number(bytes: &[u8], at: usize, length: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(length)?)?;
    Some(bytes.iter().rev().fold(0, |value, byte| (value << 8) | u64::from(*byte)))
}

fn to_usize(value: u64) -> Option<usize> {
    usize::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_counts_as_a_number() {
        assert_eq!(newest_glibc(b"\0GLIBC_2.9\0GLIBC_2.31\0GLIBC_2.2.5\0"), Some(31));
        assert_eq!(newest_glibc(b"no versions"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_program_is_read_and_an_older_glibc_is_not_enough_for_it() {
        let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let newest = newest_glibc(&own).unwrap();
        assert!(libraries(&own).unwrap().contains(&"libc.so.6".to_owned()));
        assert_eq!(problems(&own, newest), Vec::<String>::new());
        assert_eq!(problems(&own, newest - 1).len(), 1);
    }

    #[test]
    fn what_is_no_program_is_noticed() {
        assert_eq!(problems(b"#!/bin/sh\n", 31).len(), 1);
        assert_eq!(problems(b"\x7fELF\x02\x01 cut", 31).len(), 1);
    }
}
