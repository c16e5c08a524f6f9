//! From the texts of the forms of groups to the typed input of an operation.

use super::{describing, members};
use crate::{
    accounts::Caller,
    error::AppError,
    keys::model::TypedLimit,
    plans::{
        model::{Group, GroupEdit, GroupForm, NewGroup},
        server::forms::{self, in_form},
    },
    platform::Ctx,
    values::permission_names as may,
};

pub async fn create(ctx: &Ctx, caller: &Caller, form: GroupForm) -> Result<Group, AppError> {
    caller.require(&may::PLANS_MANAGE)?;
    let (limits, mut fields) = forms::limits(&form.limits);
    let new = NewGroup { plan: plan(&form), slug: form.slug, name: form.name, description: form.description, limits, grants: Vec::new() };
    fields.merge(describing::read_texts(&new));
    in_form("group", fields.done())?;
    in_form("group", describing::create_group(ctx, caller, new).await)
}

/// Its limits stand in a form of their own (`set_limit`), and stay. `seen` is the state that the form showed.
pub async fn save(ctx: &Ctx, caller: &Caller, form: GroupForm, seen: Option<String>) -> Result<Group, AppError> {
    let edit = GroupEdit { plan: Some(plan(&form)), name: Some(form.name), description: Some(form.description), seen, ..GroupEdit::default() };
    in_form("group", describing::edit_group(ctx, caller, &form.slug, edit).await)
}

/// One limit of a group is set or taken away; what was done in words.
pub async fn set_limit(ctx: &Ctx, caller: &Caller, slug: &str, typed: &TypedLimit) -> Result<&'static str, AppError> {
    caller.require(&may::PLANS_MANAGE)?;
    let change = typed.read()?;
    let words = change.done_words();
    describing::edit_group(ctx, caller, slug, GroupEdit { limit: Some(change), ..GroupEdit::default() }).await?;
    Ok(words)
}

/// What a group grants becomes this.
pub async fn set_grants(ctx: &Ctx, caller: &Caller, slug: &str, grants: Vec<String>) -> Result<Group, AppError> {
    describing::edit_group(ctx, caller, slug, GroupEdit { grants: Some(grants), ..GroupEdit::default() }).await
}

fn plan(form: &GroupForm) -> Option<String> {
    let slug = form.plan.trim();
    (!slug.is_empty()).then(|| slug.to_owned())
}

/// Puts a workspace, or the one of an account, into a group; the answer is its name.
pub async fn add(ctx: &Ctx, caller: &Caller, slug: &str, to: &str) -> Result<String, AppError> {
    describing::find_group(ctx, caller, slug).await?;
    let nobody = || AppError::invalid("to", "Nobody has this email or id. Write an account's email, or the id of a workspace.");
    let workspace = forms::workspace(ctx, caller, to.trim()).await?.ok_or_else(nobody)?;
    match members::add_member(ctx, caller, slug, workspace).await {
        Ok(hold) => Ok(hold.name),
        Err(AppError::NotFound) => Err(nobody()),
        Err(AppError::Conflict { message }) => Err(AppError::invalid("to", message)),
        Err(error) => Err(error),
    }
}

/// Takes a workspace, or the one of an account, out of a group; the answer is its name.
pub async fn remove(ctx: &Ctx, caller: &Caller, slug: &str, from: &str) -> Result<String, AppError> {
    let workspace = forms::workspace(ctx, caller, from.trim()).await?.ok_or(AppError::NotFound)?;
    Ok(members::remove_member(ctx, caller, slug, workspace).await?.name)
}
