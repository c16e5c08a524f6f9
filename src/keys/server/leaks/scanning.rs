//! Reports of secret scanning: tokens that look like keys, and where they were found. Each that is a secret of a key here marks that key.
//!
//! The token itself is hashed at once, neither stored nor logged, and blacked out where the report's other words repeat it.

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
use std::collections::{BTreeMap, HashMap, HashSet};
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
    let found: Vec<Hashed> = found.into_iter().map(hashed).collect();
    let hashes: Vec<Vec<u8>> = found.iter().flat_map(|f| [f.sha256.to_vec(), f.sha512.to_vec()]).collect();
    let held: HashMap<Vec<u8>, HeldRow> = store::list_held(&ctx.db, &hashes, ctx.clock.now()).await?.into_iter().map(|row| (row.hash.clone(), row)).collect();
    let ended: HashSet<Vec<u8>> = secrets::list_ended(&ctx.db, &hashes).await?.into_iter().collect();

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

fn hashed(found: FoundToken) -> Hashed {
    let FoundToken { token, url, source } = found;
    // Of a secret that was made elsewhere nobody knows how much of it may be shown.
    let start = if secret::is_well_formed(&token) { secret::start(&token) } else { "" };
    let shown = format!("{start}…");
    let clean = |text: String, most: usize| -> String {
        let text = if token.is_empty() { text } else { text.replace(&token, &shown) };
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(most).collect()
    };
    Hashed { sha256: sha256(&token), sha512: sha512(&token), url: clean(url, 2_000), source: clean(source, 100) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_keeps_nothing_of_its_token_but_hashes_and_start() {
        let token = secret::mint(&crate::platform::crypto::Rng::seeded(3), &"demo".parse().expect("a prefix"), "live");
        let url = format!("https://example.com/?key={token}\n{}", "x".repeat(3_000));
        let kept = hashed(FoundToken { token: token.clone(), url, source: token.clone() });
        assert!(!kept.url.contains(&token) && !kept.source.contains(&token));
        assert!(kept.url.starts_with(&format!("https://example.com/?key={}… x", secret::start(&token))), "{}", kept.url);
        assert_eq!((kept.url.chars().count(), kept.sha256), (2_000, sha256(&token)));
    }
}
