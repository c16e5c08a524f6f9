//! Importing keys that were made elsewhere, by the hashes of their secrets: the programs that hold them go on as before. Looked at line
//! by line first; safe to send twice, since a hash that is here already is left alone.
//!
//! A key is found by the hash of its secret, and a salted hash (bcrypt, Argon2) can't be looked up: those come with how their secrets
//! begin, are tried at the first use, and are known by their SHA-256 from then on (`salted`).

mod hash;
mod limits;
mod list;
mod waiting;

pub use waiting::{forget_lists, keep_list, preview_list, run_list};

pub use hash::name_of_salted;

use self::{
    hash::Hash,
    limits::{Limited, write_limits},
    list::{Line, Listed},
};
use super::{
    about, apis, bundles,
    change::{self, Done},
    gate, grants,
    reach::actor,
    rules, salted,
    store::{expiries, keys, secrets},
};
use crate::{
    accounts::{Caller, Via, server::policies},
    error::AppError,
    keys::model::{Act, Api, ImportLine, ImportOutcome, Key, KeyState, Preset, Withheld},
    platform::Ctx,
    values::{KeyId, Permission, SecretId, Slug, permission_names as may},
};
use serde_json::{Value, json};
use sqlx::PgConnection;
use std::collections::{HashMap, HashSet};
use time::OffsetDateTime;

/// Keys of one list.
const MOST: usize = 10_000;
/// Keys in one transaction.
const CHUNK: usize = 500;

/// Imports a file, CSV or JSON, for the API with this slug; with `dry_run` only says what would become of each line.
pub async fn import_text(ctx: &Ctx, caller: &Caller, api: &str, text: &str, dry_run: bool) -> Result<Vec<ImportLine>, AppError> {
    import(ctx, caller, api, list::text(text)?, dry_run).await
}

/// The same for JSON objects.
pub async fn import_objects(ctx: &Ctx, caller: &Caller, api: &str, keys: Vec<Value>, dry_run: bool) -> Result<Vec<ImportLine>, AppError> {
    import(ctx, caller, api, list::objects(Value::Array(keys))?, dry_run).await
}

/// A key that passed every rule.
struct Wanted {
    /// Its place in the report.
    place: usize,
    id: KeyId,
    key: Listed,
    permissions: Vec<Permission>,
    bundles: Vec<Slug>,
}

async fn import(ctx: &Ctx, caller: &Caller, api: &str, mut lines: Vec<Line>, dry_run: bool) -> Result<Vec<ImportLine>, AppError> {
    caller.require(&may::KEYS_WRITE)?;
    let api = apis::api_for_key(ctx, Some(api)).await?;
    if api.is_own() {
        return Err(AppError::invalid("api", "Keys for Tollgate itself can't be imported."));
    }
    if !(1..=MOST).contains(&lines.len()) {
        return Err(AppError::invalid("list", "A list has 1 to 10,000 keys."));
    }
    lines.iter_mut().filter_map(|line| line.key.as_mut().ok()).for_each(|key| key.hash.name_salted(&ctx.vault));
    if ctx.vault.has_previous() {
        keep_earlier_names(ctx, &mut lines).await?;
    }
    let now = ctx.clock.now();
    let (mut report, wanted) = checked(ctx, caller, &api, lines).await?;
    if !dry_run {
        let patience = (caller.via != Via::Cli).then_some(ctx.config.server.request_timeout / 2);
        for chunk in wanted.chunks(CHUNK) {
            // What is done is committed; whoever waits for the answer gets one.
            if patience.is_some_and(|most| ctx.clock.now() - now > most) {
                for wanted in chunk {
                    let line = &mut report[wanted.place];
                    (line.outcome, line.detail) = (ImportOutcome::Later, "There was no time left for it: send the same list again.".to_owned());
                }
                continue;
            }
            let mut tx = ctx.db.begin().await?;
            for wanted in chunk {
                insert(ctx, &mut tx, caller, &api, wanted).await?;
            }
            note(ctx, &mut tx, caller, chunk).await?;
            tx.commit().await?;
            gate::refreshed(ctx, &chunk.iter().map(|w| w.id).collect::<Vec<_>>()).await;
            for wanted in chunk {
                report[wanted.place].key = Some(wanted.id);
            }
        }
    }
    Ok(report)
}

