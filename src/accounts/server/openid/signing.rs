//! What becomes of somebody who came back from a provider to sign in: known ones come in by the door of everybody; new ones get an account
//! where sign-up is open to them. An address that has an account links nothing, unless the operator trusts this provider to have proven
//! it and no second factor guards the account; else its owner comes in as usual and confirms (R72).
//!
//! Where the provider's word for an address does not count, the answer tells nobody whether it has an account (R15): a mail does.

use super::{
    Finished, Offer,
    linking::{insert, tell},
    store,
    talk::Identity,
    told::Told,
};
use crate::{
    accounts::{
        model::{Caller, Door},
        server::{
            Visitor,
            attempts::{self, Attempt},
            begun, devices,
            entry::is_of_banned_domain,
            factors,
            invites::{invite_for, must_be_nobody},
            mail_asked::Wish,
            policies::ends_of,
            sign_in::{Proven, SignIn, admit, way_in},
            sign_up::{self, DEVELOPER, Inserted, Row, about, before_at, door, new_sign_up, use_invite},
            sign_up_fate::Fate,
            store::{
                accounts::{self, Account},
                departures::lock_account,
                factors as all_factors, tokens,
            },
        },
    },
    activity::server::{Change, record},
    error::AppError,
    platform::{Ctx, config::Provider, session},
    values::{AccountId, Email, Language, SessionId},
};
use serde_json::json;

/// What the browser holds of an account that may be made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Newcomer<'a> {
    /// Who is signed in there already.
    pub caller: Option<&'a Caller>,
    pub invite: Option<&'a str>,
    pub language: Language,
    /// What it told when it left for the provider.
    pub time_zone: Option<&'a str>,
}

/// Signs in or up whoever this is.
pub(super) async fn sign_in(
    ctx: &Ctx,
    from: &Visitor,
    provider: &Provider,
    who: &Identity,
    new: Newcomer<'_>,
    next: Option<String>,
) -> Result<Finished, AppError> {
    if let Some(account) = store::find_linked(&ctx.db, &who.issuer, &who.subject).await? {
        return Ok(Finished::SignedIn { outcome: enter(ctx, from, provider, account, who, false).await?, next });
    }
    let offer = || Finished::Offered { offer: Offer::of(ctx, provider, who), name: provider.name.clone() };
    let may_sign_up = provider.allow_sign_up && matches!(door(ctx, new.invite.is_some()), Door::Open | Door::Invited);
    let Some(email) = &who.email else { return Ok(offer()) };
    if !(provider.trusts_email && who.is_verified) {
        return if may_sign_up { sign_up_unproven(ctx, from, provider, who, email, new).await } else { Ok(offer()) };
    }
    match accounts::find_by_email(&ctx.db, &email.key()).await?.filter(|account| account.is_verified) {
        Some(account) if factors::has_second_factor(ctx, account.id).await? => Ok(offer()),
        Some(account) => Ok(Finished::SignedIn { outcome: enter(ctx, from, provider, account.id, who, true).await?, next }),
        None if may_sign_up => {
            let account = sign_up_proven(ctx, from, provider, who, email, new).await?;
            Ok(Finished::SignedIn { outcome: enter(ctx, from, provider, account, who, false).await?, next })
        }
        None => Err(AppError::conflict("You can't create an account here this way. Ask the operator of this site for one.")),
    }
}

/// Through the door of everybody, and the second factor before it where there is one. The session begins in the transaction that finds the
/// link still there: whoever takes it away holds the account, too. `links`: it is linked by this.
async fn enter(ctx: &Ctx, from: &Visitor, provider: &Provider, id: AccountId, who: &Identity, links: bool) -> Result<SignIn, AppError> {
    let account = accounts::find_account(&ctx.db, id).await?.ok_or(AppError::NotFound)?;
    if !provider.replaces_second_factor && factors::has_second_factor(ctx, id).await? {
        store::update_link_used(&ctx.db, id, &who.issuer, &who.subject, ctx.clock.now()).await?;
        return Ok(SignIn::SecondFactor(factors::pend(ctx, &account).await?));
    }
    let way = way_in(ctx, from, &account).await?;
    let mut proven = Proven { account: id, password_set_at: account.password_set_at, session: None };
    if way.is_free() {
        proven.session = Some(let_in(ctx, from, provider, &account, who, links).await?);
    }
    way.taken_by(proven)
}

async fn let_in(ctx: &Ctx, from: &Visitor, provider: &Provider, account: &Account, who: &Identity, links: bool) -> Result<SessionId, AppError> {
    let again = || AppError::conflict("Your account was changed a moment ago. Sign in again.");
    let device = devices::known(ctx, Some(account.id)).await?;
    let (id, now): (SessionId, _) = (ctx.new_id(), ctx.clock.now());
    let mut tx = ctx.db.begin().await?;
    if !lock_account(&mut tx, account.id).await? {
        return Err(again());
    }
    if links {
        if !insert(ctx, &mut tx, account.id, provider, &who.subject, who.email.as_ref().map(Email::as_str)).await? {
            return Err(again());
        }
        let mut change = Change { kind: "sign_in.linked", workspace: account.workspace, ..about(account.id, &account.name, from) };
        change.data["name"] = json!(provider.name);
        let cause = record(ctx, &mut tx, change).await?;
        tell(ctx, &mut tx, account.id, cause, &provider.name, Told::Linked).await?;
    }
    let is_linked = store::update_link_used(&mut *tx, account.id, &who.issuer, &who.subject, now).await?;
    let wants_factor = !provider.replaces_second_factor && all_factors::has_second(&mut *tx, account.id).await?;
    if !is_linked || wants_factor {
        return Err(again());
    }
    let ends = ends_of(ctx, &mut *tx, account.id).await?;
    session::keep(&mut tx, session::Kept { id, account: account.id, device: &from.device, address: from.address, now, ends }).await?;
    admit(ctx, &mut tx, account, device, from).await?;
    tx.commit().await?;
    Ok(id)
}

