//! Signing up: an account that has yet to prove its address, with its personal workspace, in one transaction.
//!
//! The answer never tells whether the address had an account (R15): its owner is told by mail. An address that was never proven
//! is nobody's, so signing up again overwrites what stood there (R57), the mailed proofs with it.

use super::{
    Visitor,
    attempts::{self, Attempt},
    begun,
    entry::is_of_banned_domain,
    factors::{FirstPasskey, checked_passkey, insert_first},
    fields::{
        sign_up_fields,
        values::{self, Sent},
    },
    invites::{InviteUse, invite_for, no_invite},
    mail_asked::Wish,
    password_rules,
    passwords::Passwords,
    sign_up_fate::Fate,
    sign_up_work::must_have_worked,
    store::{accounts as store, factors::passkeys, invites, linked, tokens},
};
use crate::{
    accounts::model::{Door, FieldValue, WorkDone},
    activity::server::{Change, record},
    error::{AppError, Fields},
    platform::{Ctx, config::SignUpMode},
    values::{AccountId, Email, Language, WorkspaceId, is_blank, stands_for_another, turns_writing},
};
use secrecy::SecretString;
use sqlx::PgConnection;
use uuid::Uuid;

/// What somebody typed to sign up.
#[derive(Debug, Clone)]
pub struct NewSignUp {
    pub email: String,
    /// Empty: what stands before the @ of the address.
    pub name: String,
    pub with: SignUpWith,
    /// IANA name, as the browser told it; an unknown one counts as none.
    pub time_zone: Option<String>,
    /// What the browser would like to read; none: the one that is configured. It becomes the account's.
    pub language: Option<Language>,
    /// The token of an invitation.
    pub invite: Option<String>,
    /// How the browser that opened its link holds it (`invites::invite_for`): a form that is sent twice is answered twice alike.
    pub held: Option<String>,
    /// What the operators ask for, by the slugs of the fields.
    pub fields: Sent,
    /// What the browser computed, where that is asked.
    pub work: WorkDone,
    /// The field that no person sees was filled in: the answer is the usual one, and nothing comes of it (S10).
    pub is_bot: bool,
}

/// What they will sign in with. Who has a passkey only sets a password by "Forgot password".
#[derive(Debug, Clone)]
pub enum SignUpWith {
    Password(SecretString),
    Passkey {
        /// What ties the question to the browser (`factors::browser_of`).
        browser: String,
        /// What its authenticator answered.
        answer: String,
    },
}

/// An account that somebody trusted makes: the command line, demo data, tests.
#[derive(Debug, Clone)]
pub struct NewAccount<'a> {
    pub email: Email,
    pub name: &'a str,
    /// None: nobody can sign in until a link sets one.
    pub password: Option<SecretString>,
    pub roles: &'a [&'a str],
    pub is_verified: bool,
    /// Who makes it: `cli`, `system`.
    pub by: &'a str,
}

/// The longest name, in characters.
const NAME_CHARS: usize = 80;
pub const DEVELOPER: &str = "developer";
pub const OPERATOR: &str = "operator";

/// Signs up, and answers the address that mail goes to: the same for known and unknown ones.
pub async fn sign_up(ctx: &Ctx, from: &Visitor, input: NewSignUp) -> Result<Email, AppError> {
    must_not_be_closed(ctx)?;
    let asked = sign_up_fields(ctx).await?;
    let mut fields = Fields::default();
    let names = checked_names(&mut fields, &input.email, &input.name);
    if let SignUpWith::Password(password) = &input.with {
        fields.check("password", password_rules::check_new(ctx, password, &input.name, input.email.trim()).await);
    }
    let filled = values::of_sign_up(&asked, &input.fields, &mut fields);
    fields.done()?;
    let (email, name) = names.ok_or(AppError::NotFound)?;
    let invite = invite_for(ctx, input.invite.as_deref(), input.held.as_deref(), &email).await?;
    must_have_worked(ctx, from, &input.work).await?;
    Attempt::charge(ctx, &attempts::MAIL_FROM, &attempts::network(from.address)).await?;
    Attempt::charge(ctx, &attempts::MAIL, &email.key()).await?;
    let (password_hash, passkey) = match &input.with {
        SignUpWith::Password(password) => (Some(Passwords::of(ctx)?.hash(&ctx.rng, password).await?), None),
        SignUpWith::Passkey { browser, answer } => (None, Some(checked_passkey(ctx, browser, answer, &email).await?)),
    };
    let NewSignUp { time_zone, language, is_bot, .. } = input;
    join(ctx, from, Joining { email, name, time_zone, language, invite, password_hash, passkey, filled, is_bot }).await
}

/// A sign-up whose parts are all good.
struct Joining {
    email: Email,
    name: String,
    time_zone: Option<String>,
    language: Option<Language>,
    /// The invitation, where one is needed.
    invite: Option<InviteUse>,
    password_hash: Option<String>,
    passkey: Option<FirstPasskey>,
    filled: Vec<FieldValue>,
    is_bot: bool,
}

