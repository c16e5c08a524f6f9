//! `tollgate api …`: the APIs that keys are made for.

use super::{Exit, Invocation, route::RouteCommand, with_ctx};
use crate::{
    accounts::Caller,
    keys::{model::NewApi, server as keys},
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
        })
        .await
    }
}
