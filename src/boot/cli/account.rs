//! `tollgate account …`: lists and shows accounts, shuts one out (for good or for a while) and lets it in again, ends its lock, removes lost
//! second factors; brings those of another system.

use super::{
    Exit, Invocation,
    ban::BanTerm,
    key::text_of,
    missing::{OrNo, Thing, missing},
    with_ctx,
};
use crate::{
    accounts::{
        Caller,
        model::{AccountFilter, ImportedAs, ImportedLine},
        server::{self as accounts, AccountFacts, Ended, Term, Visitor},
    },
    error::AppError,
    keys::server::nodes,
    platform::Ctx,
    ui::number::count,
    values::{AccountId, Email},
};
use clap::Subcommand;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

#[derive(Subcommand)]
pub(super) enum AccountCommand {
    /// List accounts, newest first
    List {
        /// Only those with this in their name or address
        #[arg(long, value_name = "TEXT")]
        search: Option<String>,
    },
    /// Show one account: its address or its id
    Show { account: String },
    /// Shut an account out: its sessions end, its keys are answered BANNED
    Disable {
        account: String,
        /// What the person reads when they try to come in
        #[arg(long, value_name = "WORDS")]
        reason: String,
    },
    /// Let an account in again
    Enable { account: String },
    /// Ban an account for a while or for good: its sessions end, its keys are answered BANNED, the person is told by mail
    Ban {
        account: String,
        #[command(flatten)]
        term: BanTerm,
    },
    /// Lift the ban of an account
    Unban { account: String },
    /// End the wait after many wrong passwords
    Unlock { account: String },
    /// Remove the second factors of an account now: its password alone signs in then, its sessions end
    ResetFactors {
        account: String,
        /// Why, for the history
        #[arg(long, value_name = "WORDS", default_value = "")]
        reason: String,
    },
    /// Import accounts with their bcrypt or Argon2 hashes, from CSV or JSON; with --dry-run only say what would become of each line
    Import { file: PathBuf },
}

impl AccountCommand {
    pub(super) async fn run(self, invocation: &Invocation) -> Exit {
        with_ctx(&invocation.config, "account", async |ctx| match self {
            Self::List { search } => list(ctx, invocation, search).await,
            Self::Show { account } => show(ctx, invocation, &account).await,
            Self::Disable { account, reason } => disable(ctx, invocation, &account, &reason).await,
            Self::Enable { account } => enable(ctx, invocation, &account).await,
            Self::Ban { account, term } => ban(ctx, invocation, &account, &term).await,
            Self::Unban { account } => unban(ctx, invocation, &account).await,
            Self::Unlock { account } => unlock(ctx, invocation, &account).await,
            Self::ResetFactors { account, reason } => reset_factors(ctx, invocation, &account, &reason).await,
            Self::Import { file } => import(ctx, invocation, &file).await,
        })
        .await
    }
}

async fn list(ctx: &Ctx, invocation: &Invocation, search: Option<String>) -> Result<Exit, AppError> {
    let filter = AccountFilter { search, limit: Some(1000), ..AccountFilter::default() };
    let found = accounts::list_accounts(ctx, &Caller::cli(), &filter).await?;
    let line = |a: &AccountFacts| format!("{}  {:10}  {:3} keys  {}  {}", a.id, state(a), a.keys, a.email, a.name);
    let lines: Vec<String> = found.iter().map(line).collect();
    invocation.answer(&found.iter().map(facts).collect::<Value>(), &if lines.is_empty() { "No accounts.".to_owned() } else { lines.join("\n") });
    Ok(Exit::Done)
}

async fn show(ctx: &Ctx, invocation: &Invocation, account: &str) -> Result<Exit, AppError> {
    let a = known(ctx, account).await?;
    let mut lines = vec![
        format!("{}  {} <{}>", a.id, a.name, a.email),
        format!("state         {}", state(&a)),
        format!("roles         {}", a.roles.join(", ")),
        format!("time zone     {}", a.time_zone),
        format!("created       {}", instant(Some(a.created_at)).unwrap_or_default()),
        format!("last sign-in  {}", instant(a.last_sign_in_at).unwrap_or_else(|| "never".to_owned())),
        format!("sessions      {}", a.sessions),
        format!("keys          {}, of which {} pass", a.keys, a.live_keys),
    ];
    if let Some(ban) = &a.ban {
        let end = instant(ban.until).unwrap_or_else(|| "it is lifted".to_owned());
        lines.push(format!("banned        {} until {end}: {}", instant(Some(ban.at)).unwrap_or_default(), ban.reason));
    }
    if let Some(until) = a.locked_until {
        lines.push(format!("locked        until {}", instant(Some(until)).unwrap_or_default()));
    }
    if let Some(reason) = &a.disabled_reason {
        lines.push(format!("disabled      {}: {reason}", instant(a.disabled_at).unwrap_or_default()));
    }
    invocation.answer(&facts(&a), &lines.join("\n"));
    Ok(Exit::Done)
}