async fn join(ctx: &Ctx, from: &Visitor, it: Joining) -> Result<Email, AppError> {
    let Joining { email, name, time_zone, language, invite, password_hash, passkey, filled, is_bot } = it;
    // The same answer, and nothing else: whoever tries domain after domain learns nothing, nor does a program that fills in everything.
    let comes_to_nothing = is_of_banned_domain(ctx, &email).await? || is_bot;
    let mut tx = ctx.db.begin().await?;
    let fate = Fate::of(&mut tx, &email, comes_to_nothing).await?;
    let written_as = fate.address(ctx, &email)?;
    let sign_up = new_sign_up(ctx);
    if fate != Fate::Nothing {
        use_invite(ctx, &mut tx, invite, &email, sign_up).await?;
    }
    let mut draft = sqlx::Connection::begin(&mut *tx).await?;
    if fate == Fate::Nothing {
        use_invite(ctx, &mut draft, invite, &email, sign_up).await?;
    }
    follow_use(&mut draft, invite, sign_up).await?;
    let time_zone = time_zone.filter(|zone| super::profile::is_time_zone(zone));
    let language = language.unwrap_or(ctx.config.mail.language);
    let time_zone = time_zone.as_deref();
    let row = Row { sign_up, email: &written_as, name: &name, time_zone, language, password_hash: password_hash.as_deref(), is_verified: false };
    let Some(Inserted { account, workspace }) = insert(ctx, &mut draft, row, &[DEVELOPER]).await? else {
        return Err(AppError::Unavailable { retry_after: 1 }); // proven between the two statements
    };
    if let Some(passkey) = &passkey
        && !insert_first(ctx, &mut draft, account, passkey).await?
    {
        return Err(AppError::Unavailable { retry_after: 1 }); // kept elsewhere between the check and here
    }
    tokens::delete_tokens(&mut draft, account, &["verify_email"]).await?;
    values::write(&mut draft, account, &[], &filled).await?;
    let change = Change { kind: "account.signed_up", workspace: Some(workspace), ..about(account, &name, from) };
    let cause = record(ctx, &mut draft, change).await?;
    fate.keep(draft).await?;
    fate.tell(ctx, &mut tx, from, account, cause, Wish::SignUp).await?;
    tx.commit().await?;
    begun::remember(ctx, sign_up);
    Ok(email)
}

/// Takes one use of the invitation, where one is needed. It comes back if no account with the id `sign_up` is proven (`invites::give_back_uses`).
pub(super) async fn use_invite(ctx: &Ctx, conn: &mut PgConnection, invite: Option<InviteUse>, email: &Email, sign_up: Uuid) -> Result<(), AppError> {
    if let Some(InviteUse { token, mark }) = invite
        && !invites::use_invite(conn, &token, mark.as_ref().map(<[u8; 32]>::as_slice), &email.key(), sign_up, ctx.clock.now()).await?
    {
        return Err(no_invite());
    }
    Ok(())
}

/// A form that was sent before took its use for a sign-up that this one overwrites; undone with it, where this one comes to nothing.
async fn follow_use(draft: &mut PgConnection, invite: Option<InviteUse>, sign_up: Uuid) -> sqlx::Result<()> {
    match invite {
        Some(InviteUse { token, mark: Some(mark) }) => invites::update_use(draft, &token, &mark, sign_up).await,
        _ => Ok(()),
    }
}

/// Makes an account without a mail. Refused if the address belongs to somebody.
pub async fn create_account(ctx: &Ctx, new: &NewAccount<'_>) -> Result<AccountId, AppError> {
    let mut fields = Fields::default();
    let name = fields.check("name", name(new.name));
    if let Some(password) = &new.password {
        fields.check("password", password_rules::check_new(ctx, password, new.name, new.email.as_str()).await);
    }
    fields.done()?;
    let name = name.unwrap_or_default();
    let hash = match &new.password {
        Some(password) => Some(Passwords::of(ctx)?.hash(&ctx.rng, password).await?),
        None => None,
    };
    let mut tx = ctx.db.begin().await?;
    let row = Row {
        sign_up: new_sign_up(ctx),
        email: &new.email,
        name: &name,
        time_zone: None,
        language: ctx.config.mail.language,
        password_hash: hash.as_deref(),
        is_verified: new.is_verified,
    };
    let Some(Inserted { account, workspace }) = insert(ctx, &mut tx, row, new.roles).await? else {
        return Err(AppError::conflict(format!("{} has an account already.", new.email)));
    };
    let change = Change { kind: "account.created", workspace: Some(workspace), actor_name: new.by, subject: Some(account.uuid()), ..Change::default() };
    record(ctx, &mut tx, change).await?;
    tx.commit().await?;
    Ok(account)
}

