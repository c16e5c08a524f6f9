//! Leaving is over when every server refuses the account's keys. This feature knows no keys: start-up says how that is waited for.

use crate::{
    platform::{Ctx, http::spread::SpreadBody},
    values::AccountId,
};
use std::pin::Pin;

type Waiting = Pin<Box<dyn Future<Output = Refused> + Send>>;

/// How far it is when leaving answers. The default: no server runs.
#[derive(Debug, Default)]
pub struct Refused {
    pub spread: SpreadBody,
    /// Which server lets them pass yet, in words; none: all refuse them.
    pub missing: Option<String>,
}

/// Waits until every live server refuses the keys of an account, two seconds at most. A part of the context of servers.
pub struct KeysRefused(Box<dyn Fn(Ctx, AccountId) -> Waiting + Send + Sync>);

impl KeysRefused {
    pub fn new<F: Future<Output = Refused> + Send + 'static>(wait: impl Fn(Ctx, AccountId) -> F + Send + Sync + 'static) -> Self {
        Self(Box::new(move |ctx: Ctx, account: AccountId| -> Waiting { Box::pin(wait(ctx, account)) }))
    }
}

/// After the commit.
pub async fn keys_refused(ctx: &Ctx, account: AccountId) -> Refused {
    let Some(waiting) = ctx.part::<KeysRefused>() else { return Refused::default() };
    let refused = (waiting.0)(ctx.clone(), account).await;
    if let Some(words) = &refused.missing {
        tracing::warn!(%account, "the keys of an account that was left: {words}");
    }
    refused
}

/// What is said after leaving, and of keys that are not refused everywhere yet.
pub fn said(words: &str, refused: Refused) -> String {
    refused.missing.map_or_else(|| words.to_owned(), |missing| format!("{words} Its keys: {missing}"))
}
