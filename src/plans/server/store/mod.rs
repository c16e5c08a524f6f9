//! The SQL of plans, and of the limits of workspaces and APIs.

mod dry_run;
pub mod groups;
mod replacing;

pub use dry_run::{
    Asked, LimitedRow, Meant, StepRow, Whose, count_left_out, each_step, list_holding, list_holding_keys, list_limited, list_met_by_api, list_rolling,
    list_without_credits,
};
pub use replacing::{
    replace_api_limits, replace_group_grants, replace_group_limits, replace_plan_grants, replace_plan_limits, replace_workspace_grants,
    replace_workspace_limits,
};

use crate::{
    keys::{
        model::{Grant, KeyLimit},
        server::StoredLimit,
    },
    plans::model::{Holder, HolderKind, Plan, Price, WorkspaceHold},
    values::{AccountId, ApiId, KeyId, PlanId, Slug, WorkspaceId, link},
};
use sqlx::{PgConnection, PgPool, types::Json};
use time::OffsetDateTime;
use uuid::Uuid;

struct Row {
    id: Uuid,
    slug: String,
    name: String,
    description: String,
    entitlements: Vec<String>,
    price_micros: Option<i64>,
    currency: Option<String>,
    limits: Json<Vec<StoredLimit>>,
    grants: Vec<String>,
    workspaces: i64,
    keys: i64,
    groups: i64,
}

impl Row {
    fn plan(self) -> Option<Plan> {
        let whole = |n: i64| u64::try_from(n).unwrap_or(0);
        Some(Plan {
            id: PlanId::new(self.id),
            slug: self.slug.parse::<Slug>().ok()?,
            name: self.name,
            description: self.description,
            entitlements: self.entitlements,
            grants: read_grants(&self.grants),
            price: self.price_micros.zip(self.currency).map(|(micros, currency)| Price { micros: whole(micros), currency }),
            limits: limits(self.limits),
            workspaces: whole(self.workspaces),
            keys: whole(self.keys),
            groups: whole(self.groups),
        })
    }
}

fn limits(Json(stored): Json<Vec<StoredLimit>>) -> Vec<KeyLimit> {
    stored.into_iter().map(KeyLimit::from).collect()
}

/// One plan (`slug`), or every one by name.
pub async fn list_plans(conn: &mut PgConnection, slug: Option<&str>) -> sqlx::Result<Vec<Plan>> {
    let rows = sqlx::query_as!(
        Row,
        r#"select p.id, p.slug, p.name, p.description, p.entitlements, p.price_micros, p.currency,
             coalesce((select jsonb_agg(l order by l.name) from plan_limits l where l.plan_id = p.id), '[]') as "limits!: Json<Vec<StoredLimit>>",
             array(
               select a.slug || '/' || g.permission from plan_grants g join apis a on a.id = g.api_id
               where g.plan_id = p.id order by (a.slug || '/' || g.permission) collate "C"
             ) as "grants!",
             (select count(*) from workspace_plans h where h.plan_id = p.id) as "workspaces!",
             (select count(*) from keys k where k.plan_id = p.id) as "keys!",
             (select count(*) from groups g where g.plan_id = p.id) as "groups!"
           from plans p where $1::text is null or p.slug = $1 order by lower(p.name), p.slug"#,
        slug,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().filter_map(Row::plan).collect())
}

/// Nobody else changes, assigns or deletes it until the transaction ends.
pub async fn lock_plan(conn: &mut PgConnection, slug: &str) -> sqlx::Result<Option<PlanId>> {
    Ok(sqlx::query_scalar!("select id from plans where slug = $1 for update", slug).fetch_optional(conn).await?.map(PlanId::new))
}

