//! Server functions of keys: what the pages read, and where their forms go.

use super::model::{self, BatchPage, ImportPreview, ImportShown, KeyQuery, KeysShown, ManyPreview, ManyQuery, TypedEdit, TypedKey, TypedLimit, TypedMany};
use crate::{
    error::AppError,
    values::{ImportId, KeyId, SecretId},
};
use leptos::prelude::*;

/// What `/keys` shows; `chooses`: with all that a new key can be given, while its dialog is open.
#[server]
pub async fn list_keys(query: KeyQuery, #[server(default)] chooses: bool) -> Result<KeysShown, AppError> {
    use super::server;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    server::show_keys(&ctx, &caller, query, chooses).await
}

/// What `/keys/{id}` shows.
#[server]
pub async fn key_detail(id: String) -> Result<model::KeyDetail, AppError> {
    use super::server;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    server::key_detail(&ctx, &caller, id.parse().map_err(|_| AppError::NotFound)?).await
}

/// The secret that was made a moment ago, while this browser may still see it.
#[server]
pub async fn fresh_secret(id: KeyId) -> Result<Option<String>, AppError> {
    use super::server;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    Ok(server::reveal::shown(&ctx, &caller, id))
}

/// Makes a key and goes to its page, where the secret is shown. `permissions` are `api/resource:action`; those of other APIs than the
/// chosen one don't count. With a preset, or without `chosen`, it gets those of the preset. `bundles` are `api/name`.
#[server]
pub async fn create_key(
    #[server(flatten)] typed: TypedKey,
    #[server(default)] permissions: Vec<String>,
    #[server(default)] bundles: Vec<String>,
    #[server(default)] chosen: bool,
) -> Result<(), AppError> {
    use super::server;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    let new = server::forms::new_key(&ctx, typed, chosen.then_some(permissions), bundles)?;
    server::reveal::must_have_room(&ctx)?;
    let created = server::create_key(&ctx, &caller, new).await?;
    server::reveal::show(&ctx, &caller, &created);
    Ok(())
}

/// The person has the secret, and says so.
#[server]
pub async fn hide_secret(id: KeyId, #[server(default)] stored: bool) -> Result<(), AppError> {
    use super::server;
    let (ctx, _) = crate::accounts::server::caller().await?;
    server::reveal::hide(&ctx, id, stored)?;
    crate::platform::http::reply::redirect(&format!("/keys/{id}"));
    Ok(())
}

/// Saves what the form of a key has fields for. Nothing of it, if the key is in another state by now than the form showed.
#[server]
pub async fn save_key(
    id: KeyId,
    #[server(flatten)] typed: TypedEdit,
    #[server(default)] permissions: Vec<String>,
    #[server(default)] bundles: Vec<String>,
    #[server(default)] chosen: bool,
) -> Result<(), AppError> {
    use super::server;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    let edit = server::forms::edit(&ctx, &caller, id, typed, chosen.then_some(permissions), chosen.then_some(bundles)).await?;
    let changed = server::edit_key(&ctx, &caller, id, edit).await?;
    crate::platform::http::reply::toast(&ctx, &format!("Saved. {}", changed.spread.words("In force")));
    Ok(())
}

/// From now on calls must be signed: with the private key of the pasted public one, or with a secret that the page then shows.
#[server]
pub async fn turn_on_signing(id: KeyId, algorithm: String, public_key: Option<String>, once: Option<String>) -> Result<(), AppError> {
    use super::server;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    let new = server::forms::signing(&algorithm, public_key, once)?;
    server::reveal::must_have_room(&ctx)?;
    let set = server::signing::turn_on_signing(&ctx, &caller, id, new).await?;
    if let Some(secret) = &set.secret {
        server::reveal::show_signing(&ctx, &caller, id, secret);
    }
    crate::platform::http::reply::toast(&ctx, &format!("Calls must be signed. {}", set.changed.spread.words("In force")));
    crate::platform::http::reply::redirect(&format!("/keys/{id}#signing"));
    Ok(())
}

