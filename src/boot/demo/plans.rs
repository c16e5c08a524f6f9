//! The plans of the demo, and the permission that one of them grants.

use crate::{
    accounts::Caller,
    error::AppError,
    keys::{
        model::{ApiEdit, KeyLimit, Window},
        server::{api_by_slug, edit_api},
    },
    plans::{
        model::{NewPlan, NewPrice},
        server::create_plan,
    },
    platform::Ctx,
};

/// A permission of the demo API that needs a grant: the plan Pro grants it.
pub const GRANTED: &str = "reports:export";

/// The demo API gets it, beside what it has.
pub async fn describe_reports(ctx: &Ctx, operator: &Caller) -> Result<(), AppError> {
    let known = api_by_slug(ctx, operator, "demo").await?.permissions;
    if known.iter().any(|p| p.permission.as_str() == GRANTED) {
        return Ok(());
    }
    let lines = known.iter().map(|p| format!("{} {}", p.permission, p.description)).chain([format!("{GRANTED} Export reports")]).collect();
    let edit = ApiEdit { permissions: Some(lines), needs_grant: vec![(GRANTED.to_owned(), true)], ..ApiEdit::default() };
    edit_api(ctx, operator, "demo", edit).await?;
    Ok(())
}

/// Two plans that nobody has yet: to be assigned, and to try on last month's usage.
pub async fn describe_plans(ctx: &Ctx) -> Result<(), AppError> {
    describe_reports(ctx, &Caller::cli()).await?; // a load that broke off may have left it out
    let limit = |limit, window| vec![KeyLimit::new(KeyLimit::DEFAULT, limit, window)];
    let free = NewPlan {
        slug: "free".to_owned(),
        name: "Free".to_owned(),
        description: "To try the API.".to_owned(),
        limits: limit(100, Window::HOUR),
        ..NewPlan::default()
    };
    let pro = NewPlan {
        slug: "pro".to_owned(),
        name: "Pro".to_owned(),
        description: "For shops in production.".to_owned(),
        entitlements: vec!["Answers within one working day".to_owned()],
        grants: vec![format!("demo/{GRANTED}")],
        price: Some(NewPrice { per_1000: "0.50".to_owned(), currency: "EUR".to_owned() }),
        limits: limit(10_000, Window::DAY),
    };
    for plan in [free, pro] {
        create_plan(ctx, &Caller::cli(), plan).await?;
    }
    Ok(())
}
