//! Where the forms of one limit go: of a plan, of a group. `keys::server::forms::LimitForm` says what each field is.

use crate::error::AppError;
use leptos::prelude::*;

/// Sets one limit of a plan, or takes it away; where `act` is `try`, only shows who it would limit.
#[server]
pub async fn set_plan_limit(
    slug: String,
    #[server(default)] name: String,
    #[server(default)] was: String,
    #[server(default)] limit: String,
    #[server(default)] window: String,
    #[server(default)] seconds: String,
    #[server(default)] refill: String,
    #[server(default)] over: String,
    #[server(default)] over_per_second: String,
    #[server(default)] over_until: String,
    #[server(default)] act: String,
    #[server(default)] version: String,
) -> Result<(), AppError> {
    use crate::{
        keys::server::forms::{LimitForm, OverForm},
        plans::{
            model::{Trial, TypedLimit},
            server,
        },
        platform::http::reply,
        values::link,
    };
    let (ctx, caller) = crate::accounts::server::caller().await?;
    if act == TypedLimit::TRY {
        let typed = TypedLimit { was, name, limit, window, seconds, refill, over, over_per_second, over_until };
        server::check_typed_plan(&ctx, &caller, &slug, &typed).await?;
        let trial = Trial { typed: Some(typed), ..Trial::default() };
        reply::redirect(&trial.link("/admin/plans", &slug));
        return Ok(());
    }
    let over = OverForm { over: &over, per_second: &over_per_second, until: &over_until };
    let form = LimitForm { name: &name, was: &was, limit: &limit, window: &window, seconds: &seconds, refill: &refill, over, act: &act, seen: &version };
    reply::toast(&ctx, server::forms::set_limit(&ctx, &caller, &slug, form).await?);
    reply::redirect(&link("/admin/plans", [("edit", slug.as_str())]));
    Ok(())
}

/// Sets one limit of a group, or takes it away; where `act` is `try`, only shows who it would limit.
#[server]
pub async fn set_group_limit(
    slug: String,
    #[server(default)] name: String,
    #[server(default)] was: String,
    #[server(default)] limit: String,
    #[server(default)] window: String,
    #[server(default)] seconds: String,
    #[server(default)] refill: String,
    #[server(default)] over: String,
    #[server(default)] over_per_second: String,
    #[server(default)] over_until: String,
    #[server(default)] act: String,
    #[server(default)] version: String,
) -> Result<(), AppError> {
    use crate::{
        keys::server::forms::{LimitForm, OverForm},
        plans::{
            model::{Trial, TypedLimit},
            server,
        },
        platform::http::reply,
        values::link,
    };
    let (ctx, caller) = crate::accounts::server::caller().await?;
    if act == TypedLimit::TRY {
        let typed = TypedLimit { was, name, limit, window, seconds, refill, over, over_per_second, over_until };
        server::check_typed_group(&ctx, &caller, &slug, &typed).await?;
        let trial = Trial { typed: Some(typed), ..Trial::default() };
        reply::redirect(&trial.link("/admin/groups", &slug));
        return Ok(());
    }
    let over = OverForm { over: &over, per_second: &over_per_second, until: &over_until };
    let form = LimitForm { name: &name, was: &was, limit: &limit, window: &window, seconds: &seconds, refill: &refill, over, act: &act, seen: &version };
    reply::toast(&ctx, server::groups::forms::set_limit(&ctx, &caller, &slug, form).await?);
    reply::redirect(&link("/admin/groups", [("edit", slug.as_str())]));
    Ok(())
}
