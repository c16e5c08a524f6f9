//! Bans: an account, a mail domain or a network may not come in, until an end that comes by itself, or until somebody lifts it.
//!
//! Banning an account ends its sessions and mailed proofs in the same transaction (R45), and its keys are answered BANNED. A domain or
//! a network is only kept out of everything that accounts do; for calls with keys there are lists of addresses and blocks.
//! Nobody bans themself, nor the last operator who could come in (S89).

use super::{
    Visitor,
    administration::{AccountFacts, Ended, checked_reason, done_to},
    entry::domains,
    factors::require_admin_proof,
    store::{administration, bans as store, email_changes, factors::pending, operators, sessions, tokens},
    tokens::KINDS,
    warnings::{SendBanned, SendUnbanned},
};
use crate::{
    accounts::model::Caller,
    activity::server::{Change, record},
    error::{AppError, Fields},
    platform::{Ctx, jobs, once},
    values::{AccountId, BanId, permission_names as may},
};
use ipnet::{IpNet, Ipv4Net};
use serde_json::{Value, json};
use sqlx::PgConnection;
use std::{fmt, net::IpAddr, str::FromStr};
use time::{Duration, OffsetDateTime};

pub use store::BanFacts;

/// How long and why. No end: until somebody lifts it.
#[derive(Debug, Clone, Copy)]
pub struct Term<'a> {
    pub reason: &'a str,
    pub until: Option<OffsetDateTime>,
}

/// What is banned besides accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// In ASCII; everything below it is banned too.
    Domain(String),
    Network(IpNet),
}

/// The largest networks that can be banned at once, as prefix lengths: a wider one is a slip.
const WIDEST: (u8, u8) = (8, 16);
/// Two bans of the same account within this time, for the same reason, are one that was sent twice.
const SAME: Duration = Duration::minutes(1);
/// The longest list.
const MOST: i64 = 500;

/// Bans an account, and says what ended with it.
pub async fn ban_account(ctx: &Ctx, caller: &Caller, from: &Visitor, id: AccountId, term: Term<'_>) -> Result<Ended, AppError> {
    caller.require(&may::ACCOUNTS_MANAGE)?;
    require_admin_proof(ctx, caller).await?;
    let now = ctx.clock.now();
    let (reason, until) = checked(term, now)?;
    if caller.actor() == Some(id) {
        return Err(AppError::conflict("You can't ban your own account. Ask another operator."));
    }
    let mut tx = ctx.db.begin().await?;
    let account = administration::find_account(&mut *tx, id, now).await?.ok_or(AppError::NotFound)?;
    if let Some(ban) = &account.ban {
        return if is_same(ban.until, until) && ban.reason == reason { Ok(Ended::default()) } else { Err(is_banned_already(&account.email)) };
    }
    note_ended(ctx, &mut tx).await?;
    let ended = ban_in(ctx, &mut tx, caller, from, &account, Term { reason: &reason, until }).await?;
    once::done(ctx, &mut tx).await?;
    tx.commit().await?;
    Ok(ended)
}

/// The same in the transaction of many. The term is checked, and bans whose end has come are noted.
pub(super) async fn ban_in(
    ctx: &Ctx,
    conn: &mut PgConnection,
    caller: &Caller,
    from: &Visitor,
    account: &AccountFacts,
    term: Term<'_>,
) -> Result<Ended, AppError> {
    let (id, now, Term { reason, until }) = (account.id, ctx.clock.now(), term);
    if account.is_operator && operators::count_others(conn, id, now).await? == 0 {
        return Err(AppError::conflict("This is the last operator who can come in. Make another one first: tollgate admin create."));
    }
    let ban: BanId = ctx.new_id();
    if !store::insert_ban(conn, store::NewBan { account: Some(id), ..row(ban, caller, reason, until, now) }).await? {
        return Err(is_banned_already(&account.email));
    }
    let ended = Ended { sessions: sessions::delete_sessions(&mut *conn, id, None).await?, keys: account.live_keys };
    pending::delete_pending_of(conn, id).await?;
    email_changes::delete_change(conn, id).await?;
    tokens::delete_tokens(conn, id, &KINDS).await?;
    let data = json!({ "ban": ban, "until": instant(until), "sessions": ended.sessions, "keys": ended.keys });
    record(ctx, conn, Change { kind: "account.banned", reason, ..done_to(account, caller, from, data) }).await?;
    jobs::enqueue(ctx, conn, &SendBanned { ban }).await?;
    Ok(ended)
}

