//! The nouns of accounts, for both sides.

mod acting;
mod fields;
mod held;
mod imports;
mod many;
mod policies;
mod profile;
mod proofs;
mod work;

pub use acting::{ACTING_MINUTES, Acted, ActingBar, ShownWhileActing};
pub use fields::{FieldForm, FieldKind, FieldUse, FieldValue, ProfileField};
pub use held::HeldPermission;
pub use imports::{AccountImport, ImportedAs, ImportedLine};
pub use many::AccountAct;
pub use policies::{InForce, Lasting, Policy, PolicyForm, PolicyHolder, PolicyPage, PolicyRow};
pub use profile::{PICTURE_FORM, Profile, PublicProfile, Published, profile_version, public_version};
pub use proofs::{
    Factors, Linked, NewPasskey, Onward, PasskeyUse, PasskeyView, PendingLink, ProviderButton, QrCode, Security, StepUpView, TotpSetup, WaitingSignIn,
};
pub use work::{WorkAsked, WorkDone};

use crate::{
    error::AppError,
    values::{AccountId, Area, CATALOGUE, KeyId, Permission, Picture, SessionId, WorkspaceId},
};
use serde::{Deserialize, Serialize};
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
    /// The operator who acts as this account; then `via` is `Acting`, and only what is listed for it is done (`server::acting`).
    pub operator: Option<AccountId>,
    /// The admin PIN came beside this very request, by key, and was right.
    #[serde(skip)]
    pub gave_pin: bool,
    /// How far this very call may go.
    #[serde(skip)]
    pub reach: Reach,
}

/// How far a call may go into what the configuration can lock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reach {
    /// Wherever an operation goes: REST, the command line, jobs.
    #[default]
    Everywhere,
    /// Into this area, or into none: that of the form that was sent. Pages know the form by the same (`boot::locked`).
    Form(Option<Area>),
}

impl Reach {
    pub fn covers(self, area: Area) -> bool {
        match self {
            Self::Everywhere => true,
            Self::Form(own) => own == Some(area),
        }
    }
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
    /// An operator who acts as the account; the id is that of the operator's own session. It proves nothing of the account.
    Acting(SessionId),
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
            operator: None,
            gave_pin: false,
            reach: Reach::Everywhere,
        }
    }

    /// The account behind an act, for events and rows that say who did it; the command line has none.
    pub fn actor(&self) -> Option<AccountId> {
        match self.operator {
            Some(operator) => Some(operator),
            None => (self.via != Via::Cli).then_some(self.account),
        }
    }

    /// An operator acts as this account.
    pub const fn is_acted(&self) -> bool {
        matches!(self.via, Via::Acting(_))
    }

    /// The one permission check of an operation.
    pub fn require(&self, permission: &Permission) -> Result<(), AppError> {
        if self.may(permission) { Ok(()) } else { Err(AppError::forbidden(permission)) }
    }
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

/// Where somebody is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionList {
    pub sessions: Vec<SessionView>,
    /// When operators were in the account, the last time first.
    pub acted: Vec<Acted>,
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
    /// Of the address, as `TOLLGATE_PLACES_FILE` has it: `Stockholm, Sweden`.
    pub place: Option<String>,
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

/// How it stands with an opened link that proves an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum VerifyLink {
    /// `is_elsewhere`: of a sign-up that another browser began.
    Works { is_elsewhere: bool },
    /// It has done its work.
    Used,
    /// Too old, replaced by a newer one, or never one of ours.
    Dead,
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
    pub verify: Option<VerifyLink>,
    /// The masked address that mail went to.
    pub pending: Option<String>,
    /// It opened a link to set a password, and the link still works.
    pub reset: Option<ResetLink>,
    /// What a new password needs, in a sentence.
    pub password_advice: String,
    /// How many characters, for the hint while it is typed.
    pub password_min: usize,
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
