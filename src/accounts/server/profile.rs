//! What an account says of itself, and times in the words of its zone.

use super::{
    Visitor, avatars,
    email_change::pending_email,
    factors::{are_passkeys_possible, factors, list_passkeys},
    fields::values::{self, FieldsChange},
    handles::{self, HANDLE_HELD, HANDLE_STAYS},
    openid, password_rules,
    sign_up::{about, name},
    store::{
        accounts as store, fields as field_store,
        profiles::{self, ProfileRow},
        sessions,
    },
};
use crate::{
    accounts::model::{Caller, FieldValue, Language, Profile, Published, Security, profile_version, public_version},
    activity::server::{Change, record},
    error::{AppError, Fields},
    platform::{Ctx, local_time},
    values::{AccountId, permission_names as may},
};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use sqlx::PgConnection;
use time::OffsetDateTime;

pub async fn profile(ctx: &Ctx, caller: &Caller) -> Result<Profile, AppError> {
    caller.require(&may::ACCOUNT_READ)?;
    let row = profiles::find_profile(&ctx.db, caller.account).await?.ok_or(AppError::NotFound)?;
    let email = store::find_account(&ctx.db, caller.account).await?.ok_or(AppError::NotFound)?.email;
    let (created_at, updated_at) = profiles::find_dates(&ctx.db, caller.account).await?.ok_or(AppError::NotFound)?;
    let dates = format!("Created on {}, last changed on {}.", in_full(created_at, &row.time_zone), in_full(updated_at, &row.time_zone));
    let (language, published) = (language(&row), published(&row));
    Ok(Profile {
        id: caller.account,
        email,
        pending_email: pending_email(ctx, caller).await?,
        name: row.name,
        picture: avatars::find_picture(ctx, caller.account).await?,
        time_zone: row.time_zone,
        language,
        handle: row.handle,
        published,
        fields: field_store::list_values(&ctx.db, caller.account).await?,
        created_at,
        updated_at,
        dates,
    })
}

fn language(row: &ProfileRow) -> Language {
    row.language.parse().unwrap_or_default()
}

fn published(row: &ProfileRow) -> Vec<Published> {
    row.published.iter().filter_map(|p| p.parse().ok()).collect()
}

/// What the security page shows.
pub async fn security(ctx: &Ctx, caller: &Caller) -> Result<Security, AppError> {
    caller.require(&may::ACCOUNT_READ)?;
    let account = store::find_account(&ctx.db, caller.account).await?.ok_or(AppError::NotFound)?;
    let now = ctx.clock.now();
    Ok(Security {
        email: account.email,
        password_set: account.password_set_at.map(|at| when(at, now, &caller.time_zone)),
        password_advice: password_rules::advice(ctx.config.auth.password_min),
        password_min: ctx.config.auth.password_min,
        sessions: sessions::count_sessions(&ctx.db, caller.account, now).await?,
        factors: factors(ctx, caller).await?,
        linked: openid::linked(ctx, caller).await?,
        providers: openid::offered(ctx, false),
        passkeys: list_passkeys(ctx, caller).await?,
        takes_passkeys: are_passkeys_possible(ctx),
    })
}

/// What may be changed of a profile; what is not given stays.
#[derive(Debug, Clone, Default)]
pub struct ProfileChange {
    pub name: Option<String>,
    /// IANA name.
    pub time_zone: Option<String>,
    pub language: Option<String>,
    /// Empty takes it away.
    pub handle: Option<String>,
    /// The fields that everybody may see, by name; all others are hidden.
    pub published: Option<Vec<String>>,
    pub fields: FieldsChange,
    /// Which state was seen by the form that this is of (`Profile::version`, `Profile::public_version`): another one is not overwritten.
    /// None: whatever it is.
    pub seen: Option<String>,
}

/// Changes the profile. What is as it was before is no change: nothing is written and nothing recorded (F07).
pub async fn update_profile(ctx: &Ctx, caller: &Caller, from: &Visitor, change: &ProfileChange) -> Result<Profile, AppError> {
    caller.require(&may::ACCOUNT_WRITE)?;
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin().await?;
    let old = profiles::lock_profile(&mut tx, caller.account).await?.ok_or(AppError::NotFound)?;
    let old_values = field_store::list_values(&mut *tx, caller.account).await?;
    let (new, new_values) = changed(&old, &old_values, change, now)?;
    if new != old || new_values != old_values {
        let seen = change.seen.as_deref();
        // Each form shows its own part.
        match change.published.is_some() {
            true => AppError::unless_seen(seen, &public_version(old.handle.as_deref(), &published(&old), &old_values), "What others see")?,
            false => AppError::unless_seen(seen, &profile_version(&old.name, &old.time_zone, language(&old), &old_values), "Your profile")?,
        }
    }
    if change.time_zone.is_some() {
        profiles::keep_time_zone(&mut tx, caller.account).await?;
    }
    if new != old || new_values != old_values {
        write(&mut tx, caller.account, &old, &new, now).await?;
        values::write(&mut tx, caller.account, &old_values, &new_values).await?;
        let change = Change { kind: "account.profile_changed", workspace: Some(caller.workspace), ..about(caller.account, &new.name, from) };
        record(ctx, &mut tx, change).await?;
    }
    tx.commit().await?;
    profile(ctx, caller).await
}

