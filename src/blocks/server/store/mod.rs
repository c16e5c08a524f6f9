//! The SQL of blocks; that of the rules stands in `rules`, that of mails to operators in `notices`.

mod listing;
mod notices;
mod rules;

pub use listing::{Filter, Place, Refused, count_active, count_refused, list_blocks};
pub use notices::{Finding, insert_notice, list_operators, list_told, mark_told};
pub use rules::{find_rule, list_exempt, list_rules, lock_exempt, lock_rule, replace_exempt, update_rule};

use crate::{
    blocks::model::{Block, BlockAction, BlockState, BlockTarget, Lifted},
    keys::server::gate,
    values::{AccountId, BlockId, KeyId, WorkspaceId},
};
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

pub use gate::Target;

/// A target as columns.
struct Columns {
    network: Option<String>,
    key: Option<Uuid>,
    workspace: Option<Uuid>,
}

impl Columns {
    fn of(target: Target) -> Self {
        let (mut network, mut key, mut workspace) = (None, None, None);
        match target {
            Target::Network(it) => network = Some(it.to_string()),
            Target::Key(it) => key = Some(it.uuid()),
            Target::Workspace(it) => workspace = Some(it.uuid()),
        }
        Self { network, key, workspace }
    }
}

struct Row {
    id: Uuid,
    kind: String,
    network: Option<String>,
    key_id: Option<Uuid>,
    key_name: Option<String>,
    workspace_id: Option<Uuid>,
    workspace_name: Option<String>,
    since: OffsetDateTime,
    until: Option<OffsetDateTime>,
    per_second: Option<i32>,
    reason: String,
    rule: Option<String>,
    by_name: String,
    lifted_at: Option<OffsetDateTime>,
    lifted_name: String,
    lift_note: String,
}

impl Row {
    fn block(self, now: OffsetDateTime) -> Option<Block> {
        let state = match (self.kind.as_str(), self.lifted_at, self.until) {
            ("notice", ..) => BlockState::Notice,
            (_, Some(_), _) => BlockState::Lifted,
            (_, None, Some(until)) if until <= now => BlockState::Ended,
            _ => BlockState::Active,
        };
        let target = match (self.network, self.key_id, self.workspace_id) {
            (Some(network), ..) => BlockTarget::Address { network },
            (_, Some(id), _) => BlockTarget::Key { id: KeyId::new(id), name: self.key_name.unwrap_or_default() },
            (_, _, Some(id)) => BlockTarget::Workspace { id: WorkspaceId::new(id), name: self.workspace_name.unwrap_or_default() },
            _ => return None, // the table's own check says that there is one
        };
        Some(Block {
            id: BlockId::new(self.id),
            target,
            action: action(self.per_second),
            state,
            reason: self.reason,
            since: self.since,
            until: self.until,
            by: self.by_name,
            rule: self.rule.and_then(|rule| rule.parse().ok()),
            lifted: self.lifted_at.map(|at| Lifted { at, by: self.lifted_name, note: self.lift_note }),
        })
    }
}

/// A stored rate as an action.
fn action(per_second: Option<i32>) -> BlockAction {
    BlockAction::of(per_second.and_then(|n| u32::try_from(n).ok()))
}

/// An action as it is stored.
fn per_second(action: BlockAction) -> Option<i32> {
    action.per_second().map(|n| i32::try_from(n).unwrap_or(i32::MAX))
}

/// Nobody else blocks this target until the transaction ends, on whatever node.
pub async fn lock_target(conn: &mut PgConnection, target: Target) -> sqlx::Result<()> {
    let name = format!("blocks {target:?}");
    sqlx::query!("select pg_advisory_xact_lock(hashtextextended($1, 0))::text as locked", name).fetch_one(conn).await?;
    Ok(())
}

/// What of a target may be in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InForce {
    Refusing,
    Slowing,
    /// Either of them.
    Blocking,
    /// Also what was only told and is not due to be told again.
    Anything,
}

/// The block of just this target that is in force, and locked until the transaction ends: nobody lifts it meanwhile. What refuses comes
/// first.
pub async fn find_in_force(conn: &mut PgConnection, target: Target, which: InForce, now: OffsetDateTime) -> sqlx::Result<Option<Block>> {
    let Columns { network, key, workspace } = Columns::of(target);
    let slows = match which {
        InForce::Refusing => Some(false),
        InForce::Slowing => Some(true),
        InForce::Blocking | InForce::Anything => None,
    };
    let row = sqlx::query_as!(
        Row,
        r#"select b.id, b.kind, b.network::text as "network?", b.key_id, k.name as "key_name?", b.workspace_id, w.name as "workspace_name?", b.since, b.until, b.per_second,
             b.reason, b.rule, b.by_name, b.lifted_at, b.lifted_name, b.lift_note
           from blocks b left join keys k on k.id = b.key_id left join workspaces w on w.id = b.workspace_id
           where (b.network = $1::text::cidr or b.key_id = $2 or b.workspace_id = $3) and (b.kind = 'block' or $4)
             and b.lifted_at is null and (b.until is null or b.until > $5) and ($6::boolean is null or $6 = (b.per_second is not null))
           order by b.kind, b.per_second nulls first, b.until desc nulls first limit 1 for update of b"#,
        network,
        key,
        workspace,
        which == InForce::Anything,
        now,
        slows,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.and_then(|row| row.block(now)))
}

