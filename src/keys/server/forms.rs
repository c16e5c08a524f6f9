//! From the texts of a form to the typed input of an operation.

use super::{detail::find_key, rules};
use crate::{
    accounts::Caller,
    error::{AppError, Fields},
    keys::model::{Environment, Grace, KeyEdit, KeyLimit, NewKey, Once},
    platform::{Ctx, LocalTime},
    values::KeyId,
};

/// A key from the form of `/keys`. Permissions are `api/resource:action`, since the form shows those of every API.
pub fn new_key(
    ctx: &Ctx,
    name: String,
    api: Option<String>,
    permissions: Option<Vec<String>>,
    expires: Option<String>,
    environment: Option<String>,
    once: Option<String>,
) -> Result<NewKey, AppError> {
    let api = filled(api);
    let mut fields = Fields::default();
    let lifetime = fields.check("expires", rules::lifetime(expires.as_deref().unwrap_or_default())).flatten();
    let environment = match environment.as_deref() {
        None | Some("" | "live") => Environment::Live,
        Some("test") => Environment::Test,
        Some(_) => {
            fields.add("environment", "A key is for live or for test.");
            Environment::Live
        }
    };
    fields.done()?;
    // Without a chosen API nobody knows whose permissions these are: it gets those that only read.
    let permissions = api.as_ref().and_then(|api| {
        let of_api = |text: String| text.strip_prefix(api.as_str())?.strip_prefix('/').map(str::to_owned);
        permissions.map(|all| all.into_iter().filter_map(of_api).collect())
    });
    let once = page_token(once)?.map(Once::Page);
    Ok(NewKey { name, api, permissions, addresses: Vec::new(), expires_at: lifetime.map(|l| ctx.clock.now() + l), environment, once })
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
    name: String,
    expires_on: Option<String>,
    permissions: Option<Vec<String>>,
    addresses: Option<String>,
) -> Result<KeyEdit, AppError> {
    let key = find_key(ctx, caller, id).await?;
    let local = LocalTime::new(&caller.time_zone, ctx.clock.now());
    let expires_at = match (filled(expires_on), key.expires_at) {
        (None, _) => Some(None),
        (Some(date), Some(at)) if local.date(at) == date => None,
        (Some(date), _) => match local.start_of(&date) {
            // What the operation says of `expires_at` belongs to this form's field.
            Some(at) => Some(Some(rules::expiry(at, local.now()).map_err(|words| AppError::invalid("expires_on", words))?)),
            None => return Err(AppError::invalid("expires_on", "This is not a date. Write it as 2027-01-31.")),
        },
    };
    // Lines, though commas and spaces do as well.
    let addresses = addresses.map(|text| text.split([',', ' ', '\r', '\n', '\t']).filter(|t| !t.is_empty()).map(str::to_owned).collect());
    Ok(KeyEdit { name: Some(name), expires_at, permissions, addresses, limits: None })
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

/// The one limit of a key, in texts; both empty: the default again.
pub fn limit(limit: &str, window: &str) -> Result<KeyEdit, AppError> {
    if limit.trim().is_empty() {
        return Ok(KeyEdit { limits: Some(Vec::new()), ..KeyEdit::default() });
    }
    let mut fields = Fields::default();
    let digits: String = limit.chars().filter(|c| !matches!(c, ',' | ' ' | '_')).collect();
    let calls = fields.check("limit", digits.parse::<u64>().map_err(|_| "Write a whole number of calls, for example 2400."));
    let seconds = fields.check("window", window.trim().parse::<u32>().map_err(|_| "Choose a window."));
    if calls.is_some_and(|calls| calls > KeyLimit::MAX_CALLS) {
        fields.add("limit", "A limit is at most 4,294,967,295 calls.");
    }
    if seconds.is_some_and(|s| !(1..=KeyLimit::MAX_WINDOW).contains(&s)) {
        fields.add("window", "A window has 1 to 2,678,400 seconds (31 days).");
    }
    fields.done()?;
    let limit = KeyLimit { name: KeyLimit::DEFAULT.to_owned(), limit: calls.unwrap_or(0), window: seconds.unwrap_or(1) };
    Ok(KeyEdit { limits: Some(vec![limit]), ..KeyEdit::default() })
}

/// What can't be taken back asks for the name of the key, typed.
pub async fn must_be_named(ctx: &Ctx, caller: &Caller, id: KeyId, typed: &str) -> Result<(), AppError> {
    let key = find_key(ctx, caller, id).await?;
    if typed.trim() == key.name { Ok(()) } else { Err(AppError::invalid("typed", format!("Type {} exactly as it stands here.", key.name))) }
}

fn filled(text: Option<String>) -> Option<String> {
    text.map(|t| t.trim().to_owned()).filter(|t| !t.is_empty())
}