/// "1 session ends, 2 keys are answered BANNED".
fn would_end(account: &AccountFacts) -> String {
    format!("{}, {} BANNED", count(account.sessions, "session ends", "sessions end"), answered(account.live_keys))
}

fn has_ended(ended: &Ended) -> String {
    format!("{}, {} BANNED", count(ended.sessions, "session ended", "sessions ended"), answered(ended.keys))
}

fn answered(keys: u64) -> String {
    count(keys, "key is answered", "keys are answered")
}

async fn disable(ctx: &Ctx, invocation: &Invocation, account: &str, reason: &str) -> Result<Exit, AppError> {
    let a = known(ctx, account).await?;
    if invocation.dry_run {
        invocation.answer(&facts(&a), &format!("Would disable {}: {}.", a.email, would_end(&a)));
        return Ok(Exit::Done);
    }
    let ended = accounts::disable_account(ctx, &Caller::cli(), &Visitor::terminal(), a.id, reason).await?;
    let spread = nodes::spread_of_account(ctx, a.id).await;
    let words = format!("{} is disabled: {}. {}", a.email, has_ended(&ended), spread.words("Refused"));
    invocation.answer(&json!({ "id": a.id, "sessions": ended.sessions, "keys": ended.keys, "spread": spread }), &words);
    Ok(Exit::Done)
}

async fn enable(ctx: &Ctx, invocation: &Invocation, account: &str) -> Result<Exit, AppError> {
    let a = known(ctx, account).await?;
    if invocation.dry_run {
        invocation.answer(&facts(&a), &format!("Would enable {}.", a.email));
        return Ok(Exit::Done);
    }
    accounts::enable_account(ctx, &Caller::cli(), &Visitor::terminal(), a.id).await?;
    let spread = nodes::spread_of_account(ctx, a.id).await;
    invocation.answer(&json!({ "id": a.id, "spread": spread }), &format!("{} may come in. {}", a.email, spread.words("In force")));
    Ok(Exit::Done)
}

async fn ban(ctx: &Ctx, invocation: &Invocation, account: &str, term: &BanTerm) -> Result<Exit, AppError> {
    let a = known(ctx, account).await?;
    let until = term.until(ctx)?;
    let end = until.map_or_else(|| "until it is lifted".to_owned(), |at| format!("until {}", instant(Some(at)).unwrap_or_default()));
    if invocation.dry_run {
        invocation.answer(&facts(&a), &format!("Would ban {} {end}: {}.", a.email, would_end(&a)));
        return Ok(Exit::Done);
    }
    let ended = accounts::ban_account(ctx, &Caller::cli(), &Visitor::terminal(), a.id, Term { reason: &term.reason, until }).await?;
    let spread = nodes::spread_of_account(ctx, a.id).await;
    let words = format!("{} is banned {end}: {}. {}", a.email, has_ended(&ended), spread.words("Refused"));
    invocation.answer(&json!({ "id": a.id, "until": instant(until), "sessions": ended.sessions, "keys": ended.keys, "spread": spread }), &words);
    Ok(Exit::Done)
}

async fn unban(ctx: &Ctx, invocation: &Invocation, account: &str) -> Result<Exit, AppError> {
    let a = known(ctx, account).await?;
    if invocation.dry_run {
        invocation.answer(&facts(&a), &format!("Would lift the ban of {}.", a.email));
        return Ok(Exit::Done);
    }
    accounts::unban_account(ctx, &Caller::cli(), &Visitor::terminal(), a.id).await?;
    let spread = nodes::spread_of_account(ctx, a.id).await;
    invocation.answer(&json!({ "id": a.id, "spread": spread }), &format!("{} is not banned. {}", a.email, spread.words("In force")));
    Ok(Exit::Done)
}

