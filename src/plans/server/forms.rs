//! From the texts of the page's forms to the typed input of an operation.

use super::{assigning, describing, groups, store};
use crate::{
    accounts::{
        Caller,
        server::{find_account, find_account_by_email},
    },
    error::{AppError, FieldError, Fields},
    keys::{
        model::{KeyEdit, KeyLimit, TypedLimit},
        server::{edit_key, find_key, forms::digits},
    },
    plans::model::{GivenPlan, GroupEdit, NewLimits, NewPlan, NewPrice, Plan, PlanEdit, PlanEffect, PlanForm},
    platform::Ctx,
    values::{AccountId, Email, GroupId, KeyId, Slug, WorkspaceId, permission_names as may},
};

pub async fn create(ctx: &Ctx, caller: &Caller, form: PlanForm) -> Result<Plan, AppError> {
    caller.require(&may::PLANS_MANAGE)?;
    let (limits, mut fields) = limits(&form.limits);
    let price = NewPrice { per_1000: form.per_1000, currency: form.currency };
    let entitlements = form.entitlements.lines().map(str::to_owned).collect();
    let new = NewPlan { slug: form.slug, name: form.name, description: form.description, entitlements, grants: Vec::new(), price: Some(price), limits };
    fields.merge(describing::read_texts(&new));
    in_form("plan", fields.done())?;
    in_form("plan", describing::create_plan(ctx, caller, new).await)
}

/// Its limits stand in a form of their own (`set_limit`), and stay. `seen` is the state that the form showed.
pub async fn save(ctx: &Ctx, caller: &Caller, form: PlanForm, seen: Option<String>) -> Result<Plan, AppError> {
    let edit = PlanEdit {
        name: Some(form.name),
        description: Some(form.description),
        entitlements: Some(form.entitlements.lines().map(str::to_owned).collect()),
        price: Some(Some(NewPrice { per_1000: form.per_1000, currency: form.currency })),
        seen,
        ..PlanEdit::default()
    };
    in_form("plan", describing::edit_plan(ctx, caller, &form.slug, edit).await)
}

/// One limit of a plan is set or taken away; what was done in words.
pub async fn set_limit(ctx: &Ctx, caller: &Caller, slug: &str, typed: &TypedLimit) -> Result<&'static str, AppError> {
    caller.require(&may::PLANS_MANAGE)?;
    let change = typed.read()?;
    let words = change.done_words();
    describing::edit_plan(ctx, caller, slug, PlanEdit { limit: Some(change), ..PlanEdit::default() }).await?;
    Ok(words)
}

/// What a plan grants becomes this.
pub async fn set_grants(ctx: &Ctx, caller: &Caller, slug: &str, grants: Vec<String>) -> Result<Plan, AppError> {
    describing::edit_plan(ctx, caller, slug, PlanEdit { grants: Some(grants), ..PlanEdit::default() }).await
}

/// The limits that were typed, one of each window.
pub(super) fn limits(form: &NewLimits) -> (Vec<KeyLimit>, Fields) {
    let mut limits: Vec<KeyLimit> = Vec::new();
    let mut fields = Fields::default();
    for (window, field, typed) in form.windows() {
        let units = digits(typed.trim());
        if units.is_empty() {
            continue;
        }
        let read = units.parse::<u64>().ok().filter(|units| *units <= KeyLimit::MAX_CALLS);
        let limit = fields.check(field, read.ok_or("Write a whole number of units, at most 4,294,967,295. Empty: no limit."));
        limits.extend(limit.map(|limit| KeyLimit::new(field, limit, window)));
    }
    (limits, fields)
}

/// The fields of a form stand in `plan[…]`, those of a group in `group[…]`; what an operation says of one belongs beside it.
pub(super) fn in_form<T>(form: &str, done: Result<T, AppError>) -> Result<T, AppError> {
    done.map_err(|error| match error {
        AppError::Invalid { fields } => {
            let moved = |f: FieldError| {
                let name = f.field.strip_prefix("price.").unwrap_or(&f.field);
                FieldError { field: if name.is_empty() { String::new() } else { format!("{form}[{name}]") }, message: f.message }
            };
            AppError::Invalid { fields: fields.into_iter().map(moved).collect() }
        }
        other => other,
    })
}

/// Gives a plan to an account's workspace, a group, a workspace or a key.
pub async fn assign(ctx: &Ctx, caller: &Caller, slug: &str, to: &str) -> Result<GivenPlan, AppError> {
    let plan = describing::find_plan(ctx, caller, slug).await?;
    let to = to.trim();
    let nobody = || AppError::invalid("to", "Nobody has this email or id. Write an account's email, a group's slug, or the id of a workspace or a key.");
    put(ctx, caller, &whom(ctx, caller, to).await?.ok_or_else(nobody)?, Some(&plan)).await.map_err(|error| match error {
        AppError::NotFound => nobody(),
        other => other,
    })
}

