//! Recording: one operation, called in everybody's transaction. Reading what was recorded.

pub mod audit;
mod reading;

pub use reading::{Event, list_events_about, list_interventions};

use crate::{
    platform::Ctx,
    values::{AccountId, EventId, WorkspaceId},
};
use audit::{Entry, Kind, Row, key_id};
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

/// Writes the event in the caller's transaction, and with it what the audit log is to say of it. No lock: `audit::seal` puts it in its
/// place.
pub async fn record(ctx: &Ctx, conn: &mut PgConnection, change: Change<'_>) -> sqlx::Result<EventId> {
    let id: EventId = ctx.new_id();
    insert_event(ctx, conn, id, ctx.clock.now(), change).await?;
    Ok(id)
}

/// The same for what happened before, under the id that it got then: by a job, which may run twice. False: it is written already.
pub async fn record_once(ctx: &Ctx, conn: &mut PgConnection, id: EventId, at: OffsetDateTime, change: Change<'_>) -> sqlx::Result<bool> {
    insert_event(ctx, conn, id, at, change).await
}

async fn insert_event(ctx: &Ctx, conn: &mut PgConnection, id: EventId, at: OffsetDateTime, change: Change<'_>) -> sqlx::Result<bool> {
    let behalf = ON_BEHALF.try_with(Clone::clone).ok();
    let (actor, actor_name) = behalf.as_ref().map_or((change.actor, change.actor_name), |who| (Some(who.operator), who.operator_name.as_str()));
    let mut data = if change.data.is_null() { Value::Object(serde_json::Map::new()) } else { change.data };
    if let (Some(who), Value::Object(facts)) = (&behalf, &mut data) {
        facts.insert("on_behalf_of".to_owned(), Value::String(who.account.uuid().to_string()));
    }
    let row = Row {
        id: id.uuid(),
        at,
        kind: change.kind.to_owned(),
        workspace: change.workspace.map(WorkspaceId::uuid),
        actor_id: actor.map(AccountId::uuid),
        actor: actor_name.to_owned(),
        subject: change.subject,
        reason: change.reason.to_owned(),
        data,
        salt: Uuid::from_bytes(ctx.rng.bytes()),
    };
    let entry = Entry::of(Kind::Event, &row);
    let key = key_id(&ctx.vault);
    let voucher = entry.voucher(&ctx.vault, &key).unwrap_or_default();
    let written = sqlx::query!(
        "with event as (
           insert into events (id, at, kind, workspace_id, actor_id, actor, subject_id, reason, data, salt)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict (id) do nothing returning id
         )
         insert into audit_waiting (kind, event_id, facts, person, key_id, voucher) select 'event', id, $11, $12, $13, $14 from event",
        row.id,
        row.at,
        row.kind,
        row.workspace,
        row.actor_id,
        row.actor,
        row.subject,
        row.reason,
        row.data,
        row.salt,
        entry.facts,
        entry.person,
        key,
        &voucher[..],
    )
    .execute(conn)
    .await?;
    Ok(written.rows_affected() == 1)
}

/// When an event was, and its facts: for a mail that tells of it.
pub async fn find_facts(db: impl sqlx::PgExecutor<'_>, id: EventId) -> sqlx::Result<Option<(OffsetDateTime, Value)>> {
    let row = sqlx::query!("select at, data from events where id = $1", id.uuid()).fetch_optional(db).await?;
    Ok(row.map(|r| (r.at, r.data)))
}

/// So many events are changed at once.
const PAGE: i64 = 500;

/// Takes a person out of what was recorded: their name, where they sat and what they wrote of addresses, and what their workspace and the
/// things in it were called; what happened stays, no longer in that workspace, which goes. The audit log gets an entry for each, so it stays
/// whole and says that this was us.
pub async fn pseudonymise(ctx: &Ctx, conn: &mut PgConnection, account: AccountId, workspace: Option<WorkspaceId>, pseudonym: &str) -> sqlx::Result<()> {
    // The only door that the trigger leaves open, until the end of this.
    set_erasing(conn, "on").await?;
    let mut after = Uuid::nil();
    loop {
        let rows = sqlx::query_as!(
            Row,
            "with page as (
               select id from events where (actor_id = $1 or subject_id in ($1, $2) or workspace_id = $2) and id > $4 order by id limit $5 for update
             )
             update events e
             set actor = case when e.actor_id = $1 then $3 else e.actor end,
               actor_id = case when e.actor_id = $1 then null else e.actor_id end,
               workspace_id = case when e.workspace_id = $2 then null else e.workspace_id end,
               data = case when e.subject_id in ($1, $2) or e.workspace_id = $2 then e.data - 'address' - 'device' - 'name' else e.data - 'address' - 'device' end,
               salt = gen_random_uuid()
             from page where e.id = page.id
             returning e.id, e.at, e.kind, e.workspace_id as workspace, e.actor_id, e.actor, e.subject_id as subject, e.reason, e.data, e.salt",
            account.uuid(),
            workspace.map(WorkspaceId::uuid),
            pseudonym,
            after,
            PAGE,
        )
        .fetch_all(&mut *conn)
        .await?;
        let Some(last) = rows.iter().map(|row| row.id).max() else { break };
        after = last;
        insert_erased(ctx, conn, &rows).await?;
    }
    set_erasing(conn, "off").await
}

async fn set_erasing(conn: &mut PgConnection, to: &str) -> sqlx::Result<()> {
    sqlx::query!("select set_config('tollgate.erasing', $1, true) as was_set", to).fetch_one(conn).await?;
    Ok(())
}

/// What the audit log is to say of events that a person was taken out of.
async fn insert_erased(ctx: &Ctx, conn: &mut PgConnection, rows: &[Row]) -> sqlx::Result<()> {
    let key = key_id(&ctx.vault);
    let entries: Vec<Entry> = rows.iter().map(|row| Entry::of(Kind::Erased, row)).collect();
    let events: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let facts: Vec<Vec<u8>> = entries.iter().map(|entry| entry.facts.clone()).collect();
    let persons: Vec<Vec<u8>> = entries.iter().map(|entry| entry.person.clone()).collect();
    let vouchers: Vec<Vec<u8>> = entries.iter().map(|entry| entry.voucher(&ctx.vault, &key).map(Vec::from).unwrap_or_default()).collect();
    sqlx::query!(
        "insert into audit_waiting (kind, event_id, facts, person, key_id, voucher)
         select 'erased', e, f, p, $5, v from unnest($1::uuid[], $2::bytea[], $3::bytea[], $4::bytea[]) as t (e, f, p, v)",
        &events,
        &facts,
        &persons,
        &vouchers,
        key,
    )
    .execute(conn)
    .await?;
    Ok(())
}
