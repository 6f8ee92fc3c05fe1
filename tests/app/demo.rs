//! The demo, as a person runs it.

use std::process::{Command, Output};

fn demo(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_policysync"))
        .arg("demo")
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap()
}

fn told(output: &Output) -> String {
    let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}\n{out}\n{error}", output.status);
    assert_eq!(error, "", "nothing is wrong, so stderr is silent");
    assert!(!out.contains('\u{1b}'), "no colours where there is no terminal");
    out.into_owned()
}

#[test]
fn it_tells_the_whole_story_twice_in_a_row() {
    for _ in 0..2 {
        let story = told(&demo(&[]));
        let mut rest = story.as_str();
        for expected in [
            "A person creates an enrollment group",
            "It has the policy `short-lived`",
            "accepted",
            "renews the policy's issuing CA",
            "is refused by",
            "A sync request goes through the queue",
            "thumbprint seen on the hub",
            "The same device is accepted, by every hub",
            "not one write to Azure",
            "The status report",
            "trusts every policy",
            "Every step was checked and holds",
        ] {
            let at = rest
                .find(expected)
                .unwrap_or_else(|| panic!("`{expected}` is missing after its turn in:\n{story}"));
            rest = &rest[at..];
        }
    }
}

#[test]
fn it_tells_the_story_of_another_fleet() {
    let folder = "examples/water-utility";
    let story = told(&demo(&[
        "--fleet",
        &format!("{folder}/fleet.toml"),
        "--config",
        &format!("{folder}/policysync.toml"),
    ]));
    for expected in
        ["reservoirs", "gauges of every basin", "reservoir-west", "Every step was checked and holds"]
    {
        assert!(story.contains(expected), "`{expected}` is missing in:\n{story}");
    }
    assert!(!story.contains("contoso"), "{story}");
}

#[test]
fn it_tells_the_story_of_each_generation_of_the_service() {
    let pushed = told(&demo(&["--generation", "b"]));
    for expected in [
        "`contoso-plants/lines-ica/short-lived`",
        "is refused by",
        "push-awaited: hub contoso-plants-hub-1 is linked",
        "The same device is accepted, by every hub",
        "link-failed: the link of hub contoso-vans-hub-2 failed: AdrMiNotAuthorized",
        "not one synchronize call",
        "Every step was checked and holds",
    ] {
        assert!(pushed.contains(expected), "`{expected}` is missing in:\n{pushed}");
    }
    let own_root = told(&demo(&["--story", "own-root"]));
    for expected in [
        "its signing request waits for your root",
        "Nothing is wrong with this chain for partner-ica.",
        "in the wrong order is refused",
        "every hub trusts it",
        "gates has partner-ica/gates",
        "TLS handshake with contoso-plants-hub-",
        "Not one write to Azure",
        "Every step was checked and holds",
    ] {
        assert!(own_root.contains(expected), "`{expected}` is missing in:\n{own_root}");
    }
    let migrating = told(&demo(&["--generation", "migrating"]));
    for expected in [
        "names `short-lived` after",
        "names `lines-ica/short-lived` after",
        "`offices` was left alone",
        "Not one write to Azure",
        "Every step was checked and holds",
    ] {
        assert!(migrating.contains(expected), "`{expected}` is missing in:\n{migrating}");
    }
}
