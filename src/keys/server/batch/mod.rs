//! Making many keys at once, from a list: every line is looked at first, and one that is wrong keeps all from being made. All are made in
//! one transaction, each with its own line of history and its own event. Their secrets are in one answer only, and stored nowhere.
//!
//! Safe to send twice, as making one key is (`creating`): what a page sends again within ten minutes gets the same secrets, since they
//! are derived from the page's token, which we do not store. A REST client names its request by another way (`platform::once`).

mod list;
mod waiting;

pub use list::{limits as written_limits, read_lines};
pub use waiting::{batch_page, forget_batches, keep_batch, run_batch};

use super::{
    about, apis, bundles,
    change::{self, Done},
    creating::{self, SHOWN_FOR},
    gate, grants,
    reach::actor,
    rules::{self, OwnersMay},
    secret,
    store::{batches, keys, limits, secrets},
};
use crate::{
    accounts::{Caller, server::policies},
    error::{AppError, FieldError},
    keys::model::{Act, Api, BatchLine, Key, KeyLimit, KeyState, NewKey, Once},
    platform::{Ctx, crypto::sha256, csv, once},
    values::{BatchId, Email, KeyId, SecretId, WorkspaceId, permission_names as may},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sqlx::PgConnection;
use std::collections::{HashMap, HashSet};

/// Keys of one list.
const MOST: usize = 1_000;

/// A line of a list, as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchKey {
    /// From 1.
    pub number: usize,
    /// Its API is that of the list.
    pub new: NewKey,
    /// Its own limits; operators only.
    pub limits: Vec<KeyLimit>,
    /// The email of its owner; none: the caller. Operators only.
    pub account: Option<String>,
    /// What is wrong already.
    pub errors: Vec<FieldError>,
}

/// A key that was made, with its secret. No `Debug` on purpose.
pub struct MadeKey {
    pub name: String,
    pub id: KeyId,
    pub secret: String,
}

/// What became of a list.
pub enum Batch {
    Made(Vec<MadeKey>),
    /// Some lines are wrong, so nothing was made.
    Wrong(Vec<BatchLine>),
    /// Its keys were made before, and their secrets were in that answer.
    Given,
}

/// The file of secrets: `name,key_id,secret`, safe to open in a spreadsheet.
pub fn file(made: &[MadeKey]) -> String {
    let mut out = String::with_capacity(120 * (made.len() + 1));
    csv::line(["name", "key_id", "secret"], &mut out);
    for key in made {
        csv::line([&*key.name, &key.id.to_string(), &key.secret], &mut out);
    }
    out
}

/// What each line of a list says, without making anything.
pub async fn check_batch(ctx: &Ctx, caller: &Caller, api: &str, lines: Vec<BatchKey>) -> Result<Vec<BatchLine>, AppError> {
    let (_, report, _) = checked(ctx, caller, api, lines).await?;
    Ok(report)
}

/// Makes the keys of a list, all or none.
pub async fn create_batch(ctx: &Ctx, caller: &Caller, api: &str, lines: Vec<BatchKey>) -> Result<Batch, AppError> {
    make(ctx, caller, api, lines, None, None).await
}

/// A key that passed every rule.
struct Wanted {
    id: KeyId,
    workspace: WorkspaceId,
    key: creating::Wanted,
    new: NewKey,
    limits: Vec<KeyLimit>,
    request_key: Option<String>,
    secret: String,
}

