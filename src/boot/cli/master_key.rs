//! `tollgate master-key …`: puts a new master key in the place of the old one, says what is still under the old one, and gives it up.
//! Both are told in the audit log.

use super::{
    Exit, Invocation, complain,
    database::with_keys_here,
    missing::{Thing, missing},
    with_ctx,
};
use crate::{
    accounts,
    activity::server::{
        Change,
        audit::{self, Covered, Fault, Verdict},
        record, record_once,
    },
    error::AppError,
    keys,
    platform::{
        Ctx,
        config::master_key,
        crypto::{MasterKeyId, Rng},
        key_ring::{self, Held, KnownKey},
    },
    values::EventId,
};
use clap::Subcommand;
use serde::Serialize;
use serde_json::{Value, json};
use sqlx::{Postgres, Transaction};
use std::collections::BTreeMap;
use time::OffsetDateTime;

#[derive(Subcommand)]
pub(super) enum MasterKeyCommand {
    /// Put a new key in the place of the old one, which is read until it is dropped; every server uses it from its next start on
    Rotate,
    /// Say which keys there are, and what was made under each
    Status,
    /// Give up an old key: it is not read any more, and may be missing
    ///
    /// Before that the audit log is verified with it, and a checkpoint under the key in use is written: it stands for the entries that were
    /// made with the old one. If not all can be verified, nothing is dropped.
    Drop {
        /// Its id, as `status` shows it
        id: String,
        /// Drop it although the audit log can't be verified, as when the key is lost: the checkpoint says so, and what is wrong stays wrong. For
        /// one that is dropped already: a checkpoint over what a server that was not started again wrote with it since
        #[arg(long)]
        force_unverified: bool,
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
            Self::Rotate => rotate(invocation).await,
            Self::Status => with_ctx(&invocation.config, "master-key", async |ctx| status(ctx, invocation).await).await,
            Self::Drop { id, force_unverified } => {
                with_keys_here(&invocation.config, "master-key", async |ctx| drop_key(ctx, invocation, &id, force_unverified).await).await
            }
        }
    }
}

async fn rotate(invocation: &Invocation) -> Exit {
    let config = &invocation.config;
    // A rotation is told in the audit log, so it needs the database; which one opens here is the old key.
    if !invocation.dry_run {
        return with_ctx(config, "master-key", async |ctx| rotate_told(ctx, invocation).await).await;
    }
    match master_key::check(config) {
        Ok(vault) => {
            let (old, path) = (vault.key_id(), config.server.secret_file.display());
            invocation.answer(&json!({ "would_rotate": old.to_string() }), &format!("Would put a new key in the place of {old}, in {path}."));
            Exit::Done
        }
        Err(error) => failed(&error),
    }
}

/// The event is under the old key, which every server that runs has; it is written if the new file lies there, and the other way round. Postgres
/// ends a transaction that waits for a slow disk: so the new key is on the disk before one begins, and where its commit fails after the files
/// have changed, the event is written in another one.
async fn rotate_told(ctx: &Ctx, invocation: &Invocation) -> Result<Exit, AppError> {
    let config = &invocation.config;
    let prepared = match master_key::prepare(config, &Rng::system()) {
        Ok(prepared) => prepared,
        Err(error) => return Ok(failed(&error)),
    };
    let (new, old) = (prepared.new.to_string(), prepared.old.to_string());
    let event = (ctx.new_id::<EventId>(), ctx.clock.now());
    let data = json!({ "new": new, "old": old });
    let tx = told(ctx, event, &data).await?;
    let done = match prepared.put(config) {
        Ok(done) => done,
        Err(error) => return Ok(failed(&error)),
    };
    let (path, old_file) = (config.server.secret_file.display(), done.old_file.display());
    let is = format!("{path} holds the new master key {new}. The old one, {old}, is read from {old_file}.");
    if tx.commit().await.is_err()
        && let Err(error) = told_again(ctx, event, &data).await
    {
        complain(format_args!("{is} The audit log could not be told."));
        return Err(error);
    }
    let words = format!(
        "{is}\n\
         Start every server and worker again, each with both files: the first start seals anew what can be.\n\
         `tollgate master-key status` says when the old key can be dropped. Keep it with the backups from its time."
    );
    invocation.answer(&json!({ "new": new, "old": old, "old_file": old_file.to_string() }), &words);
    Ok(Exit::Done)
}

/// The event of a rotation, with the transaction that it is written in.
async fn told(ctx: &Ctx, (id, at): (EventId, OffsetDateTime), data: &Value) -> Result<Transaction<'static, Postgres>, AppError> {
    let mut tx = ctx.db.begin().await?;
    record_once(ctx, &mut tx, id, at, Change { kind: "master_key.rotated", actor_name: "cli", data: data.clone(), ..Change::default() }).await?;
    Ok(tx)
}

/// The same event where nobody knows whether the commit came through: it stands there once.
async fn told_again(ctx: &Ctx, event: (EventId, OffsetDateTime), data: &Value) -> Result<(), AppError> {
    told(ctx, event, data).await?.commit().await?;
    Ok(())
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
    let mut held = in_words(&key.held);
    if held.is_empty() {
        "nothing".clone_into(&mut held);
    }
    // Entries of the audit log stay under their key: a checkpoint covers them.
    if key.state == "previous" && in_words(&but_entries(&key.held)).is_empty() {
        held += &format!("; give it up with: tollgate master-key drop {}", key.id);
    }
    format!("{:8}  {:8}  {held}", key.id, key.state)
}

