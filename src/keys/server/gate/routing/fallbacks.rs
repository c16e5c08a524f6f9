//! What becomes of the calls of a route once it is removed.

use super::{MAX_PATTERN, Method, Node, Part, parts};
use crate::keys::model::ApiRoute;

/// What calls of a route match without it; no route: none matches.
#[derive(Debug, PartialEq, Eq)]
pub struct Fallback<'a> {
    /// `*`: every method that has no name here.
    pub methods: Vec<&'static str>,
    pub route: Option<&'a ApiRoute>,
    /// Some of these calls only, by their path: where the route meets another one.
    pub is_of_some: bool,
}

/// What the calls of one of these routes would match without it, by method. First for a call that differs from every other pattern wherever this
/// one leaves it open, then what else becomes of calls where it meets another route. Empty where other routes match all its calls already.
pub fn fallbacks<'a>(routes: &'a [ApiRoute], removed: &ApiRoute) -> Vec<Fallback<'a>> {
    let Some(at) = routes.iter().position(|route| route == removed) else { return Vec::new() };
    let tree = |is_in: &dyn Fn(usize) -> bool| {
        let mut root = Node::default();
        for (n, route) in routes.iter().enumerate().filter(|(n, _)| is_in(*n)) {
            if let Ok(parts) = parts(&route.pattern) {
                _ = root.put(&parts, Method::read(&route.method), n);
            }
        }
        root
    };
    let (now, then) = (tree(&|_| true), tree(&|n| n != at));
    let of_path = |path: &String| -> Vec<(&'static str, Option<&'a ApiRoute>)> {
        let mine = Method::ALL.into_iter().filter(|method| now.find(path, *method) == Ok(Some(at)));
        mine.map(|method| (method.as_str(), then.find(path, method).ok().flatten().and_then(|n| routes.get(n)))).collect()
    };
    let mut found: Vec<Fallback<'a>> = Vec::new();
    let mut add = |calls: Vec<(&'static str, Option<&'a ApiRoute>)>, is_of_some: bool| {
        for (method, route) in calls {
            if found.iter().any(|known| known.route == route && known.methods.contains(&method)) {
                continue;
            }
            match found.iter_mut().find(|known| known.is_of_some == is_of_some && known.route == route) {
                Some(known) => known.methods.push(method),
                None => found.push(Fallback { methods: vec![method], route, is_of_some }),
            }
        }
    };
    add(samples(&removed.pattern).iter().map(of_path).find(|calls| !calls.is_empty()).unwrap_or_default(), false);
    let any = unlike_any();
    let all: Vec<Vec<Part<'_>>> = routes.iter().filter_map(|route| parts(&route.pattern).ok()).collect();
    let deepest = all.iter().map(Vec::len).max().unwrap_or(0);
    let own = parts(&removed.pattern).unwrap_or_default();
    for path in all.iter().flat_map(|other| meeting(&own, other, &any, deepest)) {
        add(of_path(&path), true);
    }
    found
}

/// A word that no pattern can have.
fn unlike_any() -> String {
    "x".repeat(MAX_PATTERN + 1)
}

/// Paths of a pattern: each parameter is a word that no pattern can have. Of a tail first one that is deeper than every other pattern, then one
/// that ends before it.
fn samples(pattern: &str) -> Vec<String> {
    let other = unlike_any();
    let parts = parts(pattern).unwrap_or_default();
    let mut words: Vec<&str> = Vec::new();
    for part in &parts {
        match part {
            Part::Word(word) => words.push(word),
            Part::Parameter => words.push(&other),
            Part::Tail => {}
        }
    }
    let short = words.join("/");
    if parts.last() != Some(&Part::Tail) {
        return vec![short];
    }
    words.resize(words.len() + MAX_PATTERN, &other);
    vec![words.join("/"), short]
}

