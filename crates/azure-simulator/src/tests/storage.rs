//! The storage account: conditions, lists in pages, and refusals as the Blob service words them.

use super::*;

const BLOB: &str = "/storage/records/a/b%20c";

async fn put(cloud: &Caller, path: &str, condition: Option<(&str, &str)>) -> Response {
    let mut request = cloud.request(Method::PUT, path).header("x-ms-blob-type", "BlockBlob").body("{}");
    if let Some((name, value)) = condition {
        request = request.header(name, value);
    }
    request.send().await.unwrap()
}

async fn with_container() -> Caller {
    let cloud = Caller::start().await;
    let missing = put(&cloud, BLOB, None).await;
    assert_eq!((missing.status(), code(&missing)), (StatusCode::NOT_FOUND, "ContainerNotFound".to_owned()));
    for (status, expected) in [(StatusCode::CREATED, ""), (StatusCode::CONFLICT, "ContainerAlreadyExists")] {
        let made = put(&cloud, "/storage/records?restype=container", None).await;
        assert_eq!((made.status(), code(&made).as_str()), (status, expected));
    }
    cloud
}

fn code(answer: &Response) -> String {
    header(answer, "x-ms-error-code").unwrap_or_default()
}

#[tokio::test]
async fn a_blob_is_written_only_where_its_condition_holds() {
    let cloud = with_container().await;
    let absent = Some(("if-none-match", "*"));
    let first = put(&cloud, BLOB, absent).await;
    assert_eq!(first.status(), StatusCode::CREATED);
    let etag = header(&first, "etag").unwrap();
    assert_eq!(code(&put(&cloud, BLOB, absent).await), "BlobAlreadyExists");
    let second = put(&cloud, BLOB, Some(("if-match", &etag))).await;
    assert_eq!(second.status(), StatusCode::CREATED);
    assert_ne!(header(&second, "etag").unwrap(), etag);
    assert_eq!(code(&put(&cloud, BLOB, Some(("if-match", &etag))).await), "ConditionNotMet");
    assert_eq!(
        code(&put(&cloud, "/storage/records/none", Some(("if-match", &etag))).await),
        "ConditionNotMet"
    );
    let read = cloud.get(BLOB).await;
    assert_eq!(header(&read, "etag"), header(&second, "etag"));
    assert_eq!(read.text().await.unwrap(), "{}");
    let delete = async || cloud.request(Method::DELETE, BLOB).send().await.unwrap().status();
    assert_eq!((delete().await, delete().await), (StatusCode::ACCEPTED, StatusCode::NOT_FOUND));
}

#[tokio::test]
async fn a_reader_who_knows_the_version_gets_no_body_and_notes_and_version_ids_are_told() {
    let cloud = with_container().await;
    let noted = cloud.request(Method::PUT, BLOB).header("x-ms-meta-by", "ann").body("one");
    let first = noted.send().await.unwrap();
    let etag = header(&first, "etag").unwrap();
    let read = async |known: &str| {
        cloud.request(Method::GET, BLOB).header("if-none-match", known).send().await.unwrap()
    };
    let known = read(&etag).await;
    assert_eq!(known.status(), StatusCode::NOT_MODIFIED);
    assert_eq!(known.text().await.unwrap(), "");
    let other = read("\"0x0\"").await;
    assert_eq!((other.status(), header(&other, "x-ms-meta-by")), (StatusCode::OK, Some("ann".to_owned())));
    let id = header(&other, "x-ms-version-id").unwrap();
    assert_eq!((id.len(), &id[10..11], &id[27..]), (28, "T", "Z"), "{id}");
    assert_eq!(header(&first, "x-ms-version-id").as_ref(), Some(&id));
    cloud.request(Method::PUT, BLOB).body("two").send().await.unwrap();
    let earlier = cloud.get(&format!("{BLOB}?versionid={id}")).await;
    assert_eq!((header(&earlier, "etag").unwrap(), earlier.text().await.unwrap()), (etag, "one".to_owned()));
    assert_eq!(cloud.get(BLOB).await.text().await.unwrap(), "two");
}