/// `list` is the kept list that this finishes; it makes its keys once, whoever asks.
async fn make(ctx: &Ctx, caller: &Caller, api: &str, lines: Vec<BatchKey>, page: Option<Once>, list: Option<BatchId>) -> Result<Batch, AppError> {
    let (api, report, mut wanted) = checked(ctx, caller, api, lines).await?;
    if report.iter().any(|line| !line.errors.is_empty()) {
        return Ok(Batch::Wrong(report));
    }
    creating::must_be_proven(ctx, caller, &api).await?;
    for (number, wanted) in wanted.iter_mut().enumerate() {
        name_request(ctx, caller, &api, page.as_ref(), number, wanted);
    }
    let mut tx = ctx.db.begin().await?;
    if let Some(id) = list
        && !batches::finish_batch(&mut tx, id, ctx.clock.now()).await?
    {
        drop(tx);
        return made_before(ctx, page.as_ref(), wanted).await;
    }
    for key in &wanted {
        if !insert(ctx, &mut tx, caller, &api, key).await? {
            drop(tx);
            return made_before(ctx, page.as_ref(), wanted).await;
        }
    }
    once::done(ctx, &mut tx).await?;
    tx.commit().await?;
    gate::refreshed(ctx, &wanted.iter().map(|w| w.id).collect::<Vec<_>>()).await;
    Ok(Batch::Made(wanted.into_iter().map(|w| MadeKey { name: w.key.name, id: w.id, secret: w.secret }).collect()))
}

/// The API, what each line says, and the keys of those that say nothing wrong.
async fn checked(ctx: &Ctx, caller: &Caller, api: &str, lines: Vec<BatchKey>) -> Result<(Api, Vec<BatchLine>, Vec<Wanted>), AppError> {
    caller.require(&may::KEYS_WRITE)?;
    let api = apis::api_for_key(ctx, Some(api)).await?;
    if !(1..=MOST).contains(&lines.len()) {
        return Err(AppError::invalid("list", "A list has 1 to 1,000 keys."));
    }
    let owners = owners(ctx, caller, &lines).await?;
    let zones = rules::zones(ctx, rules::zones_of(lines.iter().flat_map(|line| &line.limits))).await?;
    let workspaces: Vec<WorkspaceId> = owners.values().copied().chain([caller.workspace]).collect::<HashSet<_>>().into_iter().collect();
    let ends = policies::key_ends(ctx, workspaces.iter().copied()).await?;
    let now = ctx.clock.now();
    // What each line is held against is asked once for all of them.
    let mut conn = ctx.db.acquire().await?;
    let withheld = grants::withheld_by_workspace(&mut conn, &api, &workspaces).await?;
    let owners_may = OwnersMay::read(&mut conn, &api, &workspaces).await?;
    drop(conn);
    let (mut report, mut wanted, mut names) = (Vec::with_capacity(lines.len()), Vec::new(), HashMap::new());
    for line in lines {
        let BatchKey { number, new, limits, account, mut errors } = line;
        let workspace = match account {
            None => Some(caller.workspace),
            Some(email) => owner(caller, &owners, &email).map_err(|words| errors.push(FieldError { field: "account".into(), message: words.into() })).ok(),
        };
        let withheld = withheld.get(&workspace.unwrap_or(caller.workspace)).map(Vec::as_slice).unwrap_or_default();
        let key = kept(creating::checked(ctx, caller, &api, withheld, &new), &mut errors, &[("expires_at", "expires")]);
        let key = match (key, workspace) {
            (Some(key), Some(workspace)) => {
                let end = ends.end(workspace, now, key.expires_at).map_err(|words| AppError::invalid("expires_at", words));
                kept(end, &mut errors, &[("expires_at", "expires")]).map(|expires_at| creating::Wanted { expires_at, ..key })
            }
            (key, _) => key,
        };
        if let (Some(workspace), Some(key)) = (workspace, &key) {
            if let Err(error) = owners_may.must_not_exceed(caller, workspace, &key.permissions) {
                errors.push(FieldError { field: "permissions".into(), message: error.to_string() });
            }
            let given = key.bundles.iter().filter_map(|name| api.bundle(name.as_str())).flat_map(|bundle| &bundle.gives);
            if let Err(error) = owners_may.must_not_exceed(caller, workspace, given) {
                errors.push(FieldError { field: "bundles".into(), message: error.to_string() });
            }
            if let Some(earlier) = names.insert((workspace, key.name.clone()), number) {
                errors.push(FieldError { field: "name".into(), message: format!("Line {earlier} has this name. The file of secrets is told apart by names.") });
            }
        }
        if !limits.is_empty() {
            if caller.may(&may::KEYS_MANAGE) {
                kept(rules::limits_in(&limits, &zones), &mut errors, &[]);
            } else {
                errors.push(FieldError { field: "limits".into(), message: "Only operators set limits. Leave this out.".into() });
            }
        }
        report.push(BatchLine { line: number as u64, name: new.name.trim().chars().take(80).collect(), errors });
        if let (Some(workspace), Some(key)) = (workspace, key) {
            wanted.push(Wanted { id: ctx.new_id(), workspace, key, new, limits, request_key: None, secret: String::new() });
        }
    }
    Ok((api, report, wanted))
}