#[server]
pub async fn turn_off_signing(id: KeyId) -> Result<(), AppError> {
    use super::server;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    let changed = server::signing::turn_off_signing(&ctx, &caller, id).await?;
    server::reveal::hide_signing(&ctx, id);
    crate::platform::http::reply::toast(&ctx, &format!("Calls no longer need a signature. {}", changed.spread.words("In force")));
    Ok(())
}

/// The signing secret that was made a moment ago, while this browser may still see it.
#[server]
pub async fn fresh_signing_secret(id: KeyId) -> Result<Option<String>, AppError> {
    use super::server;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    Ok(server::reveal::shown_signing(&ctx, &caller, id))
}

/// The person has it, and says so.
#[server]
pub async fn hide_signing_secret(id: KeyId, #[server(default)] stored: bool) -> Result<(), AppError> {
    use super::server;
    let (ctx, _) = crate::accounts::server::caller().await?;
    server::reveal::is_stored(stored)?;
    server::reveal::hide_signing(&ctx, id);
    crate::platform::http::reply::redirect(&format!("/keys/{id}#signing"));
    Ok(())
}

/// A call that is signed for its owner to try; nothing is sent. The page of the form shows it.
#[server]
pub async fn sign_call(id: KeyId, #[server(flatten)] call: model::SignCall) -> Result<model::SignedCall, AppError> {
    use super::server;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    server::signing::build_signed_call(&ctx, &caller, id, call).await
}

/// Sets one limit of a key, or takes it away; the others stay. Operators only.
#[server]
pub async fn set_limit(id: KeyId, #[server(flatten)] typed: TypedLimit) -> Result<(), AppError> {
    use super::server;
    use crate::platform::http::reply;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    let (words, changed) = server::set_limit(&ctx, &caller, id, &typed).await?;
    reply::toast(&ctx, &format!("{words} {}", changed.spread.words("In force")));
    reply::redirect(&format!("/keys/{id}"));
    Ok(())
}

/// Adds credits to the limit of this name that holds a key. Operators only. `once` makes it safe to send twice.
#[server]
pub async fn add_credits(
    id: KeyId,
    #[server(default)] limit: String,
    #[server(default)] units: String,
    #[server(default)] reason: String,
    #[server(default)] once: String,
) -> Result<(), AppError> {
    use super::server::{self, forms};
    let (ctx, caller) = crate::accounts::server::caller().await?;
    let done = server::add_credits(&ctx, &caller, id, forms::credits(limit, &units, reason, &once)?).await?;
    crate::platform::http::reply::toast(&ctx, &done.words());
    Ok(())
}

#[server]
pub async fn disable_key(id: KeyId, reason: Option<String>) -> Result<(), AppError> {
    use super::server;
    use leptos::server_fn::ServerFn;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    let changed = server::disable_key(&ctx, &caller, id, &reason.unwrap_or_default()).await?;
    // What somebody else did is not taken back by who came later.
    match changed.is_new {
        true => crate::platform::http::reply::toast_with_undo(&ctx, &changed.state_words(), EnableKey::PATH, &[("id", &id.to_string())]),
        false => crate::platform::http::reply::toast(&ctx, &changed.state_words()),
    }
    Ok(())
}

#[server]
pub async fn enable_key(id: KeyId, reason: Option<String>) -> Result<(), AppError> {
    use super::server;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    let changed = server::enable_key(&ctx, &caller, id, &reason.unwrap_or_default()).await?;
    crate::platform::http::reply::toast(&ctx, &changed.state_words());
    Ok(())
}

/// Ends a key for good; `typed` is its name, typed by the person.
#[server]
pub async fn revoke_key(id: KeyId, typed: String, reason: Option<String>) -> Result<(), AppError> {
    use super::server;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    server::forms::must_be_named(&ctx, &caller, id, &typed).await?;
    let changed = server::revoke_key(&ctx, &caller, id, &reason.unwrap_or_default()).await?;
    crate::platform::http::reply::toast(&ctx, &changed.state_words());
    crate::platform::http::reply::redirect(&format!("/keys/{id}"));
    Ok(())
}

