//! Which of an API's routes a call is: a tree of path segments per API, made anew when the API changes. A look-up walks the called
//! path, so its time does not depend on how many routes there are.
//!
//! The most specific route wins, segment by segment from the left: a word before a parameter, a parameter before a tail; on the same
//! path the named method before any. A route for another method does not count. HEAD is the route of GET unless it has its own.

mod fallbacks;

pub use fallbacks::{Fallback, fallbacks};

use super::path::{self, Called, Fault, Method};
use crate::{
    keys::model::{ApiRoute, Unmatched},
    values::Permission,
};
use std::sync::Arc;

/// The longest pattern, in bytes: with its method it is a whole label of the charts.
const MAX_PATTERN: usize = 100;

/// What calls of one route need.
#[derive(Debug)]
pub struct Rule {
    pub permission: Option<Permission>,
    /// Cost units; none: nothing is charged.
    pub cost: Option<u32>,
    /// `/orders/{id}`.
    pub pattern: Box<str>,
    labels: [Arc<str>; Method::ALL.len()],
}

impl Rule {
    fn new(route: &ApiRoute) -> Self {
        Self {
            permission: route.permission.clone(),
            cost: route.is_counted.then_some(route.cost),
            pattern: route.pattern.as_str().into(),
            labels: Method::ALL.map(|method| format!("{} {}", method.as_str(), route.pattern).into()),
        }
    }

    /// How calls of this method are counted: "GET /orders/{id}".
    pub fn label(&self, method: Method) -> &Arc<str> {
        &self.labels[method as usize]
    }
}

/// The routes of one API.
#[derive(Debug, Default)]
pub struct Rules {
    rules: Vec<Rule>,
    root: Node,
    unmatched: Unmatched,
}

/// Methods and patterns without more: the routes of a key (`allowed`).
#[derive(Debug)]
pub struct Patterns(Node);

impl Patterns {
    /// `GET /orders/{id}` each. What can't be read is left out; `check` lets none be stored.
    pub fn new<'a>(routes: impl Iterator<Item = &'a str>) -> Self {
        let mut root = Node::default();
        for (n, route) in routes.enumerate() {
            if let Some((method, pattern)) = route.split_once(' ')
                && let Ok(parts) = parts(pattern)
            {
                _ = root.put(&parts, Method::read(method), n);
            }
        }
        Self(root)
    }

    /// True if one of them matches.
    pub fn has(&self, called: Called<'_>) -> Result<bool, Fault> {
        Ok(self.0.find(called.path, called.method)?.is_some())
    }
}

/// What a call is to its API.
#[derive(Debug, Clone, Copy)]
pub enum Matched<'a> {
    Rule(&'a Rule, Method),
    /// No route matches, and that is fine.
    Nothing,
    /// No route matches, and the API refuses such calls.
    Refused,
    Faulty(Fault),
    /// This node has not read the API yet.
    Unread,
}

#[derive(Debug, Default)]
struct Node {
    /// By the word in lower case.
    words: Vec<(Box<str>, Node)>,
    parameter: Option<Box<Node>>,
    here: Methods,
    below: Methods,
}

/// The rules of one path, by method; `Other` is any.
#[derive(Debug, Default)]
struct Methods(Vec<(Method, usize)>);

impl Methods {
    fn of(&self, method: Method) -> Option<usize> {
        let of = |wanted: Method| self.0.iter().find(|(m, _)| *m == wanted).map(|(_, rule)| *rule);
        of(method).or_else(|| if method == Method::Head { of(Method::Get) } else { None }).or_else(|| of(Method::Other))
    }
}

/// One segment of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part<'a> {
    Word(&'a str),
    Parameter,
    Tail,
}

impl Rules {
    /// Routes that can't be read are left out; `check` lets none be stored.
    pub fn new(routes: &[ApiRoute], unmatched: Unmatched) -> Self {
        let mut rules = Self { unmatched, ..Self::default() };
        for route in routes {
            if let Ok(parts) = parts(&route.pattern) {
                let n = rules.rules.len();
                rules.rules.push(Rule::new(route));
                _ = rules.root.put(&parts, Method::read(&route.method), n);
            }
        }
        rules
    }

    /// True if a call's path matters.
    pub fn is_in_force(&self) -> bool {
        !self.rules.is_empty() || self.unmatched == Unmatched::Refuse
    }

    /// The route of a call. `is_proxied`: the route is what a proxy told of a client's call; else a service chose the words.
    pub fn find(&self, route: &str, is_proxied: bool) -> Matched<'_> {
        if !self.is_in_force() {
            return Matched::Nothing;
        }
        let called = match path::read(route) {
            Ok(called) => called,
            Err(Some(fault)) => return Matched::Faulty(fault),
            Err(None) if is_proxied => return Matched::Faulty(Fault::Untold),
            Err(None) => return self.nothing(),
        };
        match self.root.find(called.path, called.method) {
            Ok(Some(rule)) => self.rules.get(rule).map_or(Matched::Nothing, |rule| Matched::Rule(rule, called.method)),
            Ok(None) => self.nothing(),
            Err(fault) => Matched::Faulty(fault),
        }
    }

    fn nothing(&self) -> Matched<'_> {
        match self.unmatched {
            Unmatched::Allow => Matched::Nothing,
            Unmatched::Refuse => Matched::Refused,
        }
    }
}

