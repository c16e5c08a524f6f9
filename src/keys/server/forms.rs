//! From the texts of a form to the typed input of an operation.

pub use super::limit_form::digits;

use super::{about, crediting::NewCredits, detail::find_key, many, rules, signing::NewSigning};
use crate::{
    accounts::Caller,
    error::{AppError, Fields},
    keys::model::{Algorithm, Environment, Grace, KeyEdit, Many, ManyAct, ManyQuery, NewKey, Once, Preset, Selection, TypedEdit, TypedKey},
    platform::{
        Ctx, LocalTime,
        crypto::{sha256, sha512},
    },
    ui::number::{count, thousands},
    values::KeyId,
};

/// A preset from its radio button; `chosen`, like none, means that the ticked permissions count.
fn preset(text: Option<&str>, fields: &mut Fields) -> Option<Preset> {
    match text {
        None | Some("" | "chosen") => None,
        Some(text) => fields.check("preset", Preset::parse(text).ok_or("Choose what the key may.")),
    }
}

/// A key from the form of `/keys`. Permissions are `api/resource:action` and bundles `api/name`, since the form shows those of every API.
pub fn new_key(ctx: &Ctx, typed: TypedKey, permissions: Option<Vec<String>>, bundles: Vec<String>) -> Result<NewKey, AppError> {
    let (api, external_id) = (filled(Some(typed.api)), filled(Some(typed.external_id)));
    let mut fields = Fields::default();
    let preset = preset(Some(&typed.preset), &mut fields);
    let lifetime = fields.check("expires", rules::lifetime(&typed.expires)).flatten();
    let environment = match typed.environment.as_str() {
        "" | "live" => Environment::Live,
        "test" => Environment::Test,
        _ => {
            fields.add("environment", "A key is for live or for test.");
            Environment::Live
        }
    };
    let meta = fields.check("meta", about::typed(&typed.meta)).unwrap_or_default();
    fields.done()?;
    // Without a chosen API nobody knows whose permissions these are: it gets those of the preset Basic.
    let of_api = |text: String| text.strip_prefix(api.as_deref()?)?.strip_prefix('/').map(str::to_owned);
    let bundles = bundles.into_iter().filter_map(of_api).collect();
    let permissions = permissions.filter(|_| api.is_some() && preset.is_none()).map(|all| all.into_iter().filter_map(of_api).collect());
    let once = page_token(Some(typed.once))?.map(Once);
    let expires_at = lifetime.map(|l| ctx.clock.now() + l);
    let routes = lines(typed.routes);
    Ok(NewKey { name: typed.name, api, permissions, preset, bundles, routes, external_id, meta, expires_at, environment, once, ..NewKey::default() })
}

/// Routes have spaces and commas in them. An empty line says nothing.
fn lines(text: String) -> Vec<String> {
    text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect()
}

/// The token of a page view, made by `Rng::base62(30)`. A short one would be guessable, and a secret is derived from it.
pub fn page_token(once: Option<String>) -> Result<Option<String>, AppError> {
    match filled(once) {
        Some(token) if token.len() != 30 || !token.bytes().all(|b| b.is_ascii_alphanumeric()) => {
            Err(AppError::invalid("", "This form is damaged. Reload the page and try again."))
        }
        token => Ok(token),
    }
}

