//! The REST route of accounts that another system knew. For operators: it needs `accounts:manage`.

use crate::{
    accounts::{
        Caller,
        model::{ImportedAs, ImportedLine},
        server as accounts,
    },
    error::AppError,
    platform::{Ctx, http::json::Body},
};
use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, State},
    routing::post,
};
use serde::{Deserialize, Serialize};
use utoipa::{OpenApi, ToSchema};

/// What `/api/v1/openapi.json` says of this route.
#[derive(OpenApi)]
#[openapi(paths(import_accounts))]
pub struct Docs;

pub fn routes() -> Router<Ctx> {
    // How long it may be, `limit_bodies` says.
    Router::new().route("/api/v1/admin/accounts/import", post(import_accounts).layer(DefaultBodyLimit::disable()))
}

/// Accounts that another system knew.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AccountImportBody {
    /// Objects with `email` and, as they like, `name`, `password_hash` (bcrypt or Argon2), `verified` and `created_at`, also under the names
    /// that other systems have for them.
    #[schema(value_type = Vec<Object>)]
    accounts: Vec<serde_json::Value>,
    /// Only say what would become of each.
    #[serde(default)]
    dry_run: bool,
}

/// What became of one object.
#[derive(Debug, Serialize, ToSchema)]
struct ImportedAccountBody {
    /// Its place in the list, from 1.
    line: u64,
    email: String,
    /// `created`, `known` (the address has an account, which stays as it is), `wrong`, or `later`: there was no time left for it.
    outcome: &'static str,
    /// Which field is wrong; `line`: all of it.
    field: Option<String>,
    /// What is wrong, or what is to be known of the account.
    detail: String,
}

/// What became of each.
#[derive(Debug, Serialize, ToSchema)]
struct AccountImportAnswerBody {
    dry_run: bool,
    created: u64,
    known: u64,
    wrong: u64,
    later: u64,
    data: Vec<ImportedAccountBody>,
}

impl ImportedAccountBody {
    fn of(line: ImportedLine) -> Self {
        Self { line: line.line, email: line.email, outcome: line.outcome.as_str(), field: line.field, detail: line.detail }
    }
}

/// Import accounts
///
/// With the hashes of their passwords, so that people go on with those they have. A wrong object stops no other; nobody is mailed. Safe to
/// send twice: an address that has an account is left as it is. A request has at most 8 MiB. What there was no time for is answered
/// `later`: send the same list again, under another `Idempotency-Key` if it has one.
#[utoipa::path(
    post, path = "/api/v1/admin/accounts/import", tag = "Accounts", operation_id = "import_accounts", request_body = AccountImportBody,
    responses((status = 200, body = AccountImportAnswerBody)),
    security(("key" = [])),
)]
async fn import_accounts(State(ctx): State<Ctx>, caller: Caller, Body(asked): Body<AccountImportBody>) -> Result<Json<AccountImportAnswerBody>, AppError> {
    let lines = accounts::import_account_objects(&ctx, &caller, asked.accounts, asked.dry_run).await?;
    let count = |outcome: ImportedAs| lines.iter().filter(|line| line.outcome == outcome).count() as u64;
    let (created, known) = (count(ImportedAs::Created), count(ImportedAs::Known));
    let (wrong, later) = (count(ImportedAs::Wrong), count(ImportedAs::Later));
    let data = lines.into_iter().map(ImportedAccountBody::of).collect();
    Ok(Json(AccountImportAnswerBody { dry_run: asked.dry_run, created, known, wrong, later, data }))
}
