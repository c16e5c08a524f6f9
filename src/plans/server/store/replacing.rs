//! What holds limits or grants permissions has a table of each; here those of one become others.

use crate::{
    keys::{
        model::{Grant, KeyLimit},
        server::stored_limits,
    },
    values::{ApiId, GroupId, PlanId, WorkspaceId},
};
use sqlx::PgConnection;

/// The limits in this table, of the one that its column names. The parts of the text stay on their lines.
#[rustfmt::skip]
macro_rules! replace_limits {
    ($conn:ident, $table:tt, $column:tt, $id:ident, $limits:ident) => {
        sqlx::query!(
            "with new as (
               select * from jsonb_to_recordset($2) as t (name text, max_calls bigint, window_seconds integer, zone text, unit text, over text, kind text, refill bigint)
             ), gone as (
               delete from " + $table + " where " + $column + " = $1 and name not in (select name from new)
             )
             insert into " + $table + " (" + $column + ", name, max_calls, window_seconds, zone, unit, over, kind, refill)
             select $1, name, max_calls, window_seconds, zone, unit, over, kind, refill from new
             on conflict (" + $column + ", name) do update set max_calls = excluded.max_calls, window_seconds = excluded.window_seconds,
               zone = excluded.zone, unit = excluded.unit, over = excluded.over, kind = excluded.kind, refill = excluded.refill",
            $id.uuid(),
            stored_limits($limits),
        )
        .execute($conn)
        .await
        .map(drop)
    };
}

/// The grants in this table, of the one that its column names.
#[rustfmt::skip]
macro_rules! replace_grants {
    ($conn:ident, $table:tt, $column:tt, $id:ident, $grants:ident) => {{
        let (apis, permissions) = stored_grants($grants);
        sqlx::query!(
            "with new as (
               select a.id as api_id, t.permission from unnest($2::text[], $3::text[]) as t (api, permission) join apis a on a.slug = t.api
             ), gone as (
               delete from " + $table + " where " + $column + " = $1 and (api_id, permission) not in (select api_id, permission from new)
             )
             insert into " + $table + " (" + $column + ", api_id, permission) select $1, api_id, permission from new on conflict do nothing",
            $id.uuid(),
            &apis,
            &permissions,
        )
        .execute($conn)
        .await
        .map(drop)
    }};
}

/// The slugs of their APIs, and their permissions.
fn stored_grants(grants: &[Grant]) -> (Vec<String>, Vec<String>) {
    grants.iter().map(|grant| (grant.api.to_string(), grant.permission.to_string())).unzip()
}

pub async fn replace_plan_limits(conn: &mut PgConnection, plan: PlanId, limits: &[KeyLimit]) -> sqlx::Result<()> {
    replace_limits!(conn, "plan_limits", "plan_id", plan, limits)
}

pub async fn replace_group_limits(conn: &mut PgConnection, group: GroupId, limits: &[KeyLimit]) -> sqlx::Result<()> {
    replace_limits!(conn, "group_limits", "group_id", group, limits)
}

pub async fn replace_workspace_limits(conn: &mut PgConnection, workspace: WorkspaceId, limits: &[KeyLimit]) -> sqlx::Result<()> {
    replace_limits!(conn, "workspace_limits", "workspace_id", workspace, limits)
}

pub async fn replace_api_limits(conn: &mut PgConnection, api: ApiId, limits: &[KeyLimit]) -> sqlx::Result<()> {
    replace_limits!(conn, "api_limits", "api_id", api, limits)
}

pub async fn replace_plan_grants(conn: &mut PgConnection, plan: PlanId, grants: &[Grant]) -> sqlx::Result<()> {
    replace_grants!(conn, "plan_grants", "plan_id", plan, grants)
}

pub async fn replace_group_grants(conn: &mut PgConnection, group: GroupId, grants: &[Grant]) -> sqlx::Result<()> {
    replace_grants!(conn, "group_grants", "group_id", group, grants)
}

/// What is granted to a workspace itself, not by its plan or group.
pub async fn replace_workspace_grants(conn: &mut PgConnection, workspace: WorkspaceId, grants: &[Grant]) -> sqlx::Result<()> {
    replace_grants!(conn, "workspace_grants", "workspace_id", workspace, grants)
}
