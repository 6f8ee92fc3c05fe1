//! The page of all sync requests, the one that changed last first.

use askama::Template;

use super::links::Links;
use super::requests::Request;
use crate::synchronization::listing::{ON_PAGE, PAGES};
use crate::views::RequestList;

/// The list.
#[derive(Template)]
#[template(path = "page/request_list.html")]
pub struct Document {
    requests: Vec<Request>,
    number: usize,
    of: usize,
    broken: usize,
    /// How many requests the pages have at the most, where there are more.
    cut_to: Option<usize>,
    newer: Option<String>,
    older: Option<String>,
    overview: String,
    takes_another_key: bool,
}

impl Document {
    /// A page of the list.
    pub fn of(list: &RequestList, links: &Links) -> Self {
        let (number, of) = (list.page.number, list.page.of);
        Self {
            requests: list.requests.iter().map(|request| Request::of(request, links)).collect(),
            number,
            of,
            broken: list.broken,
            cut_to: list.is_cut.then_some(ON_PAGE * PAGES),
            newer: (number > 1).then(|| links.page_of_list(number - 1)),
            older: (number < of).then(|| links.page_of_list(number + 1)),
            overview: links.overview(),
            takes_another_key: links.has_key(),
        }
    }
}
