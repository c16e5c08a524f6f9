//! What a change of a key answers: the key, and on which nodes the change holds.

use super::bodies::{CreatedKeyBody, KeyBody};
pub use crate::platform::http::spread::SpreadBody;
use crate::{
    keys::{
        model::Spread,
        server::{Changed, Rotated},
    },
    platform::http::spread::MissingBody,
};
use serde::Serialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

/// A key after a change, and how far the change has got.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChangedKeyBody {
    #[serde(flatten)]
    pub key: KeyBody,
    pub spread: SpreadBody,
}

impl ChangedKeyBody {
    pub fn of(changed: Changed, now: OffsetDateTime) -> Self {
        Self { key: KeyBody::of(changed.key, now), spread: changed.spread.into() }
    }
}

/// A key with its new secret: the only answer that ever holds it.
#[derive(Debug, Serialize, ToSchema)]
pub struct RotatedKeyBody {
    #[serde(flatten)]
    pub key: CreatedKeyBody,
    pub spread: SpreadBody,
}

impl RotatedKeyBody {
    /// None if the secret was given out before.
    pub fn of(rotated: Rotated, now: OffsetDateTime) -> Option<Self> {
        Some(Self { key: CreatedKeyBody::of(rotated.created, now)?, spread: rotated.spread.into() })
    }
}

impl From<Spread> for SpreadBody {
    fn from(spread: Spread) -> Self {
        let missing = spread.missing.into_iter().map(|m| MissingBody { name: m.name, silent_for: m.silent_for, stops_after: m.stops_after });
        Self { nodes: spread.nodes, confirmed: spread.confirmed, milliseconds: spread.milliseconds, missing: missing.collect() }
    }
}
