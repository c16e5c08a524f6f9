//! What keys may have only by grant. The grants themselves are the plans feature's.

use crate::{
    keys::model::Withheld,
    values::{ApiId, WorkspaceId},
};
use sqlx::PgConnection;
use uuid::Uuid;

/// The permissions of these APIs that keys of this workspace, with this plan of their own, may not have for want of a grant; those of an API by
/// name. The plan is joined: the function is read as part of the statement only where no argument of it asks for itself.
pub async fn list_withheld(conn: &mut PgConnection, apis: &[ApiId], workspace: WorkspaceId, key_plan: Option<&str>) -> sqlx::Result<Vec<(ApiId, Withheld)>> {
    let ids: Vec<Uuid> = apis.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query!(
        r#"select a.id as "api!", w.permission as "permission!", array(
             select p.name from plan_grants g join plans p on p.id = g.plan_id
             where g.api_id = a.id and g.permission = w.permission order by lower(p.name), p.slug limit 3
           ) as "plans!"
           from unnest($1::uuid[]) a (id) left join plans o on o.slug = $3
             cross join lateral withheld_permissions(a.id, $2, o.id) w (permission)
           order by a.id, w.permission collate "C""#,
        &ids,
        workspace.uuid(),
        key_plan,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().filter_map(|r| Some((ApiId::new(r.api), Withheld { permission: r.permission.parse().ok()?, plans: r.plans }))).collect())
}
