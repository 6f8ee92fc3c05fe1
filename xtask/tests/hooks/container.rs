//! Checks the container image: every base is named by digest, and the package is not in two layers.

use super::text;

/// What is wrong with a Dockerfile.
fn problems(dockerfile: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let mut stages: Vec<&str> = Vec::new();
    // Arguments without a default: a build that does not name them fails, since an empty digest is no reference.
    let required: Vec<&str> =
        instructions(dockerfile, "ARG").filter(|argument| !argument.contains('=')).collect();
    for from in instructions(dockerfile, "FROM") {
        let mut words = from.split_whitespace().filter(|word| !word.starts_with("--"));
        let image = words.next().unwrap_or_default();
        let digest = image.rsplit_once('@').map_or("", |(_, digest)| digest);
        let is_digest = digest.strip_prefix("sha256:").is_some_and(|hex| {
            hex.len() == 64 && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        });
        let is_asked_for = digest
            .strip_prefix("${")
            .and_then(|name| name.strip_suffix('}'))
            .is_some_and(|name| required.contains(&name));
        if !is_digest && !is_asked_for && !stages.contains(&image) {
            problems.push(format!("FROM {image}: not by digest"));
        }
        if image.contains("azure-functions/base") {
            problems.push(format!("FROM {image}: Debian 11, which gets no updates since 2026-08-31"));
        }
        stages.extend(words.nth(1));
    }
    // The last stage is shipped, so the zip and the program that unpacks it belong into another one.
    let shipped = dockerfile.rsplit_once("\nFROM ").map_or(dockerfile, |(_, last)| last);
    for word in ["RUN ", ".zip"] {
        if shipped.contains(word) {
            problems.push(format!("the last stage has `{word}`: unpack in a stage that is not shipped"));
        }
    }
    problems
}

/// What follows an instruction, each.
fn instructions<'a>(dockerfile: &'a str, name: &'static str) -> impl Iterator<Item = &'a str> {
    dockerfile.lines().filter_map(move |line| line.strip_prefix(name)).map(str::trim)
}

#[test]
fn the_image_is_built_on_bases_by_digest_and_unpacked_elsewhere() {
    assert_eq!(problems(&text("container/Dockerfile")), Vec::<String>::new());
}

#[test]
fn a_base_by_tag_an_argument_with_a_default_and_a_zip_that_is_shipped_are_noticed() {
    let hex = "0123456789abcdef".repeat(4);
    for (dockerfile, found) in [
        ("FROM debian:13\nCOPY a b".to_owned(), 1),
        (format!("FROM debian:13@sha256:{hex}\nCOPY a b"), 0),
        (format!("FROM debian:13@sha256:{}\nCOPY a b", &hex[1..]), 1),
        (format!("FROM debian@sha256:{hex} AS one\nRUN unzip x.zip\nFROM one\nCOPY --from=one a b"), 0),
        (format!("FROM debian@sha256:{hex} AS one\nFROM two\nCOPY --from=one a b"), 1),
        ("ARG D\nFROM debian@${D}\nCOPY a b".to_owned(), 0),
        (format!("ARG D=sha256:{hex}\nFROM debian@${{D}}\nCOPY a b"), 1),
        ("FROM debian@${D}\nCOPY a b".to_owned(), 1),
        (format!("FROM debian@sha256:{hex}\nCOPY policysync.zip /\nRUN unzip /policysync.zip"), 2),
        (
            format!(
                "FROM --platform=linux/amd64 mcr.microsoft.com/azure-functions/base:4@sha256:{hex}\nCOPY a b"
            ),
            1,
        ),
    ] {
        assert_eq!(problems(&dockerfile).len(), found, "{dockerfile}: {:?}", problems(&dockerfile));
    }
}

#[test]
fn the_guide_builds_it_as_the_file_says() {
    let guide = text("docs/deploy.md");
    let dockerfile = text("container/Dockerfile");
    let image = instructions(&dockerfile, "FROM").next().unwrap().split('@').next().unwrap().to_owned();
    for part in [format!("docker pull {image}"), "--build-arg BASE_DIGEST=".to_owned()] {
        assert!(guide.contains(&part) && dockerfile.contains(&part), "{part}");
    }
}