/// False if the slug is taken.
pub async fn insert_plan(conn: &mut PgConnection, plan: &Plan, now: OffsetDateTime) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "insert into plans (id, slug, name, description, entitlements, price_micros, currency, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $8) on conflict (slug) do nothing",
        plan.id.uuid(),
        plan.slug.as_str(),
        plan.name,
        plan.description,
        &plan.entitlements,
        micros(plan),
        plan.price.as_ref().map(|p| p.currency.as_str()),
        now,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub async fn update_plan(conn: &mut PgConnection, plan: &Plan, now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!(
        "update plans set name = $2, description = $3, entitlements = $4, price_micros = $5, currency = $6, updated_at = $7 where id = $1",
        plan.id.uuid(),
        plan.name,
        plan.description,
        &plan.entitlements,
        micros(plan),
        plan.price.as_ref().map(|p| p.currency.as_str()),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

fn micros(plan: &Plan) -> Option<i64> {
    plan.price.as_ref().map(|p| i64::try_from(p.micros).unwrap_or(i64::MAX))
}

pub async fn delete_plan(conn: &mut PgConnection, id: PlanId) -> sqlx::Result<()> {
    sqlx::query!("delete from plans where id = $1", id.uuid()).execute(conn).await?;
    Ok(())
}

/// A row that can't be read is left out, as elsewhere.
fn read_grants(stored: &[String]) -> Vec<Grant> {
    stored.iter().filter_map(|text| text.parse().ok()).collect()
}

/// The API of this slug; nobody else changes it until the transaction ends.
pub async fn lock_api(conn: &mut PgConnection, slug: &str) -> sqlx::Result<Option<ApiId>> {
    Ok(sqlx::query_scalar!("select id from apis where slug = $1 for update", slug).fetch_optional(conn).await?.map(ApiId::new))
}

pub async fn list_api_limits(conn: &mut PgConnection, slug: &str) -> sqlx::Result<Option<Vec<KeyLimit>>> {
    let row = sqlx::query!(
        r#"select coalesce((select jsonb_agg(l order by l.name) from api_limits l where l.api_id = a.id), '[]') as "limits!: Json<Vec<StoredLimit>>"
           from apis a where a.slug = $1"#,
        slug,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|r| limits(r.limits)))
}

/// What holds a workspace; nobody else changes it until the transaction ends.
pub async fn lock_workspace(conn: &mut PgConnection, workspace: WorkspaceId) -> sqlx::Result<Option<WorkspaceHold>> {
    let locked = sqlx::query_scalar!("select id from workspaces where id = $1 for update", workspace.uuid()).fetch_optional(&mut *conn).await?;
    if locked.is_some() { find_workspace(conn, workspace).await } else { Ok(None) }
}

pub async fn find_workspace(conn: &mut PgConnection, workspace: WorkspaceId) -> sqlx::Result<Option<WorkspaceHold>> {
    let row = sqlx::query!(
        r#"select w.name, p.slug as "plan?", g.slug as "group?",
             coalesce((select jsonb_agg(l order by l.name) from workspace_limits l where l.workspace_id = w.id), '[]') as "limits!: Json<Vec<StoredLimit>>",
             array(
               select a.slug || '/' || g.permission from workspace_grants g join apis a on a.id = g.api_id
               where g.workspace_id = w.id order by (a.slug || '/' || g.permission) collate "C"
             ) as "grants!",
             exists (select from plan_limits l where l.plan_id = h.plan_id) as "is_plan_limited!",
             exists (select from group_limits l where l.group_id = m.group_id) as "is_group_limited!", held.keys as "keys!", held.limited as "limited!"
           from workspaces w left join workspace_plans h on h.workspace_id = w.id left join plans p on p.id = h.plan_id
             left join group_members m on m.workspace_id = w.id left join groups g on g.id = m.group_id
             cross join lateral (
               select count(*) as keys, count(*) filter (where exists (select from key_limits l where l.key_id = k.id)
                 or exists (select from plan_limits l where l.plan_id = k.plan_id)) as limited
               from keys k join apis a on a.id = k.api_id and a.slug <> 'tollgate' where k.workspace_id = w.id and k.state <> 'revoked'
             ) held
           where w.id = $1"#,
        workspace.uuid(),
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|r| WorkspaceHold {
        workspace,
        name: r.name,
        plan: r.plan.and_then(|p| p.parse().ok()),
        group: r.group.and_then(|g| g.parse().ok()),
        limits: limits(r.limits),
        grants: read_grants(&r.grants),
        is_plan_limited: r.is_plan_limited,
        is_group_limited: r.is_group_limited,
        keys: u64::try_from(r.keys).unwrap_or(0),
        limited_keys: u64::try_from(r.limited).unwrap_or(0),
        replaced: None,
    }))
}

/// The workspace's plan becomes this one, or none.
pub async fn assign_workspace(conn: &mut PgConnection, workspace: WorkspaceId, plan: Option<PlanId>, now: OffsetDateTime) -> sqlx::Result<()> {
    match plan {
        None => sqlx::query!("delete from workspace_plans where workspace_id = $1", workspace.uuid()).execute(conn).await?,
        Some(plan) => {
            sqlx::query!(
                "insert into workspace_plans (workspace_id, plan_id, assigned_at) values ($1, $2, $3)
                 on conflict (workspace_id) do update set plan_id = excluded.plan_id, assigned_at = excluded.assigned_at",
                workspace.uuid(),
                plan.uuid(),
                now,
            )
            .execute(conn)
            .await?
        }
    };
    Ok(())
}

/// Who has a plan: groups, then workspaces, then keys.
pub async fn list_holders(db: &PgPool, plan: PlanId, most: i64) -> sqlx::Result<Vec<Holder>> {
    let groups = groups::list_holding_groups(db, plan, most).await?;
    let most = most - i64::try_from(groups.len()).unwrap_or(most);
    let workspaces = sqlx::query!(
        r#"select w.id, w.name, w.personal_of from workspace_plans h join workspaces w on w.id = h.workspace_id
           where h.plan_id = $1 order by h.assigned_at desc, w.id limit $2"#,
        plan.uuid(),
        most,
    );
    let workspaces = workspaces.fetch_all(db).await?;
    let left = most - i64::try_from(workspaces.len()).unwrap_or(most);
    let keys = sqlx::query!("select id, name from keys where plan_id = $1 order by updated_at desc, id limit $2", plan.uuid(), left).fetch_all(db).await?;
    let of_workspace = workspaces.into_iter().map(|r| Holder {
        id: WorkspaceId::new(r.id).to_string(),
        name: r.name,
        href: r.personal_of.map(|account| format!("/admin/accounts/{}", AccountId::new(account))),
        kind: HolderKind::Workspace,
    });
    let of_key = keys.into_iter().map(|r| {
        let id = KeyId::new(r.id).to_string();
        Holder { href: Some(link("/admin/keys", [("key", id.as_str())])), id, name: r.name, kind: HolderKind::Key }
    });
    Ok(groups.into_iter().chain(of_workspace).chain(of_key).collect())
}
