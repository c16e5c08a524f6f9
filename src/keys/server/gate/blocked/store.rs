//! The SQL of what is blocked: reading it whole, with the rules that make blocks. It writes nothing.

use super::{Set, Target, Until};
use crate::{
    keys::server::gate::{Gate, watch::Limits},
    values::{AbuseRule, KeyId, WorkspaceId},
};
use sqlx::PgConnection;
use time::OffsetDateTime;

/// Reads every block that has not ended, the networks that no block holds, and the rules.
pub async fn load_blocks(gate: &Gate, conn: &mut PgConnection) -> sqlx::Result<()> {
    let exempt = sqlx::query_scalar!(r#"select networks::text[] as "networks!" from block_exemptions"#).fetch_optional(&mut *conn).await?;
    let mut set = Set::new(exempt.unwrap_or_default().iter().filter_map(|n| n.parse().ok()).collect());
    let blocks = sqlx::query!(
        r#"select network::text as "network?", key_id, workspace_id, until, per_second from blocks
           where kind = 'block' and lifted_at is null and (until is null or until > $1)"#,
        gate.clock.now(),
    )
    .fetch_all(&mut *conn)
    .await?;
    for block in blocks {
        let network = block.network.and_then(|n| n.parse().ok()).map(Target::Network);
        let target = network.or(block.key_id.map(|id| Target::Key(KeyId::new(id)))).or(block.workspace_id.map(|id| Target::Workspace(WorkspaceId::new(id))));
        if let Some(target) = target {
            let per_second = block.per_second.and_then(|n| u32::try_from(n).ok());
            set.add(target, per_second, block.until.map_or(Until::LIFTED, |at| Until::micros(micros(at))));
        }
    }
    let mut limits = Limits::default();
    for rule in sqlx::query!("select rule, most, minutes from block_rules where is_on").fetch_all(conn).await? {
        if let Ok(known) = rule.rule.parse::<AbuseRule>() {
            limits.set(known, u32::try_from(rule.most).unwrap_or(0), u32::try_from(rule.minutes).unwrap_or(1));
        }
    }
    gate.blocked.replace(set);
    gate.watch.obey(&limits);
    Ok(())
}

fn micros(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1000).unwrap_or(i64::MAX)
}
