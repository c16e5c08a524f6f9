//! The list of keys with how each stands. Which keys the filters leave and how each stands is decided by `keys_left` and `key_standing`
//! (migrations 0107 and 0063), so that list, badge, plain pages and their number (`paging`) agree.

use super::keys::Row;
use crate::{
    keys::model::{Environment, Key, KeyOwner, KeyState, Review, StandingKind, ToReview},
    values::{AccountId, Actor, Counts, KeyId, WorkspaceId},
};
use sqlx::PgExecutor;
use time::OffsetDateTime;
use uuid::Uuid;

/// A key expires soon, is new, or is idle within so many days.
pub const SOON_DAYS: i64 = 7;

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct Wanted<'a> {
    /// None: every workspace.
    pub workspace: Option<WorkspaceId>,
    pub id: Option<KeyId>,
    /// Only these.
    pub ids: Option<&'a [KeyId]>,
    /// Part of a name or of an external id, how a tag begins, the start of a secret; among the keys of everybody also part of the
    /// name of a workspace, or of its owner's name or email.
    pub search: Option<&'a str>,
    pub api: Option<&'a str>,
    /// Those of these kinds, in their order; none: of every kind. Only a list of one kind, or of all, has pages.
    pub kinds: Vec<StandingKind>,
    pub review: Option<Review>,
    pub tag: Option<&'a str>,
    /// Exactly this one.
    pub external_id: Option<&'a str>,
    /// Part of the name of a workspace, or of its owner's name or email.
    pub owner: Option<&'a str>,
    /// Hashes of one secret: whoever has any of them.
    pub hashes: Option<Vec<Vec<u8>>>,
    /// Only rows after this one, or before it if `backwards`.
    pub from: Option<(OffsetDateTime, KeyId)>,
    pub backwards: bool,
    pub most: i64,
}

impl Wanted<'_> {
    /// None: of every kind.
    pub(super) fn words_of_kinds(&self) -> Option<Vec<String>> {
        let word = |kind: &StandingKind| StandingKind::ALL.into_iter().find(|(k, ..)| k == kind).map_or("", |(_, word, _)| word).to_owned();
        (!self.kinds.is_empty()).then(|| self.kinds.iter().map(word).collect())
    }

    /// At so many keys one statement may look for those that filters leave, so that it does not take long: a review is asked key by key. None where
    /// nothing filters, or by what an index finds at once.
    pub fn looked_at(&self) -> Option<i64> {
        let has_filter = self.search.is_some() || self.api.is_some() || self.tag.is_some() || self.owner.is_some() || !self.kinds.is_empty();
        match self.review {
            _ if self.is_exact() => None,
            Some(_) => Some(20_000),
            None => has_filter.then_some(100_000),
        }
    }

    /// One key, or few: by what an index finds at once.
    fn is_exact(&self) -> bool {
        self.id.is_some() || self.ids.is_some() || self.hashes.is_some() || self.external_id.is_some()
    }
}

/// One key with the facts behind its badge.
#[derive(Debug, Clone)]
pub struct Listed {
    pub key: Key,
    /// The name of its workspace, and the person whose it is.
    pub owner: String,
    pub person: Option<KeyOwner>,
    pub kind: StandingKind,
    /// The calls of the last 24 hours that a limit held, that were refused, and all.
    pub limited: u64,
    pub refused: u64,
    pub calls: u64,
    /// The most frequent refusal of these hours.
    pub refusal: Option<String>,
    /// Who disabled or revoked it, when and why.
    pub ended_by: Option<(Actor, OffsetDateTime, String)>,
    /// A secret of it that is still accepted was found in the open.
    pub is_leaked: bool,
    /// How many rows the filters leave, on all pages.
    pub found: u64,
}

struct ListedRow {
    id: Uuid,
    workspace_id: Uuid,
    slug: String,
    api_name: String,
    name: String,
    environment: Environment,
    start: String,
    permissions: Vec<String>,
    addresses: Vec<String>,
    origins: Vec<String>,
    routes: Vec<String>,
    tags: Vec<String>,
    external_id: Option<String>,
    meta: Option<String>,
    state: KeyState,
    expires_at: Option<OffsetDateTime>,
    created_at: OffsetDateTime,
    last_used_at: Option<OffsetDateTime>,
    owner: String,
    person_id: Option<Uuid>,
    person: Option<String>,
    email: Option<String>,
    kind: StandingKind,
    limited: i64,
    refused: i64,
    calls: i64,
    refusal: Option<String>,
    ended_by: Option<String>,
    ended_by_account: bool,
    ended_at: Option<OffsetDateTime>,
    ended_why: Option<String>,
    is_leaked: bool,
    found: i64,
}

