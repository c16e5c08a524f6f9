//! Fields of profiles that operators made, and what people wrote into them.

use crate::{
    accounts::model::{FieldKind, FieldValue, ProfileField},
    values::AccountId,
};
use serde::Serialize;
use sqlx::{PgConnection, PgExecutor};
use time::OffsetDateTime;
use uuid::Uuid;

/// A row with the columns of a field.
macro_rules! field {
    ($row:expr) => {
        ProfileField {
            slug: $row.slug,
            label: $row.label,
            // The table holds no other word.
            kind: FieldKind::parse(&$row.kind).unwrap_or(FieldKind::Text),
            choices: $row.choices,
            is_required: $row.is_required,
            at_sign_up: $row.at_sign_up,
            may_be_public: $row.may_be_public,
            position: $row.position,
        }
    };
}

/// A value in an export.
#[derive(Debug, Serialize)]
pub struct ValueLine {
    pub field: String,
    pub label: String,
    pub value: String,
    pub is_public: bool,
}

/// All of them in their order.
pub async fn list_fields(db: impl PgExecutor<'_>) -> sqlx::Result<Vec<ProfileField>> {
    let rows = sqlx::query!("select slug, label, kind, choices, is_required, at_sign_up, may_be_public, position from profile_fields order by position, slug");
    Ok(rows.fetch_all(db).await?.into_iter().map(|r| field!(r)).collect())
}

/// The field of this slug, and nobody else changes it until the transaction ends.
pub async fn lock_field(conn: &mut PgConnection, slug: &str) -> sqlx::Result<Option<ProfileField>> {
    let row = sqlx::query!(
        "select slug, label, kind, choices, is_required, at_sign_up, may_be_public, position from profile_fields where slug = $1 for no key update",
        slug
    );
    Ok(row.fetch_optional(conn).await?.map(|r| field!(r)))
}

/// False if there is one of this slug.
pub async fn insert_field(conn: &mut PgConnection, id: Uuid, field: &ProfileField, now: OffsetDateTime) -> sqlx::Result<bool> {
    let done = sqlx::query!(
        "insert into profile_fields (id, slug, label, kind, choices, is_required, at_sign_up, may_be_public, position, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict (slug) do nothing",
        id,
        field.slug,
        field.label,
        field.kind.word(),
        &field.choices,
        field.is_required,
        field.at_sign_up,
        field.may_be_public,
        field.position,
        now,
    )
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Everything but slug and kind.
pub async fn update_field(conn: &mut PgConnection, field: &ProfileField) -> sqlx::Result<()> {
    sqlx::query!(
        "update profile_fields set label = $2, choices = $3, is_required = $4, at_sign_up = $5, may_be_public = $6, position = $7 where slug = $1",
        field.slug,
        field.label,
        &field.choices,
        field.is_required,
        field.at_sign_up,
        field.may_be_public,
        field.position,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// With everything that people wrote into it.
pub async fn delete_field(conn: &mut PgConnection, slug: &str) -> sqlx::Result<()> {
    sqlx::query!("delete from profile_fields where slug = $1", slug).execute(conn).await?;
    Ok(())
}

/// How many people wrote something into each field that somebody wrote into.
pub async fn count_values(db: impl PgExecutor<'_>) -> sqlx::Result<Vec<(String, u64)>> {
    let rows = sqlx::query!(r#"select f.slug, count(*) as "n!" from profile_values v join profile_fields f on f.id = v.field_id group by f.slug"#);
    Ok(rows.fetch_all(db).await?.into_iter().map(|r| (r.slug, u64::try_from(r.n).unwrap_or(0))).collect())
}

/// Every field in its order, with what this account wrote into it; an empty value is none.
pub async fn list_values(db: impl PgExecutor<'_>, account: AccountId) -> sqlx::Result<Vec<FieldValue>> {
    let rows = sqlx::query!(
        r#"select f.slug, f.label, f.kind, f.choices, f.is_required, f.at_sign_up, f.may_be_public, f.position,
             v.value as "value?", coalesce(v.is_public and f.may_be_public, false) as "is_public!"
           from profile_fields f left join profile_values v on v.field_id = f.id and v.account_id = $1
           order by f.position, f.slug"#,
        account.uuid(),
    );
    Ok(rows.fetch_all(db).await?.into_iter().map(|r| FieldValue { value: r.value.unwrap_or_default(), is_public: r.is_public, field: field!(r) }).collect())
}

pub async fn upsert_value(conn: &mut PgConnection, account: AccountId, slug: &str, value: &str, is_public: bool) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into profile_values (account_id, field_id, value, is_public) select $1::uuid, id, $3::text, $4::boolean from profile_fields where slug = $2
         on conflict (account_id, field_id) do update set value = excluded.value, is_public = excluded.is_public",
        account.uuid(),
        slug,
        value,
        is_public,
    )
    .execute(conn)
    .await?;
    Ok(())
}

pub async fn delete_value(conn: &mut PgConnection, account: AccountId, slug: &str) -> sqlx::Result<()> {
    sqlx::query!("delete from profile_values v using profile_fields f where f.id = v.field_id and v.account_id = $1 and f.slug = $2", account.uuid(), slug)
        .execute(conn)
        .await?;
    Ok(())
}

/// All that an account wrote, for its export.
pub async fn list_lines(db: impl PgExecutor<'_>, account: AccountId) -> sqlx::Result<Vec<ValueLine>> {
    sqlx::query_as!(
        ValueLine,
        r#"select f.slug as field, f.label, v.value, v.is_public from profile_values v join profile_fields f on f.id = v.field_id
           where v.account_id = $1 order by f.position, f.slug"#,
        account.uuid(),
    )
    .fetch_all(db)
    .await
}
