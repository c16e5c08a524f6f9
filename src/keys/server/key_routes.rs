//! The routes that a key may call, as people write them: a method and a path pattern each, in the words of an API's routes. They narrow what
//! its permissions allow and give nothing, so they need not be routes of its API.

use super::{gate, rules};
use crate::keys::model::ApiRoute;

/// How many a key has at most.
const MOST: usize = 50;

/// As they are stored: `GET /orders/{id}`, by path, any method last, each once. A path alone is meant for any method.
pub fn key_routes<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Vec<String>, String> {
    let mut routes: Vec<ApiRoute> = Vec::new();
    for text in texts.into_iter().map(str::trim) {
        rules::must_say(text)?;
        let route = route(text)?;
        if !routes.contains(&route) {
            routes.push(route);
        }
    }
    if routes.len() > MOST {
        return Err(format!("A key has at most {MOST} routes. A tail holds many: /reports/* is /reports and all below it."));
    }
    gate::check_routes(&routes).map_err(|(_, words)| words)?;
    routes.sort_by(|a, b| (&a.pattern, a.method == ApiRoute::ANY, &a.method).cmp(&(&b.pattern, b.method == ApiRoute::ANY, &b.method)));
    Ok(routes.iter().map(ApiRoute::label).collect())
}

fn route(text: &str) -> Result<ApiRoute, String> {
    let shown: String = text.chars().take(80).collect();
    let (method, typed) = text.split_once(char::is_whitespace).unwrap_or((ApiRoute::ANY, text));
    let (method, typed) = (method.to_ascii_uppercase(), typed.trim_start());
    if !ApiRoute::METHODS.contains(&method.as_str()) {
        let methods = ApiRoute::METHODS[1..].join(", ");
        return Err(format!("“{shown}” does not begin with a method: {methods}, or * for any. Write a method and a path, such as GET /orders/{{id}}."));
    }
    let pattern = if typed.len() > 1 { typed.strip_suffix('/').unwrap_or(typed) } else { typed }.to_owned();
    let route = ApiRoute { method, pattern, permission: None, cost: 1, is_counted: true, description: String::new() };
    gate::check_routes(std::slice::from_ref(&route)).map_err(|(_, words)| format!("“{shown}”: {words}"))?;
    Ok(route)
}

/// True if every call that the narrow one lets pass is let pass by the wide one, too: of one path, any method holds every method.
pub fn holds(wide: &str, narrow: &str) -> bool {
    let of_one_path = |(any, wide): (&str, &str), (_, narrow): (&str, &str)| any == ApiRoute::ANY && wide == narrow;
    wide == narrow || wide.split_once(' ').zip(narrow.split_once(' ')).is_some_and(|(wide, narrow)| of_one_path(wide, narrow))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_are_kept_as_apis_write_theirs() {
        let read = key_routes(["get  /orders/{id}/", "* /orders/{id}", "/reports/*", "GET /orders/{id}", "POST /"]);
        assert_eq!(read, Ok(["POST /", "GET /orders/{id}", "* /orders/{id}", "* /reports/*"].map(str::to_owned).to_vec()));
        assert_eq!(key_routes([]), Ok(Vec::new()));
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (wrong, words) in [
            (" ", "This entry is blank"),
            ("FETCH /orders", "“FETCH /orders” does not begin with a method"),
            ("GET", "“GET”: A path begins with a slash"),
            ("GET orders", "“GET orders”: A path begins with a slash"),
            ("GET /orders//x", "“GET /orders//x”: Two slashes"),
            ("GET /a/../b", "“GET /a/../b”: A segment of dots"),
            ("GET /a b", "“GET /a b”: A segment is a word"),
            ("GET /*/x", "“GET /*/x”: A tail"),
        ] {
            let said = key_routes([wrong]);
            assert!(said.as_ref().is_err_and(|said| said.starts_with(words)), "{wrong}: {said:?}");
        }
        assert!(key_routes(["GET /orders/{id}", "GET /orders/{order}"]).is_err_and(|said| said.contains("matches the same calls")));
        assert!(key_routes(["GET /orders", "POST /Orders"]).is_err_and(|said| said.contains("differ in case only")));
        let many: Vec<String> = (0..51).map(|n| format!("GET /r{n}")).collect();
        assert!(key_routes(many.iter().map(String::as_str)).is_err() && key_routes(many[1..].iter().map(String::as_str)).is_ok());
    }

    #[test]
    fn any_method_holds_every_method_of_its_path() {
        assert!(holds("* /a", "GET /a") && holds("GET /a", "GET /a") && !holds("GET /a", "* /a") && !holds("GET /a", "POST /a") && !holds("* /a", "GET /b"));
    }
}
