//! The nouns of accounts, for both sides.

mod fields;
mod held;
mod many;
mod policies;
mod work;

pub use fields::{FieldForm, FieldKind, FieldUse, FieldValue, ProfileField};
pub use held::HeldPermission;
pub use many::AccountAct;
pub use policies::{InForce, Lasting, Policy, PolicyForm, PolicyHolder, PolicyPage, PolicyRow};
pub use work::{WorkAsked, WorkDone};

use crate::{
    error::AppError,
    values::{AccountId, CATALOGUE, KeyId, LinkId, PasskeyId, Permission, Picture, SessionId, Slug, WorkspaceId},
};
use serde::{Deserialize, Serialize};
use std::str::FromStr;
use time::OffsetDateTime;

pub use crate::values::Language;

/// Who asks: an account with its permissions in its workspace, read anew for every request (R49).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    pub account: AccountId,
    pub name: String,
    pub email: String,
    pub workspace: WorkspaceId,
    pub workspace_name: String,
    /// IANA name of the person's time zone.
    pub time_zone: String,
    pub picture: Option<Picture>,
    pub permissions: Vec<Permission>,
    pub via: Via,
    /// The admin PIN came beside this very request, by key, and was right.
    #[serde(skip)]
    pub gave_pin: bool,
}

/// How the caller proved who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "via", content = "id", rename_all = "snake_case")]
pub enum Via {
    /// A signed-in browser.
    Session(SessionId),
    /// A program that signed in; the id is that of its family of tokens.
    Token(SessionId),
    /// A key for Tollgate's own API; `permissions` are then those of the key that the owner still has.
    Key(KeyId),
    /// The command line on the server.
    Cli,
}

impl Caller {
    pub fn may(&self, permission: &Permission) -> bool {
        self.permissions.contains(permission)
    }

    /// The command line on the server: whoever may run it may do everything.
    pub fn cli() -> Self {
        let nobody = uuid::Uuid::nil();
        Self {
            account: AccountId::new(nobody),
            name: "cli".to_owned(),
            email: String::new(),
            workspace: WorkspaceId::new(nobody),
            workspace_name: String::new(),
            time_zone: "UTC".to_owned(),
            picture: None,
            permissions: CATALOGUE.iter().map(|(permission, _)| permission.clone()).collect(),
            via: Via::Cli,
            gave_pin: false,
        }
    }

    /// The account behind an act, for events and rows that say who did it; the command line has none.
    pub fn actor(&self) -> Option<AccountId> {
        (self.via != Via::Cli).then_some(self.account)
    }

    /// The one permission check of an operation.
    pub fn require(&self, permission: &Permission) -> Result<(), AppError> {
        if self.may(permission) { Ok(()) } else { Err(AppError::forbidden(permission)) }
    }
}

/// An account as its owner sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    pub id: AccountId,
    pub email: String,
    /// A new address that waits for its proof.
    pub pending_email: Option<String>,
    pub name: String,
    pub picture: Option<Picture>,
    /// IANA name.
    pub time_zone: String,
    pub language: Language,
    /// The name in the address of the public profile.
    pub handle: Option<String>,
    /// What everybody may see there.
    pub published: Vec<Published>,
    /// What the operators ask for besides, in their order.
    pub fields: Vec<FieldValue>,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub updated_at: OffsetDateTime,
    /// The same instants in a sentence, in the person's time zone (F10).
    pub dates: String,
}

/// The name of the form that sends a picture, in its hidden field `_fn`: a file is read by the page's own route, not by a server function.
pub const PICTURE_FORM: &str = "set_picture";

/// A field that the owner may show to everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Published {
    Name,
    Picture,
    TimeZone,
    Language,
    /// The day of the sign-up, UTC.
    Joined,
}

impl Published {
    pub const ALL: [Self; 5] = [Self::Name, Self::Picture, Self::TimeZone, Self::Language, Self::Joined];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Picture => "picture",
            Self::TimeZone => "time_zone",
            Self::Language => "language",
            Self::Joined => "joined",
        }
    }

    pub const fn label(self) -> &'static str {
        match self {
            Self::Name => "Name",
            Self::Picture => "Picture",
            Self::TimeZone => "Time zone",
            Self::Language => "Language",
            Self::Joined => "Day of sign-up",
        }
    }
}

