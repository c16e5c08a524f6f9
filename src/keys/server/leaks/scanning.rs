//! Reports of secret scanning: tokens that look like keys, and where they were found. Each that is a secret of a key here marks that key.
//!
//! Tokens are hashed at once, neither stored nor logged, and blacked out wherever a place of the report repeats one of them.

use super::{By, Find, Marked, mark};
use crate::{
    error::AppError,
    keys::{
        model::KeyState,
        server::{
            change, nodes, secret,
            store::{
                leaks::{self as store, HeldRow},
                secrets,
            },
        },
    },
    platform::{
        Ctx,
        crypto::{sha256, sha512},
    },
    values::{KeyId, SecretId},
};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
};
use tokio::time::Instant;

/// A token as it was reported. No `Debug`, so that no log line can hold it by mistake.
pub struct FoundToken {
    pub token: String,
    pub url: String,
    pub source: String,
}

/// What a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Its SHA-256.
    pub hash: [u8; 32],
    /// It is, or was, a secret of a key here.
    pub is_real: bool,
}

/// What is left of a report once its token is known by its hashes.
struct Hashed {
    sha256: [u8; 32],
    sha512: [u8; 64],
    url: String,
    source: String,
}

/// Marks the keys whose secrets were found, each in a transaction of its own, and answers what each token is, in the given order. Safe
/// to send twice: a place that is known is not written again.
pub async fn report_found(ctx: &Ctx, found: Vec<FoundToken>) -> Result<Vec<Verdict>, AppError> {
    let found = hashed(found);
    let hashes: Vec<Vec<u8>> = found.iter().flat_map(|f| [f.sha256.to_vec(), f.sha512.to_vec()]).collect();
    let held: HashMap<Vec<u8>, HeldRow> = store::list_held(&ctx.db, &hashes, ctx.clock.now()).await?.into_iter().map(|row| (row.hash.clone(), row)).collect();
    let ended: HashSet<Vec<u8>> = secrets::list_ended(&ctx.db, &hashes).await?.into_iter().map(|ended| ended.hash).collect();

    // By key, so that one that was found in many places is locked once.
    let mut by_key: BTreeMap<KeyId, Vec<(&HeldRow, &Hashed)>> = BTreeMap::new();
    let mut verdicts = Vec::with_capacity(found.len());
    for token in &found {
        let row = held.get(&token.sha256[..]).or_else(|| held.get(&token.sha512[..]));
        let has_ended = ended.contains(&token.sha256[..]) || ended.contains(&token.sha512[..]);
        verdicts.push(Verdict { hash: token.sha256, is_real: row.is_some() || has_ended });
        if let Some(row) = row.filter(|row| row.is_accepted) {
            by_key.entry(KeyId::new(row.key_id)).or_default().push((row, token));
        }
    }
    tracing::info!(tokens = found.len(), keys = by_key.len(), "secret scanning reported tokens");

    let mut disabled = Vec::new();
    for (id, finds) in by_key {
        if mark_key(ctx, id, &finds).await? {
            disabled.push(id);
        }
    }
    if !disabled.is_empty() {
        let spread = nodes::spread(ctx, &disabled, Instant::now()).await;
        if spread.confirmed < spread.nodes {
            tracing::warn!(nodes = spread.nodes, confirmed = spread.confirmed, "leaked keys are disabled, but not every node has confirmed it");
        }
    }
    Ok(verdicts)
}

/// True if the key is disabled since.
async fn mark_key(ctx: &Ctx, id: KeyId, finds: &[(&HeldRow, &Hashed)]) -> Result<bool, AppError> {
    let Some((mut tx, mut key)) = change::open_as_system(ctx, id).await? else { return Ok(false) };
    let (mut is_new, mut is_disabled) = (false, false);
    for (row, token) in finds {
        let find = Find { secret: SecretId::new(row.secret_id), start: &row.start, url: &token.url, source: &token.source, reason: "" };
        let marked = mark(ctx, &mut tx, &key, &find, By::Scanner).await?;
        is_new |= marked != Marked::Known;
        if marked == Marked::Disabled {
            is_disabled = true;
            key.state = KeyState::Disabled;
        }
    }
    if is_new {
        tx.commit().await?;
    }
    Ok(is_disabled)
}

/// What is kept of a report: a place may hold the token of another one.
fn hashed(found: Vec<FoundToken>) -> Vec<Hashed> {
    let tokens: BTreeSet<&str> = found.iter().map(|f| f.token.as_str()).filter(|token| !token.is_empty()).collect();
    let mut tokens: Vec<(&str, String)> = tokens.into_iter().map(|token| (token, shown(token))).collect();
    // A token may begin with another one.
    tokens.sort_by_key(|(token, _)| Reverse(token.len()));
    let clean = |text: &str, most: usize| -> String { black_out(text, &tokens).chars().map(|c| if c.is_control() { ' ' } else { c }).take(most).collect() };
    let keep = |f: &FoundToken| Hashed { sha256: sha256(&f.token), sha512: sha512(&f.token), url: clean(&f.url, 2_000), source: clean(&f.source, 100) };
    found.iter().map(keep).collect()
}