/// Lets a banned account in again; its keys pass as before. Nothing is done if it is not banned.
pub async fn unban_account(ctx: &Ctx, caller: &Caller, from: &Visitor, id: AccountId) -> Result<(), AppError> {
    caller.require(&may::ACCOUNTS_MANAGE)?;
    let account = administration::find_account(&ctx.db, id, ctx.clock.now()).await?.ok_or(AppError::NotFound)?;
    match account.ban {
        Some(ban) => lift_ban(ctx, caller, from, ban.id).await.map(|_| ()),
        None => Ok(()),
    }
}

/// Bans a mail domain or a network.
pub async fn add_ban(ctx: &Ctx, caller: &Caller, from: &Visitor, target: &str, term: Term<'_>) -> Result<BanFacts, AppError> {
    caller.require(&may::ACCOUNTS_MANAGE)?;
    require_admin_proof(ctx, caller).await?;
    let now = ctx.clock.now();
    let mut fields = Fields::default();
    let target = fields.check("target", target.parse::<Target>());
    let term = fields.merge(checked(term, now));
    fields.done()?;
    let (Some(target), Some((reason, until))) = (target, term) else { return Err(AppError::NotFound) };
    target.must_spare(caller, from)?;

    let mut tx = ctx.db.begin().await?;
    if let Target::Domain(domain) = &target {
        let operators = operators::list_who_may_come_in(&mut tx, now).await?;
        if !operators.is_empty() && operators.iter().all(|(_, email)| domains(email).contains(domain)) {
            return Err(AppError::conflict("All operators who can come in have addresses there. Make another one first: tollgate admin create."));
        }
    }
    note_ended(ctx, &mut tx).await?;
    let id: BanId = ctx.new_id();
    let (domain, network) = match &target {
        Target::Domain(domain) => (Some(domain.as_str()), None),
        Target::Network(network) => (None, Some(network.to_string())),
    };
    let new = store::NewBan { domain, network: network.as_deref(), ..row(id, caller, &reason, until, now) };
    if !store::insert_ban(&mut tx, new).await? {
        return Err(is_banned_already(&target.to_string()));
    }
    let data = json!({ "name": target.to_string(), "until": instant(until) });
    record(ctx, &mut tx, Change { kind: "ban.added", reason: &reason, ..about_ban(id, caller, from, data) }).await?;
    let ban = store::find_ban(&mut *tx, id).await?.ok_or(AppError::NotFound)?;
    once::done(ctx, &mut tx).await?;
    tx.commit().await?;
    Ok(ban)
}

/// Lifts a ban before its end, and says whose it was. One that is over stays as it is.
pub async fn lift_ban(ctx: &Ctx, caller: &Caller, from: &Visitor, id: BanId) -> Result<BanFacts, AppError> {
    caller.require(&may::ACCOUNTS_MANAGE)?;
    let mut tx = ctx.db.begin().await?;
    let ban = store::find_ban(&mut *tx, id).await?.ok_or(AppError::NotFound)?;
    lift_in(ctx, &mut tx, caller, from, &ban, "").await?;
    tx.commit().await?;
    Ok(ban)
}

