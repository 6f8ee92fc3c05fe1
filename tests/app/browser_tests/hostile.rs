//! Names come from resources that others can write. No name becomes markup, runs, fetches, hides or breaks the page.

use browser::{Browser, View};
use certificate_management::configuration::Thresholds;
use certificate_management::model::{BringYourOwnRoot, ProvisioningState, ReadFailure};

use super::reports::{NOW, SMALL, World};
use super::site::Site;
use super::{artifact, start};

/// Names that an attacker may give to a resource.
fn hostile_names() -> Vec<String> {
    let fixed = [
        "</style></title><script>window.hostile = 1</script>",
        "\"><img src=x onerror=\"window.hostile = 1\">",
        "' onfocus='window.hostile = 1' autofocus='",
        "--><svg onload=window.hostile=1><!--",
        "<iframe srcdoc='<script>top.hostile = 1</script>'></iframe>",
        "<meta http-equiv=refresh content='0;url=http://example.com/'>",
        "&lt;b&gt;&#x3c;script&#x3e;",
        "{{ 7 * 7 }} ${7 * 7} `code <b>bold</b>` javascript:window.hostile=1",
        "\u{202e}txt.elif\u{2066}\u{200b}\u{feff}",
        "مصنع القاهرة ١ / בית חרושת",
        "two\nlines\r\nand\ta tab\u{0}\u{1b}[31m",
        "",
    ];
    let long = ["a".repeat(5000), "🏭👩\u{200d}🔧".repeat(400), "Z\u{301}\u{302}\u{303}\u{304}".repeat(300)];
    fixed.into_iter().map(ToOwned::to_owned).chain(long).collect()
}

/// A world in which every text that others can write is one of them.
fn world(name: &str) -> World {
    let mut world = World::troubled(&SMALL);
    for seen in world.observations.iter_mut().filter_map(|observation| observation.as_mut().ok()) {
        seen.namespace.location = name.to_owned();
        seen.namespace.provisioning_state = ProvisioningState::Other(name.to_owned());
        for policy in seen.policies.iter_mut().skip(1) {
            policy.name = format!("{name}{}", policy.name);
            policy.issuing_ca.subject = Some(name.to_owned());
            policy.provisioning_state = ProvisioningState::Other(name.to_owned());
            policy.bring_your_own_root = Some(BringYourOwnRoot { status: name.to_owned() });
        }
        for hub in &mut seen.hubs {
            hub.hub.name = format!("{name}{}", hub.hub.name);
            if let Ok(certificates) = &mut hub.certificates {
                for certificate in certificates {
                    certificate.name = name.to_owned();
                    certificate.thumbprint = Some(name.to_owned());
                }
            }
        }
        seen.hubs[3].certificates = Err(ReadFailure::other(name));
    }
    *world.observations.last_mut().unwrap() = Err(ReadFailure::other(name));
    for service in world.services.iter_mut().flatten() {
        service.endpoint = format!("https://{name}");
        for group in service.enrollment_groups.iter_mut().flatten() {
            group.id = format!("{name}{}", group.id);
            group.policy = group.policy.as_ref().map(|policy| format!("{name}{policy}"));
        }
    }
    world.surprises = vec![name.to_owned()];
    for record in &mut world.records.requests {
        record.request.requested_by = Some(name.to_owned());
        record.request.request_id = name.to_owned();
        record.detail = Some(name.to_owned());
    }
    world
}

#[tokio::test]
async fn hostile_names_are_shown_and_do_nothing() {
    let Some(browser) = start("hostile names").await else { return };
    for (number, name) in hostile_names().into_iter().enumerate() {
        let html = policysync::page::document(
            &world(&name).report(),
            NOW,
            &Thresholds::default(),
            &policysync::page::links::Links::default(),
        )
        .unwrap();
        let site = Site::of(html).await;
        for view in [View::LIGHT, View::PHONE] {
            browser.look_through(view).await.unwrap();
            browser.open(site.url()).await.unwrap();
            does_nothing(&browser, site.url(), &name).await;
            fits(&browser, &name).await;
        }
        browser.picture(&artifact(&format!("hostile-{number:02}.png"))).await.unwrap();
    }
    browser.close().await.unwrap();
}

