//! The plans of the demo, the permission that one of them grants, a group and a bundle.

use crate::{
    accounts::Caller,
    error::AppError,
    keys::{
        model::{ApiEdit, KeyLimit, NewBundle, Window},
        server::{api_by_slug, edit_api, put_bundle},
    },
    plans::{
        model::{NewGroup, NewPlan, NewPrice},
        server::{add_member, assign_plan, create_group, create_plan},
    },
    platform::Ctx,
    values::WorkspaceId,
};

/// A permission of the demo API that needs a grant: the plan Pro grants it.
pub const GRANTED: &str = "reports:export";
/// A bundle of the demo API.
pub const STOREFRONT: &str = "storefront";

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

/// A bundle of the demo API; two plans, of which the shop has one; a group with the shop in it.
pub async fn describe(ctx: &Ctx, shop: WorkspaceId) -> Result<(), AppError> {
    let cli = Caller::cli();
    describe_reports(ctx, &cli).await?; // a load that broke off may have left it out
    let bundle = NewBundle {
        name: STOREFRONT.to_owned(),
        description: "What a shop front needs".to_owned(),
        permissions: ["orders:read", "orders:write"].map(str::to_owned).to_vec(),
        ..NewBundle::default()
    };
    put_bundle(ctx, &cli, "demo", bundle, true).await?;
    let free = NewPlan {
        slug: "free".to_owned(),
        name: "Free".to_owned(),
        description: "To try the API.".to_owned(),
        limits: vec![KeyLimit::new(KeyLimit::DEFAULT, 100, Window::HOUR)],
        ..NewPlan::default()
    };
    let pro = NewPlan {
        slug: "pro".to_owned(),
        name: "Pro".to_owned(),
        description: "For shops in production.".to_owned(),
        entitlements: vec!["Answers within one working day".to_owned()],
        grants: vec![format!("demo/{GRANTED}")],
        price: Some(NewPrice { per_1000: "0.50".to_owned(), currency: "EUR".to_owned() }),
        limits: vec![KeyLimit::new(KeyLimit::DEFAULT, 20_000, Window::DAY)],
    };
    for plan in [free, pro] {
        or_there(create_plan(ctx, &cli, plan).await)?;
    }
    assign_plan(ctx, &cli, shop, Some("pro")).await?;
    let shops = NewGroup {
        slug: "shops".to_owned(),
        name: "Shops".to_owned(),
        description: "Online shops. Those without a plan of their own have Free.".to_owned(),
        plan: Some("free".to_owned()),
        ..NewGroup::default()
    };
    or_there(create_group(ctx, &cli, shops).await)?;
    add_member(ctx, &cli, "shops", shop).await?;
    Ok(())
}

/// An operator may have made one of this slug before the demo came: then that one is taken.
fn or_there<T>(made: Result<T, AppError>) -> Result<(), AppError> {
    match made {
        Ok(_) => Ok(()),
        Err(error) if error.field("slug").is_some() => Ok(()),
        Err(error) => Err(error),
    }
}
