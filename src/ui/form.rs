//! Forms: plain HTML posts to their own page; the server function named by `_fn` answers (boot::forms).

use crate::error::AppError;

/// How the form that was just posted ended, in the context of the page that is rendered again.
#[derive(Debug, Clone)]
pub struct FormOutcome {
    /// The path of the server function, as in the hidden field `_fn`.
    pub action: String,
    /// The hidden field `_form`, where several forms of one action stand on a page.
    pub form: Option<String>,
    pub error: AppError,
    /// What was typed, without passwords.
    pub values: Vec<(String, String)>,
}

/// What the last act did, said once on the next page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toast(pub String);

/// The person's theme from the cookie: `light`, `dark` or none (the system decides).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ThemeChoice(pub Option<String>);
