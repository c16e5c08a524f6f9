//! What keys may have only by grant. The grants themselves are the plans feature's.

use crate::{
    keys::model::Withheld,
    values::{ApiId, WorkspaceId},
};
use sqlx::PgConnection;

/// The permissions of an API that keys of this workspace, with this plan of their own, may not have for want of a grant; by name.
pub async fn list_withheld(conn: &mut PgConnection, api: ApiId, workspace: WorkspaceId, key_plan: Option<&str>) -> sqlx::Result<Vec<Withheld>> {
    let rows = sqlx::query!(
        r#"select w.permission as "permission!", array(
             select p.name from plan_grants g join plans p on p.id = g.plan_id
             where g.api_id = $1 and g.permission = w.permission order by lower(p.name), p.slug limit 3
           ) as "plans!"
           from withheld_permissions($1, $2, (select id from plans where slug = $3)) w (permission) order by w.permission collate "C""#,
        api.uuid(),
        workspace.uuid(),
        key_plan,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().filter_map(|r| Some(Withheld { permission: r.permission.parse().ok()?, plans: r.plans })).collect())
}
