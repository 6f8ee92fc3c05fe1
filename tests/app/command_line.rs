//! The command line as a new user meets it.

use std::process::{Command, Output};

fn policysync(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_policysync"));
    command.env_clear().args(arguments).envs(environment.iter().copied());
    command.output().unwrap()
}

fn complaint(output: &Output) -> String {
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

const SETTINGS: [(&str, &str); 3] = [
    ("POLICYSYNC_STATE", "memory"),
    (
        "ServiceBusConnection",
        "Endpoint=sb://127.0.0.1:1/servicebus;SharedAccessKeyName=n;SharedAccessKey=a2V5;UseDevelopmentEmulator=true",
    ),
    ("FUNCTIONS_CUSTOMHANDLER_PORT", "0"),
];

#[test]
fn wrong_usage_exits_64() {
    for arguments in [&["frobnicate"][..], &["demo", "--flet", "x"], &["demo", "--fleet", "x"], &[]] {
        assert_eq!(policysync(arguments, &[]).status.code(), Some(64), "{arguments:?}");
    }
    assert_eq!(policysync(&["demo", "--help"], &[]).status.code(), Some(0));
}

#[test]
fn serve_without_a_configuration_says_where_to_put_one() {
    let error = complaint(&policysync(
        &["serve"],
        &[&SETTINGS[..], &[("POLICYSYNC_CONFIG", "absent.toml")]].concat(),
    ));
    assert!(error.contains("absent.toml") && error.contains("POLICYSYNC_CONFIG"), "{error}");
}

#[test]
fn serve_with_a_wrong_configuration_names_the_key_and_the_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policysync.toml");
    std::fs::write(&path, "[[namespace]]\nidd = \"x\"\n").unwrap();
    let path = path.to_str().unwrap();
    let error = complaint(&policysync(&["serve"], &[&SETTINGS[..], &[("POLICYSYNC_CONFIG", path)]].concat()));
    assert!(error.contains("idd") && error.contains("line 2"), "{error}");
}

#[test]
fn serve_with_a_misspelt_setting_names_it() {
    let error = complaint(&policysync(&["serve"], &[&SETTINGS[..], &[("POLICYSYNC_QUEUES", "q")]].concat()));
    assert!(error.contains("POLICYSYNC_QUEUES"), "{error}");
}

#[test]
fn a_taken_port_is_told_by_every_command_that_listens() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let error = complaint(&policysync(&["simulator", "--port", &port], &[]));
    assert!(error.contains(&port) && error.contains("another port"), "{error}");
    let error = complaint(&policysync(&["dev", "--port", &port], &[]));
    assert!(error.contains(&port), "{error}");
    assert_eq!(error.matches("Address already in use").count(), 1, "{error}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("policysync.toml");
    let id = "/subscriptions/S/resourceGroups/R/providers/Microsoft.DeviceRegistry/namespaces/contoso";
    std::fs::write(&path, format!("[[namespace]]\nid = \"{id}\"\n")).unwrap();
    let settings =
        [("POLICYSYNC_CONFIG", path.to_str().unwrap()), ("FUNCTIONS_CUSTOMHANDLER_PORT", port.as_str())];
    let error = complaint(&policysync(&["serve"], &[&SETTINGS[..2], &settings].concat()));
    assert!(error.contains(&port), "{error}");
}

#[test]
fn a_fleet_file_with_an_unknown_key_is_told_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fleet.toml");
    std::fs::write(&path, "subscription = \"s\"\nlocation = \"westeurope\"\nnamespaces = 3\n").unwrap();
    let error = complaint(&policysync(&["simulator", "--port", "0", "--fleet", path.to_str().unwrap()], &[]));
    assert!(error.contains("namespaces") && error.contains("line 3"), "{error}");
}

#[test]
fn completions_and_man_pages_know_every_command() {
    for (shell, word) in
        [("bash", "complete -F"), ("zsh", "#compdef policysync"), ("fish", "complete -c policysync")]
    {
        let output = policysync(&["completions", shell], &[]);
        assert!(output.status.success());
        let script = String::from_utf8(output.stdout).unwrap();
        assert!(script.contains(word) && script.contains("blast-radius"), "{shell}: {script:.300}");
    }
    assert_eq!(policysync(&["completions", "basic"], &[]).status.code(), Some(64));
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("man/man1");
    assert!(policysync(&["man-pages", "--out", out.to_str().unwrap()], &[]).status.success());
    for (page, words) in [
        ("policysync.1", "init"),
        ("policysync-status.1", "critical"),
        ("policysync-policies-lint.1", "refuse"),
    ] {
        let text = std::fs::read_to_string(out.join(page)).unwrap();
        assert!(text.contains(words), "{page}: {text}");
    }
}

#[test]
fn with_output_json_a_failure_is_a_document_on_stdout_too() {
    for (arguments, code, words) in [
        (&["status", "--output", "json"][..], 3, "policysync.toml"),
        (&["plan", "--output=json"], 1, "policysync.toml"),
        (&["status", "--output", "json", "--frob"], 64, "--frob"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policysync.toml");
        let output = policysync(arguments, &[("POLICYSYNC_CONFIG", path.to_str().unwrap())]);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(document["schema"], "failure/v1");
        assert!(document["error"]["message"].as_str().unwrap().contains(words), "{document}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(words), "a person sees it all the same");
    }
    assert!(policysync(&["plan"], &[("POLICYSYNC_CONFIG", "absent.toml")]).stdout.is_empty());
}
