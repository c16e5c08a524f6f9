//! The kinds of mail, and one of them opened.

use crate::values::Language;
use serde::{Deserialize, Serialize};

/// What `/admin/templates` asks for, as it stands in its URL.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateQuery {
    /// The name of a kind; none: the list alone.
    pub kind: Option<String>,
    /// A tag; none: English.
    pub language: Option<String>,
    /// Which made-up facts; none: the usual ones.
    pub sample: Option<String>,
}

impl TemplateQuery {
    /// Reads a query; `get` gives a parameter. An empty one is none.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        let get = |name| get(name).map(|v| v.trim().to_owned()).filter(|v| !v.is_empty());
        Self { kind: get("kind"), language: get("language"), sample: get("sample") }
    }
}

/// What a kind of mail is about: one group of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TemplateTheme {
    ComingIn,
    Limits,
    Keys,
    Security,
    Factors,
    Account,
    ByOperators,
    ToOperators,
}

impl TemplateTheme {
    /// The order of the list: what most people get, and operators look at most, comes first.
    pub const ALL: [Self; 8] = [Self::ComingIn, Self::Limits, Self::Keys, Self::Security, Self::Factors, Self::Account, Self::ByOperators, Self::ToOperators];

    pub const fn title(self) -> &'static str {
        match self {
            Self::ComingIn => "Signing up and coming in",
            Self::Limits => "Limits",
            Self::Keys => "Keys",
            Self::Security => "Security of an account",
            Self::Factors => "Second factors",
            Self::Account => "Address and end of an account",
            Self::ByOperators => "What operators did to an account",
            Self::ToOperators => "To operators",
        }
    }

    pub const fn lead(self) -> &'static str {
        match self {
            Self::ComingIn => "Links and codes that people wait for.",
            Self::Limits => "Before calls are refused, and when many of them fail.",
            Self::Keys => "While there is still time to replace a key.",
            Self::Security => "So that owners notice what somebody else did.",
            Self::Factors => "Each change to how somebody proves who they are.",
            Self::Account => "A new address, an export, leaving and coming back.",
            Self::ByOperators => "What they did, why, and whom to ask.",
            Self::ToOperators => "What abuse rules found.",
        }
    }

    /// Of the kind of this name.
    pub fn of(kind: &str) -> Self {
        match kind {
            "accounts.invited" | "accounts.confirm_email" | "accounts.already_registered" | "accounts.set_password" | "accounts.sign_in_offered" => {
                Self::ComingIn
            }
            "accounts.address_wanted"
            | "accounts.confirm_new_email"
            | "accounts.email_changed"
            | "accounts.export_ready"
            | "accounts.delete_account"
            | "accounts.deactivated"
            | "accounts.will_be_erased"
            | "accounts.returned" => Self::Account,
            "accounts.banned" | "accounts.unbanned" | "accounts.acted_as" => Self::ByOperators,
            "notices.key_expires" | "notices.keys_expire" => Self::Keys,
            kind if kind.starts_with("notices.") => Self::Limits,
            kind if kind.starts_with("keys.") => Self::Keys,
            kind if kind.starts_with("blocks.") => Self::ToOperators,
            kind if ["totp_", "passkey_", "code", "reset_"].iter().any(|start| kind.starts_with(&format!("accounts.{start}"))) => Self::Factors,
            "accounts.taken_back" => Self::Factors,
            _ => Self::Security,
        }
    }
}

/// A kind in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateRow {
    pub name: String,
    pub theme: TemplateTheme,
    /// Who gets it, and when.
    pub about: String,
    /// In English, with the usual facts.
    pub subject: String,
}

/// A kind as one reader would get it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateView {
    pub name: String,
    pub about: String,
    pub language: Language,
    /// The value of a sample, and of all with their names.
    pub sample: String,
    pub samples: Vec<(String, String)>,
    pub subject: String,
    pub text: String,
}

/// What `/admin/templates` shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateList {
    /// How mails leave: "By SMTP over mail.example.com".
    pub channel: String,
    /// The sender.
    pub from: String,
    /// Of mails to who has not chosen one.
    pub language: Language,
    /// Where a test would go.
    pub email: String,
    pub may_send: bool,
    pub rows: Vec<TemplateRow>,
    pub open: Option<TemplateView>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_mail_stand_with_their_like() {
        for (kind, theme) in [
            ("accounts.confirm_email", TemplateTheme::ComingIn),
            ("notices.alert", TemplateTheme::Limits),
            ("notices.key_expires", TemplateTheme::Keys),
            ("keys.leaked", TemplateTheme::Keys),
            ("accounts.new_device", TemplateTheme::Security),
            ("accounts.codes_made", TemplateTheme::Factors),
            ("accounts.reset_done", TemplateTheme::Factors),
            ("accounts.will_be_erased", TemplateTheme::Account),
            ("accounts.banned", TemplateTheme::ByOperators),
            ("blocks.found", TemplateTheme::ToOperators),
        ] {
            assert_eq!(TemplateTheme::of(kind), theme, "{kind}");
        }
    }
}