/// The same in the transaction of many.
pub(super) async fn lift_in(ctx: &Ctx, conn: &mut PgConnection, caller: &Caller, from: &Visitor, ban: &BanFacts, reason: &str) -> Result<(), AppError> {
    let (id, now) = (ban.id, ctx.clock.now());
    if !store::update_lifted(conn, id, caller.actor(), &caller.name, now).await? {
        return Ok(());
    }
    match ban.account {
        Some(account) => {
            let account = administration::find_account(&mut *conn, account, now).await?.ok_or(AppError::NotFound)?;
            // One that was begun in the very moment of the ban must not come back to life.
            sessions::delete_sessions(&mut *conn, account.id, None).await?;
            record(ctx, conn, Change { kind: "account.unbanned", reason, ..done_to(&account, caller, from, json!({ "ban": id })) }).await?;
            jobs::enqueue(ctx, conn, &SendUnbanned { ban: id }).await?;
        }
        None => {
            record(ctx, conn, Change { kind: "ban.lifted", reason, ..about_ban(id, caller, from, json!({ "name": ban.what() })) }).await?;
        }
    }
    Ok(())
}

/// The bans that hold now, or with `over` those that do not any more; the newest first, at most 500.
pub async fn list_bans(ctx: &Ctx, caller: &Caller, over: bool) -> Result<Vec<BanFacts>, AppError> {
    page_of_bans(ctx, caller, over, None, MOST).await
}

/// So many of them, those after `older`.
pub async fn page_of_bans(ctx: &Ctx, caller: &Caller, over: bool, older: Option<BanId>, most: i64) -> Result<Vec<BanFacts>, AppError> {
    caller.require(&may::ADMIN_READ)?;
    Ok(store::list_bans(&ctx.db, !over, older, most, ctx.clock.now()).await?)
}

/// One ban.
pub async fn find_ban(ctx: &Ctx, caller: &Caller, id: BanId) -> Result<BanFacts, AppError> {
    caller.require(&may::ADMIN_READ)?;
    store::find_ban(&ctx.db, id).await?.ok_or(AppError::NotFound)
}

/// Notes the bans whose end has come: an event for each, and a mail to whose account it was. They hold nobody since that moment.
pub async fn end_bans(ctx: &Ctx) -> Result<(), AppError> {
    let mut tx = ctx.db.begin().await?;
    note_ended(ctx, &mut tx).await?;
    tx.commit().await?;
    Ok(())
}

/// … in a transaction that is about to give others.
pub(super) async fn note_ended(ctx: &Ctx, conn: &mut PgConnection) -> Result<(), AppError> {
    for ban in store::update_ended(conn, ctx.clock.now()).await? {
        let change = Change { actor_name: "system", ..Change::default() };
        match ban.account {
            Some(account) => {
                let data = json!({ "ban": ban.id });
                record(ctx, conn, Change { kind: "account.ban_ended", subject: Some(account.uuid()), data, ..change }).await?;
                jobs::enqueue(ctx, conn, &SendUnbanned { ban: ban.id }).await?;
            }
            None => {
                let data = json!({ "name": ban.what(), "ban": ban.id });
                record(ctx, conn, Change { kind: "ban.ended", subject: Some(ban.id.uuid()), data, ..change }).await?;
            }
        }
    }
    Ok(())
}

impl BanFacts {
    /// What is banned, in a word: an address of mail, a domain, a network.
    pub fn what(&self) -> &str {
        let of_account = self.account_email.as_deref();
        self.domain.as_deref().or(self.network.as_deref()).or(of_account).unwrap_or("an account")
    }
}

impl Target {
    /// Refused where whoever bans would shut themself out, or half the world.
    fn must_spare(&self, caller: &Caller, from: &Visitor) -> Result<(), AppError> {
        match self {
            Self::Domain(domain) if domains(&caller.email).contains(domain) => {
                Err(AppError::conflict("Your own address is there. Ask an operator of another domain."))
            }
            Self::Network(network) if network.contains(&from.address.to_canonical()) => {
                Err(AppError::conflict(format!("You come from {} yourself, which lies in {network}.", from.address)))
            }
            Self::Domain(_) | Self::Network(_) => Ok(()),
        }
    }
}

impl FromStr for Target {
    type Err = &'static str;

