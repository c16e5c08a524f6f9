//! The routes of APIs. Who changes them has locked the API.

use crate::{
    keys::model::ApiRoute,
    values::{ApiId, Permission},
};
use sqlx::PgConnection;

/// By path, then by method, any method last.
pub async fn list_routes(conn: &mut PgConnection, api: ApiId) -> sqlx::Result<Vec<ApiRoute>> {
    let rows = sqlx::query_as!(
        Row,
        r#"select method, pattern, permission, cost, is_counted, description from api_routes where api_id = $1
           order by pattern collate "C", method = '*', method"#,
        api.uuid(),
    )
    .fetch_all(conn)
    .await?;
    let route = |r: Row| ApiRoute {
        method: r.method,
        pattern: r.pattern,
        permission: r.permission.and_then(|p| p.parse::<Permission>().ok()),
        cost: u32::try_from(r.cost).unwrap_or(1),
        is_counted: r.is_counted,
        description: r.description,
    };
    Ok(rows.into_iter().map(route).collect())
}

struct Row {
    method: String,
    pattern: String,
    permission: Option<String>,
    cost: i32,
    is_counted: bool,
    description: String,
}

/// The routes of an API become these.
pub async fn replace_routes(conn: &mut PgConnection, api: ApiId, routes: &[ApiRoute]) -> sqlx::Result<()> {
    let texts = |of: fn(&ApiRoute) -> &str| routes.iter().map(|r| of(r).to_owned()).collect::<Vec<String>>();
    let permissions: Vec<Option<String>> = routes.iter().map(|r| r.permission.as_ref().map(ToString::to_string)).collect();
    let costs: Vec<i32> = routes.iter().map(|r| i32::try_from(r.cost).unwrap_or(i32::MAX)).collect();
    let counted: Vec<bool> = routes.iter().map(|r| r.is_counted).collect();
    sqlx::query!("delete from api_routes where api_id = $1", api.uuid()).execute(&mut *conn).await?;
    sqlx::query!(
        "insert into api_routes (api_id, method, pattern, permission, cost, is_counted, description)
         select $1, m, p, n, c, q, d from unnest($2::text[], $3::text[], $4::text[], $5::int[], $6::bool[], $7::text[]) as t (m, p, n, c, q, d)",
        api.uuid(),
        &texts(|r| &r.method),
        &texts(|r| &r.pattern),
        &permissions as &[Option<String>],
        &costs,
        &counted,
        &texts(|r| &r.description),
    )
    .execute(conn)
    .await?;
    Ok(())
}
