//! What holds for the web as a whole: headers, what is read and refused, how connections end, whose word counts for where somebody is, and what the sources must
//! not have.

mod headers;
mod input;
mod listening;
mod proxies;
mod refused;
mod sources;

use leptos_axum::generate_route_list;
use tollgate::app::App;

/// The paths of all pages whose address has no parameter.
fn plain_pages() -> Vec<String> {
    generate_route_list(App).iter().map(|route| route.path().to_owned()).filter(|path| !path.contains('{')).collect()
}
