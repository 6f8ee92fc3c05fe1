//! What a command prints for a program says what it is: each document has the name of its schema.

use crate::operator::{GROUP, document, policysync, told};
use crate::world::World;

/// The sentence that would break it: a command with `--output json` prints a list, or an object without the name of its schema.
#[tokio::test]
async fn every_document_of_a_command_has_the_name_of_its_schema() {
    let world = World::default().await;
    world.fire("report-policy-status").await;
    world.fire("reconcile-assignments").await;
    for (command, schema) in [
        (&["status"][..], "policy-status/v2"),
        (&["status", "--list"], "checks/v1"),
        (&["plan"], "policysync-plan/v1"),
        (&["explain", GROUP], "explanation/v1"),
        (&["check"], "check/v1"),
        (&["policies", "list"], "policysync-inventory/v1"),
        (&["policies", "apply"], "policysync-policies/v1"),
        (&["assign", "--from", "line-1", "--to", GROUP], "policysync-plan/v1"),
        (&["runs", "list"], "policysync-runs/v1"),
        (&["holds", "list"], "policysync-holds/v1"),
        (&["holds", "put", GROUP, "--reason", "x"], "policysync-hold/v1"),
        (&["parked", "list"], "parked-messages/v1"),
        (&["submit", "--namespace", "contoso-plants", "--dry-run"], "policysync-dry-run/v1"),
        (&["submit", "--namespace", "contoso-plants"], "policysync-request/v1"),
        (&["submit", "--namespace", "nowhere"], "failure/v1"),
    ] {
        let output = policysync(&world, &[command, &["--output", "json"]].concat(), &[]).await;
        assert_eq!(document(&output)["schema"], schema, "{command:?}: {}", told(&output));
    }
    world.stop().await;
}