impl FromStr for Published {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|one| one.as_str() == text).ok_or("Choose from name, picture, time_zone, language and joined.")
    }
}

/// What an account shows to everybody: a field that its owner did not tick is not there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicProfile {
    pub handle: String,
    pub name: Option<String>,
    pub picture: Option<Picture>,
    pub time_zone: Option<String>,
    pub language: Option<String>,
    /// The day of the sign-up, UTC: `2026-11-20`.
    pub joined: Option<String>,
    pub fields: Vec<FieldValue>,
}

/// What this browser holds of links about a change of address and about leaving.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MailedLinks {
    /// The new address that a link proves.
    pub confirms: Option<String>,
    /// The old address that a link brings back.
    pub restores: Option<String>,
    /// The address of the account that a link deletes.
    pub deletes: Option<String>,
    /// The account that was left and can be brought back.
    pub returns: Option<Left>,
}

/// An account that was left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Left {
    /// When it is erased, in words; none if it was only deactivated.
    pub erased: Option<String>,
}

/// Whether all data of an account can be fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExportState {
    None,
    Writing,
    There {
        /// In words.
        until: String,
        kilobytes: u64,
    },
}

/// What the security page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Security {
    pub email: String,
    /// When the password was set, in words.
    pub password_set: Option<String>,
    pub password_advice: String,
    /// On how many devices the account is signed in.
    pub sessions: u64,
    pub factors: Factors,
    /// Sign-ins elsewhere, and where there may be some.
    pub linked: Vec<Linked>,
    pub providers: Vec<ProviderButton>,
    pub passkeys: Vec<PasskeyView>,
    /// Browsers use passkeys here: the site has a name, and https or localhost.
    pub takes_passkeys: bool,
}

/// A provider whose sign-ins count here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderButton {
    pub slug: Slug,
    pub name: String,
}

/// A sign-in elsewhere that lets somebody into an account. Instants in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Linked {
    pub id: LinkId,
    /// The provider's.
    pub name: String,
    /// What the provider said when it was linked.
    pub email: Option<String>,
    pub since: String,
    pub used: Option<String>,
    /// The provider is still set up.
    pub is_offered: bool,
}

/// Where a browser goes that is on its way to a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Onward {
    pub name: String,
    pub url: String,
}

/// A sign-in elsewhere that waits to be linked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingLink {
    pub name: String,
    pub email: Option<String>,
}

/// A passkey, for lists. Instants in words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasskeyView {
    pub id: PasskeyId,
    pub name: String,
    pub added: String,
    /// None: never.
    pub last_used: Option<String>,
    /// It has copies on other devices.
    pub is_synced: bool,
}

/// A passkey that is being added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewPasskey {
    /// What the browser is asked, as JSON; none if it took too long.
    pub options: Option<String>,
    /// This site requires a second factor, and there is none yet.
    pub is_owed: bool,
}

/// What a passkey is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PasskeyUse {
    SignIn,
    SecondFactor,
    StepUp,
}

impl PasskeyUse {
    /// As it stands in a form.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::SecondFactor => "second_factor",
            Self::StepUp => "step_up",
        }
    }
}

/// A sign-in that waits for its second factor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingSignIn {
    pub email: String,
    pub has_app: bool,
    /// It has one, and browsers use them here.
    pub has_passkey: bool,
}

/// What an account has besides its password. Instants in words.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Factors {
    /// Since when there is an authenticator app, and its last use.
    pub app_since: Option<String>,
    pub app_used: Option<String>,
    /// Recovery codes that were not used.
    pub codes_left: u64,
    pub passkeys: u64,
    /// When an operator's reset takes all this away.
    pub reset_due: Option<String>,
    /// This site requires a second factor of this account.
    pub is_required: bool,
}

/// An authenticator app that is being set up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TotpSetup {
    /// None if it would not fit.
    pub qr: Option<QrCode>,
    /// The seed in base32, in groups of four.
    pub secret: String,
    /// The same for an app on this device.
    pub uri: String,
}

/// A QR code as the path of an SVG, one unit a square, without the margin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QrCode {
    pub size: u32,
    pub path: String,
}