async fn unlock(ctx: &Ctx, invocation: &Invocation, account: &str) -> Result<Exit, AppError> {
    let a = known(ctx, account).await?;
    if invocation.dry_run {
        invocation.answer(&facts(&a), &format!("Would unlock {}.", a.email));
        return Ok(Exit::Done);
    }
    accounts::unlock_account(ctx, &Caller::cli(), &Visitor::terminal(), a.id).await?;
    invocation.answer(&json!({ "id": a.id }), &format!("{} is not locked.", a.email));
    Ok(Exit::Done)
}

async fn reset_factors(ctx: &Ctx, invocation: &Invocation, account: &str, reason: &str) -> Result<Exit, AppError> {
    let a = known(ctx, account).await?;
    if invocation.dry_run {
        invocation.answer(&facts(&a), &format!("Would remove the second factors of {} and end its sessions.", a.email));
        return Ok(Exit::Done);
    }
    let had = accounts::reset_factors_now(ctx, &Caller::cli(), &Visitor::terminal(), a.id, reason).await?;
    let words = match had {
        true => format!("{} has no second factor any more; its sessions have ended, and its owner is told by mail.", a.email),
        false => format!("{} has no second factor.", a.email),
    };
    invocation.answer(&json!({ "id": a.id, "removed": had }), &words);
    Ok(Exit::Done)
}

async fn import(ctx: &Ctx, invocation: &Invocation, file: &Path) -> Result<Exit, AppError> {
    let report = accounts::import_accounts(ctx, &Caller::cli(), &text_of(file)?, invocation.dry_run).await?;
    let words = |l: &ImportedLine| {
        let field = l.field.as_ref().map(|field| format!("{field}: ")).unwrap_or_default();
        format!("{:6}  {:8}  {}  {field}{}", l.line, l.outcome.as_str(), l.email, l.detail).trim_end().to_owned()
    };
    let lines: Vec<String> = report.iter().map(words).collect();
    let count = |outcome: ImportedAs| report.iter().filter(|line| line.outcome == outcome).count();
    let verb = if invocation.dry_run { "would be imported" } else { "imported" };
    let (created, known, wrong) = (count(ImportedAs::Created), count(ImportedAs::Known), count(ImportedAs::Wrong));
    invocation.answer(&report, &format!("{}\n{created} of {} {verb}, {known} known already, {wrong} wrong.", lines.join("\n"), report.len()));
    Ok(if wrong > 0 { Exit::Failed } else { Exit::Done })
}

/// By id, or by the whole address.
async fn known(ctx: &Ctx, account: &str) -> Result<AccountFacts, AppError> {
    let cli = Caller::cli();
    if let Ok(id) = account.parse::<AccountId>() {
        return accounts::find_account(ctx, &cli, id).await.or_no(Thing::Account, id);
    }
    let email: Email = account.trim().parse().map_err(|_: &str| missing(Thing::Account, account))?;
    accounts::find_account_by_email(ctx, &cli, &email).await.or_no(Thing::Account, &email)
}

fn state(a: &AccountFacts) -> &'static str {
    match (a.disabled_at, a.verified_at) {
        (Some(_), _) => "disabled",
        _ if a.ban.is_some() => "banned",
        (None, None) => "unverified",
        (None, Some(_)) if a.is_operator => "operator",
        (None, Some(_)) => "active",
    }
}

fn facts(a: &AccountFacts) -> Value {
    json!({
        "id": a.id, "email": a.email, "name": a.name, "state": state(a), "roles": a.roles, "time_zone": a.time_zone, "workspace_id": a.workspace,
        "created_at": instant(Some(a.created_at)), "last_sign_in_at": instant(a.last_sign_in_at), "disabled_at": instant(a.disabled_at),
        "disabled_reason": a.disabled_reason, "banned_at": instant(a.ban.as_ref().map(|ban| ban.at)), "banned_until": instant(a.ban.as_ref().and_then(|ban| ban.until)),
        "ban_reason": a.ban.as_ref().map(|ban| &ban.reason), "locked_until": instant(a.locked_until), "sessions": a.sessions, "keys": a.keys,
    })
}

fn instant(at: Option<OffsetDateTime>) -> Option<String> {
    at.and_then(|at| at.format(&Rfc3339).ok())
}
