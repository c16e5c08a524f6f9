//! Reading what was recorded. No permission is checked here: the operations that show it do that.

use crate::values::{AccountId, WorkspaceId};
use serde_json::Value;
use sqlx::PgPool;
use time::OffsetDateTime;

/// An event with the name of its subject.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub at: OffsetDateTime,
    pub kind: String,
    /// The actor's name at that time, or `cli`, `system`.
    pub actor: String,
    /// An account did it: its name is one, also where it is `cli`.
    pub is_account: bool,
    /// The present name of the account, key or API that changed; none if it is gone.
    pub subject_name: Option<String>,
    /// The present name of the account as which an operator did it.
    pub behalf: Option<String>,
    pub reason: String,
    pub data: Value,
}

/// What was done to an account and in its workspace, newest first.
pub async fn list_events_about(db: &PgPool, account: AccountId, workspace: WorkspaceId, most: i64) -> sqlx::Result<Vec<Event>> {
    sqlx::query_as!(
        Event,
        r#"select e.at, e.kind, e.actor, e.actor_id is not null as "is_account!", coalesce(a.name, k.name, p.name) as subject_name, b.name as "behalf?", e.reason, e.data
           from events e left join accounts a on a.id = e.subject_id left join keys k on k.id = e.subject_id left join apis p on p.id = e.subject_id
             left join accounts b on b.id = (e.data ->> 'on_behalf_of')::uuid
           where e.subject_id = $1 or e.workspace_id = $2
           order by e.at desc, e.id desc limit $3"#,
        account.uuid(),
        workspace.uuid(),
        most,
    )
    .fetch_all(db)
    .await
}

/// What operators, and the command line, did to what is not their own, newest first.
pub async fn list_interventions(db: &PgPool, most: i64) -> sqlx::Result<Vec<Event>> {
    sqlx::query_as!(
        Event,
        r#"select e.at, e.kind, e.actor, e.actor_id is not null as "is_account!", coalesce(a.name, k.name, p.name) as subject_name, b.name as "behalf?", e.reason, e.data
           from events e left join accounts a on a.id = e.subject_id left join keys k on k.id = e.subject_id left join apis p on p.id = e.subject_id
             left join accounts b on b.id = (e.data ->> 'on_behalf_of')::uuid
           where (e.actor_id is null and e.actor = 'cli')
             or (e.actor_id is distinct from e.subject_id and e.actor_id in (select r.account_id from account_roles r where r.role = 'operator')
               and not exists (select from workspaces w where w.id = e.workspace_id and w.personal_of = e.actor_id))
           order by e.at desc, e.id desc limit $1"#,
        most,
    )
    .fetch_all(db)
    .await
}
