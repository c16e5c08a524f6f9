//! `tollgate usage`: calls in a stretch of time by what became of them; of everybody, an account, an API or a key.

use super::{
    Exit, Invocation,
    key::known,
    missing::{OrNo, Thing},
    plan::workspace_of,
    with_ctx,
};
use crate::{
    accounts::Caller,
    error::AppError,
    keys::server as keys,
    platform::Ctx,
    ui::number::{count, thousands},
    usage::{
        model::UsageQuery,
        server::{UsageSum, sum_usage},
    },
};
use clap::Args;

#[derive(Args)]
pub(super) struct Of {
    /// Only calls with this key
    #[arg(long, value_name = "ID", conflicts_with = "account")]
    key: Option<String>,
    /// Only calls with keys of this account
    #[arg(long, value_name = "EMAIL")]
    account: Option<String>,
    /// Only calls with keys of this API
    #[arg(long, value_name = "SLUG")]
    api: Option<String>,
    /// Only calls of this route, as usage counts it: 'GET /orders/{id}'
    #[arg(long, value_name = "ROUTE")]
    route: Option<String>,
    /// How far back: 24h, 7d, 30d, month (since its first day) or year [default: 30d]
    #[arg(long, value_name = "RANGE", conflicts_with = "from")]
    range: Option<String>,
    /// In place of a range, a day of UTC or a moment: 2026-11-01, 2026-11-01T08:00:00Z
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// A day, which is meant whole, or a moment [default: now]
    #[arg(long, value_name = "TIME", requires = "from")]
    to: Option<String>,
}

impl Of {
    pub(super) async fn run(self, invocation: &Invocation) -> Exit {
        with_ctx(&invocation.config, "usage", async |ctx| self.sum(ctx, invocation).await).await
    }

    async fn sum(self, ctx: &Ctx, invocation: &Invocation) -> Result<Exit, AppError> {
        let Self { key, account, api, route, range, from, to } = self;
        if let Some(key) = &key {
            known(ctx, key).await?;
        }
        if let Some(slug) = &api {
            keys::api_by_slug(ctx, &Caller::cli(), slug).await.or_no(Thing::Api, slug)?;
        }
        let workspace = match account {
            Some(email) => Some(workspace_of(ctx, &email).await?),
            None => None,
        };
        let query = UsageQuery { key, api, route, range, from, to, ..UsageQuery::default() };
        let sum = sum_usage(ctx, &Caller::cli(), workspace, &query).await?;
        invocation.answer(&sum, &words(&sum));
        Ok(Exit::Done)
    }
}

fn words(sum: &UsageSum) -> String {
    let mut codes: Vec<_> = sum.by_code.iter().collect();
    codes.sort_by_key(|(_, calls)| std::cmp::Reverse(**calls));
    let first = format!("{} from {} to {}", count(sum.total, "call", "calls"), sum.from, sum.to);
    let lines = codes.into_iter().map(|(code, calls)| format!("{code:16}  {:>14}", thousands(*calls)));
    let units = (sum.units > 0).then(|| format!("What passed cost {}.", count(sum.units, "unit", "units")));
    [first].into_iter().chain(lines).chain(units).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_code_stands_first() {
        let by_code = [("EXPIRED", 3), ("VALID", 1_200)].map(|(code, calls)| (code.to_owned(), calls)).into();
        let (from, to) = ("2026-11-20T00:00:00Z".to_owned(), "2026-11-21T00:00:00Z".to_owned());
        let sum = UsageSum { from, to, total: 1_203, passed: 1_200, limited: 0, refused: 3, by_code, units: 1_500 };
        let said = words(&sum);
        let lines: Vec<Vec<&str>> = said.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!((lines[1][0], lines[2][0], lines[2][1]), ("VALID", "EXPIRED", "3"), "{said}");
        assert!(said.contains("2026-11-20T00:00:00Z") && lines.len() == 4, "{said}");
    }
}