    /// `spam.example`, `203.0.113.7`, `203.0.113.0/24`, `2001:db8::/32`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim().trim_start_matches("*.").trim_start_matches('@');
        let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        if let Ok(network) = network.map(canonical) {
            let (v4, v6) = WIDEST;
            let is_wide = network.prefix_len() < if network.addr().is_ipv4() { v4 } else { v6 };
            return if is_wide { Err("This network is too wide: a /8 is the widest of IPv4, a /16 of IPv6.") } else { Ok(Self::Network(network.trunc())) };
        }
        match url::Host::parse(text) {
            Ok(url::Host::Domain(domain)) if domain.contains('.') && !domain.ends_with('.') && domain.len() <= 253 => Ok(Self::Domain(domain)),
            _ => Err("Enter an email domain such as spam.example, an address, or a network such as 203.0.113.0/24."),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Domain(domain) => f.write_str(domain),
            Self::Network(network) => network.fmt(f),
        }
    }
}

/// IPv4 in the clothes of IPv6 is IPv4: so addresses are compared (S40).
fn canonical(network: IpNet) -> IpNet {
    let mapped = match network {
        IpNet::V6(v6) if v6.prefix_len() >= 96 => v6.addr().to_ipv4_mapped().and_then(|v4| Ipv4Net::new(v4, v6.prefix_len() - 96).ok()),
        IpNet::V6(_) | IpNet::V4(_) => None,
    };
    mapped.map_or(network, IpNet::V4)
}

/// Reason and end as they are kept.
pub(super) fn checked(term: Term<'_>, now: OffsetDateTime) -> Result<(String, Option<OffsetDateTime>), AppError> {
    let mut fields = Fields::default();
    let reason = fields.merge(checked_reason(term.reason)).unwrap_or_default();
    if reason.is_empty() {
        fields.add("reason", "Say why. The person reads it when they try to come in.");
    }
    match term.until {
        Some(until) if until <= now => fields.add("until", "The end must lie ahead."),
        Some(until) if until - now > Duration::days(36_600) => fields.add("until", "A ban of more than a hundred years is one without an end."),
        Some(_) | None => {}
    }
    fields.done()?;
    Ok((reason, term.until))
}

fn is_same(one: Option<OffsetDateTime>, other: Option<OffsetDateTime>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => (one - other).abs() <= SAME,
        (None, None) => true,
        _ => false,
    }
}

fn is_banned_already(what: &str) -> AppError {
    AppError::conflict(format!("{what} is banned already. Lift that ban first, then give another one."))
}

fn row<'a>(id: BanId, caller: &'a Caller, reason: &'a str, until: Option<OffsetDateTime>, now: OffsetDateTime) -> store::NewBan<'a> {
    store::NewBan { id, account: None, domain: None, network: None, reason, by: caller.actor(), by_name: &caller.name, now, until }
}

/// An event about a ban that is no account's.
fn about_ban<'a>(id: BanId, caller: &'a Caller, from: &Visitor, data: Value) -> Change<'a> {
    let mut facts = from.facts();
    if let (Value::Object(facts), Value::Object(data)) = (&mut facts, data) {
        facts.extend(data);
    }
    Change { actor: caller.actor(), actor_name: &caller.name, subject: Some(id.uuid()), data: facts, ..Change::default() }
}

fn instant(at: Option<OffsetDateTime>) -> Option<String> {
    at.and_then(|at| at.format(&time::format_description::well_known::Rfc3339).ok())
}

#[cfg(test)]
mod tests {
    use super::Target;

    #[test]
    fn domains_addresses_and_networks_are_told_apart() {
        let read = |text: &str| text.parse::<Target>().map(|target| target.to_string());
        for (text, kept) in [
            ("Spam.Example", "spam.example"),
            ("*.spam.example", "spam.example"),
            ("@exämple.de", "xn--exmple-cua.de"),
            ("203.0.113.7", "203.0.113.7/32"),
            ("203.0.113.7/24", "203.0.113.0/24"),
            ("::ffff:203.0.113.7", "203.0.113.7/32"),
            ("::ffff:203.0.113.0/120", "203.0.113.0/24"),
            ("2001:db8::1/48", "2001:db8::/48"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(kept), "{text}");
        }
        for wrong in ["", "spam", "0.0.0.0/0", "::/0", "spam example", "mara@", "a@b.example", "203.0.113.0/33", "http://spam.example"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
