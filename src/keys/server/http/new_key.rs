//! The JSON of a new key, and what becomes of it; a key of a list (`batch`) says the same, but not its API and no plan.
//!
//! Each has its own fields, with what its description says of them, and its own list of what is expected where one is unknown: serde's `flatten`
//! does not refuse what is unknown. What is made of them stands here once, so that neither can lack a field.

use super::bodies::KeyLimitBody;
use crate::keys::{
    model::{Environment, Meta, NewKey, Preset},
    server::Terms,
};
use serde::Deserialize;
use time::OffsetDateTime;
use utoipa::ToSchema;

/// The key that a body wants, of this API.
macro_rules! new_key {
    ($body:ident, $api:expr) => {
        $crate::keys::model::NewKey {
            name: $body.name,
            api: $api,
            permissions: $body.permissions,
            preset: $body.preset,
            bundles: $body.bundles,
            addresses: $body.addresses,
            origins: $body.origins,
            routes: $body.routes,
            tags: $body.tags,
            external_id: $body.external_id,
            meta: $body.meta,
            expires_at: $body.expires_at,
            environment: $body.environment.unwrap_or_default(),
            once: None,
        }
    };
}
pub(super) use new_key;

/// A key that a client wants.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewKeyBody {
    /// 1 to 80 characters.
    #[schema(example = "checkout service")]
    name: String,
    /// The slug of the API that it calls; without it, the first API that is not Tollgate's own.
    #[serde(default)]
    api: Option<String>,
    /// Without it, those of the preset.
    #[serde(default)]
    permissions: Option<Vec<String>>,
    /// In place of `permissions`: `basic` (the default unless bundles are named), `read-only`, or `admin`, everything that you can give.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    preset: Option<Preset>,
    /// Names of bundles of the API, whose permissions it has beside its own, as they are at any time.
    #[serde(default)]
    #[schema(example = json!(["order-desk"]))]
    bundles: Vec<String>,
    /// Networks in CIDR notation or single addresses from which it may be used, at most 50; without it, from everywhere.
    #[serde(default)]
    #[schema(example = json!(["203.0.113.0/24", "2001:db8::/32"]))]
    addresses: Vec<String>,
    /// Origins of the web pages that may use it (`https://app.example.com`, `https://*.example.com`), at most 20; without it, of every page.
    #[serde(default)]
    #[schema(example = json!(["https://app.example.com"]))]
    origins: Vec<String>,
    /// Routes that it may call, each a method (`*` is any) and a path pattern, at most 50; without it, all that its permissions allow.
    #[serde(default)]
    #[schema(example = json!(["GET /orders/{id}", "* /reports/*"]))]
    routes: Vec<String>,
    /// Words to find it by: at most ten, of `a-z0-9-`, 1 to 30 characters.
    #[serde(default)]
    #[schema(example = json!(["team-a"]))]
    tags: Vec<String>,
    /// Your own id of who uses it, at most 200 characters: verifications answer it, and lists find the key by it.
    #[serde(default)]
    #[schema(example = "customer-42")]
    external_id: Option<String>,
    /// An object of your own that verifications answer when the key passes; at most 1 KiB as JSON without spaces. Not for secrets.
    #[serde(default)]
    #[schema(value_type = Object, example = json!({"team": "checkout"}))]
    meta: Meta,
    #[serde(default, with = "time::serde::rfc3339::option")]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<OffsetDateTime>,
    /// `live` (the default) or `test`; stands in the secret.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    environment: Option<Environment>,
    /// Limits of its own, from its first call on; without it, those of the next level. Needs `keys:manage`.
    #[serde(default)]
    limits: Vec<KeyLimitBody>,
    /// The slug of a plan of its own. Needs `keys:manage`.
    #[serde(default)]
    #[schema(example = "gold")]
    plan: Option<String>,
    /// The email of its owner; without it, you. Needs `keys:manage`.
    #[serde(default)]
    #[schema(example = "mara@example.com")]
    account: Option<String>,
}

impl NewKeyBody {
    /// The key, and what only operators say of it.
    pub fn read(self) -> (NewKey, Terms) {
        let terms = Terms { limits: self.limits.into_iter().map(Into::into).collect(), plan: self.plan, account: self.account };
        (new_key!(self, self.api), terms)
    }
}
