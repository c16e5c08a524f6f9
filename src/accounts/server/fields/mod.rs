//! Fields of profiles that operators make: what they are called, what they hold, where they are asked. What people write into them is
//! in `values`.
//!
//! The slug and the kind of a field stay: what people wrote is of that kind. Choices may change; who chose one that is gone keeps it until
//! they choose again.

pub mod values;

use super::{Visitor, factors::require_admin_proof, locked::must_be_open, store::fields as store};
use crate::{
    accounts::model::{Caller, FieldForm, FieldKind, FieldUse, FieldValue, ProfileField},
    activity::server::{Change, record},
    error::{AppError, Fields},
    platform::Ctx,
    ui::number::count,
    values::{AccountId, Area, permission_names as may},
};
use serde_json::json;
use std::collections::HashMap;

/// How many fields there may be, and how many choices of one.
const MOST: usize = 30;
const CHOICES: usize = 50;
/// The longest label and the longest choice, in characters.
const LABEL_CHARS: usize = 60;

/// Every field in its order, and how many people wrote something into it.
pub async fn list_fields(ctx: &Ctx, caller: &Caller) -> Result<Vec<FieldUse>, AppError> {
    caller.require(&may::ADMIN_READ)?;
    let counts: HashMap<String, u64> = store::count_values(&ctx.db).await?.into_iter().collect();
    let all = store::list_fields(&ctx.db).await?;
    Ok(all.into_iter().map(|field| FieldUse { values: counts.get(&field.slug).copied().unwrap_or(0), field }).collect())
}

/// The fields that are asked on signing up. Nobody needs to be signed in.
pub async fn sign_up_fields(ctx: &Ctx) -> Result<Vec<ProfileField>, AppError> {
    Ok(store::list_fields(&ctx.db).await?.into_iter().filter(|field| field.at_sign_up).collect())
}

/// What somebody wrote, for operators; fields that are empty are left out.
pub async fn values_of(ctx: &Ctx, caller: &Caller, account: AccountId) -> Result<Vec<FieldValue>, AppError> {
    caller.require(&may::ADMIN_READ)?;
    Ok(store::list_values(&ctx.db, account).await?.into_iter().filter(|it| !it.value.is_empty()).collect())
}

/// The field as `create_field` would make it, or `change_field` where there is one, or what is wrong with it. Nothing changes.
pub async fn plan_field(ctx: &Ctx, caller: &Caller, form: &FieldForm, is_new: bool) -> Result<ProfileField, AppError> {
    caller.require(&may::ACCOUNTS_MANAGE)?;
    let all = store::list_fields(&ctx.db).await?;
    let old = all.iter().find(|field| field.slug == form.slug.trim());
    if !is_new {
        return checked(form, Some(old.ok_or(AppError::NotFound)?));
    }
    let field = checked(form, None)?;
    must_leave_room(&all)?;
    if old.is_some() { Err(taken()) } else { Ok(field) }
}

fn must_leave_room(all: &[ProfileField]) -> Result<(), AppError> {
    if all.len() < MOST { Ok(()) } else { Err(AppError::conflict(format!("There are {MOST} fields already, and that is the most."))) }
}

fn taken() -> AppError {
    AppError::invalid("slug", "There is a field of this name already.")
}

/// Makes a field. Nobody has to fill it in until they save their profile the next time.
pub async fn create_field(ctx: &Ctx, caller: &Caller, from: &Visitor, form: &FieldForm) -> Result<ProfileField, AppError> {
    caller.require(&may::ACCOUNTS_MANAGE)?;
    must_be_open(ctx, caller, Area::Fields)?;
    let field = checked(form, None)?;
    let mut tx = ctx.db.begin().await?;
    must_leave_room(&store::list_fields(&mut *tx).await?)?;
    if !store::insert_field(&mut tx, ctx.new_id(), &field, ctx.clock.now()).await? {
        return Err(taken());
    }
    record(ctx, &mut tx, change("field.created", caller, from, &field.label)).await?;
    tx.commit().await?;
    Ok(field)
}