/// The form of `/keys/{id}`. A date that still stands as it was shown changes nothing, so that saving a name keeps the hour of an expiry.
pub async fn edit(
    ctx: &Ctx,
    caller: &Caller,
    id: KeyId,
    typed: TypedEdit,
    permissions: Option<Vec<String>>,
    bundles: Option<Vec<String>>,
) -> Result<KeyEdit, AppError> {
    let mut fields = Fields::default();
    let preset = preset(Some(&typed.preset), &mut fields);
    let meta = typed.meta.as_deref().and_then(|text| fields.check("meta", about::typed(text)));
    fields.done()?;
    let permissions = permissions.filter(|_| preset.is_none());
    let key = find_key(ctx, caller, id).await?;
    let local = LocalTime::new(&caller.time_zone, ctx.clock.now());
    let is_cleared = typed.expires_on.as_deref().is_some();
    let expires_at = match (filled(typed.expires_on.into_text()), key.expires_at) {
        (None, _) => is_cleared.then_some(None),
        (Some(date), Some(at)) if local.date(at) == date => None,
        (Some(date), _) => match local.start_of(&date) {
            // What the operation says of `expires_at` belongs to this form's field.
            Some(at) => Some(Some(rules::expiry(at, local.now()).map_err(|words| AppError::invalid("expires_on", words))?)),
            None => return Err(AppError::invalid("expires_on", "This is not a date. Write it as 2027-01-31.")),
        },
    };
    // Lines, though commas and spaces do as well.
    let words = |text: String| text.split([',', ' ', '\r', '\n', '\t']).filter(|t| !t.is_empty()).map(str::to_owned).collect();
    Ok(KeyEdit {
        name: Some(typed.name),
        expires_at,
        permissions,
        preset,
        bundles,
        addresses: typed.addresses.into_text().map(words),
        origins: typed.origins.into_text().map(words),
        routes: typed.routes.into_text().map(lines),
        tags: typed.tags.into_text().map(words),
        external_id: typed.external_id.into_text(),
        meta,
        seen: Some(typed.version),
        ..KeyEdit::default()
    })
}

/// How long an old secret lives on: seconds, `first_use`, or `date` with a day in the person's time zone, with whose beginning it ends.
pub fn grace(ctx: &Ctx, caller: &Caller, grace: &str, until: Option<&str>) -> Result<Grace, AppError> {
    match grace {
        "first_use" => Ok(Grace::FirstUse),
        "date" => {
            let local = LocalTime::new(&caller.time_zone, ctx.clock.now());
            let at = until.and_then(|day| local.start_of(day)).ok_or_else(|| AppError::invalid("until", "Choose a day, written as 2027-01-31."))?;
            match at > local.now() {
                true => Ok(Grace::Until(at)),
                false => Err(AppError::invalid("until", "This day has begun already. Choose a later one.")),
            }
        }
        seconds => seconds.parse().map(Grace::For).map_err(|_| AppError::invalid("grace", "Choose how long the old secret is accepted.")),
    }
}

/// How calls are to be signed: `ed25519` with a pasted public key, or `hmac-sha256`.
pub fn signing(algorithm: &str, public_key: Option<String>, once: Option<String>) -> Result<NewSigning, AppError> {
    match Algorithm::parse(algorithm) {
        Some(Algorithm::Ed25519) => Ok(NewSigning::Ed25519(public_key.unwrap_or_default())),
        Some(Algorithm::HmacSha256) => Ok(NewSigning::HmacSha256 { once: page_token(once)? }),
        None => Err(AppError::invalid("algorithm", "Choose how calls are signed.")),
    }
}

/// Credits to add, in texts.
pub fn credits(limit: String, units: &str, reason: String, once: &str) -> Result<NewCredits, AppError> {
    let units = digits(units.trim()).parse::<u64>().map_err(|_| AppError::invalid("units", "Write how many credits to add, for example 500."))?;
    let once = (!once.is_empty() && once.len() <= 200).then(|| format!("page:{once}"));
    Ok(NewCredits { limit, units, reason, once })
}

