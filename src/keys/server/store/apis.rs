//! APIs and the permissions that they know.

use crate::{
    keys::model::{Api, ApiPermission, Bundle, Unmatched},
    values::{ApiId, KeyPrefix, Permission, Slug},
};
use sqlx::{PgConnection, PgExecutor, types::Json};
use time::OffsetDateTime;
use uuid::Uuid;

struct Row {
    id: Uuid,
    slug: String,
    name: String,
    key_prefix: String,
    unmatched: Unmatched,
    answers_preflights: bool,
    sample_one_in: i32,
    permissions: Vec<String>,
    descriptions: Vec<String>,
    basics: Vec<bool>,
    needing: Vec<bool>,
    bundles: Json<Vec<Bundle>>,
}

impl Row {
    /// What the checks of the table guarantee is not checked again: a row that can't be read is left out.
    fn api(self) -> Option<Api> {
        let permissions = self.permissions.into_iter().zip(self.descriptions).zip(self.basics.into_iter().zip(self.needing));
        let permission = |((name, description), (is_basic, needs_grant)): ((String, String), (bool, bool))| {
            Some(ApiPermission { permission: name.parse::<Permission>().ok()?, description, is_basic, needs_grant })
        };
        Some(Api {
            id: ApiId::new(self.id),
            slug: self.slug.parse::<Slug>().ok()?,
            name: self.name,
            key_prefix: self.key_prefix.parse::<KeyPrefix>().ok()?,
            unmatched: self.unmatched,
            answers_preflights: self.answers_preflights,
            sample_one_in: u32::try_from(self.sample_one_in).unwrap_or(0),
            permissions: permissions.filter_map(permission).collect(),
            bundles: self.bundles.0,
        })
    }
}

/// Every API; Tollgate's own last, the others by name.
pub async fn list_apis(db: impl PgExecutor<'_>) -> sqlx::Result<Vec<Api>> {
    select_apis(db, None).await
}

/// Slug and name of every API, in the same order.
pub async fn list_names(db: impl PgExecutor<'_>) -> sqlx::Result<Vec<(Slug, String)>> {
    let rows = sqlx::query!("select slug, name from apis order by slug = $1, lower(name), slug", Api::OWN).fetch_all(db).await?;
    Ok(rows.into_iter().filter_map(|r| Some((r.slug.parse::<Slug>().ok()?, r.name))).collect())
}

pub async fn find_api(db: impl PgExecutor<'_>, slug: &str) -> sqlx::Result<Option<Api>> {
    Ok(select_apis(db, Some(slug)).await?.pop())
}

async fn select_apis(db: impl PgExecutor<'_>, slug: Option<&str>) -> sqlx::Result<Vec<Api>> {
    let rows = sqlx::query_as!(
        Row,
        r#"select a.id, a.slug, a.name, a.key_prefix, a.unmatched as "unmatched: Unmatched", a.answers_preflights, a.sample_one_in,
             array(select p.permission from api_permissions p where p.api_id = a.id order by p.permission) as "permissions!",
             array(select p.description from api_permissions p where p.api_id = a.id order by p.permission) as "descriptions!",
             array(select p.is_basic from api_permissions p where p.api_id = a.id order by p.permission) as "basics!",
             array(select p.needs_grant from api_permissions p where p.api_id = a.id order by p.permission) as "needing!",
             coalesce((
               select jsonb_agg(jsonb_build_object(
                 'name', b.name, 'description', b.description,
                 'permissions', array(select p.permission from api_bundle_permissions p where p.bundle_id = b.id order by p.permission collate "C"),
                 'includes', array(select o.name from api_bundle_parts p join api_bundles o on o.id = p.part_id where p.bundle_id = b.id order by o.name collate "C"),
                 'gives', array(select g.permission from api_bundle_grants g where g.bundle_id = b.id order by g.permission collate "C")
               ) order by b.name collate "C")
               from api_bundles b where b.api_id = a.id
             ), '[]') as "bundles!: Json<Vec<Bundle>>"
           from apis a where $2::text is null or a.slug = $2 order by a.slug = $1, lower(a.name), a.slug"#,
        Api::OWN,
        slug,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().filter_map(Row::api).collect())
}

/// The API, and nobody else changes it until the transaction ends.
pub async fn lock_api(conn: &mut PgConnection, slug: &str) -> sqlx::Result<Option<ApiId>> {
    let id = sqlx::query_scalar!("select id from apis where slug = $1 for update", slug).fetch_optional(conn).await?;
    Ok(id.map(ApiId::new))
}

/// False if the slug or the prefix is taken.
pub async fn insert_api(conn: &mut PgConnection, api: &Api, now: OffsetDateTime) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "insert into apis (id, slug, name, key_prefix, created_at, unmatched) values ($1, $2, $3, $4, $5, $6) on conflict do nothing",
        api.id.uuid(),
        api.slug.as_str(),
        api.name,
        api.key_prefix.as_str(),
        now,
        api.unmatched.as_str(),
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub async fn update_api_name(conn: &mut PgConnection, id: ApiId, name: &str) -> sqlx::Result<()> {
    sqlx::query!("update apis set name = $2 where id = $1", id.uuid(), name).execute(conn).await?;
    Ok(())
}

pub async fn update_preflights(conn: &mut PgConnection, id: ApiId, answers: bool) -> sqlx::Result<()> {
    sqlx::query!("update apis set answers_preflights = $2 where id = $1", id.uuid(), answers).execute(conn).await?;
    Ok(())
}

pub async fn update_sampling(conn: &mut PgConnection, id: ApiId, one_in: u32) -> sqlx::Result<()> {
    let one_in = i32::try_from(one_in).unwrap_or(0);
    sqlx::query!("update apis set sample_one_in = $2 where id = $1", id.uuid(), one_in).execute(conn).await?;
    Ok(())
}

pub async fn update_unmatched(conn: &mut PgConnection, id: ApiId, unmatched: Unmatched) -> sqlx::Result<()> {
    sqlx::query!("update apis set unmatched = $2 where id = $1", id.uuid(), unmatched.as_str()).execute(conn).await?;
    Ok(())
}

/// The permissions of an API become these.
pub async fn replace_permissions(conn: &mut PgConnection, id: ApiId, permissions: &[ApiPermission]) -> sqlx::Result<()> {
    let names: Vec<String> = permissions.iter().map(|p| p.permission.to_string()).collect();
    let descriptions: Vec<String> = permissions.iter().map(|p| p.description.clone()).collect();
    let basics: Vec<bool> = permissions.iter().map(|p| p.is_basic).collect();
    let needing: Vec<bool> = permissions.iter().map(|p| p.needs_grant).collect();
    sqlx::query!("delete from api_permissions where api_id = $1 and permission <> all($2)", id.uuid(), &names).execute(&mut *conn).await?;
    sqlx::query!(
        "insert into api_permissions (api_id, permission, description, is_basic, needs_grant)
         select $1, p, d, b, n from unnest($2::text[], $3::text[], $4::bool[], $5::bool[]) as t (p, d, b, n)
         on conflict (api_id, permission) do update set description = excluded.description, is_basic = excluded.is_basic, needs_grant = excluded.needs_grant",
        id.uuid(),
        &names,
        &descriptions,
        &basics,
        &needing,
    )
    .execute(conn)
    .await?;
    Ok(())
}
