//! Describing plans. What a plan allows holds at once for everybody who has it.

use super::{noting::note, rules, spreading::spread, store};
use crate::{
    accounts::{Caller, server::must_be_open},
    activity::server::Change,
    error::{AppError, Fields},
    keys::{
        model::KeyLimit,
        server::{WantedLimits, read_grants, rules as of_keys},
    },
    plans::model::{NewPlan, Plan, PlanEdit, Price},
    platform::{Ctx, once},
    values::{Area, PlanId, Slug, permission_names as may},
};
use sqlx::PgConnection;

/// Every plan, by name.
pub async fn list_plans(ctx: &Ctx, caller: &Caller) -> Result<Vec<Plan>, AppError> {
    caller.require(&may::PLANS_MANAGE)?;
    Ok(store::list_plans(&mut *ctx.db.acquire().await?, None).await?)
}

/// The plan of this slug.
pub async fn find_plan(ctx: &Ctx, caller: &Caller, slug: &str) -> Result<Plan, AppError> {
    caller.require(&may::PLANS_MANAGE)?;
    find(&mut *ctx.db.acquire().await?, slug).await
}

pub(super) async fn find(conn: &mut PgConnection, slug: &str) -> Result<Plan, AppError> {
    store::list_plans(conn, Some(slug)).await?.pop().ok_or(AppError::NotFound)
}

pub async fn create_plan(ctx: &Ctx, caller: &Caller, new: NewPlan) -> Result<Plan, AppError> {
    caller.require(&may::PLANS_MANAGE)?;
    must_be_open(ctx, caller, Area::Plans)?;
    let (slug, name, description, entitlements, price) = read_texts(&new)?;
    of_keys::limits(ctx, &new.limits).await?;
    of_keys::none_ended(ctx, &new.limits)?;
    let grants = read_grants(ctx, &new.grants).await?;

    let plan = Plan { id: ctx.new_id(), slug, name, description, entitlements, grants, price, limits: sorted(new.limits), workspaces: 0, keys: 0, groups: 0 };
    let mut tx = ctx.db.begin().await?;
    if !store::insert_plan(&mut tx, &plan, ctx.clock.now()).await? {
        return Err(AppError::invalid("slug", "Another plan has this slug."));
    }
    store::replace_plan_limits(&mut tx, plan.id, &plan.limits).await?;
    store::replace_plan_grants(&mut tx, plan.id, &plan.grants).await?;
    note(ctx, &mut tx, caller, change("plan.created", plan.id, facts(&plan))).await?;
    once::done(ctx, &mut tx).await?;
    tx.commit().await?;
    Ok(plan)
}

type Texts = (Slug, String, String, Vec<String>, Option<Price>);

/// The slug, name, description, entitlements and price of a new plan; whatever is wrong with them, all at once.
pub(super) fn read_texts(new: &NewPlan) -> Result<Texts, AppError> {
    let mut fields = Fields::default();
    let slug = fields.check("slug", new.slug.trim().parse::<Slug>());
    if slug.as_ref().is_some_and(|s| s.as_str() == Plan::NONE) {
        fields.add("slug", "“default” is what keys without a plan are answered. Take another word.");
    }
    let name = fields.check("name", of_keys::plain_name(&new.name));
    let description = fields.check("description", rules::description(&new.description));
    let entitlements = fields.check("entitlements", rules::entitlements(&new.entitlements));
    let price = rules::price(&mut fields, new.price.as_ref());
    fields.done()?;
    let (Some(slug), Some(name), Some(description), Some(entitlements)) = (slug, name, description, entitlements) else { return Err(AppError::NotFound) };
    Ok((slug, name, description, entitlements, price))
}