impl ListedRow {
    fn listed(self) -> Option<Listed> {
        let count = |n: i64| u64::try_from(n).unwrap_or(0);
        let is_account = self.ended_by_account;
        let ended_by = self.ended_by.zip(self.ended_at).map(|(name, at)| (Actor { name, is_account }, at, self.ended_why.unwrap_or_default()));
        let row = Row {
            id: self.id,
            workspace_id: self.workspace_id,
            slug: self.slug,
            api_name: self.api_name,
            name: self.name,
            environment: self.environment,
            start: self.start,
            permissions: self.permissions,
            addresses: self.addresses,
            origins: self.origins,
            routes: self.routes,
            tags: self.tags,
            external_id: self.external_id,
            meta: self.meta,
            state: self.state,
            expires_at: self.expires_at,
            created_at: self.created_at,
            last_used_at: self.last_used_at,
        };
        Some(Listed {
            key: row.key()?,
            owner: self.owner,
            person: self.person_id.zip(self.person.zip(self.email)).map(|(id, (name, email))| KeyOwner { account: AccountId::new(id), name, email }),
            kind: self.kind,
            limited: count(self.limited),
            refused: count(self.refused),
            calls: count(self.calls),
            refusal: self.refusal,
            ended_by,
            is_leaked: self.is_leaked,
            found: count(self.found),
        })
    }
}

/// A page of keys, newest first. `since` is from when calls count for how a key stands.
pub async fn list_keys(db: impl PgExecutor<'_>, wanted: &Wanted<'_>, now: OffsetDateTime, since: OffsetDateTime) -> sqlx::Result<Vec<Listed>> {
    let (from_at, from_id) = wanted.from.unzip();
    let ids: Option<Vec<Uuid>> = wanted.ids.map(|ids| ids.iter().map(|id| id.uuid()).collect());
    let kinds = wanted.words_of_kinds();
    let mut rows = sqlx::query_as!(
        ListedRow,
        r#"with today as (
             select key_id, coalesce(sum(count) filter (where outcome in ('RATE_LIMITED', 'QUOTA_EXCEEDED')), 0)::bigint as limited,
               coalesce(sum(count) filter (where outcome not in ('VALID', 'RATE_LIMITED', 'QUOTA_EXCEEDED')), 0)::bigint as refused,
               sum(count)::bigint as calls
             from usage_quarters where quarter >= $2 and ($3::uuid is null or workspace_id = $3) group by key_id
           ), leaked as (
             select l.key_id from key_leaks l join key_secrets s on s.id = l.secret_id where l.cleared_at is null and (s.expires_at is null or s.expires_at > $1)
           ), standing as (
             select k.id, k.created_at, coalesce(t.limited, 0) as limited, coalesce(t.refused, 0) as refused, coalesce(t.calls, 0) as calls, k.last_used_at,
               key_standing(k.state, k.expires_at, k.created_at, k.last_used_at, t.limited, t.refused, $1, $12) as kind
             from keys_left($3, $4, $16, $15, $17, $6, $5, $13, $14, $18, $1) k left join today t on t.key_id = k.id
           ), found as (
             select * from standing where $7::text[] is null or kind = any($7)
           )
           select k.id, k.workspace_id, a.slug, a.name as api_name, k.name, k.environment as "environment: Environment", k.permissions, k.addresses::text[] as "addresses!", k.origins, k.routes, k.tags,
             k.external_id, k.meta, k.state as "state: KeyState", k.expires_at, k.created_at, f.last_used_at as "last_used_at?",
             coalesce((select s.start from key_secrets s where s.key_id = k.id order by s.expires_at desc, s.created_at desc, s.id desc limit 1), '') as "start!",
             w.name as owner, o.id as "person_id?", o.name as "person?", o.email as "email?", f.kind as "kind!: StandingKind", f.limited as "limited!", f.refused as "refused!", f.calls as "calls!",
             (select q.outcome from usage_quarters q where q.key_id = k.id and q.quarter >= $2 and q.outcome not in ('VALID', 'RATE_LIMITED', 'QUOTA_EXCEEDED')
               group by q.outcome order by sum(q.count) desc, q.outcome limit 1) as refusal,
             e.actor as "ended_by?", e.actor_id is not null as "ended_by_account!", e.at as "ended_at?", e.reason as "ended_why?", k.id in (select key_id from leaked) as "is_leaked!", (select count(*) from found) as "found!"
           from found f join keys k on k.id = f.id join apis a on a.id = k.api_id join workspaces w on w.id = k.workspace_id
             left join accounts o on o.id = w.personal_of
             left join lateral (select c.actor, c.actor_id, c.at, c.reason from key_state_changes c where c.key_id = k.id and c.act = k.state order by c.number desc limit 1) e on true
           where $8::timestamptz is null or (not $10 and (k.created_at, k.id) < ($8, $9::uuid)) or ($10 and (k.created_at, k.id) > ($8, $9::uuid))
           order by array_position($7, f.kind), case when $10 then k.created_at end, case when $10 then k.id end, k.created_at desc, k.id desc
           limit $11"#,
        now,
        since,
        wanted.workspace.map(WorkspaceId::uuid),
        wanted.id.map(KeyId::uuid),
        wanted.search,
        wanted.api,
        kinds.as_deref() as _,
        from_at,
        from_id.map(KeyId::uuid),
        wanted.backwards,
        wanted.most,
        i32::try_from(SOON_DAYS).unwrap_or(7),
        wanted.review.map(Review::word),
        wanted.tag,
        wanted.hashes.as_deref(),
        ids.as_deref(),
        wanted.external_id,
        wanted.owner,
    )
    .fetch_all(db)
    .await?;
    if wanted.backwards {
        rows.reverse();
    }
    Ok(rows.into_iter().filter_map(ListedRow::listed).collect())
}

