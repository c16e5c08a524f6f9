//! What a mail says, once: rendered as plain text and as HTML from the same blocks.

use crate::values::{Email, Language};

/// One mail to one address. The greeting and the foot come from the frame that every mail has (`render`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    pub to: Email,
    /// Who is greeted; empty greets nobody.
    pub name: String,
    pub subject: String,
    /// Of the greeting and the foot; whoever writes the rest writes it in the same.
    pub language: Language,
    pub blocks: Vec<Block>,
    /// The end of "You get this mail because …" (“Sie erhalten diese Mail, weil …”), without a full stop.
    pub because: String,
}

/// A piece of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    Text(String),
    /// A button with its address spelled out in the text version.
    Link {
        label: String,
        url: String,
    },
    /// A code to type.
    Code(String),
    /// Facts, one a line: "Time", "Device", "Address".
    Facts(Vec<(String, String)>),
}

impl Mail {
    /// In English; `Reader::mail` writes in the language of who reads.
    pub fn new(to: Email, subject: impl Into<String>) -> Self {
        Self { to, name: String::new(), subject: subject.into(), language: Language::En, blocks: Vec::new(), because: String::new() }
    }

    /// Greets this person by name.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    #[must_use]
    pub fn language(mut self, language: Language) -> Self {
        self.language = language;
        self
    }

    /// A paragraph.
    #[must_use]
    pub fn text(self, text: impl Into<String>) -> Self {
        self.block(Block::Text(text.into()))
    }

    /// A button; `url` comes from `Config::link`, never from a request (R55).
    #[must_use]
    pub fn link(self, label: impl Into<String>, url: impl Into<String>) -> Self {
        self.block(Block::Link { label: label.into(), url: url.into() })
    }

    /// A code to type.
    #[must_use]
    pub fn code(self, code: impl Into<String>) -> Self {
        self.block(Block::Code(code.into()))
    }

    /// Facts, one a line; none leave no gap.
    #[must_use]
    pub fn facts<K: Into<String>, V: Into<String>>(self, facts: impl IntoIterator<Item = (K, V)>) -> Self {
        let facts: Vec<(String, String)> = facts.into_iter().map(|(k, v)| (k.into(), v.into())).collect();
        if facts.is_empty() { self } else { self.block(Block::Facts(facts)) }
    }

    /// Why this person gets it: the end of "You get this mail because …".
    #[must_use]
    pub fn because(mut self, because: impl Into<String>) -> Self {
        self.because = because.into();
        self
    }

    fn block(mut self, block: Block) -> Self {
        self.blocks.push(block);
        self
    }
}
