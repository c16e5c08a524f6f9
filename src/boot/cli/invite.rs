//! `tollgate invite …`: invitations by which people may sign up where that needs one.

use super::{
    Exit, Invocation,
    missing::{OrNo, Thing},
    with_ctx,
};
use crate::{
    accounts::{
        Caller,
        server::{self as accounts, InviteFacts},
    },
    error::AppError,
    platform::Ctx,
    ui::number::count,
    values::{Email, IdError, InviteId},
};
use clap::Subcommand;
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

#[derive(Subcommand)]
pub(super) enum InviteCommand {
    /// Make a link to sign up with; or mail one to an address, which lets in nobody else
    Create {
        /// The address that is invited
        #[arg(long, conflicts_with = "uses")]
        email: Option<String>,
        /// How many people it lets in
        #[arg(long, default_value_t = 1)]
        uses: u32,
        /// How many days it lives
        #[arg(long, default_value_t = 7)]
        days: i64,
    },
    /// List the invitations that may be used, newest first
    List {
        /// Those that are over: used, cancelled, expired
        #[arg(long)]
        over: bool,
    },
    /// Mail an invitation again, with another link: its id
    Resend { id: String },
    /// Take an invitation back: its id
    Cancel { id: String },
}

impl InviteCommand {
    pub(super) async fn run(self, invocation: &Invocation) -> Exit {
        with_ctx(&invocation.config, "invite", async |ctx| match self {
            Self::Create { email: Some(email), .. } if invocation.dry_run => {
                let email = Email::anew(&email).map_err(|words| AppError::invalid("email", words))?;
                Ok(would(invocation, &format!("Would invite {email}.")))
            }
            Self::Create { uses, .. } if invocation.dry_run => {
                Ok(would(invocation, &format!("Would make a link that lets in {}.", count(uses.into(), "person", "people"))))
            }
            Self::Resend { id } if invocation.dry_run => Ok(would(invocation, &format!("Would mail {} again.", parsed(&id)?))),
            Self::Cancel { id } if invocation.dry_run => Ok(would(invocation, &format!("Would cancel {}.", parsed(&id)?))),
            Self::Create { email: Some(email), days, .. } => {
                let made = accounts::invite_address(ctx, &Caller::cli(), &email, lives(days)).await?;
                invocation.answer(&facts(&made, ctx.clock.now()), &format!("A mail is on its way to {}.", made.whom()));
                Ok(Exit::Done)
            }
            Self::Create { email: None, uses, days } => {
                let link = accounts::create_invite(ctx, &Caller::cli(), uses, lives(days)).await?;
                invocation.answer(&json!({ "link": link, "uses": uses }), &link);
                Ok(Exit::Done)
            }
            Self::List { over } => list(ctx, invocation, over).await,
            Self::Resend { id } => {
                let sent = accounts::resend_invite(ctx, &Caller::cli(), parsed(&id)?).await.or_no(Thing::Invitation, &id)?;
                invocation.answer(&facts(sent.invite(), ctx.clock.now()), &sent.words());
                Ok(Exit::Done)
            }
            Self::Cancel { id } => {
                let gone = accounts::cancel_invite(ctx, &Caller::cli(), parsed(&id)?).await.or_no(Thing::Invitation, &id)?;
                invocation.answer(&facts(&gone, ctx.clock.now()), &format!("The invitation for {} is cancelled.", gone.whom()));
                Ok(Exit::Done)
            }
        })
        .await
    }
}

/// Of a dry run: nothing is made, mailed or cancelled.
fn would(invocation: &Invocation, words: &str) -> Exit {
    invocation.answer(&json!({ "would": words }), words);
    Exit::Done
}

fn lives(days: i64) -> Duration {
    Duration::days(days.clamp(0, 1000))
}

fn parsed(id: &str) -> Result<InviteId, AppError> {
    id.parse().map_err(|error: IdError| AppError::invalid("id", error.to_string()))
}

async fn list(ctx: &Ctx, invocation: &Invocation, over: bool) -> Result<Exit, AppError> {
    let now = ctx.clock.now();
    let found = accounts::list_invites(ctx, &Caller::cli(), over).await?;
    let lines: Vec<String> = found.iter().map(|invite| line(invite, now)).collect();
    let words = if lines.is_empty() { "No invitations.".to_owned() } else { lines.join("\n") };
    invocation.answer(&found.iter().map(|invite| facts(invite, now)).collect::<Value>(), &words);
    Ok(Exit::Done)
}

fn line(invite: &InviteFacts, now: OffsetDateTime) -> String {
    let used = invite.uses - invite.uses_left;
    format!("{}  {}  {}  {used} of {} used  until {}", invite.id, invite.whom(), invite.state(now).as_str(), invite.uses, instant(invite.expires_at))
}

fn facts(invite: &InviteFacts, now: OffsetDateTime) -> Value {
    json!({
        "id": invite.id, "email": invite.email, "state": invite.state(now).as_str(), "uses": invite.uses, "used": invite.uses - invite.uses_left,
        "created_at": instant(invite.created_at), "expires_at": instant(invite.expires_at), "sent_at": invite.sent_at.map(instant),
    })
}

fn instant(at: OffsetDateTime) -> String {
    at.format(&Rfc3339).unwrap_or_default()
}
