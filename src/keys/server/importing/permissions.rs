//! Permissions as other systems write them, `documents.read`, as those that the API has: `documents:read`.

use crate::{keys::model::Api, values::Permission};

/// Those that the API has, sorted, each once; and the words that it has none for.
pub fn read(api: &Api, words: &[String]) -> (Vec<Permission>, Vec<String>) {
    let (mut known, mut unknown) = (Vec::with_capacity(words.len()), Vec::new());
    for word in words.iter().map(|word| word.trim()) {
        match of_api(api, word) {
            Some(permission) => known.push(permission),
            None if unknown.iter().any(|earlier| earlier == word) => {}
            None => unknown.push(word.to_owned()),
        }
    }
    known.sort();
    known.dedup();
    (known, unknown)
}

/// Wildcards are none: what a key may is listed, and does not grow with the API.
fn of_api(api: &Api, word: &str) -> Option<Permission> {
    let has = |text: &str| text.parse::<Permission>().ok().filter(|wanted| api.permissions.iter().any(|p| p.permission == *wanted));
    has(word).or_else(|| has(&word.replace('.', ":")))
}

/// Why a line with these is no key.
pub fn refusal(api: &Api, unknown: &[String]) -> String {
    let (noun, them) = if unknown.len() == 1 { ("permission", "it") } else { ("permissions", "them") };
    let refusal = format!("The API {} does not have the {noun} {}.", api.name, unknown.join(", "));
    match unknown.iter().all(|word| word.replace('.', ":").parse::<Permission>().is_ok()) {
        true => format!("{refusal} Add {them} to the API, or import without {them}."),
        // A wildcard is none.
        false => format!("{refusal} Write what it has, or import without {them}."),
    }
}