/// A salted hash that is here, or was, under the name that an older master key gave it, goes by that name.
async fn keep_earlier_names(ctx: &Ctx, lines: &mut [Line]) -> Result<(), AppError> {
    let names: Vec<Vec<u8>> = lines.iter().filter_map(|line| line.key.as_ref().ok()).flat_map(|key| key.hash.earlier_names(&ctx.vault)).collect();
    let mut here: HashSet<Vec<u8>> = secrets::list_holders(&ctx.db, &names).await?.into_iter().map(|held| held.hash).collect();
    here.extend(secrets::list_ended(&ctx.db, &names).await?);
    for key in lines.iter_mut().filter_map(|line| line.key.as_mut().ok()) {
        if let Some(name) = key.hash.earlier_names(&ctx.vault).into_iter().find(|name| here.contains(name)) {
            key.hash.bytes = name;
        }
    }
    Ok(())
}

/// What would become of each line, and the keys that would be made.
async fn checked(ctx: &Ctx, caller: &Caller, api: &Api, lines: Vec<Line>) -> Result<(Vec<ImportLine>, Vec<Wanted>), AppError> {
    let hashes: Vec<Vec<u8>> = lines.iter().filter_map(|l| l.key.as_ref().ok()).map(|key| key.hash.bytes.clone()).collect();
    let known: HashMap<Vec<u8>, _> =
        secrets::list_holders(&ctx.db, &hashes).await?.into_iter().map(|held| (held.hash, (held.key_id, held.workspace_id))).collect();
    let ended: HashSet<Vec<u8>> = secrets::list_ended(&ctx.db, &hashes).await?.into_iter().collect();
    let starts: Vec<String> = lines.iter().filter_map(|l| l.key.as_ref().ok()).filter(|key| key.hash.phc.is_some()).map(|key| key.start.clone()).collect();
    let mut alike: HashMap<String, i64> = secrets::count_salted(&ctx.db, &starts).await?.into_iter().collect();
    let (mut report, mut wanted, mut seen) = (Vec::with_capacity(lines.len()), Vec::new(), HashSet::new());
    let now = ctx.clock.now();
    let ends = policies::key_ends(ctx, [caller.workspace]).await?;
    let withheld = grants::withheld_from_new(ctx, api, caller.workspace, None).await?;
    let readable = lines.iter().filter_map(|line| line.key.as_ref().ok());
    let zones = rules::zones(ctx, rules::zones_of(readable.flat_map(|key| &key.limited.limits))).await?;
    let may_limit = caller.may(&may::KEYS_MANAGE) || caller.via == Via::Cli;
    for line in lines {
        let mut said = ImportLine { line: line.number as u64, name: line.name, outcome: ImportOutcome::Wrong, detail: String::new(), key: None };
        let key = line.key.and_then(|mut key| {
            key.expires_at = ends.end(caller.workspace, now, key.expires_at)?;
            if may_limit {
                limits_of(&key, &zones)?;
            } else if !key.limited.limits.is_empty() {
                // Its own limits would take it out of those that hold its workspace.
                key.limited = Limited::default();
                key.left_out.push("its limits, which an operator sets".to_owned());
            }
            Ok((rules_of(api, &withheld, &key, now)?, key))
        });
        match key {
            Err(words) => said.detail = words,
            Ok((_, key)) if known.contains_key(&key.hash.bytes) => match known[&key.hash.bytes] {
                (id, workspace) if workspace == caller.workspace.uuid() => {
                    (said.outcome, said.key, said.detail) = (ImportOutcome::Known, Some(KeyId::new(id)), "This hash is here already.".to_owned());
                }
                _ => said.detail = "This hash can't be imported here.".to_owned(),
            },
            Ok((_, key)) if ended.contains(&key.hash.bytes) => said.detail = "This secret was ended here. Give its holder a new one.".to_owned(),
            Ok((_, key)) if !seen.insert(key.hash.bytes.clone()) => said.detail = "This hash stands further up already.".to_owned(),
            Ok((_, key)) if key.hash.phc.is_some() && !has_room(&mut alike, &key.start) => {
                said.detail = format!("{} secrets with salted hashes begin like this. Give more of its first characters as start, at most 16.", salted::MOST);
            }
            Ok(((permissions, bundles), key)) => {
                said.outcome = ImportOutcome::Created;
                let expired = key.expires_at.is_some_and(|at| at <= now).then(|| "It has expired already.".to_owned());
                let left_out = (!key.left_out.is_empty()).then(|| format!("Not imported: {}.", key.left_out.join(", ")));
                said.detail = [expired, left_out].into_iter().flatten().collect::<Vec<_>>().join(" ");
                wanted.push(Wanted { place: report.len(), id: ctx.new_id(), key, permissions, bundles });
            }
        }
        report.push(said);
    }
    Ok((report, wanted))
}

/// Takes one of the few places that a start of salted secrets has.
fn has_room(alike: &mut HashMap<String, i64>, start: &str) -> bool {
    let n = alike.entry(start.to_owned()).or_default();
    *n += 1;
    usize::try_from(*n).is_ok_and(|n| n <= salted::MOST)
}

