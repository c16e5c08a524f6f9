//! The REST routes of abuse rules, and of the networks that no block holds.

use super::{
    bodies::{ChangedExemptionsBody, ChangedRuleBody, ExemptionsBody, RuleBody, RuleChangeBody, RuleListBody},
    server,
};
use crate::{
    accounts::Caller,
    blocks::model::RuleSetting,
    error::AppError,
    platform::{
        Ctx,
        http::{
            json::{Body, Query},
            pages::{Listed, PageQuery},
        },
    },
    values::AbuseRule,
};
use axum::{
    Json, Router,
    extract::{Path, State},
    routing::get,
};

pub fn routes() -> Router<Ctx> {
    Router::new()
        .route("/api/v1/block-rules", get(list_rules))
        .route("/api/v1/block-rules/{slug}", get(read_rule).patch(change_rule))
        .route("/api/v1/block-exemptions", get(read_exemptions).put(set_exemptions))
}

/// A name in the path; one that is none is a rule that does not exist.
fn rule(name: &str) -> Result<AbuseRule, AppError> {
    name.parse().map_err(|_| AppError::NotFound)
}

/// List abuse rules
///
/// What is counted, what is allowed, and what happens beyond.
#[utoipa::path(
    get, path = "/api/v1/block-rules", tag = "Blocks", operation_id = "list_block_rules", params(PageQuery),
    responses((status = 200, body = RuleListBody)),
    security(("key" = [])),
)]
pub async fn list_rules(State(ctx): State<Ctx>, caller: Caller, Query(asked): Query<PageQuery>) -> Result<Listed<RuleListBody>, AppError> {
    let (rules, _) = server::rule_settings(&ctx, &caller).await?;
    let place = |setting: &RuleSetting| AbuseRule::ALL.iter().take_while(|rule| **rule != setting.rule).count().to_string();
    let (rules, next) = asked.page(rules, "rules", place)?;
    Ok(Listed::page(next, |has_more, next_cursor| RuleListBody { data: rules.into_iter().map(Into::into).collect(), has_more, next_cursor }))
}

/// Read an abuse rule
#[utoipa::path(
    get, path = "/api/v1/block-rules/{slug}", tag = "Blocks", operation_id = "read_block_rule", params(("slug" = String, Path, description = "unknown-keys, refusals or spread")),
    responses((status = 200, body = RuleBody)),
    security(("key" = [])),
)]
pub async fn read_rule(State(ctx): State<Ctx>, caller: Caller, Path(name): Path<String>) -> Result<Json<RuleBody>, AppError> {
    Ok(Json(server::find_rule(&ctx, &caller, rule(&name)?).await?.into()))
}

/// Change an abuse rule
///
/// It counts from its present window on; the blocks that it made stay. The answer comes when every live server counts so: `spread` says which do.
#[utoipa::path(
    patch, path = "/api/v1/block-rules/{slug}", tag = "Blocks", operation_id = "change_block_rule", params(("slug" = String, Path, description = "unknown-keys, refusals or spread")),
    request_body = RuleChangeBody,
    responses((status = 200, body = ChangedRuleBody)),
    security(("key" = [])),
)]
pub async fn change_rule(
    State(ctx): State<Ctx>,
    caller: Caller,
    Path(name): Path<String>,
    Body(change): Body<RuleChangeBody>,
) -> Result<Json<ChangedRuleBody>, AppError> {
    let (setting, spread) = server::change_rule(&ctx, &caller, rule(&name)?, change.change()?).await?;
    Ok(Json(ChangedRuleBody { rule: setting.into(), spread: spread.into() }))
}

/// Read the networks that no block holds
#[utoipa::path(
    get, path = "/api/v1/block-exemptions", tag = "Blocks", operation_id = "read_block_exemptions",
    responses((status = 200, body = ExemptionsBody)),
    security(("key" = [])),
)]
pub async fn read_exemptions(State(ctx): State<Ctx>, caller: Caller) -> Result<Json<ExemptionsBody>, AppError> {
    let (_, networks) = server::rule_settings(&ctx, &caller).await?;
    Ok(Json(ExemptionsBody { networks }))
}

/// Set the networks that no block holds
///
/// These, and no others. Blocks of them stay in the list and hold nothing.
#[utoipa::path(
    put, path = "/api/v1/block-exemptions", tag = "Blocks", operation_id = "set_block_exemptions", request_body = ExemptionsBody,
    responses((status = 200, body = ChangedExemptionsBody)),
    security(("key" = [])),
)]
pub async fn set_exemptions(State(ctx): State<Ctx>, caller: Caller, Body(wanted): Body<ExemptionsBody>) -> Result<Json<ChangedExemptionsBody>, AppError> {
    let spread = server::set_exemptions(&ctx, &caller, &wanted.networks.join("\n"), None).await?;
    let (_, networks) = server::rule_settings(&ctx, &caller).await?;
    Ok(Json(ChangedExemptionsBody { networks, spread: spread.into() }))
}
