//! After a rotation of the master key: the seeds of authenticator apps are sealed anew. And how much of accounts there is under each key.

use super::totp::SEALED;
use crate::{
    accounts::server::{
        passwords::names_of_peppers,
        store::{
            accounts,
            factors::{admin_pin, resealing as store},
        },
    },
    error::AppError,
    platform::{
        Ctx,
        jobs::{Job, JobError},
        key_ring::{Held, PAGE, Resealing},
    },
};
use serde::{Deserialize, Serialize};

/// At a start with an older master key, and nightly as long as there is one.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct ResealSeeds {}

impl Job for ResealSeeds {
    const KIND: &'static str = "accounts.reseal_seeds";

    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        Ok(reseal_seeds(ctx).await?)
    }
}

/// Seals anew what is sealed under older keys.
pub async fn reseal_seeds(ctx: &Ctx) -> Result<(), AppError> {
    let Some(mut pass) = Resealing::start(ctx, SEALED, "seeds of authenticator apps") else { return Ok(()) };
    loop {
        let page = store::list_seeds(&ctx.db, &ctx.vault.sealed_start(), pass.after, PAGE).await?;
        let Some(anew) = pass.seal(page)? else { break };
        pass.written(store::update_seeds(&ctx.db, &anew).await?);
    }
    pass.end("their owners need a reset of their factors");
    Ok(())
}

/// How much of accounts was made under each master key.
pub async fn held_by_master_keys(ctx: &Ctx) -> Result<Vec<Held>, AppError> {
    let names = names_of_peppers(&ctx.vault);
    let under = |pepper: Option<String>| match pepper {
        // From before there were peppers, or of another system: no key is needed.
        None => Some(ctx.vault.key_id().to_string()),
        Some(pepper) => Some(names.iter().find(|(name, _)| *name == pepper).map_or_else(|| "another".to_owned(), |(_, id)| id.to_string())),
    };
    let seeds = store::count_seeds(&ctx.db).await?.into_iter().map(|(key, rows)| Held { what: SEEDS, key, rows });
    let codes = store::count_codes(&ctx.db).await?.into_iter().map(|(key, rows)| Held { what: CODES, key, rows });
    let passwords = accounts::count_peppers(&ctx.db).await?.into_iter().map(|(pepper, rows)| Held { what: PASSWORDS, key: under(pepper), rows });
    let pin = admin_pin::find_pin(&ctx.db).await?.map(|hash| Held { what: PIN, key: under(named_in(&hash)), rows: 1 });
    Ok(seeds.chain(codes).chain(passwords).chain(pin).collect())
}

/// How a PHC string names its pepper, as `count_peppers` reads it.
fn named_in(phc: &str) -> Option<String> {
    let (_, after) = phc.split_once("keyid=")?;
    after.split([',', '$']).next().map(ToOwned::to_owned)
}

pub const SEEDS: &str = "authenticator apps";
pub const CODES: &str = "recovery codes";
pub const PASSWORDS: &str = "passwords";
/// It is not hashed anew when it is given: whoever set it sets it again.
pub const PIN: &str = "admin PIN";