/// Changes a plan; its slug stays, since services read it.
pub async fn edit_plan(ctx: &Ctx, caller: &Caller, slug: &str, edit: PlanEdit) -> Result<Plan, AppError> {
    caller.require(&may::PLANS_MANAGE)?;
    must_be_open(ctx, caller, Area::Plans)?;
    let mut fields = Fields::default();
    let name = edit.name.and_then(|text| fields.check("name", of_keys::plain_name(&text)));
    let description = edit.description.and_then(|text| fields.check("description", rules::description(&text)));
    let entitlements = edit.entitlements.and_then(|lines| fields.check("entitlements", rules::entitlements(&lines)));
    let price = edit.price.map(|price| rules::price(&mut fields, price.as_ref()));
    fields.done()?;
    let limits = WantedLimits::check(ctx, edit.limits, edit.limit).await?;
    let grants = match &edit.grants {
        Some(texts) => Some(read_grants(ctx, texts).await?),
        None => None,
    };

    let mut tx = ctx.db.begin().await?;
    let id = store::lock_plan(&mut tx, slug).await?.ok_or(AppError::NotFound)?;
    let before = find(&mut tx, slug).await?;
    let plan = Plan {
        name: name.unwrap_or_else(|| before.name.clone()),
        description: description.unwrap_or_else(|| before.description.clone()),
        entitlements: entitlements.unwrap_or_else(|| before.entitlements.clone()),
        grants: grants.unwrap_or_else(|| before.grants.clone()),
        price: price.unwrap_or_else(|| before.price.clone()),
        limits: limits.after(&before.limits)?.unwrap_or_else(|| before.limits.clone()),
        ..before.clone()
    };
    if plan == before {
        return Ok(plan); // sent twice
    }
    AppError::unless_seen(edit.seen.as_deref(), &before.version(), "This plan")?;
    store::update_plan(&mut tx, &plan, ctx.clock.now()).await?;
    if plan.limits != before.limits {
        store::replace_plan_limits(&mut tx, id, &plan.limits).await?;
    }
    if plan.grants != before.grants {
        store::replace_plan_grants(&mut tx, id, &plan.grants).await?;
    }
    let data = serde_json::json!({ "name": plan.name, "from": facts(&before), "to": facts(&plan) });
    note(ctx, &mut tx, caller, change("plan.changed", id, data)).await?;
    tx.commit().await?;
    if plan.limits != before.limits || plan.entitlements != before.entitlements || plan.grants != before.grants {
        spread(ctx, id.uuid()).await;
    }
    Ok(plan)
}

/// Deletes a plan that nobody has.
pub async fn delete_plan(ctx: &Ctx, caller: &Caller, slug: &str) -> Result<(), AppError> {
    caller.require(&may::PLANS_MANAGE)?;
    must_be_open(ctx, caller, Area::Plans)?;
    let mut tx = ctx.db.begin().await?;
    let id = store::lock_plan(&mut tx, slug).await?.ok_or(AppError::NotFound)?;
    let plan = find(&mut tx, slug).await?;
    if !plan.is_free() {
        use crate::ui::number::count;
        let (workspaces, keys) = (count(plan.workspaces, "workspace", "workspaces"), count(plan.keys, "key", "keys"));
        let holders = match plan.groups {
            0 => format!("{workspaces} and {keys}"),
            groups => format!("{}, {workspaces} and {keys}", count(groups, "group", "groups")),
        };
        return Err(AppError::conflict(format!("{holders} have this plan. Assign them another one first.")));
    }
    store::delete_plan(&mut tx, id).await?;
    note(ctx, &mut tx, caller, change("plan.deleted", id, facts(&plan))).await?;
    tx.commit().await?;
    Ok(())
}

/// As they are stored.
pub(super) fn sorted(mut limits: Vec<KeyLimit>) -> Vec<KeyLimit> {
    limits.sort_by(|a, b| a.name.cmp(&b.name));
    limits
}

fn facts(plan: &Plan) -> serde_json::Value {
    let Plan { slug, name, entitlements, limits, price, grants, .. } = plan;
    serde_json::json!({ "slug": slug, "name": name, "entitlements": entitlements, "limits": limits, "price": price, "grants": grants })
}

fn change(kind: &'static str, plan: PlanId, data: serde_json::Value) -> Change<'static> {
    Change { kind, subject: Some(plan.uuid()), data, ..Change::default() }
}