fn in_words(held: &BTreeMap<&'static str, i64>) -> String {
    held.iter().filter(|(_, rows)| **rows > 0).map(|(what, rows)| format!("{rows} {what}")).collect::<Vec<_>>().join(", ")
}

/// What is worth nothing without its key.
fn but_entries(held: &BTreeMap<&'static str, i64>) -> BTreeMap<&'static str, i64> {
    held.iter().filter(|(what, _)| **what != audit::ENTRIES).map(|(what, rows)| (*what, *rows)).collect()
}

async fn drop_key(ctx: &Ctx, invocation: &Invocation, id: &str, force_unverified: bool) -> Result<Exit, AppError> {
    let id: MasterKeyId = id.parse().map_err(|words: &str| AppError::invalid("id", words))?;
    if id == ctx.vault.key_id() {
        return Err(AppError::conflict("This is the current master key. Rotate first: tollgate master-key rotate"));
    }
    let known = key_ring::list(&ctx.db).await?;
    let is_dropped = known.iter().find(|key| key.id == id.to_string()).ok_or_else(|| missing(Thing::MasterKey, id))?.dropped_at.is_some();
    let is_here = ctx.vault.previous_ids().contains(&id);
    let mut under: BTreeMap<&'static str, i64> = BTreeMap::new();
    for ((key, what), rows) in key_ring::by_key(held(ctx).await?, &known) {
        // Of a key that is not here it can't be said which passwords are its own.
        if key == id.to_string() || (!is_here && key == "another") {
            *under.entry(what).or_insert(0) += rows;
        }
    }
    let under = but_entries(&under);
    let lost = in_words(&under);
    if !lost.is_empty() && !invocation.yes && !is_dropped {
        return Err(AppError::conflict(format!(
            "Under the master key {id} there are still: {lost}. Without it they are worth nothing: people set new passwords by mail, and need new recovery \
             codes, apps and signing secrets. To drop it all the same, say --yes."
        )));
    }
    let verdict = if is_dropped && !force_unverified { None } else { Some(verified_with(ctx, invocation, &known, id, force_unverified).await?) };
    // A server that was forgotten wrote with it after it was dropped: another checkpoint covers that. Where nothing is so, nothing is done.
    let verdict = verdict.filter(|(_, verdict)| !is_dropped || verdict.broken.as_ref().is_some_and(|broken| broken.fault == Fault::WrongKey));
    if invocation.dry_run {
        invocation.answer(&json!({ "would_drop": id.to_string(), "lost": under }), &format!("Would drop the master key {id}."));
        return Ok(Exit::Done);
    }
    let (mut tx, mut checkpoint) = (ctx.db.begin().await?, None);
    if (key_ring::drop_key(&mut tx, id, ctx.clock.now()).await? || is_dropped)
        && let Some((reading, verdict)) = &verdict
    {
        checkpoint = audit::write_checkpoint(reading, &mut tx, verdict, id, "cli").await?;
        let data = json!({ "id": id.to_string(), "lost": under, "checkpoint": checkpoint });
        record(ctx, &mut tx, Change { kind: "master_key.dropped", actor_name: "cli", data, ..Change::default() }).await?;
    }
    tx.commit().await?;
    let mut words = format!(
        "The master key {id} is dropped. Servers read it no more from their next start on. Its file can go, unless backups from its time may be brought back."
    );
    if let Some(point) = &checkpoint {
        words += &in_place_of_macs(point);
    }
    invocation.answer(&json!({ "dropped": id.to_string(), "lost": under, "checkpoint": checkpoint }), &words);
    Ok(Exit::Done)
}

fn in_place_of_macs(point: &Covered) -> String {
    let entry = point.entry;
    if point.verified {
        return format!("\nThe audit log was verified, and a checkpoint covers its entries up to {entry}.");
    }
    format!(
        "\nThe audit log was NOT verified. A checkpoint covers its entries up to {entry} as they stand: it proves only that nothing is changed from now on."
    )
}

/// Seals and verifies the audit log while the key is here, and with no key that was dropped before. Refused if something is wrong, unless
/// it is to be dropped all the same.
async fn verified_with(ctx: &Ctx, invocation: &Invocation, known: &[KnownKey], id: MasterKeyId, force: bool) -> Result<(Ctx, Verdict), AppError> {
    let mut reading = ctx.clone();
    reading.vault = key_ring::read(&ctx.vault, known);
    if !invocation.dry_run
        && let Err(error) = audit::seal(&reading).await
    {
        // Under a lost key nothing is sealed; verifying says the same.
        complain(&error);
    }
    let anchors = audit::told(&reading).await;
    let verdict = audit::verify(&reading, &anchors, |_| {}).await?;
    if let Some(broken) = verdict.broken.as_ref().filter(|_| !force) {
        return Err(AppError::conflict(format!(
            "The audit log can't be verified, so the master key {id} is not dropped: {} Keep a copy of the database and find out why; if that key is the one \
             that is lost, put it back. To drop it all the same, say --force-unverified: a checkpoint then says that nobody verified what stands before it.",
            broken.words
        )));
    }
    Ok((reading, verdict))
}
