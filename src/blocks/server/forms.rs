//! From the texts of the page's forms to the typed input of an operation.

use super::{adding, rules, settings};
use crate::{
    accounts::{Caller, server::Visitor},
    blocks::model::{BlockAction, BlockForm, NewBlock, RuleForm, RuleSetting},
    error::{AppError, FieldError, Fields},
    keys::model::Spread,
    platform::Ctx,
    values::permission_names as may,
};

/// Blocks what was typed. The rate counts only where it slows.
pub async fn add(ctx: &Ctx, caller: &Caller, from: &Visitor, form: BlockForm) -> Result<adding::Added, AppError> {
    caller.require(&may::BLOCKS_MANAGE)?;
    let mut fields = Fields::default();
    let seconds = fields.check("lasts", rules::lasting(&form.lasts));
    let action = match form.action.as_str() {
        "" => Ok(BlockAction::Refuse),
        word => rate(word, &form.per_second).and_then(|rate| rules::action_of(word, rate)),
    };
    let action = fields.merge(action);
    fields.done()?;
    let (Some(seconds), Some(action)) = (seconds, action) else { return Err(AppError::NotFound) };
    let new = NewBlock { target: form.target, action, reason: form.reason, seconds };
    adding::add_block(ctx, caller, Some(from.address), new).await.map_err(|error| renamed(error, "seconds", "lasts"))
}

/// What was typed as calls a second; none where nothing is slowed.
fn rate(word: &str, typed: &str) -> Result<Option<u32>, AppError> {
    if word == "slow" { number(typed).map(Some).map_err(|words| AppError::invalid("per_second", words)) } else { Ok(None) }
}

fn number(text: &str) -> Result<u32, &'static str> {
    text.trim().replace([',', ' '], "").parse::<u32>().map_err(|_| "Enter a whole number.")
}

/// Sets a rule as it was typed. The fields of the form stand in `rule[…]`; `seen` is the state that it showed.
pub async fn set_rule(ctx: &Ctx, caller: &Caller, form: RuleForm, seen: Option<&str>) -> Result<Spread, AppError> {
    caller.require(&may::BLOCKS_MANAGE)?;
    let mut fields = Fields::default();
    let most = fields.check("most", number(&form.most));
    let minutes = fields.check("minutes", number(&form.minutes));
    let seconds = fields.check("lasts", rules::lasting(&form.lasts).and_then(|s| s.ok_or("A rule blocks for a minute to 366 days: 10m, 24h, 7d.")));
    let then = rate(&form.then, &form.per_second).and_then(|rate| rules::then_of(&form.then, rate));
    let then = fields.merge(then.map_err(|error| renamed(error, "action", "then")));
    let done = match (fields.done(), most, minutes, seconds, then) {
        (Ok(()), Some(most), Some(minutes), Some(seconds), Some(then)) => {
            let wanted = RuleSetting { rule: form.rule, is_on: form.is_on, most, minutes, then, seconds, mails: form.mails };
            settings::set_rule(ctx, caller, wanted, seen).await.map_err(|error| renamed(error, "seconds", "lasts"))
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
