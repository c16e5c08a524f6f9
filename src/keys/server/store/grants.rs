//! What keys may have only by grant. The grants themselves are the plans feature's.

use crate::{
    keys::model::Withheld,
    values::{ApiId, WorkspaceId},
};
use sqlx::PgConnection;
use uuid::Uuid;

/// The permissions of these APIs that keys of these workspaces, with this plan of their own, may not have for want of a grant; those of an API by
/// name. The plan is joined: the function is read as part of the statement only where no argument of it asks for itself.
pub async fn list_withheld(
    conn: &mut PgConnection,
    apis: &[ApiId],
    workspaces: &[WorkspaceId],
    key_plan: Option<&str>,
) -> sqlx::Result<Vec<(ApiId, WorkspaceId, Withheld)>> {
    let ids: Vec<Uuid> = apis.iter().map(|id| id.uuid()).collect();
    let workspaces: Vec<Uuid> = workspaces.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query!(
        r#"select a.id as "api!", k.id as "workspace!", w.permission as "permission!", array(
             select p.name from plan_grants g join plans p on p.id = g.plan_id
             where g.api_id = a.id and g.permission = w.permission order by lower(p.name), p.slug limit 3
           ) as "plans!"
           from unnest($1::uuid[]) a (id) cross join unnest($2::uuid[]) k (id) left join plans o on o.slug = $3
             cross join lateral withheld_permissions(a.id, k.id, o.id) w (permission)
           order by a.id, k.id, w.permission collate "C""#,
        &ids,
        &workspaces,
        key_plan,
    )
    .fetch_all(conn)
    .await?;
    let withheld = |permission: &str, plans| permission.parse().ok().map(|permission| Withheld { permission, plans });
    Ok(rows.into_iter().filter_map(|r| Some((ApiId::new(r.api), WorkspaceId::new(r.workspace), withheld(&r.permission, r.plans)?))).collect())
}
