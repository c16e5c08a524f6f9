//! From the texts of the page's forms to the typed input of an operation.

use super::{adding, rules, settings};
use crate::{
    accounts::{
        Caller,
        server::{Visitor, find_account_by_email},
    },
    blocks::model::{NewBlock, RuleForm, RuleSetting},
    error::{AppError, FieldError, Fields},
    keys::model::Spread,
    platform::Ctx,
    values::{Email, permission_names as may},
};

/// Blocks what was typed: an address, a network, the id of a key or a workspace, or the email of the account whose workspace it is.
pub async fn add(ctx: &Ctx, caller: &Caller, from: &Visitor, target: &str, reason: String, lasts: &str) -> Result<adding::Added, AppError> {
    caller.require(&may::BLOCKS_MANAGE)?;
    let seconds = rules::lasting(lasts).map_err(|words| AppError::invalid("lasts", words))?;
    let target = match target.trim().parse::<Email>() {
        Ok(email) => workspace_of(ctx, caller, &email).await?,
        Err(_) => target.to_owned(),
    };
    adding::add_block(ctx, caller, Some(from.address), NewBlock { target, reason, seconds }).await.map_err(|error| renamed(error, "seconds", "lasts"))
}

async fn workspace_of(ctx: &Ctx, caller: &Caller, email: &Email) -> Result<String, AppError> {
    let nobody = || AppError::invalid("target", "Nobody has this email.");
    match find_account_by_email(ctx, caller, email).await {
        Ok(account) => account.workspace.map(|id| id.to_string()).ok_or_else(nobody),
        Err(AppError::NotFound) => Err(nobody()),
        Err(error) => Err(error),
    }
}

/// Sets a rule as it was typed. The fields of the form stand in `rule[…]`.
pub async fn set_rule(ctx: &Ctx, caller: &Caller, form: RuleForm) -> Result<Spread, AppError> {
    caller.require(&may::BLOCKS_MANAGE)?;
    let mut fields = Fields::default();
    let number = |text: &str| text.trim().replace([',', ' '], "").parse::<u32>().map_err(|_| "Write a whole number.");
    let most = fields.check("most", number(&form.most));
    let minutes = fields.check("minutes", number(&form.minutes));
    let seconds = fields.check("lasts", rules::lasting(&form.lasts).and_then(|s| s.ok_or("A rule blocks for a minute to 366 days: 10m, 24h, 7d.")));
    let blocks = match form.then.as_str() {
        "block" => true,
        "tell" => false,
        _ => {
            fields.add("then", "Choose what it does.");
            false
        }
    };
    let done = match (fields.done(), most, minutes, seconds) {
        (Ok(()), Some(most), Some(minutes), Some(seconds)) => {
            settings::set_rule(ctx, caller, RuleSetting { rule: form.rule, is_on: form.is_on, most, minutes, blocks, seconds }).await
        }
        (Err(error), ..) => Err(error),
        _ => Err(AppError::NotFound),
    };
    done.map_err(|error| match error {
        AppError::Invalid { fields } => {
            let moved = |f: FieldError| FieldError { field: format!("rule[{}]", f.field), message: f.message };
            AppError::Invalid { fields: fields.into_iter().map(moved).collect() }
        }
        other => other,
    })
}

fn renamed(error: AppError, from: &str, to: &str) -> AppError {
    let AppError::Invalid { fields } = error else { return error };
    let renamed = |f: FieldError| if f.field == from { FieldError { field: to.to_owned(), ..f } } else { f };
    AppError::Invalid { fields: fields.into_iter().map(renamed).collect() }
}