/// Changes everything of a field but its slug and its kind, unless it is in another state than the one `seen` (`ProfileField::version`).
/// What is as it was is no change.
pub async fn change_field(ctx: &Ctx, caller: &Caller, from: &Visitor, form: &FieldForm, seen: Option<&str>) -> Result<ProfileField, AppError> {
    caller.require(&may::ACCOUNTS_MANAGE)?;
    must_be_open(ctx, caller, Area::Fields)?;
    let mut tx = ctx.db.begin().await?;
    // Of two saves at once the second sees what the first has stored.
    let old = store::lock_field(&mut tx, &form.slug).await?.ok_or(AppError::NotFound)?;
    let field = checked(form, Some(&old))?;
    if field != old {
        AppError::unless_seen(seen, &old.version(), "This field")?;
        store::update_field(&mut tx, &field).await?;
        record(ctx, &mut tx, change("field.changed", caller, from, &field.label)).await?;
        tx.commit().await?;
    }
    Ok(field)
}

/// Deletes a field and what people wrote into it; nothing happens if by now that is more than the `saw` ones. Gone already is gone.
pub async fn delete_field(ctx: &Ctx, caller: &Caller, from: &Visitor, slug: &str, saw: u64) -> Result<(), AppError> {
    caller.require(&may::ACCOUNTS_MANAGE)?;
    must_be_open(ctx, caller, Area::Fields)?;
    require_admin_proof(ctx, caller).await?;
    let mut tx = ctx.db.begin().await?;
    let Some(field) = store::list_fields(&mut *tx).await?.into_iter().find(|field| field.slug == slug) else { return Ok(()) };
    let n = store::count_values(&mut *tx).await?.into_iter().find(|(of, _)| of == slug).map_or(0, |(_, n)| n);
    if n > saw {
        return Err(AppError::conflict(format!("{} filled it in by now, and you saw {saw}. Look at it again.", count(n, "person has", "people have"))));
    }
    store::delete_field(&mut tx, slug).await?;
    let mut change = change("field.deleted", caller, from, &field.label);
    change.data["values"] = json!(n);
    record(ctx, &mut tx, change).await?;
    Ok(tx.commit().await?)
}

/// A field as its form describes it.
fn checked(form: &FieldForm, old: Option<&ProfileField>) -> Result<ProfileField, AppError> {
    let mut fields = Fields::default();
    let slug = form.slug.trim().to_owned();
    let is_slug = slug.len() <= 30 && slug.starts_with(|c: char| c.is_ascii_lowercase());
    if !is_slug || !slug.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_') {
        fields.add("slug", "1 to 30 letters a to z, digits and _, with a letter first.");
    }
    let label = one_line(&form.label);
    if label.is_empty() || label.chars().count() > LABEL_CHARS {
        fields.add("label", format!("A label has 1 to {LABEL_CHARS} characters."));
    }
    let kind = match old {
        Some(old) => old.kind,
        None => fields.check("kind", FieldKind::parse(&form.kind).ok_or("Choose what it holds.")).unwrap_or(FieldKind::Text),
    };
    let mut choices: Vec<String> = form.choices.lines().map(one_line).filter(|choice| !choice.is_empty()).collect();
    let mut seen = std::collections::HashSet::new();
    choices.retain(|choice| seen.insert(choice.clone()));
    if kind != FieldKind::Choice {
        choices.clear();
    } else if !(1..=CHOICES).contains(&choices.len()) || choices.iter().any(|choice| choice.chars().count() > LABEL_CHARS) {
        fields.add("choices", format!("Write 1 to {CHOICES} choices of at most {LABEL_CHARS} characters."));
    }
    let position = match form.position.trim() {
        "" => Some(0),
        text => fields.check("position", text.parse::<i32>().ok().filter(|n| (0..=999).contains(n)).ok_or("Write a whole number from 0 to 999.")),
    };
    fields.done()?;
    let FieldForm { is_required, at_sign_up, may_be_public, .. } = *form;
    Ok(ProfileField { slug, label, kind, choices, is_required, at_sign_up, may_be_public, position: position.unwrap_or(0) })
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn change<'a>(kind: &'a str, caller: &'a Caller, from: &Visitor, label: &str) -> Change<'a> {
    let mut data = from.facts();
    data["name"] = json!(label);
    Change { kind, actor: caller.actor(), actor_name: &caller.name, data, ..Change::default() }
}
