//! The SQL of groups.

use super::{limits, read_grants};
use crate::{
    keys::server::StoredLimit,
    plans::model::{Group, GroupPlan, Holder, HolderKind, Member, Members},
    values::{AccountId, GroupId, PlanId, WorkspaceId, link},
};
use sqlx::{PgConnection, PgPool, types::Json};
use time::OffsetDateTime;
use uuid::Uuid;

/// One group (`slug`), or every one by name.
pub async fn list_groups(conn: &mut PgConnection, slug: Option<&str>) -> sqlx::Result<Vec<Group>> {
    let rows = sqlx::query!(
        r#"select g.id, g.slug, g.name, g.description, p.id as "plan_id?", p.slug as "plan_slug?", p.name as "plan_name?",
             coalesce((select jsonb_agg(l order by l.name) from group_limits l where l.group_id = g.id), '[]') as "limits!: Json<Vec<StoredLimit>>",
             array(
               select a.slug || '/' || o.permission from group_grants o join apis a on a.id = o.api_id
               where o.group_id = g.id order by (a.slug || '/' || o.permission) collate "C"
             ) as "grants!",
             (select count(*) from group_members m where m.group_id = g.id) as "members!"
           from groups g left join plans p on p.id = g.plan_id where $1::text is null or g.slug = $1 order by lower(g.name), g.slug"#,
        slug,
    )
    .fetch_all(conn)
    .await?;
    let plan = |id: Option<Uuid>, slug: Option<String>, name: Option<String>| Some(GroupPlan { id: PlanId::new(id?), slug: slug?.parse().ok()?, name: name? });
    let groups = rows.into_iter().filter_map(|r| {
        Some(Group {
            id: GroupId::new(r.id),
            slug: r.slug.parse().ok()?,
            name: r.name,
            description: r.description,
            plan: plan(r.plan_id, r.plan_slug, r.plan_name),
            limits: limits(r.limits),
            grants: read_grants(&r.grants),
            members: u64::try_from(r.members).unwrap_or(0),
        })
    });
    Ok(groups.collect())
}

/// Nobody else changes or deletes it, or its members, until the transaction ends.
pub async fn lock_group(conn: &mut PgConnection, slug: &str) -> sqlx::Result<Option<GroupId>> {
    Ok(sqlx::query_scalar!("select id from groups where slug = $1 for update", slug).fetch_optional(conn).await?.map(GroupId::new))
}

pub async fn find_slug(db: &PgPool, id: GroupId) -> sqlx::Result<Option<String>> {
    sqlx::query_scalar!("select slug from groups where id = $1", id.uuid()).fetch_optional(db).await
}

/// False if the slug is taken.
pub async fn insert_group(conn: &mut PgConnection, group: &Group, now: OffsetDateTime) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "insert into groups (id, slug, name, description, plan_id, created_at, updated_at) values ($1, $2, $3, $4, $5, $6, $6) on conflict (slug) do nothing",
        group.id.uuid(),
        group.slug.as_str(),
        group.name,
        group.description,
        group.plan.as_ref().map(|p| p.id.uuid()),
        now,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub async fn update_group(conn: &mut PgConnection, group: &Group, now: OffsetDateTime) -> sqlx::Result<()> {
    sqlx::query!(
        "update groups set name = $2, description = $3, plan_id = $4, updated_at = $5 where id = $1",
        group.id.uuid(),
        group.name,
        group.description,
        group.plan.as_ref().map(|p| p.id.uuid()),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn delete_group(conn: &mut PgConnection, id: GroupId) -> sqlx::Result<()> {
    sqlx::query!("delete from groups where id = $1", id.uuid()).execute(conn).await?;
    Ok(())
}

/// The group of a workspace, with its name.
pub async fn find_group_of(conn: &mut PgConnection, workspace: WorkspaceId) -> sqlx::Result<Option<(GroupId, String)>> {
    let row = sqlx::query!("select g.id, g.name from group_members m join groups g on g.id = m.group_id where m.workspace_id = $1", workspace.uuid());
    Ok(row.fetch_optional(conn).await?.map(|r| (GroupId::new(r.id), r.name)))
}

/// False if the workspace is in a group already, in this one or in another.
pub async fn insert_member(conn: &mut PgConnection, group: GroupId, workspace: WorkspaceId, now: OffsetDateTime) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "insert into group_members (workspace_id, group_id, added_at) values ($1, $2, $3) on conflict (workspace_id) do nothing",
        workspace.uuid(),
        group.uuid(),
        now,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// False if it was not in this group.
pub async fn delete_member(conn: &mut PgConnection, group: GroupId, workspace: WorkspaceId) -> sqlx::Result<bool> {
    let done = sqlx::query!("delete from group_members where workspace_id = $1 and group_id = $2", workspace.uuid(), group.uuid()).execute(conn).await?;
    Ok(done.rows_affected() == 1)
}

/// Members in the order of their ids, those behind one.
pub async fn list_members(conn: &mut PgConnection, group: GroupId, after: Option<WorkspaceId>, most: usize) -> sqlx::Result<Members> {
    let rows = sqlx::query!(
        "select w.id, w.name, w.personal_of from group_members m join workspaces w on w.id = m.workspace_id
         where m.group_id = $1 and ($2::uuid is null or m.workspace_id > $2) order by m.workspace_id limit $3",
        group.uuid(),
        after.map(WorkspaceId::uuid),
        i64::try_from(most + 1).unwrap_or(i64::MAX),
    )
    .fetch_all(conn)
    .await?;
    let mut rows: Vec<Member> =
        rows.into_iter().map(|r| Member { workspace: WorkspaceId::new(r.id), name: r.name, account: r.personal_of.map(AccountId::new) }).collect();
    let is_more = rows.len() > most;
    rows.truncate(most);
    Ok(Members { next: rows.last().filter(|_| is_more).map(|m| m.workspace), rows })
}

/// The members that the group holds: those without limits of their own, and if it is its plan that would hold them, without a plan of their
/// own that has limits.
pub async fn list_held(db: &PgPool, group: GroupId, by_plan: bool) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!(
        "select m.workspace_id from group_members m where m.group_id = $1
           and not exists (select from workspace_limits l where l.workspace_id = m.workspace_id)
           and not ($2 and exists (select from workspace_plans h join plan_limits l on l.plan_id = h.plan_id where h.workspace_id = m.workspace_id))",
        group.uuid(),
        by_plan,
    )
    .fetch_all(db)
    .await
}

/// The groups that have a plan, the newest changed first.
pub async fn list_holding_groups(db: &PgPool, plan: PlanId, most: i64) -> sqlx::Result<Vec<Holder>> {
    let rows = sqlx::query!("select id, slug, name from groups where plan_id = $1 order by updated_at desc, id limit $2", plan.uuid(), most);
    let holder =
        |id, slug: &str, name| Holder { id: GroupId::new(id).to_string(), name, href: Some(link("/admin/groups", [("edit", slug)])), kind: HolderKind::Group };
    Ok(rows.fetch_all(db).await?.into_iter().map(|r| holder(r.id, &r.slug, r.name)).collect())
}
