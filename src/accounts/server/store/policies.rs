//! What roles and plans say of how long sessions and keys last. What comes of it for one account is `session_policy` of migration 0032.

use crate::{
    accounts::model::{Policy, PolicyHolder},
    values::{AccountId, WorkspaceId},
};
use sqlx::{PgConnection, PgExecutor};
use time::OffsetDateTime;
use uuid::Uuid;

/// A value that is said of an account, and by what, in words.
pub type Said = Option<(i32, String)>;

/// What is said of one account; none: nobody says anything.
#[derive(Debug, Clone, Default)]
pub struct Found {
    pub idle: Said,
    pub longest: Said,
    pub most: Said,
    pub key_longest: Said,
}

pub async fn find_said(db: impl PgExecutor<'_>, account: AccountId) -> sqlx::Result<Found> {
    let r =
        sqlx::query!("select idle, idle_from, longest, longest_from, most, most_from, key_longest, key_longest_from from session_policy($1)", account.uuid())
            .fetch_one(db)
            .await?;
    Ok(Found {
        idle: r.idle.zip(r.idle_from),
        longest: r.longest.zip(r.longest_from),
        most: r.most.zip(r.most_from),
        key_longest: r.key_longest.zip(r.key_longest_from),
    })
}

/// How long the keys of these workspaces may live, by what: those of whom nothing is said are left out.
pub async fn list_key_ends(db: impl PgExecutor<'_>, workspaces: &[Uuid]) -> sqlx::Result<Vec<(WorkspaceId, i32, String)>> {
    let rows = sqlx::query!(
        r#"select w.id, p.key_longest as "longest!", p.key_longest_from as "origin!"
           from workspaces w, session_policy(w.personal_of) p where w.id = any($1) and p.key_longest > 0"#,
        workspaces,
    );
    Ok(rows.fetch_all(db).await?.into_iter().map(|r| (WorkspaceId::new(r.id), r.longest, r.origin)).collect())
}

/// A role or a plan, and what it says.
#[derive(Debug, Clone)]
pub struct Row {
    pub holder: PolicyHolder,
    pub name: String,
    pub says: Policy,
}

/// Every role and every plan, by name.
pub async fn list_policies(db: impl PgExecutor<'_>) -> sqlx::Result<Vec<Row>> {
    let rows = sqlx::query!(
        r#"select h.is_role as "is_role!", h.slug as "slug!", h.name as "name!", p.idle_seconds as "idle_seconds?", p.max_seconds as "max_seconds?",
             p.session_count as "session_count?", p.key_max_seconds as "key_max_seconds?"
           from (select true as is_role, slug, name, null::uuid as plan from roles union all select false, slug, name, id from plans) h
             left join session_policies p on (h.is_role and p.role = h.slug) or p.plan_id = h.plan
           order by h.is_role desc, h.name, h.slug"#,
    );
    let number = |n: Option<i32>| n.and_then(|n| u32::try_from(n).ok());
    Ok(rows
        .fetch_all(db)
        .await?
        .into_iter()
        .map(|r| Row {
            holder: if r.is_role { PolicyHolder::Role(r.slug) } else { PolicyHolder::Plan(r.slug) },
            name: r.name,
            says: Policy {
                idle_seconds: number(r.idle_seconds),
                max_seconds: number(r.max_seconds),
                session_count: number(r.session_count),
                key_max_seconds: number(r.key_max_seconds),
            },
        })
        .collect())
}

/// Writes what a role or a plan says, or with nothing said takes it away. It is there: the caller has looked, and holds it (`lock`).
pub async fn replace_policy(conn: &mut PgConnection, id: Uuid, holder: &PolicyHolder, says: &Policy, now: OffsetDateTime) -> sqlx::Result<()> {
    let (role, plan) = holder.columns();
    sqlx::query!("delete from session_policies where role = $1 or plan_id = (select id from plans where slug = $2)", role, plan).execute(&mut *conn).await?;
    if *says == Policy::default() {
        return Ok(());
    }
    let number = |n: Option<u32>| n.and_then(|n| i32::try_from(n).ok());
    sqlx::query!(
        "insert into session_policies (id, role, plan_id, idle_seconds, max_seconds, session_count, key_max_seconds, updated_at)
         values ($1, $2, (select id from plans where slug = $3), $4, $5, $6, $7, $8)",
        id,
        role,
        plan,
        number(says.idle_seconds),
        number(says.max_seconds),
        number(says.session_count),
        number(says.key_max_seconds),
        now,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Holds a role or a plan until the transaction ends, so that two changes of its policy come one after the other. False: there is none.
pub async fn lock(conn: &mut PgConnection, holder: &PolicyHolder) -> sqlx::Result<bool> {
    let found = match holder {
        PolicyHolder::Role(slug) => sqlx::query_scalar!("select slug from roles where slug = $1 for no key update", slug).fetch_optional(conn).await?,
        PolicyHolder::Plan(slug) => sqlx::query_scalar!("select slug from plans where slug = $1 for no key update", slug).fetch_optional(conn).await?,
    };
    Ok(found.is_some())
}