/// What may be seen of a token. Of a secret that was made elsewhere nobody knows how much that is.
fn shown(token: &str) -> String {
    let start = if secret::is_well_formed(token) { secret::start(token) } else { "" };
    format!("{start}…")
}

/// The text with what may be seen of these tokens in their places, also where bytes of them are written as `%` and two digits.
fn black_out(text: &str, tokens: &[(&str, String)]) -> String {
    let meant = text.contains('%').then(|| String::from_utf8_lossy(&decoded(text).0).into_owned());
    let mut text = text.to_owned();
    for (token, shown) in tokens {
        if text.contains(*token) {
            text = text.replace(*token, shown);
        }
        if meant.as_ref().is_some_and(|meant| meant.contains(*token)) {
            text = replace_encoded(&text, token.as_bytes(), shown.as_bytes());
        }
    }
    text
}

fn replace_encoded(text: &str, token: &[u8], shown: &[u8]) -> String {
    let (bytes, starts) = decoded(text);
    let raw = |from: usize, to: usize| text.as_bytes().get(starts[from]..starts[to]).unwrap_or_default();
    let (mut out, mut at) = (Vec::with_capacity(text.len()), 0);
    while at < bytes.len() {
        if bytes[at..].starts_with(token) {
            out.extend_from_slice(shown);
            at += token.len();
        } else {
            out.extend_from_slice(raw(at, at + 1));
            at += 1;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The bytes that a text with `%` escapes means, and where each begins in it; one more place is its end.
fn decoded(text: &str) -> (Vec<u8>, Vec<usize>) {
    let raw = text.as_bytes();
    let digit = |at: usize| raw.get(at).and_then(|byte| char::from(*byte).to_digit(16)).and_then(|digit| u8::try_from(digit).ok());
    let (mut bytes, mut starts, mut at) = (Vec::with_capacity(raw.len()), Vec::with_capacity(raw.len() + 1), 0);
    while at < raw.len() {
        starts.push(at);
        let escaped = digit(at + 1).zip(digit(at + 2)).filter(|_| raw[at] == b'%');
        bytes.push(escaped.map_or(raw[at], |(high, low)| high * 16 + low));
        at += if escaped.is_some() { 3 } else { 1 };
    }
    starts.push(raw.len());
    (bytes, starts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(report: &[(&str, &str, &str)]) -> Vec<Hashed> {
        hashed(report.iter().map(|(token, url, source)| FoundToken { token: (*token).into(), url: (*url).into(), source: (*source).into() }).collect())
    }

    fn token(seed: u64) -> String {
        secret::mint(&crate::platform::crypto::Rng::seeded(seed), &"demo".parse().expect("a prefix"), "live")
    }

    #[test]
    fn a_report_keeps_nothing_of_its_token_but_hashes_and_start() {
        let token = token(3);
        let url = format!("https://example.com/?key={token}\n{}", "x".repeat(3_000));
        let kept = &kept(&[(&token, &url, &token)])[0];
        assert!(!kept.url.contains(&token) && !kept.source.contains(&token));
        assert!(kept.url.starts_with(&format!("https://example.com/?key={}… x", secret::start(&token))), "{}", kept.url);
        assert_eq!((kept.url.chars().count(), kept.sha256), (2_000, sha256(&token)));
    }

    #[test]
    fn tokens_of_the_whole_report_are_blacked_out_in_every_place_however_they_are_written() {
        let (one, two) = (token(3), token(4));
        let odd = "p%41 ü/==";
        let (start, encoded) = (secret::start(&two), two.replace('_', "%5f").replacen('d', "%64", 1));
        let first = format!("https://example.com/{two}/%C3%BC%zz{encoded}%");
        let second = format!("https://example.com/?a={odd}&b=p%2541%20%c3%bc%2F%3d=&c=ü");
        let kept = kept(&[(&one, &first, ""), (&two, &second, &one), (odd, &format!("{odd}x"), ""), ("", "", "")]);
        assert_eq!(kept[0].url, format!("https://example.com/{start}…/%C3%BC%zz{start}…%"));
        assert_eq!(kept[1].url, "https://example.com/?a=…&b=…&c=ü");
        assert_eq!((kept[1].source.clone(), kept[2].url.as_str(), kept[3].url.as_str()), (format!("{}…", secret::start(&one)), "…x", ""));
    }
}
