//! The routes that a key may call, where it has a list of them: it narrows what its permissions allow, and is matched as the routes of APIs are
//! (`routing`), with the path that was called.
//!
//! A key without a list costs a null pointer in the rights that it shares with others. Those with the same list, and the same rights, share it
//! too; the tree is made when the first of them is used.

use super::{
    Gate, Question,
    checks::Why,
    path::{self, Fault},
    routing::Patterns,
};
use crate::values::KeyId;
use std::{
    hash::{Hash, Hasher},
    sync::{Arc, OnceLock},
};

/// The list of a key.
#[derive(Debug)]
pub struct AllowedRoutes {
    /// `GET /orders/{id}`, as it is stored.
    list: Box<[Box<str>]>,
    tree: OnceLock<Patterns>,
}

/// The tree says the same as the list.
impl PartialEq for AllowedRoutes {
    fn eq(&self, other: &Self) -> bool {
        self.list == other.list
    }
}
impl Eq for AllowedRoutes {}
impl Hash for AllowedRoutes {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.list.hash(state);
    }
}

impl AllowedRoutes {
    /// None where nothing is listed: then all routes are allowed.
    pub fn of<T: Into<Box<str>>>(list: Vec<T>) -> Option<Arc<Self>> {
        (!list.is_empty()).then(|| Arc::new(Self { list: list.into_iter().map(Into::into).collect(), tree: OnceLock::new() }))
    }

    /// What keeps a call out; none: it is one of the list.
    pub fn refuses(&self, question: &Question<'_>) -> Option<Why<'static>> {
        let tree = self.tree.get_or_init(|| Patterns::new(self.list.iter().map(|route| &**route)));
        match path::read(question.called.map_or(question.route, String::as_str)).map(|called| tree.has(called)) {
            Ok(Ok(true)) => None,
            Ok(Ok(false)) => Some(Why::NotListed),
            Ok(Err(fault)) | Err(Some(fault)) => Some(Why::Path(fault)),
            Err(None) if question.is_proxied => Some(Why::Path(Fault::Untold)),
            Err(None) => Some(Why::RouteUntold),
        }
    }
}

impl Gate {
    /// Whether this key may call certain routes only.
    pub fn is_listed(&self, key: KeyId) -> bool {
        self.table.by_id(key).is_some_and(|record| record.facts.rights.routes.is_some())
    }

    /// Whether the routes of the key, if it has a list of them, let it make this call. A secret that no key has is not held by one.
    pub fn may_call(&self, question: &Question<'_>) -> bool {
        let Ok((record, _)) = self.look_up(question.secret) else { return true };
        record.facts.rights.routes.as_ref().is_none_or(|routes| routes.refuses(question).is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(routes: &[&str], called: &str) -> Option<Why<'static>> {
        let routes = AllowedRoutes::of(routes.to_vec()).expect("a list");
        routes.refuses(&Question { route: called, is_proxied: true, ..Question::default() })
    }

    #[test]
    fn a_call_passes_if_any_of_the_list_matches() {
        let routes = ["GET /orders/{id}", "* /reports/*", "POST /orders", "GET /a/{x}/c", "GET /a/b/{y...}"];
        for passing in [
            "GET /orders/17",
            "HEAD /orders/17?page=2",
            "DELETE /reports",
            "PROPFIND /reports/2026/11",
            "post /orders/",
            "GET /a/b/c",
            "GET /a/z/c",
            "GET /a/b",
            "GET /a/b/d/e",
        ] {
            assert_eq!(why(&routes, passing), None, "{passing}");
        }
        for refused in ["GET /orders", "DELETE /orders/17", "GET /orders/17/items", "GET /", "HEAD /orders", "GET /a/z/d", "OPTIONS /orders/17"] {
            assert_eq!(why(&routes, refused), Some(Why::NotListed), "{refused}");
        }
    }

    #[test]
    fn what_servers_read_differently_is_on_no_list() {
        for (called, fault) in [("GET /a/../orders", Fault::Dots), ("GET //orders", Fault::Empty), ("GET /Orders", Fault::Case), ("GET", Fault::Untold)] {
            assert_eq!(why(&["GET /orders"], called), Some(Why::Path(fault)), "{called}");
        }
        assert_eq!(why(&["GET /orders", "* /*"], "GET /Orders"), Some(Why::Path(Fault::Case)), "also where a wider one would match");
        let routes = AllowedRoutes::of(vec!["GET /orders"]).expect("a list");
        let ask = |route: &str| routes.refuses(&Question { route, ..Question::default() });
        assert_eq!([ask("-"), ask("orders.list"), ask("GET /orders")], [Some(Why::RouteUntold), Some(Why::RouteUntold), None]);
    }

    #[test]
    fn what_was_called_counts_and_not_how_it_is_counted() {
        let routes = AllowedRoutes::of(vec!["GET /keys/one"]).expect("a list");
        let ask =
            |called: &str| routes.refuses(&Question { route: "GET /keys/{id}", called: Some(&called.to_owned()), is_proxied: true, ..Question::default() });
        assert_eq!([ask("GET /keys/one"), ask("GET /keys/two"), ask("")], [None, Some(Why::NotListed), Some(Why::Path(Fault::Untold))]);
    }

    #[test]
    fn lists_that_say_the_same_are_one() {
        let (one, same, other) = (AllowedRoutes::of(vec!["* /a"]), AllowedRoutes::of(vec!["* /a".to_owned()]), AllowedRoutes::of(vec!["* /b"]));
        assert!(one.as_ref().is_some_and(|routes| routes.refuses(&Question::default()).is_some()), "its tree is made");
        assert!(one == same && one != other && AllowedRoutes::of(Vec::<String>::new()).is_none());
    }
}
