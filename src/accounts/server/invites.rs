//! Invitations: links by which somebody may sign up where sign-up is not open to everybody. A link lets in a number of people, whoever
//! has it; or it is mailed to one address and lets in that one.

use super::{
    letters::Invited,
    store::{accounts, invites as store},
};
use crate::{
    accounts::model::Caller,
    activity::server::{Change, record},
    error::AppError,
    platform::{
        Ctx,
        config::SignUpMode,
        crypto::sha256,
        jobs::{self, Job, JobError},
        mail::{self, Reader},
    },
    ui::number::count,
    values::{Email, EventId, InviteId, permission_names as may},
};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};

pub use store::InviteFacts;

const MOST_USES: u32 = 1000;
const LONGEST: Duration = Duration::days(90);
/// So many may be open at once.
pub const MOST_OPEN: i64 = 500;
/// The longest list.
const MOST_SHOWN: i64 = 500;
/// An invitation is mailed again after this time at the earliest: two mails within it would be one that was asked for twice.
pub const RESENT_AFTER: Duration = Duration::minutes(1);

/// What became of an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InviteState {
    Open,
    UsedUp,
    Cancelled,
    Expired,
}

impl InviteState {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::UsedUp => "used",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }
}

impl InviteFacts {
    pub fn state(&self, now: OffsetDateTime) -> InviteState {
        match (self.cancelled_at, self.uses_left) {
            (Some(_), _) => InviteState::Cancelled,
            (None, 0) => InviteState::UsedUp,
            (None, _) if self.expires_at <= now => InviteState::Expired,
            (None, _) => InviteState::Open,
        }
    }

    /// For whom it is.
    pub fn whom(&self) -> &str {
        self.email.as_deref().unwrap_or("whoever has the link")
    }
}

/// What became of the wish to mail an invitation again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resent {
    Sent(InviteFacts),
    /// Nothing was mailed: the last mail is so many seconds old, and so many are to wait.
    TooSoon {
        invite: InviteFacts,
        ago: u64,
        wait: u64,
    },
}

impl Resent {
    pub const fn invite(&self) -> &InviteFacts {
        match self {
            Self::Sent(invite) | Self::TooSoon { invite, .. } => invite,
        }
    }

    /// What whoever asked is told.
    pub fn words(&self) -> String {
        let whom = self.invite().whom();
        match self {
            Self::Sent(_) => format!("We sent a new link to {whom}. The previous one no longer works."),
            Self::TooSoon { ago, wait, .. } => {
                let (ago, wait) = (count(*ago, "second", "seconds"), count(*wait, "second", "seconds"));
                format!("Not sent: the last email to {whom} was {ago} ago. You can send it again in {wait}.")
            }
        }
    }
}

/// Makes a link that lets in so many people for so long. Only its hash is kept.
pub async fn create_invite(ctx: &Ctx, actor: &Caller, uses: u32, lives: Duration) -> Result<String, AppError> {
    make_link(ctx, actor, uses, lives, &ctx.rng.base62(43)).await
}

/// The same by a form, which its page gave a random name. Sent twice it makes one link, and answers that both times: the link is derived
/// from the name, which is not stored.
pub async fn create_invite_by_form(ctx: &Ctx, actor: &Caller, uses: u32, lives: Duration, form: &str) -> Result<String, AppError> {
    let said = format!("{}:{form}:{uses}:{}", actor.account, lives.whole_seconds());
    let token = data_encoding::HEXLOWER.encode(&ctx.vault.keyed_hash(FORM, said.as_bytes()));
    make_link(ctx, actor, uses, lives, &token).await
}

async fn make_link(ctx: &Ctx, actor: &Caller, uses: u32, lives: Duration, token: &str) -> Result<String, AppError> {
    actor.require(&may::ACCOUNTS_MANAGE)?;
    if !(1..=MOST_USES).contains(&uses) {
        return Err(AppError::invalid("uses", format!("An invitation lets in 1 to {MOST_USES} people.")));
    }
    must_fit(lives)?;
    let (id, hash): (InviteId, _) = (ctx.new_id(), sha256(token));
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin().await?;
    must_have_room(&mut tx, now).await?;
    let uses = i32::try_from(uses).unwrap_or(1);
    let new = store::NewInvite { id, token_hash: &hash, by: actor.actor(), email: None, uses, now, expires_at: now + lives };
    let link = ctx.config.link(&format!("/sign-up?token={token}"));
    if !store::insert_invite(&mut tx, new).await? {
        let made_before = store::find_open(&mut *tx, &hash, now).await?;
        return made_before
            .map(|_| link)
            .ok_or_else(|| AppError::conflict("This form made an invitation that is over. Load the page again to make another one."));
    }
    record(ctx, &mut tx, change("invite.created", actor, id, serde_json::json!({ "uses": uses }))).await?;
    tx.commit().await?;
    Ok(link)
}

