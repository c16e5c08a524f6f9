//! Made-up facts for looking at mails: as they usually are, and as somebody would make them who means harm.

use super::Reader;
use crate::values::{Email, Language};
use time::OffsetDateTime;

/// What the typed words of a sample are like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nature {
    Usual,
    /// HTML, quotes and a script.
    Markup,
    /// A turned direction of writing, and characters that are not seen.
    Turned,
    /// Line breaks with headers and SMTP commands behind them.
    Lines,
    /// 200 characters without a space.
    Long,
    /// An address as a name.
    Address,
}

impl Nature {
    pub const ALL: [Self; 6] = [Self::Usual, Self::Markup, Self::Turned, Self::Lines, Self::Long, Self::Address];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Usual => "usual",
            Self::Markup => "markup",
            Self::Turned => "turned",
            Self::Lines => "lines",
            Self::Long => "long",
            Self::Address => "address",
        }
    }

    pub const fn label(self) -> &'static str {
        match self {
            Self::Usual => "Usual",
            Self::Markup => "HTML and quotes",
            Self::Turned => "Right to left",
            Self::Lines => "Line breaks",
            Self::Long => "200 characters",
            Self::Address => "An address",
        }
    }
}

impl std::str::FromStr for Nature {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|one| one.as_str() == text).ok_or("Choose one of the samples.")
    }
}

/// The facts of a sample. Links lead to our own pages and carry a token that opens nothing.
#[derive(Debug, Clone)]
pub struct Sample {
    pub nature: Nature,
    /// The public address.
    pub origin: String,
    pub at: OffsetDateTime,
}

impl Sample {
    /// Who reads it, at `email`.
    pub fn reader(&self, email: Email, language: Language, time_zone: &str) -> Reader {
        Reader { email, name: self.typed("Mara Lindqvist"), language, time_zone: time_zone.to_owned() }
    }

    /// What somebody typed, in the nature of this sample.
    pub fn typed(&self, usual: &str) -> String {
        match self.nature {
            Nature::Usual => usual.to_owned(),
            Nature::Markup => format!("<b>{usual}</b><script>alert(\"1\")</script><img src='x' onerror='y'> & more"),
            Nature::Turned => format!("\u{202e}{usual}\u{2066}\u{200b}\u{feff}"),
            Nature::Lines => format!("{usual}\r\nBcc: all@example.com\r\n\r\n.\r\nMAIL FROM:<x@example.com>"),
            Nature::Long => "W".repeat(200),
            Nature::Address => "https://evil.example/win".to_owned(),
        }
    }

    /// A User-Agent, which whoever asks may choose.
    pub fn agent(&self) -> String {
        match self.nature {
            Nature::Usual => "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0".to_owned(),
            Nature::Address => "evil.example".to_owned(),
            _ => self.typed("agent"),
        }
    }

    /// An absolute link, as `Config::link` makes it.
    pub fn link(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// The same with a token.
    pub fn secret_link(&self, path: &str) -> String {
        format!("{}{path}?token=sample", self.origin)
    }
}
