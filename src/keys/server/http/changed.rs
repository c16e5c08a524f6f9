//! What a change of a key answers: the key, and on which nodes the change holds.

use super::bodies::{CreatedKeyBody, KeyBody};
use crate::keys::{
    model::Spread,
    server::{Changed, Rotated},
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

/// On which nodes a change holds. Where `confirmed` equals `nodes`, no call is answered any more as before the change.
#[derive(Debug, Serialize, ToSchema)]
pub struct SpreadBody {
    /// Nodes that may be answering calls.
    #[schema(example = 2)]
    pub nodes: u32,
    /// Those of them that have applied the change.
    #[schema(example = 2)]
    pub confirmed: u32,
    /// From the commit to the last confirmation; 2000 and a little where a node did not confirm in time.
    #[schema(example = 8)]
    pub milliseconds: u64,
    /// Who has not confirmed. Such a node applies the change before it answers again, unless it is cut off from the database.
    pub missing: Vec<MissingBody>,
}

/// A node that has not confirmed a change.
#[derive(Debug, Serialize, ToSchema)]
pub struct MissingBody {
    /// Host and port.
    #[schema(example = "web-2:3000")]
    pub name: String,
    /// Seconds since it was last heard of.
    pub silent_for: u64,
    /// Seconds without the database after which it answers no question any more.
    #[schema(example = 900)]
    pub stops_after: u64,
}

impl From<Spread> for SpreadBody {
    fn from(spread: Spread) -> Self {
        let missing = spread.missing.into_iter().map(|m| MissingBody { name: m.name, silent_for: m.silent_for, stops_after: m.stops_after });
        Self { nodes: spread.nodes, confirmed: spread.confirmed, milliseconds: spread.milliseconds, missing: missing.collect() }
    }
}