/// What a rule gave; what it found wrong goes to the others, under the name that the column has.
fn kept<T>(checked: Result<T, AppError>, errors: &mut Vec<FieldError>, columns: &[(&str, &str)]) -> Option<T> {
    let error = match checked {
        Ok(it) => return Some(it),
        Err(error) => error,
    };
    let AppError::Invalid { fields } = error else {
        errors.push(FieldError { field: String::new(), message: error.to_string() });
        return None;
    };
    errors.extend(fields.into_iter().map(|wrong| {
        let field = wrong.field.split('.').next().unwrap_or_default();
        let field = columns.iter().find(|(name, _)| *name == field).map_or(field, |(_, column)| *column);
        FieldError { field: field.to_owned(), message: wrong.message }
    }));
    None
}

/// The workspaces of the owners that the lines name, by address.
async fn owners(ctx: &Ctx, caller: &Caller, lines: &[BatchKey]) -> Result<HashMap<String, WorkspaceId>, AppError> {
    if !caller.may(&may::KEYS_MANAGE) {
        return Ok(HashMap::new());
    }
    let keys: Vec<String> = lines.iter().filter_map(|line| line.account.as_deref()?.parse::<Email>().ok()).map(|email| email.key()).collect();
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    Ok(batches::list_workspaces(&ctx.db, &keys).await?.into_iter().collect())
}

fn owner(caller: &Caller, owners: &HashMap<String, WorkspaceId>, email: &str) -> Result<WorkspaceId, &'static str> {
    if !caller.may(&may::KEYS_MANAGE) {
        return Err("Only operators make keys for others. Leave this out.");
    }
    let email: Email = email.parse()?;
    owners.get(&email.key()).copied().ok_or("There is no account with this address that can sign in.")
}

/// The workspace of the account of this address, for which an operator makes a key.
pub(super) async fn workspace_of(ctx: &Ctx, caller: &Caller, email: &str) -> Result<WorkspaceId, AppError> {
    let wrong = |words: &str| AppError::invalid("account", words);
    let owners: HashMap<String, WorkspaceId> = match email.parse::<Email>() {
        Ok(email) => batches::list_workspaces(&ctx.db, &[email.key()]).await?.into_iter().collect(),
        Err(words) => return Err(wrong(words)),
    };
    owner(caller, &owners, email).map_err(wrong)
}

/// The name of the form that makes this key, and the secret that it gets.
fn name_request(ctx: &Ctx, caller: &Caller, api: &Api, page: Option<&Once>, number: usize, wanted: &mut Wanted) {
    let environment = wanted.new.environment.as_str();
    wanted.request_key = page.map(|Once(token)| {
        let said = serde_json::json!(["batch", "page", caller.workspace, token, number]);
        URL_SAFE_NO_PAD.encode(sha256(said.to_string()))
    });
    wanted.secret = match (page, &wanted.request_key) {
        (Some(Once(token)), Some(request_key)) => {
            secret::derive(&ctx.vault, &["batch", &caller.workspace.to_string(), token, request_key], &api.key_prefix, environment)
        }
        _ => secret::mint(&ctx.rng, &api.key_prefix, environment),
    };
}

