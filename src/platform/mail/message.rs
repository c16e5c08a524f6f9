//! What a mail says, once: rendered as plain text and as HTML from the same blocks.

use crate::values::Email;

/// One mail to one address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    pub to: Email,
    pub subject: String,
    pub blocks: Vec<Block>,
}

/// A piece of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    Text(String),
    /// A button with its address spelled out in the text version.
    Link { label: String, url: String },
    /// A code to type.
    Code(String),
    /// Facts, one a line: "Time", "Device", "Address".
    Facts(Vec<(String, String)>),
}
