//! Labels of calls that are no known route: what callers send (`GET /orders/123?page=2`) folded to what can be counted
//! (`GET /orders/{id}`).

use crate::platform::maps::FastMap;
use std::sync::{Arc, PoisonError, RwLock};

/// Spellings remembered, so that the usual route costs one look-up and no allocation.
const KNOWN: usize = 8_192;
/// A route's name is at most this long.
const LENGTH: usize = 120;

#[derive(Default)]
pub struct Labels(RwLock<FastMap<Box<str>, Arc<str>>>);

impl Labels {
    pub fn named(&self, raw: &str) -> Arc<str> {
        let is_full = {
            let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(known) = known.get(raw) {
                return Arc::clone(known);
            }
            known.len() >= KNOWN
        };
        let folded: Arc<str> = fold(raw).into();
        // Only what is kept waits for the others: callers fill this once, and then each of their calls would.
        if !is_full && raw.len() <= 2 * LENGTH {
            let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
            if known.len() < KNOWN {
                known.insert(raw.into(), Arc::clone(&folded));
            }
        }
        folded
    }
}

/// Drops the query, replaces segments that look like ids by `{id}`, removes control characters, cuts at 120 bytes.
fn fold(raw: &str) -> String {
    let raw = raw.trim();
    let (method, path) = raw.split_once(' ').unwrap_or(("", raw));
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let mut out = String::with_capacity(raw.len().min(LENGTH));
    if !method.is_empty() {
        out.extend(method.chars().filter(char::is_ascii_alphabetic).take(10).map(|c| c.to_ascii_uppercase()));
        out.push(' ');
    }
    for (i, segment) in path.split('/').enumerate() {
        if i > 0 {
            out.push('/');
        }
        if is_id(segment) {
            out.push_str("{id}");
        } else {
            out.extend(segment.chars().filter(|c| !c.is_control()));
        }
    }
    if out.len() > LENGTH {
        let end = (0..=LENGTH - 3).rev().find(|i| out.is_char_boundary(*i)).unwrap_or(0);
        out.truncate(end);
        out.push('…');
    }
    if out.is_empty() { "-".to_owned() } else { out }
}

/// Digits only, or digits behind a prefix (`ord_17`), a UUID, or at least 16 characters with a digit among them: an id rather than a
/// word.
fn is_id(segment: &str) -> bool {
    let digits = segment.bytes().filter(u8::is_ascii_digit).count();
    if segment.is_empty() || digits == 0 {
        return false;
    }
    let is_plain = segment.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    let behind_prefix = segment.rsplit_once('_').is_some_and(|(_, n)| !n.is_empty() && n.len() == digits);
    digits == segment.len() || behind_prefix || (is_plain && segment.len() >= 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_remembered_keeps_nobody_waiting() {
        let labels = Labels::default();
        let long = format!("GET /{}", "a".repeat(2 * LENGTH));
        let named = |raw: &str| {
            // While others read: who wanted to write would wait for ever.
            let _reading = labels.0.read().expect("nobody failed");
            std::thread::scope(|threads| threads.spawn(|| labels.named(raw)).join().expect("it is named"))
        };
        assert!(named(&long).len() <= LENGTH);
        for n in 0..KNOWN {
            labels.named(&format!("GET /orders/{n}"));
        }
        assert_eq!(&*named("GET /orders/0"), "GET /orders/{id}", "one that is known");
        assert_eq!(&*named("GET /bills/17"), "GET /bills/{id}", "one too many");
        assert_eq!(labels.0.read().expect("nobody failed").len(), KNOWN);
    }

    #[test]
    fn ids_and_queries_do_not_make_routes() {
        for (raw, folded) in [
            ("GET /orders/123?page=2", "GET /orders/{id}"),
            ("get /orders", "GET /orders"),
            ("GET /orders/7f3c0d6e-8a54-4d5c-9a3e-0e7c1f2b3a4d/items/9", "GET /orders/{id}/items/{id}"),
            ("POST /v1/keys/verify", "POST /v1/keys/verify"),
            ("GET /files/key_01KAYV7QRE4Z5H8N2M3P6T9WXY", "GET /files/{id}"),
            ("GET /orders/ord_17", "GET /orders/{id}"),
            ("GET /api/v1_2/me", "GET /api/v1_2/me"),
            ("/plain", "/plain"),
            ("", "-"),
        ] {
            assert_eq!(fold(raw), folded, "{raw}");
        }
        assert!(fold(&format!("GET /{}", "ü".repeat(300))).len() <= LENGTH);
    }
}
