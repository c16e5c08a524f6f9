//! The one door (R28): whoever comes in by whatever way, by password, with a session or with a key for Tollgate's own API, is looked
//! at here, anew each time (R49): proven, not disabled, not banned; neither the account, nor its mail domain, nor the address.
//!
//! What the door says is for people who proved who they are (R18). Only a banned address is told at once: it knows itself.

use super::{
    profile::in_full,
    store::{
        Found,
        accounts::Account,
        bans::{self as store, BanFacts},
    },
};
use crate::{
    error::AppError,
    platform::Ctx,
    values::{AccountId, Email},
};
use axum::http::Method;
use std::net::IpAddr;

/// Who stands before the door.
#[derive(Debug, Clone, Copy)]
pub struct Entrant<'a> {
    pub account: AccountId,
    pub email: &'a str,
    pub is_verified: bool,
    /// Why it is disabled, if it is.
    pub disabled: Option<&'a str>,
    /// None where there is no address to speak of: the command line, a job.
    pub address: Option<IpAddr>,
}

/// Why somebody stays outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Barred {
    Disabled(String),
    Banned(Box<BanFacts>),
    /// The address was never proven.
    Unproven,
}

/// The pages of those who are not in yet: nobody needs to be signed in for them, and nobody from a banned address sees them.
pub const WAYS_IN: [&str; 13] = [
    "/sign-in",
    "/sign-in/code",
    "/sign-up",
    "/forgot-password",
    "/reset-password",
    "/verify-email",
    "/unlock",
    "/not-me",
    "/keep-factors",
    "/confirm-email",
    "/undo-email",
    "/delete-account",
    "/come-back",
];

/// And everything below this: on the way to a provider and back.
pub const WITH_OTHERS: &str = "/sign-in/with/";

/// The same over REST, besides everything below `/api/v1/auth/`: what a mailed proof does without a key.
const REST_WAYS_IN: [&str; 4] = ["/api/v1/me/email/confirm", "/api/v1/me/email/undo", "/api/v1/me/deletion/confirm", "/api/v1/me/come-back"];

/// Whether this account may come in now.
pub async fn may_come_in(ctx: &Ctx, who: Entrant<'_>) -> Result<Result<(), Barred>, AppError> {
    if let Some(reason) = who.disabled {
        return Ok(Err(Barred::Disabled(reason.to_owned())));
    }
    let address = who.address.map(|address| address.to_canonical().to_string());
    let ban = store::find_holding(&ctx.db, Some(who.account), &domains(who.email), address.as_deref(), ctx.clock.now()).await?;
    Ok(match ban {
        Some(ban) => Err(Barred::Banned(Box::new(ban))),
        None if !who.is_verified => Err(Barred::Unproven),
        None => Ok(()),
    })
}

/// The same for who is in already, by what the one statement that read the caller knows. Only where mail domains are banned it asks once
/// more: how an address compares to them is not for SQL to say (`domains`).
pub async fn may_stay(ctx: &Ctx, found: &Found) -> Result<bool, AppError> {
    if found.disabled.is_some() || found.is_banned || !found.is_verified {
        return Ok(false);
    }
    let by_domain = found.are_domains_banned && store::find_holding(&ctx.db, None, &domains(&found.caller.email), None, ctx.clock.now()).await?.is_some();
    Ok(!by_domain)
}

/// Refuses what a mailed proof would do to an account that is kept out; whether its address is proven does not matter for that.
pub async fn must_not_be_barred(ctx: &Ctx, account: &Account, address: IpAddr) -> Result<(), AppError> {
    match may_come_in(ctx, Entrant::of(account, address)).await? {
        Ok(()) | Err(Barred::Unproven) => Ok(()),
        Err(barred) => Err(barred.told(ctx, &account.time_zone)),
    }
}

/// True if mail to this address is for a banned domain. Who asks gets the same answer as everybody (R15), and no mail.
pub async fn is_of_banned_domain(ctx: &Ctx, email: &Email) -> Result<bool, AppError> {
    Ok(store::find_holding(&ctx.db, None, &domains(email.as_str()), None, ctx.clock.now()).await?.is_some())
}