/// Gives the key a new secret, which its page then shows; the old one lives on for the `grace`: seconds, `first_use`, or `date` with
/// the day `until` in the person's time zone.
#[server]
pub async fn rotate_key(id: KeyId, grace: String, until: Option<String>, once: Option<String>) -> Result<(), AppError> {
    use super::server;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    let grace = server::forms::grace(&ctx, &caller, &grace, until.as_deref())?;
    let once = server::forms::page_token(once)?;
    server::reveal::must_have_room(&ctx)?;
    let rotated = server::rotate_key(&ctx, &caller, id, grace, once.as_deref()).await?;
    server::reveal::show(&ctx, &caller, &rotated.created);
    let what = if grace == model::Grace::For(0) { "The old secret is refused" } else { "The new secret is known" };
    crate::platform::http::reply::toast(&ctx, &rotated.spread.words(what));
    Ok(())
}

/// Moves the end of an old secret: so many seconds from now, or `first_use`.
#[server]
pub async fn extend_secret(id: KeyId, secret: SecretId, grace: String) -> Result<(), AppError> {
    use super::server;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    let grace = server::forms::grace(&ctx, &caller, &grace, None)?;
    let spread = server::extend_secret(&ctx, &caller, id, secret, grace).await?.spread;
    crate::platform::http::reply::toast(&ctx, &format!("The end of the old secret is changed. {}", spread.words("In force")));
    Ok(())
}

/// How a call with this key would go.
#[server]
pub async fn try_call(id: KeyId, call: model::TypedCall) -> Result<model::CallTrial, AppError> {
    use super::server;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    server::try_typed(&ctx, &caller, id, call).await
}

/// Leaves the key only these of its permissions.
#[server]
pub async fn narrow_key(id: KeyId, #[server(default)] keep: Vec<String>) -> Result<(), AppError> {
    use super::server;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    let changed = server::narrow_key(&ctx, &caller, id, &keep).await?;
    crate::platform::http::reply::toast(&ctx, &format!("{} keeps only the permissions it used. {}", changed.key.name, changed.spread.words("In force")));
    crate::platform::http::reply::redirect(&format!("/keys/{id}"));
    Ok(())
}

/// Ends an old secret before its time.
#[server]
pub async fn drop_secret(id: KeyId, secret: SecretId) -> Result<(), AppError> {
    use super::server;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    let spread = server::drop_secret(&ctx, &caller, id, secret).await?;
    crate::platform::http::reply::toast(&ctx, &format!("The old secret is dropped. Calls with it are answered EXPIRED. {}", spread.words("Refused")));
    crate::platform::http::reply::redirect(&format!("/keys/{id}#secrets"));
    Ok(())
}

/// What `/keys/many` shows; none if nothing was chosen yet.
#[server]
pub async fn preview_many(#[server(default)] query: ManyQuery) -> Result<Option<ManyPreview>, AppError> {
    use super::server;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    server::preview_many(&ctx, &caller, &query).await
}

/// Does one act on many keys; `seen` is how many the person was told would change.
#[server]
pub async fn change_many(#[server(default)] keys: Vec<String>, seen: u64, #[server(flatten)] form: TypedMany) -> Result<(), AppError> {
    use super::server;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    let said = server::forms::change_many(&ctx, &caller, &form.query(keys), &form.reason, seen, &form.typed).await?;
    crate::platform::http::reply::toast(&ctx, &said);
    crate::platform::http::reply::redirect("/keys");
    Ok(())
}

/// Whose is this key? The way without JavaScript: hashed at once, and on to the list by its hashes.
#[server]
pub async fn find_key(secret: String, #[server(default)] everywhere: bool) -> Result<(), AppError> {
    use super::server;
    crate::accounts::server::caller().await?;
    let hash = server::forms::hashes_of(&secret)?;
    let list = if everywhere { "/admin/keys" } else { "/keys" };
    crate::platform::http::reply::redirect(&format!("{list}?hash={hash}"));
    Ok(())
}