/// The rules of any new key; the permissions it gets, and the bundles.
fn rules_of(api: &Api, withheld: &[Withheld], key: &Listed, now: OffsetDateTime) -> Result<(Vec<Permission>, Vec<Slug>), String> {
    rules::name(&key.name)?;
    rules::tags(key.tags.iter().map(String::as_str))?;
    // One that has expired where it comes from is answered so here.
    if let Some(at) = key.expires_at.filter(|at| *at > now) {
        rules::expiry(at, now)?;
    }
    let bundles = bundles::chosen(api, &key.bundles)?;
    grants::bundles_must_be_granted(api, withheld, &bundles)?;
    // A preset leaves out what is withheld, as for any new key.
    let free = |preset: Vec<Permission>| preset.into_iter().filter(|p| !grants::is_withheld(withheld, p)).collect::<Vec<_>>();
    let permissions = match &key.permissions {
        Some(texts) => match Preset::named(texts) {
            Some(preset) => free(api.preset(preset)),
            None => rules::permissions(api, texts)?,
        },
        None if !bundles.is_empty() => Vec::new(),
        None => free(Preset::ReadOnly.of(&api.permissions)),
    };
    grants::must_be_granted(withheld, permissions.iter())?;
    Ok((permissions, bundles))
}

fn limits_of(key: &Listed, zones: &rules::Zones) -> Result<(), String> {
    match rules::limits_in(&key.limited.limits, zones) {
        Err(AppError::Invalid { fields }) => Err(fields.into_iter().map(|wrong| format!("{}: {}", wrong.field, wrong.message)).collect::<Vec<_>>().join(" ")),
        Err(error) => Err(error.to_string()),
        Ok(()) => Ok(()),
    }
}

async fn insert(ctx: &Ctx, conn: &mut PgConnection, caller: &Caller, api: &Api, wanted: &Wanted) -> Result<(), AppError> {
    let (now, listed) = (ctx.clock.now(), &wanted.key);
    let row = keys::NewRow {
        id: wanted.id,
        workspace: caller.workspace,
        api: api.id,
        name: listed.name.trim(),
        environment: listed.environment,
        permissions: &wanted.permissions,
        addresses: &listed.addresses,
        origins: &listed.origins,
        routes: &listed.routes,
        tags: &rules::tags(listed.tags.iter().map(String::as_str)).unwrap_or_default(),
        external_id: listed.external_id.as_deref(),
        meta: about::stored(&listed.meta),
        expires_at: listed.expires_at,
        created_by: actor(caller).0,
        request_key: None,
    };
    keys::insert_key(conn, &row, now).await?;
    let Hash { bytes, origin, phc } = &listed.hash;
    let secret = secrets::Imported { id: ctx.new_id::<SecretId>(), key: wanted.id, hash: bytes, origin, phc: phc.as_deref(), start: &listed.start };
    if !secrets::insert_imported(conn, secret, now).await? {
        return Err(AppError::conflict("Somebody imported the same keys at this moment. Send the list again."));
    }
    if !wanted.bundles.is_empty() {
        bundles::give(ctx, conn, caller, (wanted.id, caller.workspace), api, &wanted.bundles, &wanted.bundles).await?;
    }
    write_limits(ctx, conn, wanted.id, &listed.limited).await?;
    if !listed.is_enabled {
        keys::update_state(conn, wanted.id, KeyState::Disabled, now).await?;
    }
    // What was over before it came is no news.
    expiries::mark_expiry(conn, wanted.id, now).await?;
    Ok(())
}

/// Writes the lines of the history and the events of keys that were inserted.
async fn note(ctx: &Ctx, conn: &mut PgConnection, caller: &Caller, chunk: &[Wanted]) -> Result<(), AppError> {
    let ids: Vec<KeyId> = chunk.iter().map(|wanted| wanted.id).collect();
    let made: HashMap<KeyId, Key> = keys::find_keys(conn, Some(caller.workspace), &ids).await?.into_iter().map(|key| (key.id, key)).collect();
    for Wanted { id, key: listed, .. } in chunk {
        let key = made.get(id).ok_or(AppError::NotFound)?;
        let data = json!({
            "name": key.name, "api": key.api, "permissions": key.permissions, "external_id": key.external_id, "imported": listed.hash.origin,
            "addresses": key.addresses, "origins": key.origins, "bundles": key.bundles, "routes": key.routes, "limits": key.limits,
        });
        change::note(ctx, conn, caller, key, Done { data, ..Done::new(Act::Created, "imported") }).await?;
        if !listed.is_enabled {
            change::note(ctx, conn, caller, key, Done { reason: "it was disabled where it came from", ..Done::new(Act::Disabled, "") }).await?;
        }
    }
    Ok(())
}