/// Nobody typed the address here, so there is no field to say it beside.
fn without_field(error: AppError) -> AppError {
    match error {
        AppError::Invalid { fields } => AppError::conflict(fields.into_iter().map(|field| field.message).collect::<Vec<_>>().join(" ")),
        other => other,
    }
}

/// An account whose address the provider has proven, without a password.
async fn sign_up_proven(ctx: &Ctx, from: &Visitor, provider: &Provider, who: &Identity, email: &Email, new: Newcomer<'_>) -> Result<AccountId, AppError> {
    must_be_nobody(ctx, new.caller, new.invite)?;
    let invite = invite_for(ctx, new.invite, None, email).await.map_err(without_field)?;
    if is_of_banned_domain(ctx, email).await? {
        return Err(AppError::refused("You can't create an account with an address at this domain."));
    }
    let again = || AppError::conflict("Somebody just created an account with this address or sign-in. Start again.");
    let name = name_of(who, email);
    let mut tx = ctx.db.begin().await?;
    let sign_up = new_sign_up(ctx);
    use_invite(ctx, &mut tx, invite, email, sign_up).await?;
    let row = Row { sign_up, email, name: &name, time_zone: new.time_zone, language: new.language, password_hash: None, is_verified: true };
    let Inserted { account, workspace } = sign_up::insert(ctx, &mut tx, row, &[DEVELOPER]).await?.ok_or_else(again)?;
    tokens::delete_tokens(&mut tx, account, &["verify_email"]).await?;
    if !insert(ctx, &mut tx, account, provider, &who.subject, Some(email.as_str())).await? {
        return Err(again());
    }
    let mut change = Change { kind: "account.signed_up", workspace: Some(workspace), ..about(account, &name, from) };
    change.data["provider"] = json!(provider.slug.as_str());
    record(ctx, &mut tx, change).await?;
    tx.commit().await?;
    Ok(account)
}

/// The same for an address that is yet to be proven by mail. Known and unknown ones are answered alike, and cost the same (`sign_up_fate`).
async fn sign_up_unproven(ctx: &Ctx, from: &Visitor, provider: &Provider, who: &Identity, email: &Email, new: Newcomer<'_>) -> Result<Finished, AppError> {
    must_be_nobody(ctx, new.caller, new.invite)?;
    let invite = invite_for(ctx, new.invite, None, email).await.map_err(without_field)?;
    Attempt::charge(ctx, &attempts::MAIL_FROM, &attempts::network(from.address)).await?;
    Attempt::charge(ctx, &attempts::MAIL, &email.key()).await?;
    let mailed = Finished::Mailed { email: email.clone(), offer: Offer::of(ctx, provider, who) };
    let is_banned = is_of_banned_domain(ctx, email).await?;
    let mut tx = ctx.db.begin().await?;
    let fate = Fate::of(&mut tx, email, is_banned).await?;
    let written_as = fate.address(ctx, email)?;
    let sign_up = new_sign_up(ctx);
    if fate != Fate::Nothing {
        use_invite(ctx, &mut tx, invite, email, sign_up).await?;
    }
    let mut draft = sqlx::Connection::begin(&mut *tx).await?;
    if fate == Fate::Nothing {
        use_invite(ctx, &mut draft, invite, email, sign_up).await?;
    }
    let name = name_of(who, email);
    let row = Row { sign_up, email: &written_as, name: &name, time_zone: new.time_zone, language: new.language, password_hash: None, is_verified: false };
    let Some(Inserted { account, workspace }) = sign_up::insert(ctx, &mut draft, row, &[DEVELOPER]).await? else {
        return Err(AppError::Unavailable { retry_after: 1 }); // proven between the two statements
    };
    tokens::delete_tokens(&mut draft, account, &["verify_email"]).await?;
    if !insert(ctx, &mut draft, account, provider, &who.subject, Some(email.as_str())).await? {
        return Err(AppError::conflict("This sign-in was just used. Start again."));
    }
    let mut change = Change { kind: "account.signed_up", workspace: Some(workspace), ..about(account, &name, from) };
    change.data["provider"] = json!(provider.slug.as_str());
    let cause = record(ctx, &mut draft, change).await?;
    fate.keep(draft).await?;
    fate.tell(ctx, &mut tx, from, account, cause, Wish::SignUpWith(provider.name.clone())).await?;
    tx.commit().await?;
    begun::remember(ctx, sign_up);
    Ok(mailed)
}

/// What the provider calls them, if that is a name here, too.
fn name_of(who: &Identity, email: &Email) -> String {
    let told = who.name.as_deref().and_then(|name| sign_up::name(name).ok());
    told.unwrap_or_else(|| before_at(email.as_str()).to_owned())
}
