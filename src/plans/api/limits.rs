//! Where the forms of one limit go: of a plan, of a group.

use crate::{error::AppError, keys::model::TypedLimit};
use leptos::prelude::*;

/// Sets one limit of a plan, or takes it away; where it is only tried, shows who it would limit.
#[server]
pub async fn set_plan_limit(slug: String, #[server(flatten)] typed: TypedLimit) -> Result<(), AppError> {
    use crate::{
        plans::{model::Trial, server},
        platform::http::reply,
        values::link,
    };
    let (ctx, caller) = crate::accounts::server::caller().await?;
    if typed.act == TypedLimit::TRY {
        let typed = Some(typed).filter(|typed| !typed.is_blank());
        if let Some(typed) = &typed {
            server::check_typed_plan(&ctx, &caller, &slug, typed).await?;
        }
        let trial = Trial { typed, ..Trial::default() };
        reply::redirect(&trial.link("/admin/plans", &slug));
        return Ok(());
    }
    reply::toast(&ctx, server::forms::set_limit(&ctx, &caller, &slug, &typed).await?);
    reply::redirect(&link("/admin/plans", [("edit", slug.as_str())]));
    Ok(())
}

/// Sets one limit of a group, or takes it away; where it is only tried, shows who it would limit.
#[server]
pub async fn set_group_limit(slug: String, #[server(flatten)] typed: TypedLimit) -> Result<(), AppError> {
    use crate::{
        plans::{model::Trial, server},
        platform::http::reply,
        values::link,
    };
    let (ctx, caller) = crate::accounts::server::caller().await?;
    if typed.act == TypedLimit::TRY {
        let typed = Some(typed).filter(|typed| !typed.is_blank());
        if let Some(typed) = &typed {
            server::check_typed_group(&ctx, &caller, &slug, typed).await?;
        }
        let trial = Trial { typed, ..Trial::default() };
        reply::redirect(&trial.link("/admin/groups", &slug));
        return Ok(());
    }
    reply::toast(&ctx, server::groups::forms::set_limit(&ctx, &caller, &slug, &typed).await?);
    reply::redirect(&link("/admin/groups", [("edit", slug.as_str())]));
    Ok(())
}
