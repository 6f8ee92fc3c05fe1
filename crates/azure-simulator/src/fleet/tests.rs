use super::*;

const SMALL: &str = r#"
subscription = "S"
location = "East US 2"

[[namespace]]
name = "contoso"
resource_group = "R"

[[namespace.policy]]
name = "default"
leaf_validity_days = 30

[[namespace.hub]]
name = "contoso-hub"
trusts = []

[[namespace.provisioning_service]]
name = "contoso-dps"

[[namespace.provisioning_service.enrollment_group]]
name = "line-1"
attestation = "x509-ca"
policy = "default"
tags = { site = "a" }
"#;

#[test]
fn a_small_file_gets_the_documented_defaults() {
    let fleet = Fleet::from_toml(SMALL).unwrap();
    assert_eq!((fleet.synchronize_seconds, fleet.retry_after_seconds, fleet.page_size), (3, 2, 20));
    assert!(fleet.revoke_pushes_to_hubs);
    let namespace = &fleet.namespaces[0];
    assert_eq!(namespace.hubs[0].trusts.as_deref(), Some(&[][..]));
    let group = &namespace.provisioning_services[0].enrollment_groups[0];
    assert_eq!(group.attestation, Attestation::X509Ca);
    assert!(group.enabled && namespace.credential);
}

#[test]
fn what_is_written_reads_back_the_same() {
    for fleet in [Fleet::default_fleet(), Fleet::from_toml(SMALL).unwrap()] {
        let text = fleet.to_toml().unwrap();
        assert_eq!(Fleet::from_toml(&text).unwrap(), fleet, "{text}");
    }
}

#[test]
fn the_default_fleet_is_healthy_and_lively() {
    let fleet = Fleet::default_fleet();
    fleet.validate().unwrap();
    assert!(fleet.namespaces.len() >= 3);
    assert!(
        fleet
            .namespaces
            .iter()
            .all(|n| n.credential && n.hubs.len() >= 2 && !n.provisioning_services.is_empty())
    );
    assert!(fleet.namespaces.iter().flat_map(|n| &n.hubs).all(|hub| hub.trusts.is_none()));
    assert!(fleet.namespaces.iter().flat_map(|n| &n.policies).all(|p| p.provisioning_state == "Succeeded"));
    let groups: Vec<_> = fleet
        .namespaces
        .iter()
        .flat_map(|n| &n.provisioning_services)
        .flat_map(|service| &service.enrollment_groups)
        .collect();
    assert!(groups.iter().any(|g| g.policy.is_none()) && groups.iter().any(|g| g.policy.is_some()));
}

#[test]
fn an_unknown_key_is_named_with_its_line() {
    let error = Fleet::from_toml(&SMALL.replace("trusts", "trust")).unwrap_err().to_string();
    assert!(error.contains("trust") && error.contains("line 15") && error.contains("expected"), "{error}");
}

#[test]
fn a_value_that_does_not_hold_together_is_named_with_its_place() {
    for (from, to, place, problem) in [
        (
            "trusts = []",
            "trusts = [\"other\"]",
            "namespace \"contoso\" / hub \"contoso-hub\" / trusts",
            "other",
        ),
        (
            "leaf_validity_days = 30",
            "leaf_validity_days = 91",
            "policy \"default\" / leaf_validity_days",
            "91",
        ),
        ("name = \"line-1\"", "name = \"-line\"", "enrollment_group \"-line\" / name", "128"),
        ("policy = \"default\"", "hubs = [\"nowhere\"]", "enrollment_group \"line-1\" / hubs", "nowhere"),
        ("name = \"default\"", "name = \"x\"", "policy \"x\" / name", "3 to 63"),
        ("subscription = \"S\"", "subscription = \"a/b\"", "subscription", "a/b"),
        (
            "resource_group = \"R\"",
            "resource_group = \"R\"\nsubscription = \"a/b\"",
            "namespace \"contoso\" / subscription",
            "a/b",
        ),
        ("location = \"East US 2\"", "location = \"x\"\npage_size = 0", "page_size", "between"),
    ] {
        let error = Fleet::from_toml(&SMALL.replace(from, to)).unwrap_err().to_string();
        assert!(error.contains(place) && error.contains(problem), "{to}: {error}");
    }
}