/// What a request from a banned address is answered, if it knocks at a way in. `is_in`: the door has let its session through already.
pub async fn turn_away(ctx: &Ctx, method: &Method, path: &str, address: IpAddr, is_in: bool) -> Result<Option<AppError>, AppError> {
    let is_rest = path.starts_with("/api/");
    let knocks = if is_rest {
        path.starts_with("/api/v1/auth/") || REST_WAYS_IN.contains(&path)
    } else {
        method == Method::POST || WAYS_IN.contains(&path) || path.starts_with(WITH_OTHERS)
    };
    if is_in || !knocks {
        return Ok(None);
    }
    let address = address.to_canonical().to_string();
    let ban = match store::find_holding(&ctx.db, None, &[], Some(&address), ctx.clock.now()).await {
        // A form that is only looked at lets nobody in; sending it asks again.
        Err(error) if method == Method::GET => {
            tracing::warn!("whether {address} is banned is not known: {error}");
            None
        }
        found => found?,
    };
    Ok(ban.map(|ban| told(ctx, &ban, "UTC")))
}

impl<'a> Entrant<'a> {
    pub fn of(account: &'a Account, address: IpAddr) -> Self {
        let Account { id, email, is_verified, disabled, .. } = account;
        Self { account: *id, email, is_verified: *is_verified, disabled: disabled.as_deref(), address: Some(address) }
    }
}

impl Barred {
    /// What the person is told, with times in their zone.
    pub fn told(&self, ctx: &Ctx, zone: &str) -> AppError {
        match self {
            Self::Disabled(reason) => {
                let because = if reason.is_empty() { String::new() } else { format!(": {reason}") };
                AppError::conflict(format!("This account is disabled{because}. Ask the operator of this site."))
            }
            Self::Banned(ban) => told(ctx, ban, zone),
            Self::Unproven => AppError::conflict("This email is not confirmed yet. Confirm it, then sign in."),
        }
    }
}

/// Where to object to a ban, as a sentence.
pub fn whom_to_ask(ctx: &Ctx) -> String {
    match ctx.config.mail.contact.as_str() {
        "" => "If you think this is wrong, ask the operator of this site.".to_owned(),
        contact => format!("If you think this is wrong, write to {contact}."),
    }
}

/// The domain of an address and all above it, in ASCII: a ban of one of them holds it. `a.b.example` is held by `b.example`.
pub fn domains(email: &str) -> Vec<String> {
    let domain = email.rsplit_once('@').map_or("", |(_, domain)| domain);
    let Ok(host) = url::Host::parse(domain) else { return Vec::new() };
    let host = host.to_string();
    let mut all = vec![host.clone()];
    all.extend(host.match_indices('.').map(|(dot, _)| host[dot + 1..].to_owned()));
    all
}

fn told(ctx: &Ctx, ban: &BanFacts, zone: &str) -> AppError {
    let until = ban.until.map(|until| format!(" until {}", in_full(until, zone))).unwrap_or_default();
    let what = match (&ban.domain, &ban.network) {
        (Some(domain), _) => format!("Addresses at {domain} are banned"),
        (None, Some(network)) => format!("Your network, {network}, is banned"),
        (None, None) => "This account is banned".to_owned(),
    };
    AppError::refused(format!("{what}{until}: {}. {}", ban.reason.trim_end_matches('.'), whom_to_ask(ctx)))
}

#[cfg(test)]
mod tests {
    use super::domains;

    #[test]
    fn a_ban_holds_everything_below_it_however_it_is_written() {
        assert_eq!(domains("mara@Mail.Spam.Example"), ["mail.spam.example", "spam.example", "example"]);
        assert_eq!(domains("mara@exämple.de"), domains("mara@xn--exmple-cua.de"));
        assert_eq!(domains("root@localhost"), ["localhost"]);
        assert!(domains("nobody").is_empty());
    }
}