/// An act on many keys, as the page's query has it.
pub fn many(ctx: &Ctx, caller: &Caller, query: &ManyQuery, reason: &str) -> Result<Many, AppError> {
    let act = ManyAct::parse(&query.act).ok_or_else(|| AppError::invalid("act", "Choose what to do."))?;
    let keys = if query.all {
        Selection::Matching(Box::new(query.filters.clone()))
    } else {
        let ids = query.keys.iter().map(|id| id.parse::<KeyId>().map_err(|_| AppError::invalid("keys", "Choose keys of the list.")));
        Selection::These(ids.collect::<Result<_, _>>()?)
    };
    let local = LocalTime::new(&caller.time_zone, ctx.clock.now());
    let expires_at = match &query.until {
        Some(day) => Some(local.start_of(day).ok_or_else(|| AppError::invalid("until", "This is not a date. Write it as 2027-01-31."))?),
        None => None,
    };
    let plan = query.label.as_deref().map(|label| (label != ManyQuery::NO_PLAN).then(|| label.to_owned()));
    Ok(Many { act, keys, reason: reason.to_owned(), expires_at, tag: query.label.clone(), plan })
}

/// Does what the page showed, and says what was done. What can't be taken back asks for the number of keys, typed.
pub async fn change_many(ctx: &Ctx, caller: &Caller, query: &ManyQuery, reason: &str, seen: u64, typed: &str) -> Result<String, AppError> {
    let wish = many(ctx, caller, query, reason)?;
    if wish.act == ManyAct::Revoke && typed.trim() != seen.to_string() {
        return Err(AppError::invalid("typed", format!("Type {seen}, the number of keys.")));
    }
    let plan = many::change_many(ctx, caller, &wish, Some(seen)).await?;
    let changed = plan.changed.len() as u64;
    let verb = match (wish.act, changed) {
        (_, 0) => return Ok("Nothing changed: every chosen key is so already.".to_owned()),
        (ManyAct::Disable, 1) => "is disabled",
        (ManyAct::Disable, _) => "are disabled",
        (ManyAct::Enable, 1) => "is enabled",
        (ManyAct::Enable, _) => "are enabled",
        (ManyAct::Extend, 1) => "lasts longer",
        (ManyAct::Extend, _) => "last longer",
        (ManyAct::Tag, 1) => "has the tag",
        (ManyAct::Tag, _) => "have the tag",
        (ManyAct::Untag, _) => "lost the tag",
        (ManyAct::Plan, 1) if wish.plan == Some(None) => "has no plan of its own",
        (ManyAct::Plan, _) if wish.plan == Some(None) => "have no plan of their own",
        (ManyAct::Plan, 1) => "has the plan",
        (ManyAct::Plan, _) => "have the plan",
        (ManyAct::Revoke, 1) => "is revoked",
        (ManyAct::Revoke, _) => "are revoked",
    };
    let skipped = match plan.skipped.len() {
        0 => String::new(),
        1 => " One stays as it is.".to_owned(),
        n => format!(" {} stay as they are.", thousands(n as u64)),
    };
    let more = if plan.has_more { " More match: do it again for the rest." } else { "" };
    let spread = plan.spread.map(|spread| format!(" {}", spread.words("In force"))).unwrap_or_default();
    Ok(format!("{} {verb}.{spread}{skipped}{more}", count(changed, "key", "keys")))
}

/// The SHA-256 and, after a dot, the SHA-512 of a whole key, in hexadecimal digits: keys that were imported may be known by either.
pub fn hashes_of(secret: &str) -> Result<String, AppError> {
    let secret = secret.trim();
    match secret.len() {
        0 => Err(AppError::invalid("secret", "Paste the whole key.")),
        1..=500 => Ok(format!("{}.{}", hex(&sha256(secret)), hex(&sha512(secret)))),
        _ => Err(AppError::invalid("secret", "This is too long for a key.")),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What can't be taken back asks for the name of the key, typed.
pub async fn must_be_named(ctx: &Ctx, caller: &Caller, id: KeyId, typed: &str) -> Result<(), AppError> {
    let key = find_key(ctx, caller, id).await?;
    if typed.trim() == key.name { Ok(()) } else { Err(AppError::invalid("typed", format!("Type {} exactly as it stands here.", key.name))) }
}

fn filled(text: Option<String>) -> Option<String> {
    text.map(|t| t.trim().to_owned()).filter(|t| !t.is_empty())
}
