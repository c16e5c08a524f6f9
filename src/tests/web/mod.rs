//! What holds for the web as a whole: headers, what is read and refused, what hostile texts become, how connections end, whose word counts for
//! where somebody is, what becomes of two open pages, and what the sources must not have.

mod docs;
mod headers;
mod hostile;
mod input;
mod listening;
mod long_lists;
mod not_now;
mod pace;
mod proxies;
mod public;
mod refused;
mod request_id;
mod sources;
mod tabs;

use crate::support::routes;
use tollgate::site::pages::all_docs;

/// The paths of all pages whose address has no parameter, or one that a table knows.
fn plain_pages() -> Vec<String> {
    routes().into_iter().filter(|path| !path.contains('{')).chain(all_docs().map(|doc| doc.path())).collect()
}
