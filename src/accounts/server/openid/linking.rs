//! Which sign-ins elsewhere let somebody into an account: listed, added after a proof, taken away. One that was shown to us by somebody
//! who is not signed in waits as a sealed offer in their browser, until they came in the ordinary way and confirmed it.

use super::{
    named, store,
    talk::Identity,
    told::{SendSignInTold, Told},
};
use crate::{
    accounts::{
        model::{Caller, Linked, PendingLink},
        server::{
            Visitor,
            factors::{require_recent_proof, session_of},
            profile::when,
            sessions::must_still_be_in,
            sign_up::about,
            store::{
                accounts,
                departures::lock_account,
                factors::{find_facts, pending},
            },
        },
    },
    activity::server::{Change, record},
    error::AppError,
    platform::{Ctx, config::Provider, jobs},
    values::{AccountId, EventId, LinkId, Slug, permission_names as may},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sqlx::PgConnection;
use time::Duration;

/// How long an offer waits: time to find a password, or a mail.
pub const OFFER_LASTS: Duration = Duration::hours(1);

/// A proven sign-in elsewhere that belongs to no account yet, sealed in the browser of who proved it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Offer {
    provider: Slug,
    subject: String,
    email: Option<String>,
    /// Seconds since 1970.
    until: i64,
}

impl Offer {
    pub(super) fn of(ctx: &Ctx, provider: &Provider, identity: &Identity) -> Self {
        let email = identity.email.as_ref().map(ToString::to_string);
        Self { provider: provider.slug.clone(), subject: identity.subject.clone(), email, until: (ctx.clock.now() + OFFER_LASTS).unix_timestamp() }
    }

    pub fn text(&self) -> Result<String, AppError> {
        serde_json::to_string(self).map_err(AppError::internal)
    }

    fn read(ctx: &Ctx, held: Option<&str>) -> Option<Self> {
        let offer: Self = serde_json::from_str(held?).ok()?;
        (ctx.clock.now().unix_timestamp() < offer.until).then_some(offer)
    }
}

/// The caller's own.
pub async fn linked(ctx: &Ctx, caller: &Caller) -> Result<Vec<Linked>, AppError> {
    caller.require(&may::ACCOUNT_READ)?;
    view(ctx, caller, caller.account).await
}

/// Those of any account, for operators; times in their zone.
pub async fn linked_of(ctx: &Ctx, caller: &Caller, account: AccountId) -> Result<Vec<Linked>, AppError> {
    caller.require(&may::ADMIN_READ)?;
    view(ctx, caller, account).await
}

/// What waits in this browser to be linked, and is not yet.
pub async fn pending_link(ctx: &Ctx, caller: &Caller, held: Option<&str>) -> Result<Option<PendingLink>, AppError> {
    caller.require(&may::ACCOUNT_READ)?;
    let Some(offer) = Offer::read(ctx, held) else { return Ok(None) };
    let provider = named(ctx, offer.provider.as_str())?;
    let is_linked = store::find_linked(&ctx.db, &provider.issuer, &offer.subject).await?.is_some();
    Ok((!is_linked).then(|| PendingLink { name: provider.name.clone(), email: offer.email }))
}

/// Links what waits in this browser; answers the provider's name.
pub async fn confirm_link(ctx: &Ctx, caller: &Caller, from: &Visitor, held: Option<&str>) -> Result<String, AppError> {
    caller.require(&may::ACCOUNT_WRITE)?;
    session_of(caller)?;
    require_recent_proof(ctx, caller).await?;
    let offer = Offer::read(ctx, held).ok_or_else(|| AppError::conflict("There is nothing to link. The request expired after an hour. Start again."))?;
    let provider = named(ctx, offer.provider.as_str())?;
    link(ctx, caller, from, provider, &offer.subject, offer.email.as_deref()).await?;
    Ok(provider.name.clone())
}

/// Links a sign-in to the caller's account. Nothing is done if it is linked already.
pub(super) async fn link(ctx: &Ctx, caller: &Caller, from: &Visitor, provider: &Provider, subject: &str, email: Option<&str>) -> Result<(), AppError> {
    let mut tx = ctx.db.begin().await?;
    if !lock_account(&mut tx, caller.account).await? {
        return Err(AppError::NotFound);
    }
    must_still_be_in(&mut tx, caller).await?;
    if !insert(ctx, &mut tx, caller.account, provider, subject, email).await? {
        return match store::find_linked(&mut *tx, &provider.issuer, subject).await? {
            Some(owner) if owner == caller.account => Ok(()),
            _ => Err(AppError::conflict(format!("This {} sign-in is linked to another account. Unlink it there first.", provider.name))),
        };
    }
    let mut change = Change { kind: "sign_in.linked", workspace: Some(caller.workspace), ..about(caller.account, &caller.name, from) };
    change.data["name"] = json!(provider.name);
    let cause = record(ctx, &mut tx, change).await?;
    tell(ctx, &mut tx, caller.account, cause, &provider.name, Told::Linked).await?;
    Ok(tx.commit().await?)
}