impl Node {
    fn put(&mut self, parts: &[Part<'_>], method: Method, rule: usize) -> Result<(), Clash> {
        match parts {
            [] => self.here.put(method, rule),
            [Part::Tail, ..] => self.below.put(method, rule),
            [Part::Parameter, rest @ ..] => self.parameter.get_or_insert_default().put(rest, method, rule),
            [Part::Word(word), rest @ ..] => {
                let at = match self.find_word(word) {
                    Ok(at) if *self.words[at].0 != **word => return Err(Clash::Case(self.words[at].0.to_string())),
                    Ok(at) => at,
                    Err(at) => {
                        self.words.insert(at, ((*word).into(), Self::default()));
                        at
                    }
                };
                self.words[at].1.put(rest, method, rule)
            }
        }
    }

    /// Where the word stands, or would stand, whatever its case.
    fn find_word(&self, word: &str) -> Result<usize, usize> {
        fn lower(text: &str) -> impl Iterator<Item = u8> + '_ {
            text.bytes().map(|b| b.to_ascii_lowercase())
        }
        self.words.binary_search_by(|(known, _)| lower(known).cmp(lower(word)))
    }

    fn find(&self, path: &str, method: Method) -> Result<Option<usize>, Fault> {
        if path.is_empty() {
            return Ok(self.here.of(method).or_else(|| self.below.of(method)));
        }
        let (segment, rest) = path.split_once('/').unwrap_or((path, ""));
        if !self.words.is_empty() {
            let word = path::decoded(segment).ok_or(Fault::Encoding)?;
            if let Some((known, node)) = self.find_word(&word).ok().and_then(|at| self.words.get(at))
                && let Some(rule) = node.find(rest, method)?
            {
                return if **known == *word { Ok(Some(rule)) } else { Err(Fault::Case) };
            }
        }
        if let Some(node) = &self.parameter
            && let Some(rule) = node.find(rest, method)?
        {
            return Ok(Some(rule));
        }
        Ok(self.below.of(method))
    }
}

impl Methods {
    fn put(&mut self, method: Method, rule: usize) -> Result<(), Clash> {
        if self.0.iter().any(|(m, _)| *m == method) {
            return Err(Clash::Taken);
        }
        self.0.push((method, rule));
        Ok(())
    }
}

/// Why two routes can't stand beside each other.
enum Clash {
    /// They match the same calls.
    Taken,
    /// They differ in case only; the other's spelling.
    Case(String),
}

/// Cuts a pattern into its parts, or says what is wrong with it.
fn parts(pattern: &str) -> Result<Vec<Part<'_>>, &'static str> {
    if pattern.len() > MAX_PATTERN {
        return Err("A path pattern has at most 100 characters.");
    }
    let path = pattern.strip_prefix('/').ok_or("A path begins with a slash: /orders/{id}.")?;
    let mut parts = Vec::new();
    for segment in path.strip_suffix('/').unwrap_or(path).split('/').filter(|_| !path.is_empty()) {
        if parts.last() == Some(&Part::Tail) {
            return Err("A tail (* or {path...}) stands at the end.");
        }
        parts.push(part(segment)?);
    }
    Ok(parts)
}

fn part(segment: &str) -> Result<Part<'_>, &'static str> {
    if segment == "*" {
        return Ok(Part::Tail);
    }
    if let Some(name) = segment.strip_prefix('{').and_then(|s| s.strip_suffix('}')) {
        let (name, part) = name.strip_suffix("...").map_or((name, Part::Parameter), |name| (name, Part::Tail));
        let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        return if is_name { Ok(part) } else { Err("The name of a parameter has letters, digits and _: {id}, and a tail three dots: {path...}.") };
    }
    let is_word = segment.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~!$&'()+,=:@".contains(&b));
    match segment {
        "" => Err("Two slashes can't follow each other."),
        "." | ".." => Err("A segment of dots (. or ..) matches no call."),
        _ if is_word => Ok(Part::Word(segment)),
        _ => Err("A segment is a word of letters, digits and -._~!$&'()+,=:@, a parameter {id}, or at the end a tail * or {path...}."),
    }
}

