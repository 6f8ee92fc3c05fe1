//! Every address with its methods, parameters and answers.

use std::collections::BTreeMap;

use certificate_management::request::MAX_REQUEST_ID;
use serde_json::{Map, Value, json};

use super::schemas::Schemas;
use crate::api::Operation;
use crate::api::accept::Media;
use crate::api::problem::Code;
use crate::functions::{api_description, policy_status, sync_requests};
use crate::reporting::tables;

/// Answers that several operations share, by name.
#[derive(Default)]
pub struct Responses(BTreeMap<String, Value>);

impl Responses {
    /// All of them.
    pub fn finish(self) -> BTreeMap<String, Value> {
        self.0
    }

    /// Adds the answers of an operation with these errors, of a path with these operations.
    fn add(&mut self, answers: &mut Map<String, Value>, codes: &[Code], media: &[Media]) {
        let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
        for code in [Code::MethodNotAllowed, Code::NotAcceptable].iter().chain(codes) {
            by_status.entry(code.status().as_u16()).or_default().push(*code);
        }
        for (status, codes) in by_status {
            let name = self.error(&codes, media);
            answers.insert(status.to_string(), json!({"$ref": format!("#/components/responses/{name}")}));
        }
        for (status, name, why) in [
            (401, "NoKey", "The host has seen no key that opens this function. No body."),
            (429, "HostBusy", "The host has too many requests in hand. No body."),
            (500, "Failed", "The function failed; the log of the app says why. No body."),
        ] {
            self.0.entry(name.to_owned()).or_insert_with(|| json!({"description": why}));
            answers
                .entry(status.to_string())
                .or_insert_with(|| json!({"$ref": format!("#/components/responses/{name}")}));
        }
    }

    /// The name of the answer with one of these errors, which have the same status.
    fn error(&mut self, codes: &[Code], media: &[Media]) -> String {
        let has_page = media.contains(&Media::Page)
            && !codes.iter().any(|code| matches!(code, Code::MethodNotAllowed | Code::NotAcceptable));
        let mut name: String = codes.iter().map(|code| format!("{code:?}")).collect::<Vec<_>>().join("Or");
        if has_page {
            name.push_str("Page");
        }
        let texts: Vec<Value> = codes.iter().map(|code| json!(code)).collect();
        let mut content = json!({"application/json": {"schema": {
            "allOf": [{"$ref": "#/components/schemas/Error"}],
            "properties": {"error": {"properties": {"code": {"enum": texts}}}},
        }}});
        if has_page {
            content["text/html"] = json!({"schema": {"type": "string"}});
        }
        let told = codes.iter().map(|code| format!("`{}`:{}", json!(code).as_str().unwrap(), code.meaning()));
        let mut answer = json!({"description": told.collect::<Vec<_>>().join(" "), "content": content});
        match codes[0].status().as_u16() {
            405 => answer["headers"] = json!({"Allow": {"required": true, "schema": {"type": "string"}}}),
            503 => {
                answer["headers"] = json!({"Retry-After": {"description": "Seconds; the host's own answer has none.", "schema": {"type": "integer"}}});
            }
            _ => {}
        }
        self.0.insert(name.clone(), answer);
        name
    }
}

