//! After a rotation of the master key: signing secrets are sealed anew under the current one, and imported salted hashes get the names
//! that it gives them, in pages; run again, or twice at once, it finds what is left. And how much of keys there is under each one.

use super::{importing::name_of_salted, signing::SEALED, store::resealing as store};
use crate::{
    error::AppError,
    platform::{
        Ctx,
        jobs::{Job, JobError},
        key_ring::Held,
    },
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Rows of one page.
const PAGE: i64 = 500;

/// At a start with an older master key, and nightly as long as there is one.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct ResealSecrets {}

impl Job for ResealSecrets {
    const KIND: &'static str = "keys.reseal_secrets";

    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        Ok(reseal_secrets(ctx).await?)
    }
}

/// Seals and names anew what is under older keys.
pub async fn reseal_secrets(ctx: &Ctx) -> Result<(), AppError> {
    if !ctx.vault.has_previous() {
        return Ok(());
    }
    let (mut after, mut resealed, mut unreadable) = (Uuid::nil(), 0, 0);
    loop {
        let page = store::list_sealed(&ctx.db, &ctx.vault.sealed_start(), after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.id;
        let mut anew = Vec::with_capacity(page.len());
        for row in page {
            match ctx.vault.reseal(&ctx.rng, SEALED, row.id.as_bytes(), &row.bytes).map_err(AppError::internal)? {
                Some(bytes) => anew.push(store::Anew { id: row.id, before: row.bytes, bytes }),
                None => unreadable += 1,
            }
        }
        resealed += store::update_sealed(&ctx.db, anew).await?;
        tracing::info!(resealed, unreadable, key = %ctx.vault.key_id(), "sealing signing secrets anew");
    }
    if unreadable > 0 {
        tracing::error!(unreadable, "signing secrets open under no master key that is here: make new ones for these keys");
    }
    name_anew(ctx).await
}

async fn name_anew(ctx: &Ctx) -> Result<(), AppError> {
    let mut after = Uuid::nil();
    loop {
        let page = store::list_salted(&ctx.db, after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.id;
        let anew = page.into_iter().filter_map(|row| {
            let bytes = name_of_salted(&ctx.vault, &row.phc).to_vec();
            (bytes != row.bytes).then_some(store::Anew { id: row.id, before: row.bytes, bytes })
        });
        let renamed = store::update_names(&ctx.db, anew.collect()).await?;
        tracing::info!(renamed, key = %ctx.vault.key_id(), "naming imported salted hashes anew");
    }
}

/// How many signing secrets were sealed under each master key.
pub async fn held_by_master_keys(ctx: &Ctx) -> Result<Vec<Held>, AppError> {
    let counts = store::count_sealed(&ctx.db).await?;
    Ok(counts.into_iter().map(|(key, rows)| Held { what: SIGNING_SECRETS, key, rows }).collect())
}

pub const SIGNING_SECRETS: &str = "signing secrets";