/// Invites one address by mail: nobody else can use that link. An address is invited once at a time, however it is written.
pub async fn invite_address(ctx: &Ctx, actor: &Caller, email: &str, lives: Duration) -> Result<InviteFacts, AppError> {
    actor.require(&may::ACCOUNTS_MANAGE)?;
    let email = Email::anew(email).map_err(|words| AppError::invalid("email", words))?;
    must_fit(lives)?;
    let (id, key): (InviteId, _) = (ctx.new_id(), email.key());
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin().await?;
    must_have_room(&mut tx, now).await?;
    if accounts::find_by_email(&mut *tx, &key).await?.is_some_and(|account| account.is_verified) {
        return Err(AppError::invalid("email", format!("{email} has an account already.")));
    }
    store::cancel_expired_of(&mut tx, &key, now).await?;
    let cause = record(ctx, &mut tx, change("invite.created", actor, id, serde_json::json!({ "uses": 1, "mailed": true }))).await?;
    let new = store::NewInvite {
        id,
        token_hash: &sha256(token(ctx, id, cause)),
        by: actor.actor(),
        email: Some((email.as_str(), key.as_str())),
        uses: 1,
        now,
        expires_at: now + lives,
    };
    if !store::insert_invite(&mut tx, new).await? {
        return Err(AppError::invalid("email", format!("{email} is invited already. Send that invitation again, or cancel it.")));
    }
    jobs::enqueue(ctx, &mut tx, &SendInvitation { invite: id, cause }).await?;
    let made = store::lock_invite(&mut tx, id).await?.ok_or(AppError::NotFound)?;
    tx.commit().await?;
    Ok(made)
}

/// Mails an invitation once more, with another link: the old one is dead. It lives as long as it did before, from now on. Asked for too soon
/// it changes nothing.
pub async fn resend_invite(ctx: &Ctx, actor: &Caller, id: InviteId) -> Result<Resent, AppError> {
    actor.require(&may::ACCOUNTS_MANAGE)?;
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin().await?;
    let invite = store::lock_invite(&mut tx, id).await?.ok_or(AppError::NotFound)?;
    let Some(sent) = invite.sent_at else {
        return Err(AppError::conflict("This invitation was not mailed, and its link is not kept. Cancel it and make another one."));
    };
    match invite.state(now) {
        InviteState::UsedUp => return Err(AppError::conflict("This invitation was used. Whoever used it signs in.")),
        InviteState::Cancelled => return Err(AppError::conflict("This invitation was cancelled. Make another one.")),
        InviteState::Expired => must_have_room(&mut tx, now).await?,
        InviteState::Open => {}
    }
    if now - sent < RESENT_AFTER {
        let seconds = |time: Duration| u64::try_from(time.whole_seconds()).unwrap_or(0);
        let ago = seconds(now - sent);
        return Ok(Resent::TooSoon { invite, ago, wait: seconds(RESENT_AFTER).saturating_sub(ago) });
    }
    let cause = record(ctx, &mut tx, change("invite.sent_again", actor, id, serde_json::Value::Null)).await?;
    store::update_sent(&mut tx, id, &sha256(token(ctx, id, cause)), now, now + (invite.expires_at - sent)).await?;
    jobs::enqueue(ctx, &mut tx, &SendInvitation { invite: id, cause }).await?;
    let sent = store::lock_invite(&mut tx, id).await?.ok_or(AppError::NotFound)?;
    tx.commit().await?;
    Ok(Resent::Sent(sent))
}

/// Takes an invitation back: its link is dead. Who came in by it stays. Cancelled twice, it is cancelled once.
pub async fn cancel_invite(ctx: &Ctx, actor: &Caller, id: InviteId) -> Result<InviteFacts, AppError> {
    actor.require(&may::ACCOUNTS_MANAGE)?;
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin().await?;
    let invite = store::lock_invite(&mut tx, id).await?.ok_or(AppError::NotFound)?;
    match invite.state(now) {
        InviteState::Cancelled => return Ok(invite),
        InviteState::UsedUp => return Err(AppError::conflict("This invitation was used. Whoever used it has an account.")),
        InviteState::Open | InviteState::Expired => {}
    }
    store::update_cancelled(&mut tx, id, now).await?;
    record(ctx, &mut tx, change("invite.cancelled", actor, id, serde_json::Value::Null)).await?;
    tx.commit().await?;
    Ok(InviteFacts { cancelled_at: Some(now), ..invite })
}

/// The newest ones: those that may be used, or those that are over.
pub async fn list_invites(ctx: &Ctx, actor: &Caller, over: bool) -> Result<Vec<InviteFacts>, AppError> {
    actor.require(&may::ADMIN_READ)?;
    Ok(store::list_invites(&ctx.db, over, ctx.clock.now(), MOST_SHOWN).await?)
}

/// For whom the invitation of a link is, masked; none: it can't be used. Changes nothing (R53).
pub async fn open_invite(ctx: &Ctx, token: &str) -> Result<Option<Option<String>>, AppError> {
    let open = store::find_open(&ctx.db, &sha256(token), ctx.clock.now()).await?;
    Ok(open.map(|invite| invite.email.and_then(|email| email.parse::<Email>().ok()).map(|email| email.masked())))
}

