//! How REST says on which nodes a change holds: the same of every feature, also of those that know no node.

use serde::Serialize;
use utoipa::ToSchema;

/// On which nodes a change holds. Where `confirmed` equals `nodes`, no call is answered any more as before the change.
#[derive(Debug, Default, Serialize, ToSchema)]
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

/// What a change answers that leaves nothing to show.
#[derive(Debug, Serialize, ToSchema)]
pub struct GoneBody {
    pub spread: SpreadBody,
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
