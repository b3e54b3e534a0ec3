//! The doors: validate, translate, ask an actor or the live view, answer.

mod agents;
mod contacts;
mod queues;
#[cfg(test)]
mod tests;
mod waiting;

use crate::router::Router;
use centro_kernel::{Code, Fault};
use std::sync::Arc;

/// Every door of routing. Cheap to clone.
#[derive(Clone)]
pub struct Doors(pub(crate) Arc<Router>);

/// Entries of a page when the request does not say.
const PAGE: usize = 50;
/// Most entries of a page.
const LARGEST_PAGE: usize = 200;

/// The size of a page.
fn page_size(asked: i32) -> usize {
    match usize::try_from(asked) {
        Ok(0) | Err(_) => PAGE,
        Ok(size) => size.min(LARGEST_PAGE),
    }
}

/// Where the page starts: after the id in the token. Tokens are the last id of the page before.
///
/// # Errors
/// `page_token_invalid`.
fn page_start<T: std::str::FromStr>(token: &str) -> Result<Option<T>, Fault> {
    if token.is_empty() {
        return Ok(None);
    }
    let text = "the page token is not one of ours, start from the first page";
    let bad = |_| Fault::new(Code::Invalid, "page_token_invalid", text).at("/pageToken");
    token.parse().map(Some).map_err(bad)
}