/// Writes the profile. A handle that it gives up is kept from others for a while, one that it takes must be free.
async fn write(conn: &mut PgConnection, account: AccountId, old: &ProfileRow, new: &ProfileRow, now: OffsetDateTime) -> Result<(), AppError> {
    let taken = || AppError::invalid("handle", "This handle is taken. Choose another one.");
    match profiles::update_profile(&mut *conn, account, new, now).await {
        Err(sqlx::Error::Database(refused)) if refused.is_unique_violation() => return Err(taken()),
        written => written?,
    }
    if new.handle == old.handle {
        return Ok(());
    }
    // After the write, which waited for whoever is giving the handle up in this moment.
    if let Some(handle) = &new.handle
        && profiles::is_held_from(&mut *conn, handle, account, now).await?
    {
        return Err(taken());
    }
    if let Some(handle) = &old.handle {
        profiles::hold_handle(conn, handle, account, now + HANDLE_HELD).await?;
    }
    Ok(())
}

/// The profile as it would be, or what is wrong with each field.
fn changed(old: &ProfileRow, old_values: &[FieldValue], change: &ProfileChange, now: OffsetDateTime) -> Result<(ProfileRow, Vec<FieldValue>), AppError> {
    let mut fields = Fields::default();
    let mut new = old.clone();
    if let Some(text) = &change.name {
        new.name = fields.check("name", name(text)).unwrap_or_default();
    }
    if let Some(zone) = &change.time_zone {
        if !is_time_zone(zone) {
            fields.add("time_zone", "Choose a time zone from the list.");
        }
        new.time_zone.clone_from(zone);
    }
    if let Some(text) = &change.language {
        new.language = fields.check("language", text.parse::<Language>()).unwrap_or_default().as_str().to_owned();
    }
    if let Some(text) = &change.published {
        let ticked: Vec<Published> = text.iter().filter_map(|one| fields.check("published", one.parse())).collect();
        new.published = Published::ALL.into_iter().filter(|one| ticked.contains(one)).map(|one| one.as_str().to_owned()).collect();
    }
    if let Some(text) = &change.handle {
        new.handle = fields.check("handle", handles::checked(text)).flatten();
    }
    if new.handle != old.handle && new.handle.is_some() {
        match old.handle_set_at.filter(|set| now < *set + HANDLE_STAYS) {
            Some(set) => fields.add(
                "handle",
                format!("You can change your handle once every 30 days. You can choose another one from {}.", in_full(set + HANDLE_STAYS, &new.time_zone)),
            ),
            None => new.handle_set_at = Some(now),
        }
    }
    let new_values = values::changed(old_values, &change.fields, &mut fields);
    fields.done()?;
    Ok((new, new_values))
}

/// The zones to choose from: `Area/City` and UTC, sorted.
pub fn time_zones() -> Vec<String> {
    const AREAS: [&str; 10] = ["Africa/", "America/", "Antarctica/", "Arctic/", "Asia/", "Atlantic/", "Australia/", "Europe/", "Indian/", "Pacific/"];
    let mut zones: Vec<String> = jiff::tz::db().available().map(|zone| zone.to_string()).filter(|zone| AREAS.iter().any(|a| zone.starts_with(a))).collect();
    zones.push("UTC".to_owned());
    zones.sort_unstable();
    zones.dedup();
    zones
}

pub fn is_time_zone(name: &str) -> bool {
    name == "UTC" || (name.contains('/') && TimeZone::get(name).is_ok())
}

/// An instant as people of a zone say it: `now`, `today, 08:51`, `yesterday, 22:10`, `30 Oct, 17:02`, `4 Feb 2025`.
pub fn when(at: OffsetDateTime, now: OffsetDateTime, zone: &str) -> String {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    let local = |t: OffsetDateTime| Timestamp::from_second(t.unix_timestamp()).unwrap_or_default().to_zoned(zone.clone());
    let (at_local, today) = (local(at), local(now).date());
    let is = |date: Option<Date>| date == Some(at_local.date());
    match () {
        () if at <= now && now - at < time::Duration::minutes(2) => "now".to_owned(),
        () if is(Some(today)) => at_local.strftime("today, %H:%M").to_string(),
        () if is(today.yesterday().ok()) => at_local.strftime("yesterday, %H:%M").to_string(),
        () if at_local.year() == today.year() => at_local.strftime("%-d %b, %H:%M").to_string(),
        () => at_local.strftime("%-d %b %Y").to_string(),
    }
}

/// An instant in full, for pages: `20 Nov 2026, 13:00 CET`.
pub fn in_full(at: OffsetDateTime, zone: &str) -> String {
    local_time::in_full(at, zone, Language::En)
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn instants_are_said_in_the_zone_of_the_person() {
        let now = datetime!(2026-11-20 00:30 UTC);
        assert_eq!(when(datetime!(2026-11-20 00:29:30 UTC), now, "UTC"), "now");
        assert_eq!(when(datetime!(2026-11-19 23:10 UTC), now, "Europe/Berlin"), "today, 00:10");
        assert_eq!(when(datetime!(2026-11-19 23:10 UTC), now, "UTC"), "yesterday, 23:10");
        assert_eq!(when(datetime!(2026-10-30 16:02 UTC), now, "Europe/Berlin"), "30 Oct, 17:02");
        assert_eq!(when(datetime!(2025-02-04 16:02 UTC), now, "UTC"), "4 Feb 2025");
        assert_eq!(in_full(datetime!(2026-11-20 12:00 UTC), "Europe/Berlin"), "20 Nov 2026, 13:00 CET");
    }

    #[test]
    fn the_list_has_the_zones_people_know_and_no_nicknames() {
        let zones = time_zones();
        assert!(zones.len() > 300 && zones.iter().all(|z| is_time_zone(z)));
        for zone in ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"] {
            assert!(zones.iter().any(|z| z == zone), "{zone}");
        }
        assert!(!is_time_zone("EST") && !is_time_zone("Mars/Base") && !is_time_zone("../../etc/passwd"));
    }
}
