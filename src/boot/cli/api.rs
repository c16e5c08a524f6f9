//! `tollgate api …`: the APIs that keys are made for.

use super::{Exit, Invocation, route::RouteCommand, with_ctx};
use crate::{
    accounts::Caller,
    keys::{
        model::{KeyLimit, NewApi, Over, Window},
        server as keys,
    },
    plans::server as plans,
};
use clap::Subcommand;

#[derive(Subcommand)]
pub(super) enum ApiCommand {
    /// Describe an API
    Create {
        /// Its name in addresses: orders
        #[arg(long)]
        slug: String,
        #[arg(long)]
        name: String,
        /// What its keys begin with [default: made from the slug]
        #[arg(long)]
        prefix: Option<String>,
        /// What keys may there, more than once: "orders:read Read orders"
        #[arg(long, value_name = "PERMISSION")]
        permission: Vec<String>,
    },
    /// List the APIs
    List,
    /// Say what calls need: method, path, permission, cost
    #[command(subcommand)]
    Route(RouteCommand),
    /// Set how many calls a key may make that no plan, workspace or limit of its own holds
    SetLimit {
        slug: String,
        #[arg(long, value_name = "CALLS", required_unless_present = "default")]
        limit: Option<u64>,
        /// Seconds, or second, minute, hour, day or month; of a time zone: day@Europe/Stockholm, month@Europe/Stockholm; rolling: rolling:hour; credits that come back, or are prepaid: credits:100/hour, credits; calls at the same time, each for 30 seconds at most: concurrent:30
        #[arg(long, default_value = "hour")]
        window: Window,
        /// What becomes of calls beyond it: refuse, throttle:5 (five pass in each second) or mark; until when: mark@2027-01-31
        #[arg(long, default_value = "refuse")]
        over: Over,
        /// What the configuration gives, again
        #[arg(long, conflicts_with = "limit")]
        default: bool,
    },
}

impl ApiCommand {
    pub(super) async fn run(self, invocation: &Invocation) -> Exit {
        with_ctx(&invocation.config, "api", async |ctx| match self {
            Self::Create { slug, name, prefix, permission } => {
                if invocation.dry_run {
                    invocation.answer(&serde_json::json!({ "would_create": slug }), &format!("Would create the API {slug}."));
                    return Ok(Exit::Done);
                }
                let new = NewApi { slug, name, key_prefix: prefix, permissions: permission, ..NewApi::default() };
                let api = keys::create_api(ctx, &Caller::cli(), new).await?;
                invocation.answer(&api, &format!("Created {} ({}). Its keys begin with {}_.", api.slug, api.id, api.key_prefix));
                Ok(Exit::Done)
            }
            Self::Route(command) => command.run(ctx, invocation).await,
            Self::List => {
                let apis = keys::list_apis(ctx, &Caller::cli()).await?;
                let lines: Vec<String> = apis.iter().map(|a| format!("{:20}  {:12}  {}", a.slug, format!("{}_", a.key_prefix), a.name)).collect();
                invocation.answer(&apis, &lines.join("\n"));
                Ok(Exit::Done)
            }
            Self::SetLimit { slug, limit, window, over, .. } => {
                let limits: Vec<KeyLimit> = limit.map(|limit| KeyLimit { over, ..KeyLimit::new(KeyLimit::DEFAULT, limit, window) }).into_iter().collect();
                let words = limits.first().map_or_else(|| "the default limit".to_owned(), KeyLimit::words);
                if invocation.dry_run {
                    plans::api_limits(ctx, &Caller::cli(), &slug).await?;
                    invocation.answer(&limits, &format!("Would be {words} for each key of {slug}."));
                    return Ok(Exit::Done);
                }
                let limits = plans::set_api_limits(ctx, &Caller::cli(), &slug, limits).await?;
                invocation.answer(&limits, &format!("From now on {words} for each key of {slug} that nothing nearer limits."));
                Ok(Exit::Done)
            }
        })
        .await
    }
}
