//! Keys out and in: the export of what is known of them, never secrets nor hashes; the import of hashes that were made elsewhere.

use super::{
    super::about,
    bodies::{KeyBody, KeyLimitBody},
};
use crate::{
    accounts::Caller,
    error::AppError,
    keys::{
        model::{ImportLine, KeyQuery},
        server,
    },
    platform::{
        Ctx, csv,
        http::{
            file::{self, Format, MOST_AT_ONCE, PREPARE},
            json::{Body, Query},
        },
    },
};
use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, State},
    http::HeaderMap,
    response::Response,
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use utoipa::{IntoParams, ToSchema};

pub fn routes() -> Router<Ctx> {
    Router::new().route("/api/v1/keys/export", get(export_keys)).route("/api/v1/keys/import", post(import_keys).layer(DefaultBodyLimit::disable()))
}

/// Which keys, and as what.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ExportQuery {
    /// `csv` (the default) or `json`.
    #[serde(default)]
    format: Option<String>,
    /// As in the list.
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
    /// Exactly this external id.
    #[serde(default)]
    external_id: Option<String>,
    /// Part of the name of a workspace, or of its owner's name or email, in every workspace. Needs `keys:manage`.
    #[serde(default)]
    owner: Option<String>,
    /// `true`: of every workspace. Needs `keys:manage`.
    #[serde(default)]
    everywhere: Option<bool>,
    #[serde(default)]
    hash: Option<String>,
}

/// The keys of a file.
#[derive(Debug, Serialize, ToSchema)]
pub struct KeyExportBody {
    pub data: Vec<KeyBody>,
}

/// Export keys
///
/// What is known of the keys that the filters leave, newest first; never a secret nor a hash. More than 50,000 are not answered at once:
/// a browser is sent to the page that prepares the file, a program is told to (`POST /api/v1/exports`).
#[utoipa::path(
    get, path = "/api/v1/keys/export", tag = "Keys", operation_id = "export_keys", params(ExportQuery),
    responses(
        (status = 200, description = "The keys", content((String = "text/csv"), (KeyExportBody = "application/json"))),
        (status = 303, description = "More than 50,000 keys, for a browser"),
        (status = 409, description = "More than 50,000 keys"),
    ),
    security(("key" = [])),
)]
pub async fn export_keys(State(ctx): State<Ctx>, caller: Caller, headers: HeaderMap, Query(asked): Query<ExportQuery>) -> Result<Response, AppError> {
    let format = Format::read(asked.format.as_deref())?;
    let query = KeyQuery {
        q: asked.q,
        api: asked.api,
        status: asked.status,
        review: asked.review,
        tag: asked.tag,
        external_id: asked.external_id,
        owner: asked.owner,
        hash: asked.hash,
        everywhere: asked.everywhere.unwrap_or_default(),
        ..KeyQuery::default()
    };
    let page = query.request(&format!("{PREPARE}?of=keys&format={}", format.as_str()), None);
    let Some(keys) = server::every_key(&ctx, &caller, query, MOST_AT_ONCE).await? else { return Ok(file::too_large(&headers, &page)) };
    let now = ctx.clock.now();
    let data: Vec<KeyBody> = keys.into_iter().map(|key| KeyBody::of(key, now)).collect();
    Ok(file::answer("keys", now.date(), format, data, |data| KeyExportBody { data }))
}

impl csv::Row for KeyBody {
    const HEAD: &'static [&'static str] = &[
        "id",
        "name",
        "api",
        "environment",
        "start",
        "state",
        "permissions",
        "addresses",
        "origins",
        "tags",
        "bundles",
        "limits",
        "plan",
        "expires_at",
        "created_at",
        "last_used_at",
        "external_id",
        "meta",
        "routes",
        "workspace_id",
    ];

    fn cells(&self) -> Vec<Cow<'_, str>> {
        let said = |at: Option<OffsetDateTime>| Cow::Owned(at.and_then(|at| at.format(&Rfc3339).ok()).unwrap_or_default());
        vec![
            Cow::Borrowed(&*self.id),
            Cow::Borrowed(&*self.name),
            Cow::Borrowed(&*self.api),
            Cow::Borrowed(self.environment),
            Cow::Borrowed(&*self.start),
            Cow::Borrowed(self.state),
            Cow::Owned(self.permissions.join(" ")),
            Cow::Owned(self.addresses.join(" ")),
            Cow::Owned(self.origins.join(" ")),
            Cow::Owned(self.tags.join(" ")),
            Cow::Owned(self.bundles.join(" ")),
            Cow::Owned(limits(&self.limits)),
            Cow::Borrowed(self.plan.as_deref().unwrap_or_default()),
            said(self.expires_at),
            said(Some(self.created_at)),
            said(self.last_used_at),
            Cow::Borrowed(self.external_id.as_deref().unwrap_or_default()),
            Cow::Owned(about::stored(&self.meta).unwrap_or_default()),
            // No pattern has a semicolon.
            Cow::Owned(self.routes.join("; ")),
            Cow::Borrowed(&*self.workspace_id),
        ]
    }
}

