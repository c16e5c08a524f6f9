//! After a rotation of the master key: signing secrets are sealed anew under the current one, and imported salted hashes get the names
//! that it gives them. And how much of keys there is under each one.

use super::{importing::name_of_salted, signing::SEALED, store::resealing as store};
use crate::{
    error::AppError,
    platform::{
        Ctx,
        jobs::{Job, JobError},
        key_ring::{Anew, Held, PAGE, Resealing},
    },
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

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
    let Some(mut pass) = Resealing::start(ctx, SEALED, SIGNING_SECRETS) else { return Ok(()) };
    loop {
        let page = store::list_sealed(&ctx.db, &ctx.vault.sealed_start(), pass.after, PAGE).await?;
        let Some(anew) = pass.seal(page)? else { break };
        pass.written(store::update_sealed(&ctx.db, &anew).await?);
    }
    pass.end("make new ones for these keys");
    name_anew(ctx).await
}

async fn name_anew(ctx: &Ctx) -> Result<(), AppError> {
    let mut after = Uuid::nil();
    loop {
        let page = store::list_salted(&ctx.db, after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.id;
        let mut anew = Anew::default();
        for row in page {
            let name = name_of_salted(&ctx.vault, &row.phc).to_vec();
            if name != row.bytes {
                anew.push(row.id, row.bytes, name);
            }
        }
        let renamed = store::update_names(&ctx.db, &anew).await?;
        tracing::info!(renamed, key = %ctx.vault.key_id(), "naming imported salted hashes anew");
    }
}

/// How many signing secrets were sealed under each master key.
pub async fn held_by_master_keys(ctx: &Ctx) -> Result<Vec<Held>, AppError> {
    let counts = store::count_sealed(&ctx.db).await?;
    Ok(counts.into_iter().map(|(key, rows)| Held { what: SIGNING_SECRETS, key, rows }).collect())
}

pub const SIGNING_SECRETS: &str = "signing secrets";
