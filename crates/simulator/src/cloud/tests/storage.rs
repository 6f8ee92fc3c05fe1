//! The storage account: conditions, lists in pages, and refusals as the Blob service words them.

use super::*;

const BLOB: &str = "/storage/records/a/b%20c";

async fn put(cloud: &Cloud, path: &str, condition: Option<(&str, &str)>) -> Response {
    let mut request = cloud.request(Method::PUT, path).header("x-ms-blob-type", "BlockBlob").body("{}");
    if let Some((name, value)) = condition {
        request = request.header(name, value);
    }
    request.send().await.unwrap()
}

async fn with_container() -> Cloud {
    let cloud = Cloud::start().await;
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
async fn nobody_enters_without_credentials() {
    let cloud = with_container().await;
    let refused = cloud.bare(Method::GET, BLOB).send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(code(&refused), "NoAuthenticationInformation");
    let shared = cloud.bare(Method::GET, BLOB).header("authorization", "SharedKey storage:c2ln").send().await;
    assert_eq!(shared.unwrap().status(), StatusCode::NOT_FOUND);
}
