//! Addresses as accounts are found by them, brought to today's form (`Email::key`). Before, a domain stood there as it was typed: who signed
//! up as `jürgen@exämple.de` was not found as `jürgen@xn--exmple-cua.de`, nor by the same address typed today.

use super::{
    leaving::erase_unproven,
    store::{
        accounts::{self as store, OldKey},
        email_changes,
    },
};
use crate::{
    platform::{
        Ctx,
        jobs::{Job, JobError},
    },
    values::{AccountId, Email},
};
use serde::{Deserialize, Serialize};

/// Nightly, and so once at the first start with a version that compares addresses in another form.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct NormalizeAddresses {}

impl Job for NormalizeAddresses {
    const KIND: &'static str = "accounts.normalize_addresses";
    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        Ok(normalize_addresses(ctx).await?)
    }
}

/// Every account under today's form of its address. Two that turn out to be one mailbox stay two accounts: the one that has the form
/// already, else the older one, is found by it; the other one keeps its old form, and an operator reads of it in the log.
async fn normalize_addresses(ctx: &Ctx) -> sqlx::Result<()> {
    for old in store::list_old_keys(&ctx.db).await? {
        let Ok(email) = old.email.parse::<Email>() else { continue };
        let key = email.key();
        if key == old.email_key {
            continue; // no name of DNS: it is compared as it stands
        }
        if let Some(holder) = normalize(ctx, &old, &key).await? {
            tracing::warn!(account = %old.id, %holder, "two accounts have the same mailbox; only the second is found by it: change the address of the first, or ban it");
        }
    }
    Ok(())
}

/// Answers who else has that form.
async fn normalize(ctx: &Ctx, old: &OldKey, key: &str) -> sqlx::Result<Option<AccountId>> {
    let mut tx = ctx.db.begin().await?;
    // Who was not found signed up again, perhaps: an address that nobody proved is nobody's (R57).
    if old.is_verified
        && let Some((unproven, workspace)) = email_changes::lock_unproven(&mut tx, key).await?
    {
        erase_unproven(ctx, &mut tx, unproven, workspace).await?;
    }
    let holder = match store::update_email_key(&mut tx, old.id, &old.email_key, key).await? {
        true => None,
        false => store::find_by_email(&mut *tx, key).await?.map(|holder| holder.id),
    };
    tx.commit().await?;
    Ok(holder.filter(|holder| *holder != old.id))
}