/// Who may sign up, as the page says it.
pub fn door(ctx: &Ctx, has_invite: bool) -> Door {
    match ctx.config.auth.sign_up {
        SignUpMode::Open => Door::Open,
        SignUpMode::Invite if has_invite => Door::Invited,
        SignUpMode::Invite => Door::InviteNeeded,
        SignUpMode::Closed => Door::Closed,
    }
}

/// What a person calls themself, as it is kept. Histories keep it beside words for who is no account, so it is none of these.
pub(super) fn name(text: &str) -> Result<String, String> {
    match label(text)? {
        name if stands_for_another(&name) => Err("In histories, this name would look like somebody else's. Choose another one.".to_owned()),
        name => Ok(name),
    }
}

/// A name of whatever a person has, as it is kept: trimmed, one line.
pub(super) fn label(text: &str) -> Result<String, String> {
    let name = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match name.chars().count() {
        0 => Err("Enter a name.".to_owned()),
        n if n > NAME_CHARS => Err(format!("A name has at most {NAME_CHARS} characters.")),
        _ if name.chars().any(char::is_control) => Err("A name can't have control characters.".to_owned()),
        _ if name.chars().any(turns_writing) => Err("A name can't have characters that change the direction of writing. Type it again.".to_owned()),
        _ if name.chars().all(|c| is_blank(c) || c == ' ') => Err("This name is invisible. Enter one that can be read.".to_owned()),
        _ => Ok(name),
    }
}

/// What to call somebody who gave no name: what stands before the @, or the address, where nobody can be called so. An address without a part
/// before the @ is refused as an address.
pub(super) fn before_at(email: &str) -> &str {
    let address = email.trim();
    match shortened(address.split('@').next().unwrap_or_default()) {
        "" => "?",
        local if stands_for_another(local) => shortened(address),
        local => local,
    }
}

/// As much as a name may have.
fn shortened(text: &str) -> &str {
    let end = text.char_indices().nth(NAME_CHARS).map_or(text.len(), |(at, _)| at);
    &text[..end]
}

/// An event about an account, with where it came from.
pub(super) fn about<'a>(account: AccountId, actor_name: &'a str, from: &Visitor) -> Change<'a> {
    Change { actor: Some(account), actor_name, subject: Some(account.uuid()), data: from.facts(), ..Change::default() }
}

fn must_not_be_closed(ctx: &Ctx) -> Result<(), AppError> {
    if ctx.config.auth.sign_up == SignUpMode::Closed {
        return Err(AppError::conflict("Sign-up is closed here. Ask the operator for an account."));
    }
    Ok(())
}

/// Address and name; what is wrong with them is noted.
fn checked_names(fields: &mut Fields, email: &str, typed: &str) -> Option<(Email, String)> {
    let name = fields.check("name", name(if typed.trim().is_empty() { before_at(email) } else { typed }));
    let email = fields.check("email", Email::anew(email));
    email.zip(name)
}

/// A new account, as it is written.
pub(super) struct Row<'a> {
    /// For the browser that signed up (`begun`), and for its invitation.
    pub sign_up: Uuid,
    pub email: &'a Email,
    pub name: &'a str,
    pub time_zone: Option<&'a str>,
    pub language: Language,
    pub password_hash: Option<&'a str>,
    pub is_verified: bool,
}

/// What was written.
pub(super) struct Inserted {
    pub account: AccountId,
    pub workspace: WorkspaceId,
}

/// The id of a sign-up.
pub(super) fn new_sign_up(ctx: &Ctx) -> Uuid {
    ctx.new_id()
}

/// Account, personal workspace, roles. None: the address belongs to somebody.
pub(super) async fn insert(ctx: &Ctx, conn: &mut PgConnection, row: Row<'_>, roles: &[&str]) -> sqlx::Result<Option<Inserted>> {
    let now = ctx.clock.now();
    let new = store::NewAccount {
        id: ctx.new_id(),
        email: row.email.as_str(),
        email_key: &row.email.key(),
        name: row.name,
        time_zone: row.time_zone,
        language: row.language,
        password_hash: row.password_hash,
        verified_at: row.is_verified.then_some(now),
        now,
    };
    let Some(account) = store::insert_account(conn, new).await? else { return Ok(None) };
    // Over an address that nobody proved: a sign-in elsewhere that was linked to it lets nobody in any more (R57).
    linked::delete_links_of(conn, account).await?;
    // Over one that nobody proved: what it had besides a password goes, too (R57).
    passkeys::delete_passkeys(conn, account).await?;
    let workspace = store::insert_personal_workspace(conn, ctx.new_id(), account, row.name, now).await?;
    store::replace_roles(conn, account, roles, now).await?;
    store::update_sign_up(conn, account, row.sign_up).await?;
    Ok(Some(Inserted { account, workspace }))
}