/// What is wrong with the pattern of the n-th route, if anything: it can't be read, or an earlier one matches the same calls.
pub fn check(routes: &[ApiRoute]) -> Result<(), (usize, String)> {
    let mut root = Node::default();
    for (n, route) in routes.iter().enumerate() {
        let parts = parts(&route.pattern).map_err(|words| (n, words.to_owned()))?;
        root.put(&parts, Method::read(&route.method), n).map_err(|clash| match clash {
            Clash::Taken => (n, format!("Another route matches the same calls as {}.", route.label())),
            Clash::Case(other) => (n, format!("Another route spells it {other}. Routes that differ in case only can't be told apart.")),
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(method: &str, pattern: &str) -> ApiRoute {
        ApiRoute { method: method.into(), pattern: pattern.into(), permission: None, cost: 1, is_counted: true, description: String::new() }
    }

    fn rules(routes: &[(&str, &str)]) -> Rules {
        Rules::new(&routes.iter().map(|(method, pattern)| route(method, pattern)).collect::<Vec<_>>(), Unmatched::Allow)
    }

    fn found(rules: &Rules, called: &str) -> String {
        match rules.find(called, true) {
            Matched::Rule(rule, method) => rule.label(method).to_string(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn the_most_specific_route_wins() {
        let rules = rules(&[
            ("*", "/*"),
            ("GET", "/orders"),
            ("POST", "/orders"),
            ("GET", "/orders/{id}"),
            ("*", "/orders/special"),
            ("GET", "/orders/{id}/items"),
            ("*", "/files/{path...}"),
            ("DELETE", "/files/{path...}"),
            ("GET", "/files/{name}"),
            ("GET", "/"),
        ]);
        for (called, expected) in [
            ("GET /orders?page=2", "GET /orders"),
            ("HEAD /orders", "HEAD /orders"),
            ("post /orders/", "POST /orders"),
            ("PUT /orders", "PUT /*"),
            ("GET /orders/17", "GET /orders/{id}"),
            ("GET /orders/special", "GET /orders/special"),
            ("PATCH /orders/special", "PATCH /orders/special"),
            ("GET /orders/special/items", "GET /orders/{id}/items"),
            ("GET /orders/%73pecial", "GET /orders/special"),
            ("GET /orders/17/items/3", "GET /*"),
            ("GET /files/a", "GET /files/{name}"),
            ("GET /files/a/b", "GET /files/{path...}"),
            ("DELETE /files/a/b", "DELETE /files/{path...}"),
            ("PUT /files", "PUT /files/{path...}"),
            ("GET /", "GET /"),
            ("LOCK /x", "* /*"),
        ] {
            assert_eq!(found(&rules, called), expected, "{called}");
        }
    }

    #[test]
    fn a_rule_is_not_dodged_by_spelling() {
        let rules = rules(&[("GET", "/orders/{id}"), ("GET", "/admin/users"), ("GET", "/users/me"), ("GET", "/users/{id}")]);
        for called in ["GET /orders/../admin/users", "GET /orders/%2e%2e/admin/users", "GET //admin/users", "GET /admin/users;x", "GET /admin%2Fusers"] {
            assert!(found(&rules, called).starts_with("Faulty"), "{called}");
        }
        assert_eq!(found(&rules, "GET /Admin/users"), "Faulty(Case)");
        assert_eq!(found(&rules, "GET /users/ME"), "Faulty(Case)");
        assert_eq!(found(&rules, "GET /users/mel"), "GET /users/{id}");
        assert_eq!(found(&rules, "GET /%61dmin/users"), "GET /admin/users");
        assert_eq!(found(&rules, "GET"), "Faulty(Untold)", "a proxy that tells no path");
        assert!(matches!(rules.find("orders.list", false), Matched::Nothing), "a service that names its routes otherwise");
    }

    #[test]
    fn an_api_without_routes_looks_at_no_path() {
        assert_eq!(found(&rules(&[]), "GET /a/../b"), "Nothing");
        let closed = Rules::new(&[], Unmatched::Refuse);
        assert_eq!(found(&closed, "GET /a"), "Refused");
        assert_eq!(found(&closed, "GET /a/../b"), "Faulty(Dots)");
    }

    #[test]
    fn wrong_patterns_are_named() {
        let wrong = |pattern: &str| check(&[route("GET", pattern)]).is_err();
        for pattern in ["", "orders", "/orders//x", "/a/../b", "/{id", "/{}", "/{a b}", "/*/x", "/{p...}/x", "/v{n}", "/a%20b", "/ü", "/a;b", &"/x".repeat(60)]
        {
            assert!(wrong(pattern), "{pattern}");
        }
        for pattern in ["/", "/*", "/{p...}", "/orders/", "/a.b/c-d/{id}/x", "/v1/{a_b2}:x@y"] {
            assert_eq!(wrong(pattern), pattern.contains("}:"), "{pattern}");
        }
        let both = |a: (&str, &str), b: (&str, &str)| check(&[route(a.0, a.1), route(b.0, b.1)]).is_err();
        assert!(both(("GET", "/orders/{id}"), ("GET", "/orders/{order}/")));
        assert!(both(("*", "/a/*"), ("*", "/a/{rest...}")));
        assert!(both(("GET", "/Orders"), ("POST", "/orders")));
        assert!(!both(("GET", "/orders"), ("*", "/orders")));
    }

    #[test]
    fn many_routes_take_no_longer_than_few() {
        let many: Vec<ApiRoute> = (0..500).map(|n| route("GET", &format!("/r{n}/{{id}}/x"))).collect();
        let rules = Rules::new(&many, Unmatched::Refuse);
        for n in 0..500 {
            assert_eq!(found(&rules, &format!("GET /r{n}/17/x")), format!("GET /r{n}/{{id}}/x"));
        }
    }
}