/// What `/step-up` shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepUpView {
    /// What waits for the proof, as the end of "You are about to …".
    pub act: Option<String>,
    /// Where it waits.
    pub back: String,
    pub email: String,
    pub has_password: bool,
    pub has_app: bool,
    /// It has one, and browsers use them here.
    pub has_passkey: bool,
    pub codes_left: u64,
    /// Where the account has a sign-in that proves it, too.
    pub providers: Vec<ProviderButton>,
    /// The proof is there; what is missing is the admin PIN. Not a word of it in the page where there is none.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub asks_pin: bool,
}

/// Where somebody is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionList {
    pub sessions: Vec<SessionView>,
    /// How long they last, how many there may be, and what says so.
    pub lasting: Lasting,
}

/// One signed-in browser or program, for lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionView {
    pub id: SessionId,
    /// In words: `Firefox on macOS`; of a program what it calls itself.
    pub device: String,
    pub is_program: bool,
    pub address: String,
    #[serde(with = "time::serde::rfc3339")]
    pub created_at: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub last_used_at: OffsetDateTime,
    /// The same instants in words, in the person's time zone.
    pub since: String,
    pub last_used: String,
    pub is_this_one: bool,
}

/// A program that asks a person to let it in, for the page that asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgramView {
    /// `WXYZ-BCDF`, as the program shows it.
    pub code: String,
    /// What it calls itself; anybody may choose any name.
    pub program: String,
    /// In words.
    pub device: String,
    pub address: String,
    /// When it asked, in the person's time zone.
    pub asked: String,
    /// Where the person sits.
    pub own_address: String,
}

/// Whose password a link sets, for the page behind it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResetLink {
    pub email: String,
    pub name: String,
    /// The first operator chooses an address too.
    pub asks_email: bool,
}

/// Who may sign up here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Door {
    Open,
    /// Invitations only, and this browser has one.
    Invited,
    InviteNeeded,
    /// The one that this browser has was used, cancelled or is too old.
    InviteOver,
    Closed,
}

/// What the pages before signing in need to know: what this browser holds, and the rules of this site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkView {
    /// It opened the link of a mail that proves an address.
    pub has_verify_link: bool,
    /// That mail is of a sign-up that another browser began.
    pub is_elsewhere: bool,
    /// The masked address that mail went to.
    pub pending: Option<String>,
    /// It opened a link to set a password, and the link still works.
    pub reset: Option<ResetLink>,
    /// What a new password needs, in a sentence.
    pub password_advice: String,
    pub door: Door,
    /// The masked address that the invitation is for, if it is for one.
    pub invited: Option<String>,
    /// What the operators ask for on signing up.
    pub fields: Vec<ProfileField>,
    /// The sender and the subject to look for.
    pub mail_from: String,
    /// What the browser computes before it may sign up; none: nothing is asked.
    pub work: Option<WorkAsked>,
    /// Where people may come from, and from where new ones may.
    pub providers: Vec<ProviderButton>,
    pub sign_up_providers: Vec<ProviderButton>,
    /// Browsers use passkeys here.
    pub takes_passkeys: bool,
}

/// Which accounts an operator wants to see, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AccountFilter {
    pub id: Option<AccountId>,
    /// Only these.
    pub ids: Option<Vec<AccountId>>,
    /// Part of an address or a name.
    pub search: Option<String>,
    pub state: Option<AccountState>,
    /// Only those with exactly this value in the field of this name.
    pub field: Option<(String, String)>,
    /// Only operators.
    pub operators: bool,
    /// Only those older than this one, or newer if `backwards`.
    pub from: Option<AccountId>,
    pub backwards: bool,
    /// By default 50.
    pub limit: Option<u32>,
}

/// Whether an account may come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AccountState {
    Active,
    /// The address was never proven.
    Unproven,
    Disabled,
    Banned,
    /// Its address met so many wrong passwords that signing in waits.
    Locked,
}

impl AccountState {
    pub const ALL: [Self; 5] = [Self::Active, Self::Unproven, Self::Disabled, Self::Banned, Self::Locked];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Unproven => "unproven",
            Self::Disabled => "disabled",
            Self::Banned => "banned",
            Self::Locked => "locked",
        }
    }

    /// As a badge says it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::Unproven => "Not confirmed",
            Self::Disabled => "Disabled",
            Self::Banned => "Banned",
            Self::Locked => "Locked",
        }
    }
}
