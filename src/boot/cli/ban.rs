//! `tollgate ban …`: mail domains and networks from which nobody comes in. Accounts are banned by `tollgate account ban`.

use super::{
    Exit, Invocation,
    missing::{OrNo, Thing},
    with_ctx,
};
use crate::{
    accounts::{
        Caller,
        server::{self as accounts, BanFacts, Target, Term, Visitor},
    },
    error::AppError,
    keys::server::{self as keys, nodes},
    platform::Ctx,
    values::BanId,
};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

#[derive(Subcommand)]
pub(super) enum BanCommand {
    /// List the bans in force, of accounts too, newest first
    List {
        /// Those that are over
        #[arg(long)]
        over: bool,
    },
    /// Ban a mail domain with all below it, an address or a network: spam.example, 203.0.113.7, 203.0.113.0/24
    Add {
        target: String,
        #[command(flatten)]
        term: BanTerm,
    },
    /// Lift a ban: its id
    Lift { id: String },
}

/// Why, and for how long. Without an end: until it is lifted.
#[derive(Args)]
pub(super) struct BanTerm {
    /// What the person reads when they try to come in
    #[arg(long, value_name = "WORDS")]
    pub(super) reason: String,
    /// When it ends: 2026-12-01T00:00:00Z
    #[arg(long, value_name = "TIME", conflicts_with = "lasts")]
    until: Option<String>,
    /// How long it lasts: 12h, 30d, 8w, 1y or never
    #[arg(long = "for", value_name = "SPAN")]
    lasts: Option<String>,
}

impl BanTerm {
    pub(super) fn until(&self, ctx: &Ctx) -> Result<Option<OffsetDateTime>, AppError> {
        let at = |text: &String| OffsetDateTime::parse(text, &Rfc3339).map_err(|_| AppError::invalid("until", "Write the end as 2026-12-01T00:00:00Z."));
        let lasting = self.lasts.as_ref().map(|lasts| keys::lifetime(lasts).map_err(|words| AppError::invalid("for", words))).transpose()?;
        Ok(self.until.as_ref().map(at).transpose()?.or_else(|| lasting.flatten().map(|lasting| ctx.clock.now() + lasting)))
    }
}

impl BanCommand {
    pub(super) async fn run(self, invocation: &Invocation) -> Exit {
        with_ctx(&invocation.config, "ban", async |ctx| match self {
            Self::List { over } => list(ctx, invocation, over).await,
            Self::Add { target, term } => add(ctx, invocation, &target, &term).await,
            Self::Lift { id } => lift(ctx, invocation, &id).await,
        })
        .await
    }
}

async fn list(ctx: &Ctx, invocation: &Invocation, over: bool) -> Result<Exit, AppError> {
    let found = accounts::list_bans(ctx, &Caller::cli(), over).await?;
    let lines: Vec<String> = found.iter().map(line).collect();
    invocation.answer(&found.iter().map(facts).collect::<Value>(), &if lines.is_empty() { "No bans.".to_owned() } else { lines.join("\n") });
    Ok(Exit::Done)
}

async fn add(ctx: &Ctx, invocation: &Invocation, target: &str, term: &BanTerm) -> Result<Exit, AppError> {
    let until = term.until(ctx)?;
    if invocation.dry_run {
        let target: Target = target.parse().map_err(|words| AppError::invalid("target", words))?;
        invocation.answer(&json!({ "what": target.to_string() }), &format!("Would ban {target}."));
        return Ok(Exit::Done);
    }
    let ban = accounts::add_ban(ctx, &Caller::cli(), &Visitor::terminal(), target, Term { reason: &term.reason, until }).await?;
    invocation.answer(&facts(&ban), &line(&ban));
    Ok(Exit::Done)
}

async fn lift(ctx: &Ctx, invocation: &Invocation, id: &str) -> Result<Exit, AppError> {
    let id: BanId = id.parse().map_err(|error: crate::values::IdError| AppError::invalid("id", error.to_string()))?;
    if invocation.dry_run {
        invocation.answer(&json!({ "id": id }), &format!("Would lift {id}."));
        return Ok(Exit::Done);
    }
    let ban = accounts::lift_ban(ctx, &Caller::cli(), &Visitor::terminal(), id).await.or_no(Thing::Ban, id)?;
    let spread = match ban.account {
        Some(account) => Some(nodes::spread_of_account(ctx, account).await),
        None => None,
    };
    let in_force = spread.as_ref().map(|spread| format!(" {}", spread.words("In force"))).unwrap_or_default();
    invocation.answer(&json!({ "id": id, "what": ban.what(), "spread": spread }), &format!("The ban of {} is lifted.{in_force}", ban.what()));
    Ok(Exit::Done)
}

fn line(ban: &BanFacts) -> String {
    let end = ban.until.map_or_else(|| "until it is lifted".to_owned(), |until| format!("until {}", instant(until)));
    format!("{}  {}  {end}  {}  by {}", ban.id, ban.what(), ban.reason, ban.by)
}

fn facts(ban: &BanFacts) -> Value {
    json!({
        "id": ban.id, "what": ban.what(), "account_id": ban.account, "reason": ban.reason, "by": ban.by, "at": instant(ban.at),
        "until": ban.until.map(instant), "lifted_at": ban.lifted_at.map(instant), "lifted_by": ban.lifter,
    })
}

fn instant(at: OffsetDateTime) -> String {
    at.format(&Rfc3339).unwrap_or_default()
}
