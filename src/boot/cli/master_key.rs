//! `tollgate master-key …`: puts a new master key in the place of the old one, says what is still under the old one, and gives it up.

use super::{Exit, Invocation, complain, database::with_keys_here, with_ctx};
use crate::{
    accounts,
    activity::server::{Change, audit, record},
    error::AppError,
    keys,
    platform::{
        Ctx,
        config::master_key,
        crypto::{MasterKeyId, Rng},
        key_ring::{self, Held},
    },
};
use clap::Subcommand;
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;

#[derive(Subcommand)]
pub(super) enum MasterKeyCommand {
    /// Put a new key in the place of the old one, which is read until it is dropped; every server uses it from its next start on
    Rotate,
    /// Say which keys there are, and what was made under each
    Status,
    /// Give up an old key: it is not read any more, and may be missing
    Drop {
        /// Its id, as `status` shows it
        id: String,
    },
}

/// One key, as `status` says it.
#[derive(Debug, Serialize)]
struct Shown {
    id: String,
    state: &'static str,
    /// How many things of each kind were made under it.
    held: BTreeMap<&'static str, i64>,
}

impl MasterKeyCommand {
    pub(super) async fn run(self, invocation: &Invocation) -> Exit {
        match self {
            Self::Rotate => rotate(invocation),
            Self::Status => with_ctx(&invocation.config, "master-key", async |ctx| status(ctx, invocation).await).await,
            Self::Drop { id } => with_keys_here(&invocation.config, "master-key", async |ctx| drop_key(ctx, invocation, &id).await).await,
        }
    }
}

fn rotate(invocation: &Invocation) -> Exit {
    let config = &invocation.config;
    let path = config.server.secret_file.display();
    if invocation.dry_run {
        return match master_key::check(config) {
            Ok(vault) => {
                let old = vault.key_id();
                invocation.answer(&json!({ "would_rotate": old.to_string() }), &format!("Would put a new key in the place of {old}, in {path}."));
                Exit::Done
            }
            Err(error) => failed(&error),
        };
    }
    match master_key::rotate(config, &Rng::system()) {
        Ok(done) => {
            let words = format!(
                "{path} holds the new master key {}. The old one, {}, is read from {}.\n\
                 Start every server and worker again, each with both files: the first start seals anew what can be.\n\
                 `tollgate master-key status` says when the old key can be dropped. Keep it with the backups from its time.",
                done.new,
                done.old,
                done.old_file.display()
            );
            let said = json!({ "new": done.new.to_string(), "old": done.old.to_string(), "old_file": done.old_file.display().to_string() });
            invocation.answer(&said, &words);
            Exit::Done
        }
        Err(error) => failed(&error),
    }
}

fn failed(error: &impl std::fmt::Display) -> Exit {
    complain(error);
    Exit::Failed
}

async fn held(ctx: &Ctx) -> Result<Vec<Held>, AppError> {
    let mut held = accounts::server::held_by_master_keys(ctx).await?;
    held.extend(keys::server::held_by_master_keys(ctx).await?);
    held.extend(audit::held_by_master_keys(ctx).await?);
    Ok(held)
}

async fn status(ctx: &Ctx, invocation: &Invocation) -> Result<Exit, AppError> {
    let known = key_ring::list(&ctx.db).await?;
    let current = ctx.vault.key_id().to_string();
    let mut shown: Vec<Shown> = known
        .iter()
        .map(|key| {
            let state = match key.dropped_at {
                Some(_) => "dropped",
                None if key.id == current => "current",
                None if key.current_at.is_none() => "next",
                None => "previous",
            };
            Shown { id: key.id.clone(), state, held: BTreeMap::new() }
        })
        .collect();
    for ((id, what), rows) in key_ring::by_key(held(ctx).await?, &known) {
        match shown.iter_mut().find(|key| key.id == id) {
            Some(key) => {
                key.held.insert(what, rows);
            }
            None => shown.push(Shown { id, state: "unknown", held: BTreeMap::from([(what, rows)]) }),
        }
    }
    let words: Vec<String> = shown.iter().map(line).collect();
    invocation.answer(&shown, &words.join("\n"));
    Ok(Exit::Done)
}

fn line(key: &Shown) -> String {
    let held = match in_words(&key.held) {
        held if !held.is_empty() => held,
        _ if key.state == "previous" => format!("nothing; give it up with: tollgate master-key drop {}", key.id),
        _ => "nothing".to_owned(),
    };
    format!("{:8}  {:8}  {held}", key.id, key.state)
}

fn in_words(held: &BTreeMap<&'static str, i64>) -> String {
    held.iter().filter(|(_, rows)| **rows > 0).map(|(what, rows)| format!("{rows} {what}")).collect::<Vec<_>>().join(", ")
}

async fn drop_key(ctx: &Ctx, invocation: &Invocation, id: &str) -> Result<Exit, AppError> {
    let id: MasterKeyId = id.parse().map_err(|words: &str| AppError::invalid("id", words))?;
    if id == ctx.vault.key_id() {
        return Err(AppError::conflict("This is the current master key. Rotate first: tollgate master-key rotate"));
    }
    let known = key_ring::list(&ctx.db).await?;
    let is_dropped = known.iter().find(|key| key.id == id.to_string()).ok_or(AppError::NotFound)?.dropped_at.is_some();
    let is_here = ctx.vault.previous_ids().contains(&id);
    let mut under: BTreeMap<&'static str, i64> = BTreeMap::new();
    for ((key, what), rows) in key_ring::by_key(held(ctx).await?, &known) {
        // Of a key that is not here it can't be said which passwords are its own.
        if key == id.to_string() || (!is_here && key == "another") {
            *under.entry(what).or_insert(0) += rows;
        }
    }
    let lost = in_words(&under);
    if !lost.is_empty() && !invocation.yes && !is_dropped {
        return Err(AppError::conflict(format!(
            "Under the master key {id} there are still: {lost}. Without it they are worth nothing: people set new passwords by mail, and need new recovery \
             codes, apps and signing secrets; entries of the audit log stay, and nobody can verify them. To drop it all the same, say --yes."
        )));
    }
    if invocation.dry_run {
        invocation.answer(&json!({ "would_drop": id.to_string(), "lost": under }), &format!("Would drop the master key {id}."));
        return Ok(Exit::Done);
    }
    let mut tx = ctx.db.begin().await?;
    if key_ring::drop_key(&mut tx, id, ctx.clock.now()).await? {
        let data = json!({ "id": id.to_string(), "lost": under });
        record(ctx, &mut tx, Change { kind: "master_key.dropped", actor_name: "cli", data, ..Change::default() }).await?;
    }
    tx.commit().await?;
    let words = format!(
        "The master key {id} is dropped. Servers read it no more from their next start on. Its file can go, unless backups from its time may be brought back."
    );
    invocation.answer(&json!({ "dropped": id.to_string(), "lost": under }), &words);
    Ok(Exit::Done)
}