/// Takes a sign-in away. The last way into the account stays.
pub async fn unlink(ctx: &Ctx, caller: &Caller, from: &Visitor, id: &str) -> Result<(), AppError> {
    caller.require(&may::ACCOUNT_WRITE)?;
    require_recent_proof(ctx, caller).await?;
    let id: LinkId = id.parse().map_err(|_| AppError::NotFound)?;
    let mut tx = ctx.db.begin().await?;
    // The account first, as everybody does: of two that are taken away at once, one finds itself the last.
    if !lock_account(&mut tx, caller.account).await? {
        return Err(AppError::NotFound);
    }
    must_still_be_in(&mut tx, caller).await?;
    let links = store::list_links(&mut *tx, caller.account).await?;
    let link = links.iter().find(|link| link.id == id).ok_or(AppError::NotFound)?;
    if !has_other_way(ctx, &mut tx, caller.account, &links, id).await? {
        return Err(AppError::conflict("This is the only way into your account. Set a password first, or link another sign-in."));
    }
    store::delete_link(&mut tx, caller.account, id).await?;
    pending::delete_pending_of(&mut tx, caller.account).await?;
    let name = display_name(ctx, link);
    let mut change = Change { kind: "sign_in.unlinked", workspace: Some(caller.workspace), ..about(caller.account, &caller.name, from) };
    change.data["name"] = json!(name);
    let cause = record(ctx, &mut tx, change).await?;
    tell(ctx, &mut tx, caller.account, cause, &name, Told::Unlinked).await?;
    Ok(tx.commit().await?)
}

/// Whether somebody comes in without this link: by a password, a passkey, or another link whose provider is still there.
async fn has_other_way(ctx: &Ctx, conn: &mut PgConnection, account: AccountId, links: &[store::Link], without: LinkId) -> Result<bool, AppError> {
    let has_password = accounts::find_account(&mut *conn, account).await?.is_some_and(|account| account.password_hash.is_some());
    let has_passkey = find_facts(&mut *conn, account).await?.passkeys > 0;
    Ok(has_password || has_passkey || links.iter().any(|link| link.id != without && is_offered(ctx, link)))
}

/// Writes the link; false if it is somebody's already.
pub(super) async fn insert(
    ctx: &Ctx,
    conn: &mut PgConnection,
    account: AccountId,
    provider: &Provider,
    subject: &str,
    email: Option<&str>,
) -> sqlx::Result<bool> {
    let slug = provider.slug.as_str();
    let new = store::NewLink { id: ctx.new_id(), account, provider: slug, issuer: &provider.issuer, subject, email, now: ctx.clock.now() };
    store::insert_link(conn, new).await
}

/// Whether a sign-in elsewhere lets the owner of this account in.
pub async fn is_linked(ctx: &Ctx, conn: &mut PgConnection, account: AccountId) -> sqlx::Result<bool> {
    Ok(store::list_links(conn, account).await?.iter().any(|link| is_offered(ctx, link)))
}

/// Mails it to the account.
pub(super) async fn tell(ctx: &Ctx, conn: &mut PgConnection, account: AccountId, cause: EventId, provider: &str, told: Told) -> sqlx::Result<()> {
    jobs::enqueue(ctx, conn, &SendSignInTold { account, cause, provider: provider.to_owned(), told }).await?;
    Ok(())
}

async fn view(ctx: &Ctx, reader: &Caller, account: AccountId) -> Result<Vec<Linked>, AppError> {
    let now = ctx.clock.now();
    let words = |at| when(at, now, &reader.time_zone);
    let one = |link: store::Link| Linked {
        id: link.id,
        name: display_name(ctx, &link),
        is_offered: is_offered(ctx, &link),
        email: link.email,
        since: words(link.created_at),
        used: link.last_used_at.map(words),
    };
    Ok(store::list_links(&ctx.db, account).await?.into_iter().map(one).collect())
}

fn is_offered(ctx: &Ctx, link: &store::Link) -> bool {
    ctx.config.sign_in.providers.iter().any(|provider| provider.issuer == link.issuer)
}

/// As the provider is called now, else by its slug of then.
fn display_name(ctx: &Ctx, link: &store::Link) -> String {
    let now = ctx.config.sign_in.providers.iter().find(|provider| provider.issuer == link.issuer);
    now.map_or_else(|| link.provider.clone(), |provider| provider.name.clone())
}