/// The sentence that would break it: on a phone a command with an ARM id in it makes the page wider than the screen.
#[tokio::test]
async fn a_command_with_an_id_is_broken_on_a_phone() {
    let Some(browser) = start("a long command").await else { return };
    let mut report = World::troubled(&SMALL).report();
    let id = "/subscriptions/7a1d3c52-0b6e-4f8d-9c31-5e2f7a9b0c14/resourceGroups/rg-malzwerk-bottling/providers/Microsoft.Devices/IotHubs/malzwerk-bottling-spare";
    let command =
        format!("Grant the role: `az role assignment create --role \"Contributor\" --scope \"{id}\"`.");
    report.findings[0].next_step.clone_from(&command);
    let (thresholds, links) = (Thresholds::default(), policysync::page::links::Links::default());
    let html = policysync::page::document(&report, NOW, &thresholds, &links).unwrap();
    let site = Site::of(html).await;
    browser.look_through(View::PHONE).await.unwrap();
    browser.open(site.url()).await.unwrap();
    let shown = browser.evaluate("return document.body.textContent").await.unwrap();
    assert!(shown.as_str().unwrap().contains(id), "the command is shown");
    fits(&browser, &command).await;
    browser.close().await.unwrap();
}

async fn does_nothing(browser: &Browser, url: &str, name: &str) {
    assert_eq!(browser.requests().await.unwrap(), [url], "{name:?}");
    assert_eq!(browser.console().await.unwrap(), Vec::<String>::new(), "{name:?}");
    let made = "const all = [...document.querySelectorAll('*')];
        const strange = all.filter(one => one.matches('script,img,iframe,object,embed,link,form,base,input')
            || [...one.attributes].some(attribute => attribute.name.startsWith('on') || attribute.name === 'srcdoc')
            || one.matches('a:not([href^=\"#\"]):not([href^=\"sync-requests\"]):not([href^=\"policy-status/\"])'));
        return {hostile: window.hostile ?? null, strange: strange.map(one => one.outerHTML.slice(0, 200)),
            styles: document.styleSheets.length, title: document.title,
            turned: /[\\u202a-\\u202e\\u2066-\\u2069\\u200b\\ufeff]/.test(document.body.textContent)};";
    let made = browser.evaluate(made).await.unwrap();
    assert!(made["hostile"].is_null(), "{name:?} ran");
    assert_eq!(made["strange"], serde_json::json!([]), "{name:?}");
    assert_eq!((&made["styles"], &made["turned"]), (&1.into(), &false.into()), "{name:?}");
    let first_line: String =
        name.chars().take(40).take_while(|c| !c.is_control() && *c != '\u{202e}').collect();
    let text = browser.evaluate("return document.body.textContent").await.unwrap();
    let shown = text.as_str().unwrap().replace('`', "");
    assert!(shown.contains(&first_line.replace('`', "")), "{name:?} is not shown");
}

/// The page is as wide as the screen, and every heading and state is within it.
async fn fits(browser: &Browser, name: &str) {
    let wide = "const edge = document.documentElement.clientWidth + 1;
        const inside = one => one.closest('.scroll, .hidden, .skip, details:not([open])');
        return {page: document.documentElement.scrollWidth <= edge,
            wide: [...document.querySelectorAll('body *')].filter(one => !inside(one)
                && one.getBoundingClientRect().right > edge).map(one => one.outerHTML.slice(0, 120)).slice(0, 5)};";
    let wide = browser.evaluate(wide).await.unwrap();
    assert_eq!(wide["wide"], serde_json::json!([]), "{name:?}");
    assert_eq!(wide["page"], true, "{name:?}");
}