/// What is said of all keys above the list, whatever its filters.
pub struct Summary {
    pub all: u64,
    pub review: ToReview,
    /// Those in use, the first hundred by name.
    pub tags: Vec<String>,
    /// All calls of today, also of keys that are gone.
    pub today: Counts,
}

/// The counts read the conditions of `key_wants_review` (migration 0031) by set: asked key by key they take a minute for 100,000 keys.
/// `today` is where the person's day began.
pub async fn summary(db: impl PgExecutor<'_>, workspace: Option<WorkspaceId>, now: OffsetDateTime, today: OffsetDateTime) -> sqlx::Result<Summary> {
    let row = sqlx::query!(
        r#"with leaked as (
             select l.key_id from key_leaks l join key_secrets s on s.id = l.secret_id where l.cleared_at is null and (s.expires_at is null or s.expires_at > $2)
           ), bundled as (
             select h.key_id, array_agg(distinct g.permission) as names from key_bundles h join api_bundle_grants g on g.bundle_id = h.bundle_id group by h.key_id
           ), rights as (
             select api_id, array_agg(permission) as names from api_permissions group by api_id having count(*) > 1
           ), today as (
             select coalesce(sum(count) filter (where outcome = 'VALID'), 0)::bigint as passed,
               coalesce(sum(count) filter (where outcome in ('RATE_LIMITED', 'QUOTA_EXCEEDED')), 0)::bigint as limited,
               coalesce(sum(count), 0)::bigint as calls
             from usage_quarters where quarter >= $3 and ($1::uuid is null or workspace_id = $1)
           )
           select count(*) as "all!",
             count(*) filter (where p.may_pass and k.id in (select key_id from leaked)) as "leaked!",
             count(*) filter (where p.may_pass and k.created_at <= $2::timestamptz - interval '30 days'
               and coalesce(u.last_used_at <= $2::timestamptz - interval '30 days', true)) as "idle!",
             count(*) filter (where p.may_pass and k.expires_at is null) as "endless!",
             count(*) filter (where p.may_pass and r.names <@ (k.permissions || coalesce(b.names, '{}'))) as "broad!",
             array(select distinct tag from keys t, unnest(t.tags) tag where ($1::uuid is null or t.workspace_id = $1) order by 1 limit 100) as "tags!",
             (select passed from today) as "passed!", (select limited from today) as "limited!", (select calls from today) as "calls!"
           from keys k left join key_activity u on u.key_id = k.id left join rights r on r.api_id = k.api_id left join bundled b on b.key_id = k.id
             cross join lateral (select k.state = 'active' and (k.expires_at is null or k.expires_at > $2) as may_pass) p
           where ($1::uuid is null or k.workspace_id = $1)"#,
        workspace.map(WorkspaceId::uuid),
        now,
        today,
    )
    .fetch_one(db)
    .await?;
    let count = |n: i64| u64::try_from(n).unwrap_or(0);
    let review = ToReview { leaked: count(row.leaked), idle: count(row.idle), endless: count(row.endless), broad: count(row.broad) };
    let today = Counts { passed: count(row.passed), limited: count(row.limited), refused: count(row.calls - row.passed - row.limited) };
    Ok(Summary { all: count(row.all), review, tags: row.tags, today })
}
