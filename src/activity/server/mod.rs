//! Recording: one operation, called in everybody's transaction. Reading what was recorded.

mod reading;

pub use reading::{Event, list_events_about, list_interventions};

use crate::{
    platform::Ctx,
    values::{AccountId, EventId, WorkspaceId},
};
use serde_json::Value;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

/// A change, as its operation tells it.
#[derive(Debug, Clone, Default)]
pub struct Change<'a> {
    /// `noun.verb` in the past: `key.created`.
    pub kind: &'a str,
    pub workspace: Option<WorkspaceId>,
    pub actor: Option<AccountId>,
    /// The actor's name at this time, or `cli`, `system`.
    pub actor_name: &'a str,
    /// The thing that changed.
    pub subject: Option<Uuid>,
    pub reason: &'a str,
    /// Facts about the change; never a secret.
    pub data: Value,
}

/// An operator who acts as an account while a request is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnBehalf {
    pub operator: AccountId,
    pub operator_name: String,
    pub account: AccountId,
}

tokio::task_local! {
    static ON_BEHALF: OnBehalf;
}

/// Does `work` for an operator who acts as somebody: every event that it writes has the operator as its actor and names the account in
/// `on_behalf_of`, whatever the operation that tells it knows of that (R67).
pub async fn on_behalf<F: Future>(who: OnBehalf, work: F) -> F::Output {
    ON_BEHALF.scope(who, work).await
}

/// Writes the event in the caller's transaction.
pub async fn record(ctx: &Ctx, conn: &mut PgConnection, change: Change<'_>) -> sqlx::Result<EventId> {
    let id: EventId = ctx.new_id();
    let behalf = ON_BEHALF.try_with(Clone::clone).ok();
    let (actor, actor_name) = behalf.as_ref().map_or((change.actor, change.actor_name), |who| (Some(who.operator), who.operator_name.as_str()));
    let mut data = if change.data.is_null() { Value::Object(serde_json::Map::new()) } else { change.data };
    if let (Some(who), Value::Object(facts)) = (&behalf, &mut data) {
        facts.insert("on_behalf_of".to_owned(), Value::String(who.account.uuid().to_string()));
    }
    sqlx::query!(
        "insert into events (id, at, kind, workspace_id, actor_id, actor, subject_id, reason, data) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        id.uuid(),
        ctx.clock.now(),
        change.kind,
        change.workspace.map(WorkspaceId::uuid),
        actor.map(AccountId::uuid),
        actor_name,
        change.subject,
        change.reason,
        data,
    )
    .execute(conn)
    .await?;
    Ok(id)
}

/// When an event was, and its facts: for a mail that tells of it.
pub async fn find_facts(db: impl sqlx::PgExecutor<'_>, id: EventId) -> sqlx::Result<Option<(OffsetDateTime, Value)>> {
    let row = sqlx::query!("select at, data from events where id = $1", id.uuid()).fetch_optional(db).await?;
    Ok(row.map(|r| (r.at, r.data)))
}

/// Takes a person out of what was recorded: their name, where they sat and what they wrote of addresses; what happened stays, no
/// longer in their workspace, which goes.
pub async fn pseudonymise(conn: &mut PgConnection, account: AccountId, workspace: Option<WorkspaceId>, pseudonym: &str) -> sqlx::Result<()> {
    sqlx::query!(
        "update events
         set actor = case when actor_id = $1 then $3 else actor end,
           workspace_id = case when workspace_id = $2 then null else workspace_id end,
           data = case when subject_id = $1 then data - 'address' - 'device' - 'name' else data - 'address' - 'device' end
         where actor_id = $1 or subject_id = $1 or workspace_id = $2",
        account.uuid(),
        workspace.map(WorkspaceId::uuid),
        pseudonym,
    )
    .execute(conn)
    .await?;
    Ok(())
}