/// Paths that both patterns match, as plain as they can be; where both end in a tail, of each depth.
fn meeting(one: &[Part<'_>], other: &[Part<'_>], any: &str, deepest: usize) -> Vec<String> {
    let mut words: Vec<&str> = Vec::new();
    loop {
        match (at(one, words.len()), at(other, words.len())) {
            (None, None | Some(Part::Tail)) | (Some(Part::Tail), None) => return vec![words.join("/")],
            (Some(Part::Tail), Some(Part::Tail)) => break,
            (None, _) | (_, None) => return Vec::new(),
            (Some(Part::Word(a)), Some(Part::Word(b))) if a != b => return Vec::new(),
            (Some(Part::Word(word)), _) | (_, Some(Part::Word(word))) => words.push(word),
            _ => words.push(any),
        }
    }
    (0..=deepest).map(|n| [&words[..], &vec![any; n][..]].concat().join("/")).collect()
}

/// What stands for the n-th segment: a tail goes on for ever.
fn at<'p>(parts: &[Part<'p>], n: usize) -> Option<Part<'p>> {
    match parts.last() {
        Some(Part::Tail) if n + 1 >= parts.len() => Some(Part::Tail),
        _ => parts.get(n).copied(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(method: &str, pattern: &str) -> ApiRoute {
        ApiRoute { method: method.into(), pattern: pattern.into(), permission: None, cost: 1, is_counted: true, description: String::new() }
    }

    #[test]
    fn calls_fall_to_the_next_route() {
        let without = |routes: &[(&str, &str)]| -> Vec<String> {
            let routes: Vec<ApiRoute> = routes.iter().map(|(method, pattern)| route(method, pattern)).collect();
            let words = |f: &Fallback<'_>| {
                let some = if f.is_of_some { "some " } else { "" };
                format!("{some}{} → {}", f.methods.join(" "), f.route.map_or_else(|| "none".to_owned(), ApiRoute::label))
            };
            fallbacks(&routes, &routes[0]).iter().map(words).collect()
        };
        for (routes, expected) in [
            (&[("GET", "/orders"), ("POST", "/orders")][..], &["GET HEAD → none"][..]),
            (&[("GET", "/orders/{id}"), ("*", "/orders/{id}"), ("GET", "/orders/special")], &["GET HEAD → * /orders/{id}"]),
            (&[("GET", "/orders"), ("HEAD", "/orders"), ("*", "/{any}")], &["GET → * /{any}"]),
            (&[("GET", "/orders"), ("HEAD", "/*")], &["GET → none", "HEAD → HEAD /*"]),
            (&[("*", "/a"), ("GET", "/a"), ("POST", "/*")], &["POST → POST /*", "PUT PATCH DELETE OPTIONS * → none"]),
            (&[("PUT", "/files/*"), ("PUT", "/files/{name}"), ("PUT", "/{path...}")], &["PUT → PUT /{path...}"]),
            (&[("PUT", "/files/*"), ("PUT", "/files/{a}/*")], &["PUT → none"]),
            (&[("PUT", "/files/*"), ("PUT", "/files/{a}/*"), ("PUT", "/files")], &[]),
            (&[("PUT", "/"), ("PUT", "/*")], &["PUT → PUT /*"]),
            // Where routes meet that no one of them contains.
            (&[("PUT", "/admin/*"), ("PUT", "/{page}/{id}")], &["PUT → none", "some PUT → PUT /{page}/{id}"]),
            (&[("PUT", "/a/{x}"), ("PUT", "/{y}/b")], &["PUT → none", "some PUT → PUT /{y}/b"]),
            (&[("PUT", "/a/*"), ("PUT", "/{x}/{y}/*")], &["PUT → PUT /{x}/{y}/*", "some PUT → none"]),
            (&[("PUT", "/a/{x}/*"), ("PUT", "/{y}/b/c/*")], &["PUT → none", "some PUT → PUT /{y}/b/c/*"]),
        ] {
            assert_eq!(without(routes), expected, "{routes:?}");
        }
    }
}