/// An invitation is for who has no account: who is signed in does not use it up.
pub fn must_be_nobody(ctx: &Ctx, caller: Option<&Caller>, invite: Option<&str>) -> Result<(), AppError> {
    match caller {
        Some(caller) if invite.is_some() && ctx.config.auth.sign_up == SignUpMode::Invite => {
            let words = format!("You are signed in as {}. Sign out first, then open the invitation again. It is still valid.", caller.email);
            Err(AppError::conflict(words))
        }
        _ => Ok(()),
    }
}

/// An invitation in the hands of whoever signs up.
#[derive(Debug, Clone, Copy)]
pub(super) struct InviteUse {
    /// The hash of its token.
    pub token: [u8; 32],
    /// The same for a form that is sent twice, and for nobody else: of the address and of what this browser alone holds. Whoever else has
    /// the link does not learn by it which address came in.
    pub mark: Option<[u8; 32]>,
}

/// The invitation, where one is needed; refused early if it can't be used, or not with this address. `held`: how the browser that opened the
/// link holds it; each time that somebody opens it, it is held otherwise.
pub(super) async fn invite_for(ctx: &Ctx, token: Option<&str>, held: Option<&str>, email: &Email) -> Result<Option<InviteUse>, AppError> {
    if ctx.config.auth.sign_up == SignUpMode::Open {
        return Ok(None);
    }
    let mark = held.map(|held| sha256(format!("{held}:{}", email.key())));
    let hash = sha256(token.unwrap_or_default());
    let open = store::find_usable(&ctx.db, &hash, mark.as_ref().map(<[u8; 32]>::as_slice), ctx.clock.now()).await?.ok_or_else(no_invite)?;
    if open.email_key.is_some_and(|key| key != email.key()) {
        let words = "This invitation only works with the address it was sent to. Sign up with that one, or ask for an invitation for this one.";
        return Err(AppError::invalid("email", words));
    }
    Ok(Some(InviteUse { token: hash, mark }))
}

pub(super) fn no_invite() -> AppError {
    AppError::conflict("Sign-up needs an invitation that is not used up, cancelled or too old. Open the link you were sent last again, or ask for a new one.")
}

async fn must_have_room(conn: &mut PgConnection, now: OffsetDateTime) -> Result<(), AppError> {
    if store::count_open(conn, now).await? >= MOST_OPEN {
        return Err(AppError::conflict(format!("{MOST_OPEN} invitations are open, and that is the most. Cancel some first.")));
    }
    Ok(())
}

fn must_fit(lives: Duration) -> Result<(), AppError> {
    if (Duration::MINUTE..=LONGEST).contains(&lives) {
        return Ok(());
    }
    Err(AppError::invalid("expires", "An invitation lives a minute at least and 90 days at most."))
}

fn change<'a>(kind: &'a str, actor: &'a Caller, id: InviteId, data: serde_json::Value) -> Change<'a> {
    Change { kind, actor: actor.actor(), actor_name: &actor.name, subject: Some(id.uuid()), data, ..Change::default() }
}

/// What the link of the mail about this event holds.
fn token(ctx: &Ctx, invite: InviteId, cause: EventId) -> String {
    data_encoding::HEXLOWER.encode(&ctx.vault.keyed_hash(LINK, about(invite, cause).as_bytes()))
}

/// The same under each master key: while servers get a new one, one after the other, another one mails the link than made it.
fn tokens(ctx: &Ctx, invite: InviteId, cause: EventId) -> Vec<String> {
    ctx.vault.keyed_hashes(LINK, about(invite, cause).as_bytes()).iter().map(|hash| data_encoding::HEXLOWER.encode(hash)).collect()
}

const LINK: &str = "invitation link";
const FORM: &str = "invitation link of a form";

fn about(invite: InviteId, cause: EventId) -> String {
    format!("{invite}:{cause}")
}

/// The link to who was invited.
#[derive(Debug, Serialize, Deserialize)]
pub struct SendInvitation {
    pub invite: InviteId,
    pub cause: EventId,
}

impl Job for SendInvitation {
    const KIND: &'static str = "accounts.send_invitation";

    async fn run(self, ctx: &Ctx) -> Result<(), JobError> {
        send_invitation(ctx, self.invite, self.cause).await
    }
}

/// Nothing if it was cancelled, used, or sent again meanwhile.
async fn send_invitation(ctx: &Ctx, id: InviteId, cause: EventId) -> Result<(), JobError> {
    let mut found = None;
    for token in tokens(ctx, id, cause) {
        if store::is_token_of(&ctx.db, id, &sha256(&token), ctx.clock.now()).await? {
            found = Some(token);
            break;
        }
    }
    let Some(token) = found else { return Ok(()) };
    let mut conn = ctx.db.acquire().await?;
    let Some(InviteFacts { email: Some(email), sent_at: Some(at), expires_at: until, .. }) = store::lock_invite(&mut conn, id).await? else { return Ok(()) };
    drop(conn);
    let link = ctx.config.link(&format!("/sign-up?token={token}"));
    let reader = Reader::new(&email, "", ctx.config.mail.language.as_str(), "UTC")?;
    mail::send(ctx, &reader.write(&Invited { link, at, until })).await
}
