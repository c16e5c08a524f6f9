//! What somebody signs in and proves themselves with: second factors, passkeys, sign-ins elsewhere.

use crate::values::{LinkId, PasskeyId, Slug};
use serde::{Deserialize, Serialize};

/// What the security page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Security {
    pub email: String,
    /// When the password was set, in words.
    pub password_set: Option<String>,
    pub password_advice: String,
    pub password_min: usize,
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