/// One block.
pub async fn find_block(conn: &mut PgConnection, id: BlockId, now: OffsetDateTime) -> sqlx::Result<Option<Block>> {
    let row = sqlx::query_as!(
        Row,
        r#"select b.id, b.kind, b.network::text as "network?", b.key_id, k.name as "key_name?", b.workspace_id, w.name as "workspace_name?", b.since, b.until, b.per_second,
             b.reason, b.rule, b.by_name, b.lifted_at, b.lifted_name, b.lift_note
           from blocks b left join keys k on k.id = b.key_id left join workspaces w on w.id = b.workspace_id
           where b.id = $1"#,
        id.uuid(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.and_then(|row| row.block(now)))
}

/// Nobody else lifts it until the transaction ends.
pub async fn lock_block(conn: &mut PgConnection, id: BlockId) -> sqlx::Result<()> {
    sqlx::query!("select id from blocks where id = $1 for update", id.uuid()).fetch_optional(conn).await?;
    Ok(())
}

/// The name of what is to be blocked and the workspace that it belongs to; none if there is no such key or workspace.
pub async fn find_target(conn: &mut PgConnection, target: Target) -> sqlx::Result<Option<(BlockTarget, Option<WorkspaceId>)>> {
    Ok(match target {
        Target::Network(network) => Some((BlockTarget::Address { network: network.to_string() }, None)),
        Target::Key(id) => {
            let row = sqlx::query!("select name, workspace_id from keys where id = $1", id.uuid()).fetch_optional(conn).await?;
            row.map(|r| (BlockTarget::Key { id, name: r.name }, Some(WorkspaceId::new(r.workspace_id))))
        }
        Target::Workspace(id) => {
            let name = sqlx::query_scalar!("select name from workspaces where id = $1", id.uuid()).fetch_optional(conn).await?;
            name.map(|name| (BlockTarget::Workspace { id, name }, Some(id)))
        }
    })
}

/// The workspace of an account, by its id or by the key of its email; none if there is no such account.
pub async fn find_workspace(conn: &mut PgConnection, account: Option<AccountId>, email: Option<&str>) -> sqlx::Result<Option<WorkspaceId>> {
    let id = sqlx::query_scalar!(
        "select w.id from accounts a join workspaces w on w.personal_of = a.id where a.id = $1 or a.email_key = $2",
        account.map(AccountId::uuid),
        email,
    );
    Ok(id.fetch_optional(conn).await?.map(WorkspaceId::new))
}

/// Who made a block.
#[derive(Debug, Clone, Copy)]
pub struct Maker<'a> {
    pub account: Option<AccountId>,
    pub name: &'a str,
}

pub async fn insert_block(conn: &mut PgConnection, block: &Block, target: Target, by: Maker<'_>) -> sqlx::Result<()> {
    let Columns { network, key, workspace } = Columns::of(target);
    let kind = if block.state == BlockState::Notice { "notice" } else { "block" };
    sqlx::query!(
        "insert into blocks (id, kind, network, key_id, workspace_id, since, until, reason, rule, by_account, by_name, per_second)
         values ($1, $2, $3::text::cidr, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        block.id.uuid(),
        kind,
        network,
        key,
        workspace,
        block.since,
        block.until,
        block.reason,
        block.rule.map(|rule| rule.as_str()),
        by.account.map(AccountId::uuid),
        by.name,
        per_second(block.action),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// A block that is in force, and locked, lasts longer or slows to another rate, for a new reason.
pub async fn extend_block(conn: &mut PgConnection, block: &Block) -> sqlx::Result<()> {
    sqlx::query!(
        "update blocks set until = $2, reason = $3, per_second = $4 where id = $1",
        block.id.uuid(),
        block.until,
        block.reason,
        per_second(block.action),
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn end_block(conn: &mut PgConnection, id: BlockId, by: Maker<'_>, note: &str, now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!(
        "update blocks set lifted_at = $2, lifted_by = $3, lifted_name = $4, lift_note = $5 where id = $1",
        id.uuid(),
        now,
        by.account.map(AccountId::uuid),
        by.name,
        note,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets blocks that ended before this.
pub async fn delete_ended(db: &PgPool, before: OffsetDateTime) -> sqlx::Result<u64> {
    let done = sqlx::query!("delete from blocks where least(lifted_at, until) < $1", before).execute(db).await?;
    Ok(done.rows_affected())
}
