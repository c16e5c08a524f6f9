//! Importing keys that were made elsewhere, by the hashes of their secrets: the programs that hold them go on as before. Looked at line
//! by line first; safe to send twice, since a hash that is here already is left alone.
//!
//! A key is found by the hash of its secret, and a salted hash (bcrypt, Argon2) can't be looked up: those come with how their secrets
//! begin, are tried at the first use, and are known by their SHA-256 from then on (`salted`).

mod hash;
mod limits;
mod list;
mod owners;
mod permissions;
mod unkey;
mod waiting;

pub use waiting::{forget_lists, import_page, keep_list, run_list};

pub use hash::name_of_salted;

use self::{
    hash::Hash,
    limits::{Limited, write_limits},
    list::{Line, Listed},
    owners::Owners,
};
use super::{
    about, apis, bundles,
    change::{self, Done},
    gate, grants, nodes,
    reach::actor,
    rules, salted,
    store::{expiries, keys, secrets},
};
use crate::{
    accounts::{Caller, Via, server::policies},
    error::AppError,
    keys::model::{Act, Api, ImportLine, ImportOutcome, Key, KeyState, Preset, Spread, Withheld},
    platform::{Ctx, LocalTime},
    values::{KeyId, Permission, SecretId, Slug, WorkspaceId, permission_names as may},
};
use serde_json::{Value, json};
use sqlx::PgConnection;
use std::collections::{HashMap, HashSet};
use time::OffsetDateTime;
use tokio::time::Instant;

/// Keys of one list.
const MOST: usize = 10_000;
/// Keys in one transaction.
const CHUNK: usize = 500;

/// To whoever may not know whose a hash is, or was.
const NOT_HERE: &str = "This hash can't be imported here.";

/// How a list is imported.
#[derive(Debug, Clone, Copy, Default)]
pub struct ImportWish<'a> {
    /// The slug of the API that its keys are for.
    pub api: &'a str,
    /// The email of the owner where a line names none; none: the caller. Operators only.
    pub account: Option<&'a str>,
    /// A key that has a permission which the API does not have is made without it.
    pub without_unknown_permissions: bool,
    /// Only say what would become of each line.
    pub dry_run: bool,
}

/// Imports a file, CSV or JSON. Its days are those of the caller.
pub async fn import_text(ctx: &Ctx, caller: &Caller, wish: ImportWish<'_>, text: &str) -> Result<Vec<ImportLine>, AppError> {
    import(ctx, caller, wish, list::text(text, &local(ctx, caller))?).await
}

/// The same for JSON objects.
pub async fn import_objects(ctx: &Ctx, caller: &Caller, wish: ImportWish<'_>, keys: Vec<Value>) -> Result<Vec<ImportLine>, AppError> {
    import(ctx, caller, wish, list::objects(Value::Array(keys), &local(ctx, caller))?).await
}

/// The same for a command, which has no gate of its own: also how far the new keys have got, where there are any.
pub async fn import_and_wait(ctx: &Ctx, caller: &Caller, wish: ImportWish<'_>, text: &str) -> Result<(Vec<ImportLine>, Option<Spread>), AppError> {
    let lines = import_text(ctx, caller, wish, text).await?;
    let made: Vec<KeyId> = lines.iter().filter(|line| line.outcome == ImportOutcome::Created).filter_map(|line| line.key).collect();
    let spread = if made.is_empty() { None } else { Some(nodes::spread(ctx, &made, Instant::now()).await) };
    Ok((lines, spread))
}

fn local(ctx: &Ctx, caller: &Caller) -> LocalTime {
    LocalTime::new(&caller.time_zone, ctx.clock.now())
}

/// A key that passed every rule.
struct Wanted {
    /// Its place in the report.
    place: usize,
    id: KeyId,
    workspace: WorkspaceId,
    key: Listed,
    allowed: Allowed,
}

