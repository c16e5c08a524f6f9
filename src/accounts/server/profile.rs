//! Name and time zone of an account, and times in the words of its zone.

use super::{
    Visitor,
    factors::factors,
    password_rules,
    sign_up::{about, name},
    store::{accounts as store, sessions},
};
use crate::{
    accounts::model::{Caller, Profile, Security},
    activity::server::{Change, record},
    error::{AppError, Fields},
    platform::Ctx,
    values::permission_names as may,
};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use time::OffsetDateTime;

pub async fn profile(ctx: &Ctx, caller: &Caller) -> Result<Profile, AppError> {
    caller.require(&may::ACCOUNT_READ)?;
    let account = store::find_account(&ctx.db, caller.account).await?.ok_or(AppError::NotFound)?;
    Ok(Profile { id: account.id, email: account.email, name: account.name, time_zone: account.time_zone })
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
        sessions: sessions::count_sessions(&ctx.db, caller.account, now).await?,
        factors: factors(ctx, caller).await?,
    })
}

/// Changes name and time zone; what is not given stays.
pub async fn update_profile(ctx: &Ctx, caller: &Caller, from: &Visitor, new_name: Option<&str>, time_zone: Option<&str>) -> Result<Profile, AppError> {
    caller.require(&may::ACCOUNT_WRITE)?;
    let mut fields = Fields::default();
    let new_name = fields.check("name", new_name.map_or_else(|| Ok(caller.name.clone()), name)).unwrap_or_default();
    let zone = time_zone.unwrap_or(&caller.time_zone);
    if !is_time_zone(zone) {
        fields.add("time_zone", "Choose a time zone from the list.");
    }
    fields.done()?;
    let mut tx = ctx.db.begin().await?;
    store::update_profile(&mut tx, caller.account, &new_name, zone, ctx.clock.now()).await?;
    let change = Change { kind: "account.profile_changed", workspace: Some(caller.workspace), ..about(caller.account, &caller.name, from) };
    record(ctx, &mut tx, change).await?;
    tx.commit().await?;
    profile(ctx, caller).await
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

/// An instant in full, for mails: `20 Nov 2026, 13:00 CET`.
pub fn in_full(at: OffsetDateTime, zone: &str) -> String {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    Timestamp::from_second(at.unix_timestamp()).unwrap_or_default().to_zoned(zone).strftime("%-d %b %Y, %H:%M %Z").to_string()
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