/// Says that a key leaked, as secret scanning would. Operators only.
#[server]
pub async fn mark_leaked(id: KeyId, url: String, reason: Option<String>) -> Result<(), AppError> {
    use super::server;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    let server::Changed { key, .. } = server::leaks::mark_leaked(&ctx, &caller, id, &url, &reason.unwrap_or_default()).await?;
    crate::platform::http::reply::toast(&ctx, &format!("{} is marked as leaked. Its owner gets an email.", key.name));
    crate::platform::http::reply::redirect(&format!("/keys/{id}"));
    Ok(())
}

/// What was reported as a leak is none. Operators only.
#[server]
pub async fn clear_leaks(id: KeyId, reason: Option<String>) -> Result<(), AppError> {
    use super::server;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    let server::Changed { key, .. } = server::leaks::clear_leaks(&ctx, &caller, id, &reason.unwrap_or_default()).await?;
    crate::platform::http::reply::toast(&ctx, &format!("{} is no longer marked as leaked.", key.name));
    Ok(())
}

/// Whether leaked keys of the caller's workspace are disabled at once.
#[server]
pub async fn save_leak_choice(#[server(default)] disables: bool) -> Result<(), AppError> {
    use super::server;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    server::leaks::save_leak_choice(&ctx, &caller, disables).await?;
    crate::platform::http::reply::toast(&ctx, "Saved.");
    Ok(())
}

/// Keeps a list of new keys, pasted or from a file, and goes to the page that says what each line makes.
#[server]
pub async fn check_batch(api: String, #[server(default)] list: String, #[server(default)] file: String) -> Result<(), AppError> {
    use super::server;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    let id = server::keep_batch(&ctx, &caller, &api, &list, &file).await?;
    crate::platform::http::reply::redirect(&format!("/keys/create-many?list={id}"));
    Ok(())
}

/// What `/keys/create-many` shows.
#[server]
pub async fn read_batch(list: Option<String>) -> Result<BatchPage, AppError> {
    use super::server;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    server::batch_page(&ctx, &caller, list.as_deref()).await
}

/// Keeps a list of hashed keys, pasted or from a file, and goes to the page that says what would become of each line.
#[server]
pub async fn check_import(
    api: String,
    #[server(default)] list: String,
    #[server(default)] file: String,
    #[server(default)] without_unknown_permissions: bool,
) -> Result<(), AppError> {
    use super::server;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    let id = server::keep_list(&ctx, &caller, &api, &list, &file).await?;
    crate::platform::http::reply::redirect(&ImportPreview::path(id, without_unknown_permissions));
    Ok(())
}

/// What `/keys/import` shows; `without`: of the list that was pasted, without the permissions that the API does not have.
#[server]
pub async fn read_import(list: Option<String>, #[server(default)] without: bool) -> Result<ImportShown, AppError> {
    use super::server;
    let (ctx, caller) = crate::accounts::server::caller().await?;
    server::import_page(&ctx, &caller, list.as_deref(), without).await
}

/// Imports the list that was looked at.
#[server]
pub async fn run_import(list: ImportId, #[server(default)] without_unknown_permissions: bool) -> Result<(), AppError> {
    use super::server;
    use crate::{keys::model::ImportOutcome, platform::http::reply, ui::number::count};
    let (ctx, caller) = crate::accounts::server::caller().await?;
    let words = match server::run_list(&ctx, &caller, list, without_unknown_permissions).await? {
        Some(lines) => {
            let of = |outcome: ImportOutcome| lines.iter().filter(|line| line.outcome == outcome).count() as u64;
            let (imported, later) = (count(of(ImportOutcome::Created), "key is", "keys are"), of(ImportOutcome::Later));
            if later > 0 {
                reply::toast(&ctx, &format!("{imported} imported, {}. Import again for the rest.", count(later, "line is left", "lines are left")));
                reply::redirect(&ImportPreview::path(list, without_unknown_permissions));
                return Ok(());
            }
            format!("{imported} imported. Programs that use them continue to work.")
        }
        None => "This list is gone: it was already imported, or is older than a day.".to_owned(),
    };
    reply::toast(&ctx, &words);
    reply::redirect("/keys");
    Ok(())
}
