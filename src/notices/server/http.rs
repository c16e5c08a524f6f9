//! The REST routes of notices: what an account wants to be told, and its rules on errors.

use super::{
    rules::{Added, Rule, add_alert_rule, change_alert_rule, find_alert_rule, list_alert_rules, remove_alert_rule},
    settings::{edit_settings, read_settings},
    words,
};
use crate::{
    accounts::Caller,
    error::AppError,
    notices::model::{AlertRuleEdit, NewAlertRule, NoticeEdit, NoticeSettings},
    platform::{
        Ctx,
        http::{
            json::{Body, Query, located},
            pages::{Listed, PageQuery},
        },
    },
    values::{AlertRuleId, KeyId},
};
use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    response::Response,
    routing::get,
};
use serde::{Deserialize, Deserializer, Serialize};
use time::OffsetDateTime;
use utoipa::{OpenApi, ToSchema};

/// What `/api/v1/openapi.json` says of these routes.
#[derive(OpenApi)]
#[openapi(paths(read_notices, edit_notices, list_rules, create_rule, read_rule, edit_rule, delete_rule))]
pub struct Docs;

pub fn routes() -> Router<Ctx> {
    Router::new()
        .route("/api/v1/me/notices", get(read_notices).patch(edit_notices))
        .route("/api/v1/alert-rules", get(list_rules).post(create_rule))
        .route("/api/v1/alert-rules/{id}", get(read_rule).patch(edit_rule).delete(delete_rule))
}

/// What an account wants to be told by mail.
#[derive(Debug, Serialize, ToSchema)]
pub struct NoticesBody {
    /// When a limit is nearly used up.
    pub limits: bool,
    /// At how many per cent of it.
    #[schema(value_type = Vec<u32>, example = json!([80, 100]))]
    pub thresholds: Vec<u8>,
    /// 30, 7 and 1 days before a key expires.
    pub expiry: bool,
}

impl From<NoticeSettings> for NoticesBody {
    fn from(settings: NoticeSettings) -> Self {
        Self { limits: settings.limits, thresholds: settings.thresholds, expiry: settings.expiry }
    }
}

/// Changes of it; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditNoticesBody {
    #[serde(default)]
    limits: Option<bool>,
    /// One to five whole numbers from 1 to 100.
    #[serde(default)]
    thresholds: Option<Vec<u32>>,
    #[serde(default)]
    expiry: Option<bool>,
}

/// A rule on errors.
#[derive(Debug, Serialize, ToSchema)]
pub struct AlertRuleBody {
    pub id: String,
    /// Only calls with this key; null: with every key of the workspace.
    pub key_id: Option<String>,
    /// Only calls of the API with this slug; null: of every one.
    pub api: Option<String>,
    /// Only calls of this route; null: of every one.
    #[schema(example = "GET /orders")]
    pub route: Option<String>,
    /// Which answers count; empty: every code of calls that did not pass.
    pub codes: Vec<String>,
    /// It fires at more such calls than this …
    pub more_than: i64,
    /// … if they are more than so many per cent of all calls; null: whatever the others are.
    pub percent: Option<i16>,
    /// Counted over so many minutes.
    pub minutes: i32,
    /// For so many minutes it is silent after a mail.
    pub quiet_minutes: i32,
    /// In words.
    pub description: String,
    #[serde(with = "time::serde::rfc3339::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub fired_at: Option<OffsetDateTime>,
    /// How many calls it fired at.
    pub fired_calls: Option<i64>,
    #[serde(with = "time::serde::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub created_at: OffsetDateTime,
}

impl From<Rule> for AlertRuleBody {
    fn from(rule: Rule) -> Self {
        Self {
            id: AlertRuleId::new(rule.id).to_string(),
            description: words::whole_rule(&rule),
            key_id: rule.key_id.map(|key| KeyId::new(key).to_string()),
            api: rule.api_slug,
            route: rule.route,
            codes: rule.codes,
            more_than: rule.more_than,
            percent: rule.percent,
            minutes: rule.minutes,
            quiet_minutes: rule.quiet_minutes,
            fired_at: rule.fired_at,
            fired_calls: rule.fired_calls,
            created_at: rule.created_at,
        }
    }
}