/// As an import reads them; empty where there are none of its own.
fn limits(limits: &[KeyLimitBody]) -> String {
    if limits.is_empty() { String::new() } else { serde_json::to_string(limits).unwrap_or_default() }
}

/// Keys that were made elsewhere.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportBody {
    /// The slug of the API that they call.
    #[schema(example = "demo")]
    api: String,
    /// Objects with `hash` (SHA-256 or SHA-512 as hexadecimal digits, base64 or base64url) and, as they like, `name`, `start`,
    /// `permissions`, `tags`, `external_id`, `meta`, `addresses`, `origins`, `routes`, `bundles`, `limits`, `expires_at`, `enabled`, `environment` and
    /// `account`, the email of the owner; objects of Unkey and of Better Auth are known too. Limits and `account` take `keys:manage`.
    #[schema(value_type = Vec<Object>)]
    keys: Vec<serde_json::Value>,
    /// The email of the owner of keys that name none; without, they are the caller's. Takes `keys:manage`.
    #[serde(default)]
    account: Option<String>,
    /// Import keys that have permissions which the API does not have, without those.
    #[serde(default)]
    without_unknown_permissions: bool,
    /// Only say what would become of each.
    #[serde(default)]
    dry_run: bool,
}

/// What became of one object.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportLineBody {
    /// Its place in the list, from 1.
    pub line: u64,
    pub name: String,
    /// `created`, `known` (its hash is here already), `skipped` (it was deleted where it comes from), `wrong`, or `later`: there was no
    /// time left for it.
    pub outcome: &'static str,
    /// What is wrong, or what was left out.
    pub detail: String,
    /// Permissions that it names and the API does not have.
    pub unknown_permissions: Vec<String>,
    /// The id of the key, where there is one.
    pub id: Option<String>,
}

/// What became of each.
#[derive(Debug, Serialize, ToSchema)]
pub struct ImportAnswerBody {
    pub dry_run: bool,
    pub created: u64,
    pub data: Vec<ImportLineBody>,
}

/// Import keys
///
/// By the hashes of their secrets, so that the programs that hold them go on as before. A wrong object stops no other. Safe to send
/// twice: a hash that is here already is left alone, and one whose secret was ended here stays ended. A bcrypt or Argon2 hash
/// needs `start`, the first 8 to 16 characters of its secret, and is replaced by a SHA-256 at the first use. Keys that were deleted where they
/// come from are skipped. A request has at most 10,000 keys and 8 MiB.
/// What there was no time for is answered `later`: send the same list again, under another `Idempotency-Key` if it has one.
#[utoipa::path(
    post, path = "/api/v1/keys/import", tag = "Keys", operation_id = "import_keys", request_body = ImportBody,
    responses((status = 200, body = ImportAnswerBody)),
    security(("key" = [])),
)]
pub async fn import_keys(State(ctx): State<Ctx>, caller: Caller, Body(asked): Body<ImportBody>) -> Result<Json<ImportAnswerBody>, AppError> {
    let ImportBody { api, keys, account, without_unknown_permissions, dry_run } = asked;
    let wish = server::ImportWish { api: &api, account: account.as_deref(), without_unknown_permissions, dry_run };
    let lines = server::import_objects(&ctx, &caller, wish, keys).await?;
    let created = lines.iter().filter(|line| line.outcome == crate::keys::model::ImportOutcome::Created).count() as u64;
    Ok(Json(ImportAnswerBody { dry_run, created, data: lines.into_iter().map(line).collect() }))
}

fn line(line: ImportLine) -> ImportLineBody {
    let ImportLine { line, name, outcome, detail, key, unknown_permissions } = line;
    ImportLineBody { line, name, outcome: outcome.as_str(), detail, unknown_permissions, id: key.map(|key| key.to_string()) }
}