/// False if the request was answered before.
async fn insert(ctx: &Ctx, conn: &mut PgConnection, caller: &Caller, api: &Api, wanted: &Wanted) -> Result<bool, AppError> {
    let (now, key) = (ctx.clock.now(), &wanted.key);
    let row = keys::NewRow {
        id: wanted.id,
        workspace: wanted.workspace,
        api: api.id,
        name: &key.name,
        environment: wanted.new.environment,
        permissions: &key.permissions,
        addresses: &key.addresses,
        origins: &key.origins,
        routes: &key.routes,
        tags: &key.tags,
        external_id: key.external_id.as_deref(),
        meta: about::stored(&key.meta),
        expires_at: key.expires_at,
        created_by: actor(caller).0,
        request_key: wanted.request_key.as_deref(),
    };
    if !keys::insert_key(conn, &row, now).await? {
        return Ok(false);
    }
    let start = secret::start(&wanted.secret);
    secrets::insert_secret(conn, ctx.new_id::<SecretId>(), wanted.id, &sha256(&wanted.secret), start, now).await?;
    if !wanted.limits.is_empty() {
        limits::replace_limits(conn, wanted.id, &wanted.limits).await?;
    }
    let mut made = Key {
        id: wanted.id,
        workspace: wanted.workspace,
        api: api.slug.clone(),
        api_name: api.name.clone(),
        name: key.name.clone(),
        environment: wanted.new.environment,
        start: start.to_owned(),
        permissions: key.permissions.clone(),
        bundles: Vec::new(),
        effective: key.permissions.clone(),
        addresses: key.addresses.clone(),
        origins: key.origins.clone(),
        routes: key.routes.clone(),
        tags: key.tags.clone(),
        external_id: key.external_id.clone(),
        meta: key.meta.clone(),
        state: KeyState::Active,
        expires_at: key.expires_at,
        created_at: now,
        last_used_at: None,
        limits: wanted.limits.clone(),
        plan: None,
    };
    if !key.bundles.is_empty() {
        bundles::give(ctx, conn, caller, (wanted.id, wanted.workspace), api, &key.bundles, &key.bundles).await?;
        made = keys::find_key(conn, Some(wanted.workspace), wanted.id).await?.ok_or(AppError::NotFound)?;
    }
    let data = serde_json::json!({
        "name": made.name, "api": made.api, "permissions": made.permissions, "bundles": made.bundles, "routes": made.routes, "limits": made.limits,
        "external_id": made.external_id, "from": "list",
    });
    change::note(ctx, conn, caller, &made, Done { data, ..Done::new(Act::Created, "list") }).await?;
    Ok(true)
}

/// The same page sent the same list again: it gets the same secrets, for a while. Nobody else does.
async fn made_before(ctx: &Ctx, page: Option<&Once>, wanted: Vec<Wanted>) -> Result<Batch, AppError> {
    if page.is_none() {
        return Ok(Batch::Given);
    }
    if ctx.vault.has_previous() {
        // The secrets may have been made under an older master key: then these are others.
        let hashes: Vec<Vec<u8>> = wanted.iter().map(|w| sha256(&w.secret).to_vec()).collect();
        if secrets::list_holders(&ctx.db, &hashes).await?.len() < hashes.len() {
            return Ok(Batch::Given);
        }
    }
    let names: Vec<String> = wanted.iter().filter_map(|w| w.request_key.clone()).collect();
    let workspaces: Vec<_> = wanted.iter().map(|w| w.workspace.uuid()).collect();
    let is_fresh = |row: &batches::MadeRow| ctx.clock.now() - row.created_at < SHOWN_FOR;
    let rows = batches::list_made(&ctx.db, &workspaces, &names).await?.into_iter().filter(is_fresh);
    let made: HashMap<String, KeyId> = rows.filter_map(|row| Some((row.request_key?, KeyId::new(row.id)))).collect();
    let same = wanted.into_iter().map(|w| Some(MadeKey { id: *made.get(w.request_key.as_deref()?)?, name: w.key.name, secret: w.secret }));
    Ok(same.collect::<Option<Vec<_>>>().map_or(Batch::Given, Batch::Made))
}