/// The rules of a workspace.
#[derive(Debug, Serialize, ToSchema)]
pub struct AlertRuleListBody {
    pub data: Vec<AlertRuleBody>,
    pub has_more: bool,
    pub next_cursor: Option<String>,
}

/// A rule that is wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAlertRuleBody {
    #[serde(default)]
    key: Option<String>,
    /// A slug.
    #[serde(default)]
    api: Option<String>,
    /// As usage counts it, such as `GET /orders`.
    #[serde(default)]
    route: Option<String>,
    /// Left out: every code of calls that did not pass.
    #[serde(default)]
    codes: Vec<String>,
    /// 0 to 1,000,000,000.
    more_than: i64,
    /// 1 to 99.
    #[serde(default)]
    percent: Option<i64>,
    /// 1 to 1,440; 15 unless said otherwise.
    #[serde(default = "fifteen")]
    minutes: i64,
    /// 1 to 10,080; 60 unless said otherwise.
    #[serde(default = "sixty")]
    quiet_minutes: i64,
}

const fn fifteen() -> i64 {
    15
}

const fn sixty() -> i64 {
    60
}

/// Changes of a rule; what is left out stays, `null` takes a condition away.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EditAlertRuleBody {
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    key: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    api: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    route: Option<Option<String>>,
    #[serde(default)]
    codes: Option<Vec<String>>,
    #[serde(default)]
    more_than: Option<i64>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<i64>)]
    percent: Option<Option<i64>>,
    #[serde(default)]
    minutes: Option<i64>,
    #[serde(default)]
    quiet_minutes: Option<i64>,
}

/// A field that is there, even if it is `null`.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(from).map(Some)
}

/// An id in the path; one that can't be an id is a rule that does not exist.
fn id(text: &str) -> Result<AlertRuleId, AppError> {
    text.parse().map_err(|_| AppError::NotFound)
}

/// Read what you are told
///
/// Which mails the account gets, and at which per cent of a limit.
#[utoipa::path(
    get, path = "/api/v1/me/notices", tag = "Notices", operation_id = "read_notices",
    responses((status = 200, body = NoticesBody)),
    security(("key" = [])),
)]
async fn read_notices(State(ctx): State<Ctx>, caller: Caller) -> Result<Json<NoticesBody>, AppError> {
    Ok(Json(read_settings(&ctx, &caller).await?.into()))
}

/// Change what you are told
#[utoipa::path(
    patch, path = "/api/v1/me/notices", tag = "Notices", operation_id = "edit_notices", request_body = EditNoticesBody,
    responses((status = 200, body = NoticesBody)),
    security(("key" = [])),
)]
async fn edit_notices(State(ctx): State<Ctx>, caller: Caller, Body(body): Body<EditNoticesBody>) -> Result<Json<NoticesBody>, AppError> {
    let thresholds = body.thresholds.map(|all| all.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "));
    let edit = NoticeEdit { limits: body.limits, thresholds, expiry: body.expiry, seen: None };
    Ok(Json(edit_settings(&ctx, &caller, edit).await?.into()))
}

/// List rules on errors
///
/// Those of your workspace, oldest first; 20 at most.
#[utoipa::path(
    get, path = "/api/v1/alert-rules", tag = "Notices", operation_id = "list_alert_rules", params(PageQuery),
    responses((status = 200, body = AlertRuleListBody)),
    security(("key" = [])),
)]
async fn list_rules(State(ctx): State<Ctx>, caller: Caller, Query(asked): Query<PageQuery>) -> Result<Listed<AlertRuleListBody>, AppError> {
    let place = |rule: &Rule| format!("{:032x}{:032x}", rule.created_at.unix_timestamp_nanos(), rule.id.as_u128());
    let (rules, next) = asked.page(list_alert_rules(&ctx, &caller).await?, "rules", place)?;
    Ok(Listed::page(next, |has_more, next_cursor| AlertRuleListBody { data: rules.into_iter().map(Into::into).collect(), has_more, next_cursor }))
}

