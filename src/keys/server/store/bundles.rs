//! The bundles of APIs, and which keys hold them. Who describes one has locked its API; closures are settled by the database (0031).

use crate::{
    keys::model::Bundle,
    values::{ApiId, BundleId, KeyId, Permission, Slug},
};
use sqlx::{PgConnection, PgPool};
use time::OffsetDateTime;
use uuid::Uuid;

/// The bundles that these keys hold, by name, each with everything that it gives.
pub async fn bundles_of(conn: &mut PgConnection, keys: &[KeyId]) -> sqlx::Result<Vec<(KeyId, Slug, Vec<Permission>)>> {
    let ids: Vec<Uuid> = keys.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query!(
        r#"select h.key_id, b.name, array(select g.permission from api_bundle_grants g where g.bundle_id = b.id) as "gives!"
           from key_bundles h join api_bundles b on b.id = h.bundle_id where h.key_id = any($1) order by h.key_id, b.name collate "C""#,
        &ids,
    )
    .fetch_all(conn)
    .await?;
    let gives = |names: Vec<String>| names.iter().filter_map(|p| p.parse::<Permission>().ok()).collect::<Vec<Permission>>();
    Ok(rows.into_iter().filter_map(|r| Some((KeyId::new(r.key_id), r.name.parse::<Slug>().ok()?, gives(r.gives)))).collect())
}

/// These bundles of an API, which nobody changes or deletes until the transaction ends. One that is gone is left out.
pub async fn lock_bundles(conn: &mut PgConnection, api: ApiId, names: &[Slug]) -> sqlx::Result<Vec<BundleId>> {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let ids = sqlx::query_scalar!("select id from api_bundles where api_id = $1 and name = any($2) order by id for share", api.uuid(), &names);
    Ok(ids.fetch_all(conn).await?.into_iter().map(BundleId::new).collect())
}

/// Everything that these bundles of an API give.
pub async fn list_given(conn: &mut PgConnection, api: ApiId, names: &[Slug]) -> sqlx::Result<Vec<Permission>> {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let given = sqlx::query_scalar!(
        "select distinct g.permission from api_bundles b join api_bundle_grants g on g.bundle_id = b.id where b.api_id = $1 and b.name = any($2)",
        api.uuid(),
        &names,
    );
    Ok(given.fetch_all(conn).await?.iter().filter_map(|p| p.parse::<Permission>().ok()).collect())
}

/// The bundles of a key become these.
pub async fn replace_key_bundles(conn: &mut PgConnection, key: KeyId, bundles: &[BundleId], now: OffsetDateTime) -> sqlx::Result<()> {
    let ids: Vec<Uuid> = bundles.iter().map(|id| id.uuid()).collect();
    sqlx::query!("delete from key_bundles where key_id = $1 and bundle_id <> all($2)", key.uuid(), &ids).execute(&mut *conn).await?;
    sqlx::query!("insert into key_bundles (key_id, bundle_id) select $1, b from unnest($2::uuid[]) b on conflict do nothing", key.uuid(), &ids)
        .execute(&mut *conn)
        .await?;
    sqlx::query!("update keys set updated_at = $2 where id = $1", key.uuid(), now).execute(conn).await?;
    Ok(())
}

/// Makes a bundle, or the one of this name becomes it. What it gives is settled by the database.
pub async fn put_bundle(conn: &mut PgConnection, id: BundleId, api: ApiId, bundle: &Bundle, now: OffsetDateTime) -> sqlx::Result<BundleId> {
    let id = sqlx::query_scalar!(
        "insert into api_bundles (id, api_id, name, description, created_at, updated_at) values ($1, $2, $3, $4, $5, $5)
         on conflict (api_id, name) do update set description = excluded.description, updated_at = excluded.updated_at returning id",
        id.uuid(),
        api.uuid(),
        bundle.name.as_str(),
        bundle.description,
        now,
    )
    .fetch_one(&mut *conn)
    .await?;
    let permissions: Vec<String> = bundle.permissions.iter().map(ToString::to_string).collect();
    let includes: Vec<String> = bundle.includes.iter().map(ToString::to_string).collect();
    sqlx::query!("delete from api_bundle_permissions where bundle_id = $1 and permission <> all($2)", id, &permissions).execute(&mut *conn).await?;
    sqlx::query!(
        "delete from api_bundle_parts where bundle_id = $1 and part_id not in (select b.id from api_bundles b where b.api_id = $2 and b.name = any($3))",
        id,
        api.uuid(),
        &includes,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "insert into api_bundle_permissions (bundle_id, api_id, permission) select $1, $2, p from unnest($3::text[]) p on conflict do nothing",
        id,
        api.uuid(),
        &permissions,
    )
    .execute(&mut *conn)
    .await?;
    sqlx::query!(
        "insert into api_bundle_parts (bundle_id, part_id, api_id) select $1, b.id, $2 from api_bundles b where b.api_id = $2 and b.name = any($3) on conflict do nothing",
        id,
        api.uuid(),
        &includes,
    )
    .execute(conn)
    .await?;
    Ok(BundleId::new(id))
}

/// The bundles whose closure this transaction changed.
pub async fn list_settled(conn: &mut PgConnection) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar!("select holder from limit_changes where changed_in = pg_current_xact_id()").fetch_all(conn).await
}

/// The bundle, and nobody gives it to a key until the transaction ends.
pub async fn lock_bundle(conn: &mut PgConnection, api: ApiId, name: &str) -> sqlx::Result<Option<BundleId>> {
    let id = sqlx::query_scalar!("select id from api_bundles where api_id = $1 and name = $2 for update", api.uuid(), name).fetch_optional(conn).await?;
    Ok(id.map(BundleId::new))
}

/// A revoked key loses it with the bundle.
pub async fn delete_bundle(conn: &mut PgConnection, id: BundleId) -> sqlx::Result<()> {
    sqlx::query!("delete from api_bundles where id = $1", id.uuid()).execute(conn).await?;
    Ok(())
}

/// How many keys that are not revoked hold a bundle.
pub async fn count_holders(conn: &mut PgConnection, id: BundleId) -> sqlx::Result<u64> {
    let n = sqlx::query_scalar!(
        r#"select count(*) as "n!" from key_bundles h join keys k on k.id = h.key_id where h.bundle_id = $1 and k.state <> 'revoked'"#,
        id.uuid(),
    )
    .fetch_one(conn)
    .await?;
    Ok(u64::try_from(n).unwrap_or(0))
}

/// The same for each bundle of an API; one that no key holds is left out.
pub async fn count_holders_by_bundle(db: &PgPool, api: ApiId) -> sqlx::Result<Vec<(Slug, u64)>> {
    let rows = sqlx::query!(
        r#"select b.name, count(*) as "n!" from api_bundles b join key_bundles h on h.bundle_id = b.id join keys k on k.id = h.key_id
           where b.api_id = $1 and k.state <> 'revoked' group by b.name"#,
        api.uuid(),
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().filter_map(|r| Some((r.name.parse().ok()?, u64::try_from(r.n).unwrap_or(0)))).collect())
}
