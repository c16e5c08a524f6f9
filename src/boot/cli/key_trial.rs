//! `tollgate key test`: would this call pass?

use super::{Exit, Invocation, key::known};
use crate::{
    accounts::Caller,
    error::AppError,
    keys::{
        model::{CallTrial, TrialStep, TryCall},
        server::{self as keys, gate::Gate, http::trial::TestAnswer},
    },
    platform::Ctx,
    values::Outcome,
};
use clap::Args;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

#[derive(Args)]
pub(super) struct Try {
    id: String,
    /// GET, POST …
    method: String,
    /// With its query, if you like: /orders/17?page=2
    path: String,
    /// From where it comes
    #[arg(long, value_name = "ADDRESS")]
    ip: Option<String>,
    /// The origin of the web page that makes it: https://app.example.com
    #[arg(long, value_name = "ORIGIN")]
    origin: Option<String>,
    /// What the asking service names, beside what the route needs
    #[arg(long, value_name = "PERMISSION")]
    permission: Option<String>,
    /// What the asking service names, in place of the route's cost
    #[arg(long, value_name = "UNITS")]
    cost: Option<u32>,
    /// When it comes: 2027-01-31T08:00:00Z [default: now]
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
}

impl Try {
    /// By a gate of this process, which knows this key alone. How much of its limits is used only servers know that count; so of limits it
    /// says only which a call of this cost never fits.
    pub(super) async fn run(self, ctx: &Ctx, invocation: &Invocation) -> Result<Exit, AppError> {
        let key = known(ctx, &self.id).await?;
        let at = |text: &String| OffsetDateTime::parse(text, &Rfc3339).map_err(|_| AppError::invalid("at", "Write the time as 2027-01-31T08:00:00Z."));
        let call = TryCall {
            method: self.method,
            path: self.path,
            address: self.ip,
            origin: self.origin,
            permission: self.permission,
            cost: self.cost,
            at: self.at.as_ref().map(at).transpose()?,
        };
        let ctx = ctx.clone().with(Gate::of_one(ctx, key.id).await?);
        let mut trial = keys::try_call(&ctx, &Caller::cli(), key.id, call).await?;
        trial.steps.retain(|step| step.check != "limit" || step.refused.is_some());
        let exit = if trial.outcome == Outcome::Valid { Exit::Done } else { Exit::Refused };
        let words = words(&key.name, &trial);
        invocation.answer(&TestAnswer::from(trial), &words);
        Ok(exit)
    }
}

fn words(key: &str, trial: &CallTrial) -> String {
    let verdict = match trial.outcome {
        Outcome::Valid => format!("{} with {key} passes, as long as its limits have room.", trial.call),
        code => format!("{} with {key} is answered {code}.", trial.call),
    };
    let line = |step: &TrialStep| {
        let code = step.refused.map_or_else(|| "passes".to_owned(), |code| code.to_string());
        format!("{:14}  {code:14}  {}", step.title, step.detail)
    };
    [verdict].into_iter().chain(trial.steps.iter().map(line)).collect::<Vec<_>>().join("\n")
}