/// What a key of a list may.
struct Allowed {
    permissions: Vec<Permission>,
    bundles: Vec<Slug>,
    /// Permissions that the API does not have.
    unknown: Vec<String>,
}

async fn import(ctx: &Ctx, caller: &Caller, wish: ImportWish<'_>, mut lines: Vec<Line>) -> Result<Vec<ImportLine>, AppError> {
    caller.require(&may::KEYS_WRITE)?;
    let api = apis::api_for_key(ctx, Some(wish.api)).await?;
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
    let (mut report, wanted) = checked(ctx, caller, wish, &api, lines).await?;
    if !wish.dry_run {
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
    here.extend(secrets::list_ended(&ctx.db, &names).await?.into_iter().map(|ended| ended.hash));
    for key in lines.iter_mut().filter_map(|line| line.key.as_mut().ok()) {
        if let Some(name) = key.hash.earlier_names(&ctx.vault).into_iter().find(|name| here.contains(name)) {
            key.hash.bytes = name;
        }
    }
    Ok(())
}

/// What would become of each line, and the keys that would be made.
async fn checked(ctx: &Ctx, caller: &Caller, wish: ImportWish<'_>, api: &Api, lines: Vec<Line>) -> Result<(Vec<ImportLine>, Vec<Wanted>), AppError> {
    let readable = || lines.iter().filter_map(|line| line.key.as_ref().ok());
    let hashes: Vec<Vec<u8>> = readable().map(|key| key.hash.bytes.clone()).collect();
    let starts: Vec<String> = readable().filter(|key| key.hash.phc.is_some()).map(|key| key.start.clone()).collect();
    let emails: HashSet<String> = readable().filter_map(|key| key.account.clone()).collect();
    let asked_zones = rules::zones_of(readable().flat_map(|key| &key.limited.limits));
    let known: HashMap<Vec<u8>, _> =
        secrets::list_holders(&ctx.db, &hashes).await?.into_iter().map(|held| (held.hash, (held.key_id, held.workspace_id))).collect();
    let ended: HashMap<Vec<u8>, _> = secrets::list_ended(&ctx.db, &hashes).await?.into_iter().map(|ended| (ended.hash, ended.workspace_id)).collect();
    let mut alike: HashMap<String, i64> = secrets::count_salted(&ctx.db, &starts).await?.into_iter().collect();
    let owners = Owners::read(ctx, caller, wish.account, &emails).await?;
    let workspaces = owners.workspaces();
    let ends = policies::key_ends(ctx, workspaces.iter().copied()).await?;
    let withheld = grants::withheld_by_workspace(&mut *ctx.db.acquire().await?, api, &workspaces).await?;
    let zones = rules::zones(ctx, asked_zones).await?;
    let (mut report, mut wanted, mut seen) = (Vec::with_capacity(lines.len()), Vec::new(), HashSet::new());
    let now = ctx.clock.now();
    let may_manage = caller.may(&may::KEYS_MANAGE) || caller.via == Via::Cli;
    for line in lines {
        let mut said = ImportLine { line: line.number as u64, name: line.name, ..ImportLine::default() };
        let key = line.key.and_then(|mut key| {
            let workspace = owners.of(key.account.as_deref())?;
            key.expires_at = ends.end(workspace, now, key.expires_at)?;
            if may_manage {
                limits_of(&key, &zones)?;
            } else if !key.limited.limits.is_empty() {
                // Its own limits would take it out of those that hold its workspace.
                key.limited = Limited::default();
                key.left_out.push("its limits, which an operator sets".to_owned());
            }
            let withheld = withheld.get(&workspace).map(Vec::as_slice).unwrap_or_default();
            Ok((workspace, rules_of(api, withheld, &key, now)?, key))
        });
        match key {
            Err(words) if line.is_deleted => (said.outcome, said.detail) = (ImportOutcome::Skipped, words),
            Err(words) => said.detail = words,
            Ok((workspace, _, key)) if known.contains_key(&key.hash.bytes) => match known[&key.hash.bytes] {
                (id, holder) if holder == workspace.uuid() => {
                    (said.outcome, said.key, said.detail) = (ImportOutcome::Known, Some(KeyId::new(id)), "This hash is here already.".to_owned());
                }
                _ if may_manage => said.detail = "This hash is here already, of a key in another workspace.".to_owned(),
                _ => said.detail = NOT_HERE.to_owned(),
            },
            Ok((workspace, _, key)) if ended.contains_key(&key.hash.bytes) => {
                let may_know = may_manage || ended[&key.hash.bytes] == Some(workspace.uuid());
                said.detail = if may_know { "This secret was ended here. Give its holder a new one." } else { NOT_HERE }.to_owned();
            }
            Ok((_, allowed, _)) if !allowed.unknown.is_empty() && !wish.without_unknown_permissions => {
                (said.detail, said.unknown_permissions) = (permissions::refusal(api, &allowed.unknown), allowed.unknown);
            }
            Ok((_, _, key)) if !seen.insert(key.hash.bytes.clone()) => said.detail = "This hash stands further up already.".to_owned(),
            Ok((_, _, key)) if key.hash.phc.is_some() && !has_room(&mut alike, &key.start) => {
                said.detail = format!("{} secrets with salted hashes begin like this. Give more of its first characters as start, at most 16.", salted::MOST);
            }
            Ok((workspace, allowed, key)) => {
                said.outcome = ImportOutcome::Created;
                said.detail = remarks(&key, &allowed, now);
                said.unknown_permissions.clone_from(&allowed.unknown);
                wanted.push(Wanted { place: report.len(), id: ctx.new_id(), workspace, key, allowed });
            }
        }
        report.push(said);
    }
    Ok((report, wanted))
}

/// What is to be known of a key that is made.
fn remarks(key: &Listed, allowed: &Allowed, now: OffsetDateTime) -> String {
    let expired = key.expires_at.is_some_and(|at| at <= now).then(|| "It has expired already.".to_owned());
    let left_out: Vec<String> = allowed.unknown.iter().map(|word| format!("permission {word}")).chain(key.left_out.iter().cloned()).collect();
    let left_out = (!left_out.is_empty()).then(|| format!("Not imported: {}.", left_out.join(", ")));
    let is_without = !allowed.unknown.is_empty() && allowed.permissions.is_empty() && allowed.bundles.is_empty();
    let without = is_without.then(|| "The key has no permission.".to_owned());
    [expired, left_out, without].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// Takes one of the few places that a start of salted secrets has.
fn has_room(alike: &mut HashMap<String, i64>, start: &str) -> bool {
    let n = alike.entry(start.to_owned()).or_default();
    *n += 1;
    usize::try_from(*n).is_ok_and(|n| n <= salted::MOST)
}

/// The rules of any new key; what it may.
fn rules_of(api: &Api, withheld: &[Withheld], key: &Listed, now: OffsetDateTime) -> Result<Allowed, String> {
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
    let (permissions, unknown) = match &key.permissions {
        Some(texts) => match Preset::named(texts) {
            Some(preset) => (free(api.preset(preset)), Vec::new()),
            None => permissions::read(api, texts),
        },
        None if !bundles.is_empty() => Default::default(),
        None => (free(Preset::ReadOnly.of(&api.permissions)), Vec::new()),
    };
    grants::must_be_granted(withheld, permissions.iter())?;
    Ok(Allowed { permissions, bundles, unknown })
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
        workspace: wanted.workspace,
        api: api.id,
        name: listed.name.trim(),
        environment: listed.environment,
        permissions: &wanted.allowed.permissions,
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
    let bundles = &wanted.allowed.bundles;
    if !bundles.is_empty() {
        bundles::give(ctx, conn, caller, (wanted.id, wanted.workspace), api, bundles, bundles).await?;
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
    let made: HashMap<KeyId, Key> = keys::find_keys(conn, None, &ids).await?.into_iter().map(|key| (key.id, key)).collect();
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