/// Add a rule on errors
///
/// A mail to you when more calls than you allow do not pass, looked at each minute; then it is silent for a while. The same rule twice is
/// one (200).
#[utoipa::path(
    post, path = "/api/v1/alert-rules", tag = "Notices", operation_id = "create_alert_rule", request_body = NewAlertRuleBody,
    responses(
        (status = 201, body = AlertRuleBody),
        (status = 200, description = "It was there already", body = AlertRuleBody),
        (status = 409, description = "There are 20 rules"),
    ),
    security(("key" = [])),
)]
async fn create_rule(State(ctx): State<Ctx>, caller: Caller, Body(new): Body<NewAlertRuleBody>) -> Result<Response, AppError> {
    let new = NewAlertRule {
        key: new.key,
        api: new.api,
        route: new.route,
        codes: new.codes,
        more_than: new.more_than.to_string(),
        percent: new.percent.map(|percent| percent.to_string()),
        minutes: new.minutes.to_string(),
        quiet_minutes: new.quiet_minutes.to_string(),
    };
    let Added { rule, is_new } = add_alert_rule(&ctx, &caller, new).await?;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    let body = AlertRuleBody::from(rule);
    Ok(located(status, &format!("/api/v1/alert-rules/{}", body.id), body))
}

/// Read a rule on errors
#[utoipa::path(
    get, path = "/api/v1/alert-rules/{id}", tag = "Notices", operation_id = "read_alert_rule", params(("id" = String, Path, description = "`alr_…`")),
    responses((status = 200, body = AlertRuleBody)),
    security(("key" = [])),
)]
async fn read_rule(State(ctx): State<Ctx>, caller: Caller, Path(text): Path<String>) -> Result<Json<AlertRuleBody>, AppError> {
    Ok(Json(find_alert_rule(&ctx, &caller, id(&text)?).await?.into()))
}

/// Change a rule on errors
#[utoipa::path(
    patch, path = "/api/v1/alert-rules/{id}", tag = "Notices", operation_id = "edit_alert_rule", request_body = EditAlertRuleBody,
    params(("id" = String, Path, description = "`alr_…`")),
    responses((status = 200, body = AlertRuleBody), (status = 409, description = "Another rule says the same")),
    security(("key" = [])),
)]
async fn edit_rule(
    State(ctx): State<Ctx>,
    caller: Caller,
    Path(text): Path<String>,
    Body(body): Body<EditAlertRuleBody>,
) -> Result<Json<AlertRuleBody>, AppError> {
    let number = |n: Option<i64>| n.map(|n| n.to_string());
    let edit = AlertRuleEdit {
        key: body.key,
        api: body.api,
        route: body.route,
        codes: body.codes,
        more_than: number(body.more_than),
        percent: body.percent.map(number),
        minutes: number(body.minutes),
        quiet_minutes: number(body.quiet_minutes),
    };
    Ok(Json(change_alert_rule(&ctx, &caller, id(&text)?, edit).await?.into()))
}

/// Remove a rule on errors
///
/// Sent twice, the second does nothing.
#[utoipa::path(
    delete, path = "/api/v1/alert-rules/{id}", tag = "Notices", operation_id = "delete_alert_rule",
    params(("id" = String, Path, description = "`alr_…`")),
    responses((status = 204, description = "It is gone")),
    security(("key" = [])),
)]
async fn delete_rule(State(ctx): State<Ctx>, caller: Caller, Path(text): Path<String>) -> Result<StatusCode, AppError> {
    remove_alert_rule(&ctx, &caller, id(&text)?).await?;
    Ok(StatusCode::NO_CONTENT)
}