#[test]
fn a_dangling_policy_is_an_error_only_where_the_service_would_refuse_it() {
    let dangling = SMALL.replace("policy = \"default\"", "policy = \"gone\"");
    Fleet::from_toml(&dangling).unwrap();
    let strict = dangling.replace("location", "unknown_policy = \"refuse\"\nlocation");
    let error = Fleet::from_toml(&strict).unwrap_err().to_string();
    assert!(error.contains("line-1") && error.contains("gone"), "{error}");
}

const MIGRATING: &str = r#"
subscription = "S"
location = "East US 2"

[[namespace]]
name = "contoso"
resource_group = "R"
generation = "certificate-authorities"

[[namespace.certificate_authority]]
name = "factory-root"
type = "root"

[[namespace.certificate_authority]]
name = "factory-ica"
type = "issuing"

[namespace.certificate_authority.policy]
name = "short-lived"
leaf_validity_days = 7

[[namespace.hub]]
name = "contoso-hub"
linking_state = "Failed"
linking_error = "AdrMiNotAuthorized"
trusts = ["factory-ica"]

[[namespace.provisioning_service]]
name = "contoso-dps"
unaware_of_namespace = true

[[namespace.provisioning_service.enrollment_group]]
name = "line-1"
certificate_authority = "factory-ica"
certificate_policy = "short-lived"
"#;

#[test]
fn a_namespace_of_certificate_authorities_reads_back_the_same() {
    let fleet = Fleet::from_toml(MIGRATING).unwrap();
    assert_eq!(Fleet::from_toml(&fleet.to_toml().unwrap()).unwrap(), fleet);
    assert_eq!(fleet.offered(), Generation::CertificateAuthorities);
    let policy = fleet.namespaces[0].certificate_authorities[1].policy.as_ref().unwrap();
    assert_eq!((policy.name.as_str(), policy.leaf_validity_days), ("short-lived", 7));
    assert!(!fleet.namespaces[0].hubs[0].is_reached());
    assert_eq!(Fleet::default_fleet().offered(), Generation::Credentials);
}

#[test]
fn certificate_authorities_that_do_not_hold_together_are_named_with_their_place() {
    for (from, to, place, problem) in [
        ("type = \"root\"", "type = \"issuing\"", "/ certificate_authority", "root"),
        ("type = \"issuing\"", "type = \"root\"", "/ certificate_authority", "one root"),
        ("name = \"factory-ica\"\ntype", "name = \"Factory-Root\"\ntype", "/ name", "another"),
        ("type = \"issuing\"", "type = \"external\"\nvalidity_days = 3", "/ validity_days", "signs"),
        ("generation = \"certificate-authorities\"", "", "/ certificate_authority", "generation"),
        ("certificate_policy = \"short-lived\"", "", "/ certificate_policy", "required"),
        ("certificate_authority = \"factory-ica\"", "", "/ certificate_authority", "required"),
        (
            "certificate_authority = \"factory-ica\"",
            "certificate_authority = \"factory-root\"",
            "line-1",
            "root",
        ),
        ("linking_state = \"Failed\"", "", "/ linking_error", "Failed"),
        ("leaf_validity_days = 7", "leaf_validity_days = 0", "/ leaf_validity_days", "between"),
        ("trusts = [\"factory-ica\"]", "trusts = [\"factory-root\"]", "/ trusts", "factory-root"),
    ] {
        let changed = MIGRATING.replace(from, to);
        assert_ne!(changed, MIGRATING, "{from}");
        let error = Fleet::from_toml(&changed).unwrap_err().to_string();
        assert!(error.contains(place) && error.contains(problem), "{to}: {error}");
    }
}

#[test]
fn credential_policies_belong_to_the_generation_of_credentials() {
    let error = Fleet::from_toml(&SMALL.replace(
        "resource_group = \"R\"",
        "resource_group = \"R\"\ngeneration = \"certificate-authorities\"",
    ));
    assert!(error.unwrap_err().to_string().contains("certificate_authority"));
    let strict = MIGRATING.replace("location", "unknown_policy = \"refuse\"\nlocation");
    Fleet::from_toml(&strict).unwrap();
    let dangling = strict.replace("certificate_policy = \"short-lived\"", "certificate_policy = \"gone\"");
    assert!(Fleet::from_toml(&dangling).unwrap_err().to_string().contains("gone"));
}