/// Takes the plan of a group, a workspace or a key away; the answer is its name.
pub async fn take(ctx: &Ctx, caller: &Caller, from: &str) -> Result<String, AppError> {
    let whom = whom(ctx, caller, from.trim()).await?.ok_or(AppError::NotFound)?;
    Ok(put(ctx, caller, &whom, None).await?.name)
}

enum Whom {
    /// By its slug.
    Group(String),
    Workspace(WorkspaceId),
    Key(KeyId),
}

async fn whom(ctx: &Ctx, caller: &Caller, text: &str) -> Result<Option<Whom>, AppError> {
    if let Ok(id) = text.parse::<KeyId>() {
        return Ok(Some(Whom::Key(id)));
    }
    if let Ok(id) = text.parse::<GroupId>() {
        return Ok(store::groups::find_slug(&ctx.db, id).await?.map(Whom::Group));
    }
    match text.parse::<Slug>() {
        Ok(slug) => Ok(Some(Whom::Group(slug.into()))),
        Err(_) => Ok(workspace(ctx, caller, text).await?.map(Whom::Workspace)),
    }
}

/// The workspace of this id, or the one of the account with this email or id.
pub(super) async fn workspace(ctx: &Ctx, caller: &Caller, text: &str) -> Result<Option<WorkspaceId>, AppError> {
    match text.parse::<WorkspaceId>() {
        Ok(id) => Ok(Some(id)),
        Err(_) => workspace_of_account(ctx, caller, text).await,
    }
}

/// The personal workspace of the account with this email or id.
pub async fn workspace_of_account(ctx: &Ctx, caller: &Caller, text: &str) -> Result<Option<WorkspaceId>, AppError> {
    let text = text.trim();
    let found = match (text.parse::<AccountId>(), text.parse::<Email>()) {
        (Ok(id), _) => find_account(ctx, caller, id).await,
        (_, Ok(email)) => find_account_by_email(ctx, caller, &email).await,
        _ => return Ok(None),
    };
    match found {
        Ok(account) => Ok(account.workspace),
        Err(AppError::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn put(ctx: &Ctx, caller: &Caller, whom: &Whom, plan: Option<&Plan>) -> Result<GivenPlan, AppError> {
    let wanted = plan.map(|plan| plan.slug.to_string());
    let has_limits = plan.is_some_and(|plan| !plan.limits.is_empty());
    let other = |before: Option<Slug>| before.filter(|before| Some(before) != plan.map(|plan| &plan.slug));
    match whom {
        Whom::Group(slug) => {
            let before = groups::find_group(ctx, caller, slug).await?.plan.map(|plan| plan.slug);
            let group = groups::edit_group(ctx, caller, slug, GroupEdit { plan: Some(wanted), ..GroupEdit::default() }).await?;
            Ok(GivenPlan { effect: PlanEffect::of_group(has_limits, !group.limits.is_empty()), name: group.name, replaced: other(before) })
        }
        Whom::Workspace(id) => {
            let hold = assigning::assign_plan(ctx, caller, *id, wanted.as_deref()).await?;
            Ok(GivenPlan { effect: PlanEffect::of_workspace(has_limits, &hold), name: hold.name, replaced: hold.replaced })
        }
        Whom::Key(id) => {
            let before = find_key(ctx, caller, *id).await?.plan;
            let key = edit_key(ctx, caller, *id, KeyEdit { plan: Some(wanted), ..KeyEdit::default() }).await?.key;
            Ok(GivenPlan { effect: PlanEffect::of_key(has_limits, !key.limits.is_empty()), name: key.name, replaced: other(before) })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::model::Window;

    #[test]
    fn a_form_has_a_field_for_each_usual_window() {
        let form = NewLimits { second: "3".into(), hour: "1,200".into(), month: "10 000".into(), ..NewLimits::default() };
        let (read, fields) = limits(&form);
        assert_eq!(
            read,
            [("second", 3, Window::SECOND), ("hour", 1_200, Window::HOUR), ("month", 10_000, Window::Month)].map(|(n, l, w)| KeyLimit::new(n, l, w))
        );
        assert!(fields.done().is_ok());
        let (read, fields) = limits(&NewLimits { minute: "5".into(), day: "many".into(), ..form });
        assert_eq!(read.len(), 4);
        assert!(fields.done().is_err_and(|error| error.field("day").is_some()));
    }
}
