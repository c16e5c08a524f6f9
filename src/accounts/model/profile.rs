//! An account as its owner sees it, and what of it everybody may see.

use super::{FieldValue, Language};
use crate::values::{AccountId, Picture, Version};
use serde::{Deserialize, Serialize};
use std::str::FromStr;
use time::OffsetDateTime;

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

impl Profile {
    /// Of what the form of the profile shows.
    pub fn version(&self) -> Version {
        profile_version(&self.name, &self.time_zone, self.language, &self.fields)
    }

    /// Of what the form of the public profile shows.
    pub fn public_version(&self) -> Version {
        public_version(self.handle.as_deref(), &self.published, &self.fields)
    }
}

pub fn profile_version(name: &str, time_zone: &str, language: Language, fields: &[FieldValue]) -> Version {
    let written: Vec<(&str, &str)> = fields.iter().map(|it| (it.field.slug.as_str(), it.value.as_str())).collect();
    Version::of(&("profile", name, time_zone, language.as_str(), written))
}

pub fn public_version(handle: Option<&str>, published: &[Published], fields: &[FieldValue]) -> Version {
    let shown: Vec<&str> = fields.iter().filter(|it| it.is_public).map(|it| it.field.slug.as_str()).collect();
    Version::of(&("public", handle, published, shown))
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
