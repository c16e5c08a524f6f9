//! `POST /api/v1/keys/bulk`: one act on many keys.

use super::changed::SpreadBody;
use crate::{
    accounts::Caller,
    error::AppError,
    keys::{
        model::{KeyQuery, Many, ManyAct, ManyPlan, Selection},
        server,
    },
    platform::{Ctx, http::json::Body},
    values::KeyId,
};
use axum::{Json, Router, extract::State, routing::post};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use utoipa::ToSchema;

pub fn routes() -> Router<Ctx> {
    Router::new().route("/api/v1/keys/bulk", post(change_many_keys))
}

/// One act on many keys: those with these `ids`, or those that the `filter` leaves.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkBody {
    /// `disable`, `enable`, `revoke`, `extend`, `tag`, `untag`, or `plan`, which needs `keys:manage`.
    #[schema(value_type = String, example = "disable")]
    act: ManyAct,
    /// 1 to 1,000 keys.
    #[serde(default)]
    ids: Option<Vec<String>>,
    #[serde(default)]
    filter: Option<FilterBody>,
    /// `true` with a filter that names nothing, since every key then changes; not needed with `dry_run`.
    #[serde(default)]
    all: bool,
    /// At most 200 characters; stands in the history of each key.
    #[serde(default)]
    reason: String,
    /// For `extend`: keys that end sooner end then.
    #[serde(default, with = "time::serde::rfc3339::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<OffsetDateTime>,
    /// For `tag` and `untag`.
    #[serde(default)]
    #[schema(example = "team-a")]
    tag: Option<String>,
    /// For `plan`: the slug of a plan, or `null`: none of their own.
    #[serde(default, deserialize_with = "super::bodies::present_text")]
    #[schema(value_type = Option<String>)]
    plan: Option<Option<String>>,
    /// Only say what would happen.
    #[serde(default)]
    dry_run: bool,
}

/// As the query of the list; `{}` is every key of the workspace and needs `all`. `owner` and `everywhere` lead beyond it and need `keys:manage`.
/// At most 10,000 keys change at once.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FilterBody {
    #[serde(default)]
    q: Option<String>,
    #[serde(default)]
    api: Option<String>,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    review: Option<String>,
    #[serde(default)]
    tag: Option<String>,
    #[serde(default)]
    external_id: Option<String>,
    #[serde(default)]
    owner: Option<String>,
    /// `true`: of every workspace. Needs `keys:manage`.
    #[serde(default)]
    everywhere: bool,
    /// The key with this secret: its SHA-256 in hexadecimal digits, for keys that were imported also its SHA-512, after a dot.
    #[serde(default)]
    hash: Option<String>,
}

impl FilterBody {
    /// It leaves every key. A variable that was empty by mistake must not change them all.
    fn names_nothing(&self) -> bool {
        let Self { q, api, status, review, tag, external_id, owner, everywhere: _, hash } = self;
        [q, api, status, review, tag, external_id, owner, hash].iter().all(|part| part.as_deref().unwrap_or_default().trim().is_empty())
    }
}

impl From<FilterBody> for KeyQuery {
    fn from(f: FilterBody) -> Self {
        let FilterBody { q, api, status, review, tag, external_id, owner, everywhere, hash } = f;
        Self { q, api, status, review, tag, external_id, owner, everywhere, hash, ..Self::default() }
    }
}

impl BulkBody {
    fn many(self) -> Result<Many, AppError> {
        let keys = match (self.ids, self.filter) {
            (Some(ids), None) => {
                let wrong = |place: usize, id: &str| AppError::invalid(&format!("ids.{place}"), format!("{id} is no id of a key."));
                let ids = ids.iter().enumerate().map(|(place, id)| id.parse::<KeyId>().map_err(|_| wrong(place, id)));
                Selection::These(ids.collect::<Result<_, _>>()?)
            }
            (None, Some(filter)) if filter.names_nothing() && !self.all && !self.dry_run => {
                return Err(AppError::invalid("filter", "This filter names nothing, so every key would change. Name something, or send \"all\": true."));
            }
            (None, Some(filter)) => Selection::Matching(Box::new(filter.into())),
            (None, None) | (Some(_), Some(_)) => return Err(AppError::invalid("ids", "Say either ids or filter.")),
        };
        Ok(Many { act: self.act, keys, reason: self.reason, expires_at: self.expires_at, tag: self.tag, plan: self.plan })
    }
}

/// A key that changes.
#[derive(Debug, Serialize, ToSchema)]
pub struct NamedKeyBody {
    pub id: String,
    pub name: String,
}

/// A key that stays as it is.
#[derive(Debug, Serialize, ToSchema)]
pub struct SkippedKeyBody {
    pub id: String,
    pub name: String,
    /// Why: "is disabled already".
    pub reason: String,
}

/// What happened, or would happen.
#[derive(Debug, Serialize, ToSchema)]
pub struct BulkAnswerBody {
    pub dry_run: bool,
    /// Those that changed, or would.
    pub changed: Vec<NamedKeyBody>,
    pub skipped: Vec<SkippedKeyBody>,
    /// More keys match than one request takes: send it again for the rest.
    pub has_more: bool,
    /// On which nodes it holds; left out of a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spread: Option<SpreadBody>,
}

/// Change many keys
///
/// One act on up to 1,000 `ids`, or on up to 10,000 keys that a `filter` leaves. Each thousand changes whole or not at all, each key with
/// a line of history and an event of its own. Safe to send twice: what is so already is skipped. With `dry_run` nothing changes.
#[utoipa::path(
    post, path = "/api/v1/keys/bulk", tag = "Keys", operation_id = "change_many_keys", request_body = BulkBody,
    responses((status = 200, body = BulkAnswerBody)),
    security(("key" = [])),
)]
pub async fn change_many_keys(State(ctx): State<Ctx>, caller: Caller, Body(asked): Body<BulkBody>) -> Result<Json<BulkAnswerBody>, AppError> {
    let dry_run = asked.dry_run;
    let many = asked.many()?;
    let plan = if dry_run { server::plan_many(&ctx, &caller, &many).await } else { server::change_many(&ctx, &caller, &many, None).await };
    Ok(Json(answer(plan.map_err(in_filter)?, dry_run)))
}

/// What is wrong with a filter of the list stands within `filter` here.
fn in_filter(error: AppError) -> AppError {
    ["q", "status", "review", "owner", "hash"].into_iter().fold(error, |error, name| error.of_field(name, &format!("filter.{name}")))
}

fn answer(plan: ManyPlan, dry_run: bool) -> BulkAnswerBody {
    BulkAnswerBody {
        dry_run,
        changed: plan.changed.into_iter().map(|key| NamedKeyBody { id: key.id.to_string(), name: key.name }).collect(),
        skipped: plan.skipped.into_iter().map(|(key, reason)| SkippedKeyBody { id: key.id.to_string(), name: key.name, reason }).collect(),
        has_more: plan.has_more,
        spread: plan.spread.map(Into::into),
    }
}
