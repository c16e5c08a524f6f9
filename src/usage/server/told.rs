//! What a program was told whose call was refused. A sample holds the code and the limit, not the answer: the status follows from the code;
//! when to come back only from a limit that begins with the clock, is the only one of its key, and is still what it was. What does not follow
//! is left out.

use crate::{
    keys::{
        model::{Ground, LimitKind},
        server::{
            coming_back,
            gate::{LimitState, reset_after, window_length},
            ratelimit,
        },
    },
    usage::model::{RefusalSample, Told},
};
use axum::http::HeaderMap;

/// The limit that refused, as it stands now.
pub fn held_by<'a>(sample: &RefusalSample, limits: &'a [LimitState]) -> Option<&'a LimitState> {
    limits.iter().find(|limit| sample.ground == Ground::Limit && *limit.name == *sample.limit)
}

/// `limits` are those of the key now.
pub fn told(sample: &RefusalSample, at_micros: i64, limits: &[LimitState]) -> Told {
    let (status, phrase) = sample.code.status();
    let mut fields = vec![("X-Auth-Code".to_owned(), sample.code.to_string())];
    let derived = derived(sample, at_micros, limits);
    let is_derived = !derived.is_empty();
    fields.extend(derived);
    Told { status, phrase: phrase.to_owned(), fields, is_derived }
}

fn derived(sample: &RefusalSample, at_micros: i64, limits: &[LimitState]) -> Vec<(String, String)> {
    let ([limit], Some(key)) = (limits, sample.key) else { return Vec::new() };
    // A limit that was changed since would say something else of the refusal.
    let is_the_same = held_by(sample, limits).is_some() && limit.refusal() == sample.detail;
    if !is_the_same || limit.window.kind() != LimitKind::Fixed {
        return Vec::new();
    }
    let (resets, length) = (reset_after(limit.window, at_micros), window_length(limit.window, at_micros));
    let then = LimitState { remaining: 0, reset_after: resets, length, ..limit.clone() };
    let mut headers = HeaderMap::new();
    ratelimit::tell(&mut headers, std::slice::from_ref(&then));
    let mut fields = vec![("Retry-After".to_owned(), coming_back::spread(key, then.opens_after()).to_string())];
    // Of units some may have been left, fewer than the call cost.
    let known = if limit.unit.is_calls() { &["RateLimit", "RateLimit-Policy"][..] } else { &["RateLimit-Policy"][..] };
    for name in known {
        let value = headers.get(*name).and_then(|value| value.to_str().ok());
        fields.extend(value.map(|value| ((*name).to_owned(), value.to_owned())));
    }
    fields
}
