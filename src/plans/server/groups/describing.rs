//! Describing groups.

use crate::{
    accounts::{Caller, server::must_be_open},
    activity::server::Change,
    error::{AppError, Fields},
    keys::server::{WantedLimits, read_grants, rules as of_keys},
    plans::{
        model::{Group, GroupEdit, GroupPlan, NewGroup},
        server::{
            describing::{self as plans, sorted},
            noting::note,
            rules,
            spreading::spread,
            store,
            store::groups as rows,
        },
    },
    platform::{Ctx, once},
    ui::number::count,
    values::{Area, GroupId, Slug, permission_names as may},
};
use sqlx::PgConnection;

/// Every group, by name.
pub async fn list_groups(ctx: &Ctx, caller: &Caller) -> Result<Vec<Group>, AppError> {
    caller.require(&may::PLANS_MANAGE)?;
    Ok(rows::list_groups(&mut *ctx.db.acquire().await?, None).await?)
}

/// The group of this slug.
pub async fn find_group(ctx: &Ctx, caller: &Caller, slug: &str) -> Result<Group, AppError> {
    caller.require(&may::PLANS_MANAGE)?;
    find(&mut *ctx.db.acquire().await?, slug).await
}

pub async fn find(conn: &mut PgConnection, slug: &str) -> Result<Group, AppError> {
    rows::list_groups(conn, Some(slug)).await?.pop().ok_or(AppError::NotFound)
}

pub async fn create_group(ctx: &Ctx, caller: &Caller, new: NewGroup) -> Result<Group, AppError> {
    caller.require(&may::PLANS_MANAGE)?;
    must_be_open(ctx, caller, Area::Plans)?;
    let (slug, name, description) = read_texts(&new)?;
    of_keys::limits(ctx, &new.limits).await?;
    of_keys::none_ended(ctx, &new.limits)?;
    let grants = read_grants(ctx, &new.grants).await?;

    let mut tx = ctx.db.begin().await?;
    let plan = plan(&mut tx, new.plan.as_deref()).await?;
    let group = Group { id: ctx.new_id(), slug, name, description, plan, limits: sorted(new.limits), grants, members: 0 };
    if !rows::insert_group(&mut tx, &group, ctx.clock.now()).await? {
        return Err(AppError::invalid("slug", "Another group has this slug."));
    }
    store::replace_group_limits(&mut tx, group.id, &group.limits).await?;
    store::replace_group_grants(&mut tx, group.id, &group.grants).await?;
    note(ctx, &mut tx, caller, change("group.created", group.id, facts(&group))).await?;
    once::done(ctx, &mut tx).await?;
    tx.commit().await?;
    Ok(group)
}

/// The slug, name and description of a new group; whatever is wrong with them, all at once.
pub fn read_texts(new: &NewGroup) -> Result<(Slug, String, String), AppError> {
    let mut fields = Fields::default();
    let slug = fields.check("slug", new.slug.trim().parse::<Slug>());
    let name = fields.check("name", of_keys::plain_name(&new.name));
    let description = fields.check("description", rules::description(&new.description));
    fields.done()?;
    let (Some(slug), Some(name), Some(description)) = (slug, name, description) else { return Err(AppError::NotFound) };
    Ok((slug, name, description))
}

/// Changes a group; its slug stays. Who has a plan is no part of what is locked, be it a group.
pub async fn edit_group(ctx: &Ctx, caller: &Caller, slug: &str, edit: GroupEdit) -> Result<Group, AppError> {
    caller.require(&may::PLANS_MANAGE)?;
    if edit.describes() {
        must_be_open(ctx, caller, Area::Plans)?;
    }
    let mut fields = Fields::default();
    let name = edit.name.and_then(|text| fields.check("name", of_keys::plain_name(&text)));
    let description = edit.description.and_then(|text| fields.check("description", rules::description(&text)));
    fields.done()?;
    let limits = WantedLimits::check(ctx, edit.limits, edit.limit).await?;
    let grants = match &edit.grants {
        Some(texts) => Some(read_grants(ctx, texts).await?),
        None => None,
    };

    let mut tx = ctx.db.begin().await?;
    let id = rows::lock_group(&mut tx, slug).await?.ok_or(AppError::NotFound)?;
    let before = find(&mut tx, slug).await?;
    let plan = match edit.plan {
        Some(wanted) => plan(&mut tx, wanted.as_deref()).await?,
        None => before.plan.clone(),
    };
    let group = Group {
        name: name.unwrap_or_else(|| before.name.clone()),
        description: description.unwrap_or_else(|| before.description.clone()),
        plan,
        limits: limits.after(&before.limits)?.unwrap_or_else(|| before.limits.clone()),
        grants: grants.unwrap_or_else(|| before.grants.clone()),
        ..before.clone()
    };
    if group == before {
        return Ok(group); // sent twice
    }
    AppError::unless_seen(edit.seen.as_deref(), &before.version(), "This group")?;
    rows::update_group(&mut tx, &group, ctx.clock.now()).await?;
    if group.limits != before.limits {
        store::replace_group_limits(&mut tx, id, &group.limits).await?;
    }
    if group.grants != before.grants {
        store::replace_group_grants(&mut tx, id, &group.grants).await?;
    }
    let data = serde_json::json!({ "name": group.name, "from": facts(&before), "to": facts(&group) });
    note(ctx, &mut tx, caller, change("group.changed", id, data)).await?;
    tx.commit().await?;
    if group.limits != before.limits || group.plan != before.plan || group.grants != before.grants {
        spread(ctx, id.uuid()).await;
    }
    Ok(group)
}

/// Deletes a group that nobody is in.
pub async fn delete_group(ctx: &Ctx, caller: &Caller, slug: &str) -> Result<(), AppError> {
    caller.require(&may::PLANS_MANAGE)?;
    must_be_open(ctx, caller, Area::Plans)?;
    let mut tx = ctx.db.begin().await?;
    let id = rows::lock_group(&mut tx, slug).await?.ok_or(AppError::NotFound)?;
    let group = find(&mut tx, slug).await?;
    if group.members > 0 {
        let members = count(group.members, "workspace is", "workspaces are");
        return Err(AppError::conflict(format!("{members} in this group. Take them out first.")));
    }
    rows::delete_group(&mut tx, id).await?;
    note(ctx, &mut tx, caller, change("group.deleted", id, facts(&group))).await?;
    tx.commit().await?;
    Ok(())
}

/// The plan of a slug, which nobody deletes until the transaction ends.
async fn plan(conn: &mut PgConnection, slug: Option<&str>) -> Result<Option<GroupPlan>, AppError> {
    let Some(slug) = slug else { return Ok(None) };
    let id = store::lock_plan(conn, slug).await?.ok_or_else(|| AppError::invalid("plan", "There is no plan of this name."))?;
    let plan = plans::find(conn, slug).await?;
    Ok(Some(GroupPlan { id, slug: plan.slug, name: plan.name }))
}

fn facts(group: &Group) -> serde_json::Value {
    let plan = group.plan.as_ref().map(|p| &p.slug);
    serde_json::json!({ "slug": group.slug, "name": group.name, "plan": plan, "limits": group.limits, "grants": group.grants })
}

fn change(kind: &'static str, group: GroupId, data: serde_json::Value) -> Change<'static> {
    Change { kind, subject: Some(group.uuid()), data, ..Change::default() }
}
