//! After a commit: plans, groups, workspaces and APIs give what they give now on every node, before the change is answered.

use crate::{keys::server::nodes, platform::Ctx};
use tokio::time::Instant;
use uuid::Uuid;

/// Waits until every live node has it, at most two seconds after the commit, a moment ago; a node that has not is named in the log and follows
/// by itself.
pub async fn spread(ctx: &Ctx, holder: Uuid) {
    let spread = nodes::spread_of_holders(ctx, &[holder], Instant::now()).await;
    if !spread.is_whole() {
        tracing::warn!("a change of limits: {}", spread.words("In force"));
    }
}