#[tokio::test]
async fn blobs_are_listed_by_prefix_page_by_page() {
    let cloud = with_container().await;
    for name in ["a/1", "a/2&", "a/3", "b/1"] {
        put(&cloud, &format!("/storage/records/{name}"), None).await;
    }
    let list = async |rest: &str| {
        let path = format!("/storage/records?restype=container&comp=list{rest}");
        cloud.get(&path).await.text().await.unwrap()
    };
    let page = list("&prefix=a/&maxresults=2").await;
    assert!(page.contains("<Name>a/1</Name>") && page.contains("<Name>a/2&amp;</Name>"), "{page}");
    assert!(page.contains("<NextMarker>a/2&amp;</NextMarker>") && !page.contains("a/3"), "{page}");
    let page = list("&prefix=a/&maxresults=2&marker=a/2%26").await;
    assert!(page.contains("<Name>a/3</Name>") && page.contains("<NextMarker></NextMarker>"), "{page}");
    assert!(!page.contains("b/1"), "{page}");
}

#[tokio::test]
async fn no_caller_enters_without_credentials() {
    let cloud = with_container().await;
    let refused = cloud.bare(Method::GET, BLOB).send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(code(&refused), "NoAuthenticationInformation");
    let shared = cloud.bare(Method::GET, BLOB).header("authorization", "SharedKey storage:c2ln").send().await;
    assert_eq!(shared.unwrap().status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn several_blobs_are_deleted_in_one_batch_and_each_part_has_its_own_outcome() {
    let cloud = with_container().await;
    for name in ["a/1", "a/b%20c", "kept"] {
        put(&cloud, &format!("/storage/records/{name}"), None).await;
    }
    let part = |id: usize, request: &str| {
        format!(
            "--batch_x\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\nContent-ID: {id}\r\n\r\n\
             {request} HTTP/1.1\r\nContent-Length: 0\r\n\r\n"
        )
    };
    let batch = async |parts: String| {
        let request = cloud.request(Method::POST, "/storage/records?restype=container&comp=batch");
        let request = request.header("content-type", "multipart/mixed; boundary=batch_x");
        request.body(parts).send().await.unwrap()
    };
    let deletions = part(0, "DELETE /records/a/1")
        + &part(1, "DELETE /storage/records/a/b%20c")
        + &part(2, "DELETE /records/none");
    let answer = batch(deletions + "--batch_x--\r\n").await;
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    assert!(header(&answer, "content-type").unwrap().starts_with("multipart/mixed; boundary="));
    let body = answer.text().await.unwrap();
    let outcomes: Vec<(&str, &str)> = body
        .split("Content-ID: ")
        .skip(1)
        .filter_map(|part| Some((part.get(..1)?, part.split("HTTP/1.1 ").nth(1)?.get(..3)?)))
        .collect();
    assert_eq!(outcomes, [("0", "202"), ("1", "202"), ("2", "404")]);
    let left = cloud.get("/storage/records?restype=container&comp=list").await.text().await.unwrap();
    assert_eq!((left.matches("<Name>").count(), left.contains("<Name>kept</Name>")), (1, true), "{left}");
    for wrong in [
        String::new(),
        "--batch_x--\r\n".to_owned(),
        part(0, "DELETE /records/kept"),
        part(0, "PUT /records/kept") + "--batch_x--\r\n",
        part(0, "DELETE /elsewhere/kept") + "--batch_x--\r\n",
    ] {
        let refused = batch(wrong.clone()).await;
        assert_eq!(
            (refused.status(), code(&refused).as_str()),
            (StatusCode::BAD_REQUEST, "InvalidInput"),
            "{wrong}"
        );
    }
    assert_eq!(cloud.get("/storage/records/kept").await.status(), StatusCode::OK);
}
