//! `tollgate field …`: what profiles ask of people besides name and address.

use super::{
    Exit, Invocation,
    missing::{Thing, missing},
    with_ctx,
};
use crate::{
    accounts::{
        Caller,
        model::{FieldForm, FieldKind, FieldUse, ProfileField},
        server::{self as accounts, Visitor},
    },
    error::AppError,
    platform::Ctx,
    ui::number::count,
};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

#[derive(Subcommand)]
pub(super) enum FieldCommand {
    /// List the fields, in the order of the form
    List,
    /// Show one field
    Show { slug: String },
    /// Make a field of every profile
    Create(New),
    /// Give a field another label, choices, place, or say where it is asked; what is not said stays
    Edit(Edit),
    /// Delete a field with everything that people wrote into it
    Delete { slug: String },
}

#[derive(Args)]
pub(super) struct New {
    /// Its name over REST, letters a to z, digits and _; it stays: team
    #[arg(long)]
    slug: String,
    /// What people read: Team
    #[arg(long)]
    label: String,
    /// What it holds; it stays
    #[arg(long, default_value = "text", value_parser = FieldKind::ALL.map(|(_, word, _)| word))]
    kind: String,
    #[command(flatten)]
    asked: Asked,
}

#[derive(Args)]
pub(super) struct Edit {
    slug: String,
    #[arg(long)]
    label: Option<String>,
    #[command(flatten)]
    asked: Asked,
}

#[derive(Args)]
struct Asked {
    /// Of a choice: one that people have, more than once, all of them
    #[arg(long, value_name = "WORDS")]
    choice: Vec<String>,
    /// Everybody fills it in when they save their profile the next time; take that back with --required=false
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    required: Option<bool>,
    /// It is asked on signing up, too
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    at_sign_up: Option<bool>,
    /// Whoever fills it in may show it to everybody
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    may_be_public: Option<bool>,
    /// 0 to 999: small ones come first
    #[arg(long, value_name = "NUMBER")]
    position: Option<u16>,
}

impl FieldCommand {
    pub(super) async fn run(self, invocation: &Invocation) -> Exit {
        with_ctx(&invocation.config, "field", async |ctx| match self {
            Self::List => list(ctx, invocation).await,
            Self::Show { slug } => {
                let found = known(ctx, &slug).await?;
                invocation.answer(&facts(&found), &shown(&found));
                Ok(Exit::Done)
            }
            Self::Create(New { slug, label, kind, asked }) => create(ctx, invocation, asked.on(FieldForm { slug, label, kind, ..FieldForm::default() })?).await,
            Self::Edit(wanted) => edit(ctx, invocation, wanted).await,
            Self::Delete { slug } => delete(ctx, invocation, &slug).await,
        })
        .await
    }
}

impl Asked {
    /// What is said of a field, in place of what it is.
    fn on(self, form: FieldForm) -> Result<FieldForm, AppError> {
        let Self { choice, required, at_sign_up, may_be_public, position } = self;
        if !choice.is_empty() && form.kind != FieldKind::Choice.word() {
            return Err(AppError::invalid("choice", "Only a field of the kind choice has choices."));
        }
        Ok(FieldForm {
            choices: if choice.is_empty() { form.choices } else { choice.join("\n") },
            is_required: required.unwrap_or(form.is_required),
            at_sign_up: at_sign_up.unwrap_or(form.at_sign_up),
            may_be_public: may_be_public.unwrap_or(form.may_be_public),
            position: position.map_or(form.position, |n| n.to_string()),
            ..form
        })
    }
}

async fn list(ctx: &Ctx, invocation: &Invocation) -> Result<Exit, AppError> {
    let found = accounts::list_fields(ctx, &Caller::cli()).await?;
    let line = |it: &FieldUse| {
        let FieldUse { field, values } = it;
        format!("{:16}  {:20}  {:8}  {:24}  {}", field.slug, field.label, field.kind.word(), asked(field), filled_in(*values))
    };
    let lines: Vec<String> = found.iter().map(line).collect();
    invocation.answer(&found.iter().map(facts).collect::<Value>(), &if lines.is_empty() { "No fields.".to_owned() } else { lines.join("\n") });
    Ok(Exit::Done)
}