/// Every path.
pub fn paths(schemas: &mut Schemas, responses: &mut Responses) -> Value {
    let list = schemas.of::<crate::views::RequestList>();
    let request = schemas.of::<crate::views::RequestView<'static>>();
    let plan = schemas.of::<crate::dry_run::PlanView<'static>>();
    let submission = schemas.submission();
    let status = schemas.report();
    let changes = schemas.of::<certificate_management::report::changes::Changes>();
    schemas.error();

    let page = |of: &str, most: Option<usize>| {
        let mut schema = json!({"type": "integer", "minimum": 1, "default": 1});
        if let Some(most) = most {
            schema["maximum"] = json!(most);
        }
        json!({"name": "page", "in": "query", "description": format!("Which page of {of}."), "schema": schema})
    };
    let known = json!({"name": "If-None-Match", "in": "header", "description": "The ETag of the answer that the caller has.", "schema": {"type": "string"}});

    let mut build = |answers: Value, codes: &[Code], operation: &Operation| {
        let mut answers = answers.as_object().cloned().unwrap_or_default();
        responses.add(&mut answers, codes, operation.media);
        answers
    };
    let records = [
        Code::PageNotRendered,
        Code::RecordsUnavailable,
        Code::NotConfigured,
        Code::Busy,
        Code::BodyTooLarge,
    ];
    let with = |more: &[Code]| [more, &records].concat();

    let listed = build(
        json!({"200": answer("The page.", &list, sync_requests::OF_ALL[0].media)}),
        &with(&[Code::InvalidRequest, Code::NoSuchPage]),
        &sync_requests::OF_ALL[0],
    );
    let mut taken =
        answer("The request was taken, or had been taken before.", &request, sync_requests::OF_ALL[1].media);
    taken["headers"] = json!({"Location": {"required": true, "description": "The address of the request.", "schema": {"type": "string"}}});
    taken["links"] = json!({"outcome": {"operationId": "showSyncRequest", "parameters": {"id": "$response.body#/requestId"}}});
    let submitted = build(
        json!({"200": answer("The plan, for `dryRun`. Nothing was written and nothing was submitted.", &plan, sync_requests::OF_ALL[1].media), "202": taken}),
        &[
            Code::InvalidRequest,
            Code::RequestIdTaken,
            Code::BodyTooLarge,
            Code::NamespaceNotConfigured,
            Code::RecordsUnavailable,
            Code::NotConfigured,
            Code::QueueUnavailable,
            Code::NamespaceUnreadable,
            Code::Busy,
        ],
        &sync_requests::OF_ALL[1],
    );
    let shown = build(
        json!({"200": answer("The request, with the outcome of each hub.", &request, sync_requests::OF_ONE[0].media)}),
        &with(&[Code::NoSuchRequest]),
        &sync_requests::OF_ONE[0],
    );
    let overview = build(
        tagged(answer(
            "The newest report. Before there is one, the page says so.",
            &status,
            policy_status::OPERATIONS[0].media,
        )),
        &with(&[Code::InvalidRequest, Code::NoSuchPage, Code::NoReport]),
        &policy_status::OPERATIONS[0],
    );
    let of_namespace = build(
        tagged(answer("The report of the namespace.", &status, policy_status::OPERATIONS[0].media)),
        &with(&[Code::NoSuchNamespace, Code::AmbiguousNamespace]),
        &policy_status::OPERATIONS[0],
    );
    let changed = build(
        tagged(answer("What changed.", &changes, policy_status::OPERATIONS[0].media)),
        &with(&[Code::InvalidRequest, Code::NoReport]),
        &policy_status::OPERATIONS[0],
    );
    let mut table = |of: &str, columns: &[&str]| {
        let told =
            format!("A page of the table (RFC 4180), with the names of its columns: {}.", columns.join(", "));
        let mut answers = tagged(answer(&told, &Value::Null, policy_status::OF_TABLES[0].media));
        answers["200"]["headers"]["Link"] = json!({"description": "To the next page, where there is one: `rel=next`.", "schema": {"type": "string"}});
        let responses =
            build(answers, &with(&[Code::InvalidRequest, Code::NoSuchPage]), &policy_status::OF_TABLES[0]);
        (of.to_owned(), responses)
    };
    let (pairs, of_pairs) = table("every pair of an active policy and a linked hub", &tables::OF_PAIRS);
    let (groups, of_groups) = table("every enrollment group", &tables::OF_GROUPS);
    let description = build(
        tagged(
            json!({"description": "This document.", "content": {"application/json": {"schema": {"type": "object"}}}}),
        ),
        &[Code::Busy, Code::BodyTooLarge],
        &api_description::OPERATIONS[0],
    );
    json!({
        "/api/sync-requests": {
            "get": {
                "operationId": "listSyncRequests",
                "summary": "The sync requests that changed last, the newest change first",
                "parameters": [page("the list", Some(crate::synchronization::listing::PAGES))],
                "responses": listed,
            },
            "post": {
                "operationId": "submitSyncRequest",
                "summary": "Ask for a sync, or for the plan of one",
                "description": "A sync covers its whole namespace and cannot be undone.",
                "parameters": [{
                    "name": "Idempotency-Key",
                    "in": "header",
                    "description": "The id of the request. The same request with the same key is one request. Ids that Policysync makes itself are refused: `automatic-…`, `look-…`, a ULID with a colon.",
                    "schema": {"type": "string", "pattern": idempotency_key()},
                }],
                "requestBody": {"required": true, "content": {"application/json": {"schema": submission}}},
                "responses": submitted,
            },
        },
        "/api/sync-requests/{id}": {
            "get": {
                "operationId": "showSyncRequest",
                "summary": "One sync request, with the outcome of each hub",
                "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "string", "minLength": 1}}],
                "responses": shown,
            },
        },
        "/api/policy-status": {
            "get": {
                "operationId": "showPolicyStatus",
                "summary": "The newest report",
                "parameters": [page("the findings", None), known.clone()],
                "responses": overview,
            },
        },
        "/api/policy-status/{namespace}": {
            "get": {
                "operationId": "showPolicyStatusOfNamespace",
                "summary": "One namespace whole, as it was seen last",
                "parameters": [{"name": "namespace", "in": "path", "required": true, "description": "Its name, or its address where several have the name.", "schema": {"type": "string", "minLength": 1}}, known.clone()],
                "responses": of_namespace,
            },
        },
        "/api/policy-status/changes": {
            "get": {
                "operationId": "showPolicyStatusChanges",
                "summary": "What changed since an earlier report: findings, hubs, policies, groups, trust",
                "parameters": [{"name": "since", "in": "query", "description": "A time (RFC 3339) or a day (UTC): the last report made until then is compared with the newest; where the records do not go back as far (14 days), the oldest. Without it: 24 hours ago.", "schema": {"type": "string", "anyOf": [{"format": "date-time"}, {"format": "date"}]}}, known.clone()],
                "responses": changed,
            },
        },
        "/api/policy-status/pairs.csv": {
            "get": {
                "operationId": "tabulatePairs",
                "summary": format!("A table of {pairs}"),
                "description": "A cell that a spreadsheet would take for a formula has an apostrophe before it.",
                "parameters": [page("the table", None), known.clone()],
                "responses": of_pairs,
            },
        },
        "/api/policy-status/groups.csv": {
            "get": {
                "operationId": "tabulateEnrollmentGroups",
                "summary": format!("A table of {groups}"),
                "description": "A cell that a spreadsheet would take for a formula has an apostrophe before it.",
                "parameters": [page("the table", None), known.clone()],
                "responses": of_groups,
            },
        },
        "/api/openapi.json": {
            "get": {
                "operationId": "describeApi",
                "summary": "This document",
                "parameters": [known],
                "responses": description,
            },
        },
    })
}

/// The keys that a caller may choose: not those of the forms that Policysync makes itself.
fn idempotency_key() -> String {
    let any_case = |word: &str| -> String {
        word.chars().map(|letter| format!("[{letter}{}]", letter.to_ascii_uppercase())).collect()
    };
    let (automatic, look) = (any_case("automatic"), any_case("look"));
    let follow_up = "[0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{26}:";
    format!("^(?!{automatic}-|{look}-|{follow_up})[A-Za-z0-9_.:-]{{1,{MAX_REQUEST_ID}}}$")
}

/// An answer in the media types of its operation.
fn answer(description: &str, schema: &Value, media: &[Media]) -> Value {
    let mut content = Map::new();
    for media in media {
        let schema = match media {
            Media::Json => schema.clone(),
            Media::Page | Media::Csv => json!({"type": "string"}),
        };
        content.insert(media.name().to_owned(), json!({"schema": schema}));
    }
    json!({"description": description, "content": content})
}

/// An answer that a caller may keep, and that it has already.
fn tagged(mut whole: Value) -> Value {
    let headers = json!({"ETag": {"schema": {"type": "string"}}});
    whole["headers"] = headers.clone();
    json!({"200": whole, "304": {"description": "The caller has it. No body.", "headers": headers}})
}