async fn create(ctx: &Ctx, invocation: &Invocation, form: FieldForm) -> Result<Exit, AppError> {
    let caller = Caller::cli();
    if invocation.dry_run {
        let field = accounts::plan_field(ctx, &caller, &form, true).await.map_err(flags)?;
        invocation.answer(&json!({ "would_create": field.slug }), &format!("Would make the field {}.", field.slug));
        return Ok(Exit::Done);
    }
    let field = accounts::create_field(ctx, &caller, &Visitor::terminal(), &form).await.map_err(flags)?;
    invocation.answer(&facts(&FieldUse { field: field.clone(), values: 0 }), &format!("{} ({}) is on every profile now.", field.label, field.slug));
    Ok(Exit::Done)
}

async fn edit(ctx: &Ctx, invocation: &Invocation, Edit { slug, label, asked }: Edit) -> Result<Exit, AppError> {
    let caller = Caller::cli();
    let FieldUse { field, values } = known(ctx, &slug).await?;
    let form = asked.on(FieldForm {
        slug: field.slug.clone(),
        label: label.unwrap_or_else(|| field.label.clone()),
        kind: field.kind.word().to_owned(),
        choices: field.choices.join("\n"),
        is_required: field.is_required,
        at_sign_up: field.at_sign_up,
        may_be_public: field.may_be_public,
        position: field.position.to_string(),
    })?;
    if invocation.dry_run {
        let field = accounts::plan_field(ctx, &caller, &form, false).await.map_err(flags)?;
        let would = FieldUse { field, values };
        invocation.answer(&facts(&would), &format!("Would be:\n{}", shown(&would)));
        return Ok(Exit::Done);
    }
    // Who changed it since it was read is not overwritten.
    let seen = field.version().to_string();
    let field = accounts::change_field(ctx, &caller, &Visitor::terminal(), &form, Some(&seen)).await.map_err(flags)?;
    let now = FieldUse { field, values };
    invocation.answer(&facts(&now), &shown(&now));
    Ok(Exit::Done)
}

async fn delete(ctx: &Ctx, invocation: &Invocation, slug: &str) -> Result<Exit, AppError> {
    let found = known(ctx, slug).await?;
    let FieldUse { field, values } = &found;
    if *values > 0 && !invocation.dry_run && !invocation.yes {
        let people = count(*values, "person has", "people have");
        let words = format!("{people} filled it in. What they wrote is deleted with it, and can't be brought back: say --yes.");
        return Err(AppError::invalid("yes", words));
    }
    if !invocation.dry_run {
        accounts::delete_field(ctx, &Caller::cli(), &Visitor::terminal(), slug, *values).await?;
    }
    let done = if invocation.dry_run { "Would delete" } else { "Deleted" };
    invocation.answer(&facts(&found), &format!("{done} {}, {}.", field.label, filled_in(*values)));
    Ok(Exit::Done)
}

async fn known(ctx: &Ctx, slug: &str) -> Result<FieldUse, AppError> {
    accounts::list_fields(ctx, &Caller::cli()).await?.into_iter().find(|it| it.field.slug == slug).ok_or_else(|| missing(Thing::Field, slug))
}

/// A field, and how many people wrote something into it.
fn facts(it: &FieldUse) -> Value {
    let mut facts = json!(it.field);
    facts["values"] = json!(it.values);
    facts
}

/// "required, on signing up".
fn asked(field: &ProfileField) -> String {
    let asked = [(field.is_required, "required"), (field.at_sign_up, "on signing up"), (field.may_be_public, "may be public")];
    let asked: Vec<&str> = asked.into_iter().filter(|(is, _)| *is).map(|(_, words)| words).collect();
    if asked.is_empty() { "on the profile".to_owned() } else { asked.join(", ") }
}

fn filled_in(values: u64) -> String {
    format!("filled in by {}", count(values, "person", "people"))
}

fn shown(it: &FieldUse) -> String {
    let FieldUse { field, values } = it;
    let mut lines = vec![
        format!("{}  {}", field.slug, field.label),
        format!("holds      {}", field.kind.word()),
        format!("asked      {}", asked(field)),
        format!("place      {}", field.position),
        format!("values     {}", filled_in(*values)),
    ];
    lines.extend(field.choices.iter().map(|choice| format!("choice     {choice}")));
    lines.join("\n")
}

/// Errors name what was typed.
fn flags(error: AppError) -> AppError {
    error.of_field("choices", "choice")
}
