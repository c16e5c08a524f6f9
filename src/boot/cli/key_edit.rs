//! `tollgate key edit`: what `PATCH /api/v1/keys/{id}` does, besides limits and the plan, which have commands of their own.

use super::{
    Exit, Invocation,
    key::{Why, change},
};
use crate::{
    accounts::Caller,
    error::AppError,
    keys::{
        model::{KeyEdit, Meta, Preset},
        server as keys,
    },
    platform::Ctx,
};
use clap::Args;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// What is not said stays. A list is given whole.
#[derive(Args)]
pub(super) struct Edit {
    id: String,
    #[arg(long)]
    name: Option<String>,
    /// What it may, more than once, all of it
    #[arg(long, value_name = "PERMISSION", conflicts_with_all = ["preset", "no_permissions"])]
    permission: Vec<String>,
    /// In place of permissions
    #[arg(long, value_parser = ["basic", "read-only", "admin"], conflicts_with = "no_permissions")]
    preset: Option<String>,
    /// Take all permissions away that it was given one by one
    #[arg(long)]
    no_permissions: bool,
    /// A bundle of the API, more than once, all that it holds then
    #[arg(long, value_name = "BUNDLE", conflicts_with = "no_bundles")]
    bundle: Vec<String>,
    /// Take all bundles away
    #[arg(long)]
    no_bundles: bool,
    /// A network (203.0.113.0/24) or address from which it may be used, more than once, all of them
    #[arg(long, value_name = "CIDR", conflicts_with = "no_addresses")]
    address: Vec<String>,
    /// It may be used from everywhere
    #[arg(long)]
    no_addresses: bool,
    /// A web page's origin (https://app.example.com) from which it may be used, more than once, all of them
    #[arg(long, value_name = "ORIGIN", conflicts_with = "no_origins")]
    origin: Vec<String>,
    /// Pages of every site may use it
    #[arg(long)]
    no_origins: bool,
    /// A route that it may call ('GET /orders/{id}', '* /reports/*'), more than once, all of them
    #[arg(long, value_name = "ROUTE", conflicts_with = "no_routes")]
    route: Vec<String>,
    /// It may call all that its permissions allow
    #[arg(long)]
    no_routes: bool,
    /// A word to find it by, more than once, all of them
    #[arg(long, value_name = "TAG", conflicts_with = "no_tags")]
    tag: Vec<String>,
    /// Take all tags away
    #[arg(long)]
    no_tags: bool,
    /// Your own id of who uses it
    #[arg(long, value_name = "ID", conflicts_with = "no_external_id")]
    external_id: Option<String>,
    /// It has no external id
    #[arg(long)]
    no_external_id: bool,
    /// A JSON object that verifications answer, whole: '{"team": "checkout"}'; '{}' for none
    #[arg(long, value_name = "JSON")]
    meta: Option<String>,
    /// How long it lasts from now on (12h, 30d, 8w, 1y), until when (2027-01-31T00:00:00Z), or never
    #[arg(long, value_name = "TIME")]
    expires: Option<String>,
}

impl Edit {
    pub(super) async fn run(self, ctx: &Ctx, invocation: &Invocation) -> Result<Exit, AppError> {
        let why = Why::of(self.id.clone());
        let edit = self.edit(ctx.clock.now())?;
        if edit == KeyEdit::default() {
            return Err(AppError::invalid("", "Say what to change: `tollgate key edit --help` lists it."));
        }
        change(ctx, invocation, &why, ("Changed", "In force"), async |id| keys::edit_key(ctx, &Caller::cli(), id, edit).await).await
    }

    fn edit(self, now: OffsetDateTime) -> Result<KeyEdit, AppError> {
        let external_id = match self.external_id {
            Some(id) if id.trim().is_empty() => return Err(AppError::invalid("external_id", "This id is blank. For none say --no-external-id.")),
            Some(id) => Some(id),
            None => self.no_external_id.then(String::new),
        };
        Ok(KeyEdit {
            name: self.name,
            permissions: list(self.permission, self.no_permissions),
            preset: self.preset.as_deref().and_then(Preset::parse),
            bundles: list(self.bundle, self.no_bundles),
            addresses: list(self.address, self.no_addresses),
            origins: list(self.origin, self.no_origins),
            routes: list(self.route, self.no_routes),
            tags: list(self.tag, self.no_tags),
            external_id,
            meta: self.meta.as_deref().map(meta).transpose()?,
            expires_at: self.expires.as_deref().map(|text| end(text, now)).transpose()?,
            ..KeyEdit::default()
        })
    }
}

/// An object; a blank text, such as an empty variable of a script, is none.
fn meta(text: &str) -> Result<Meta, AppError> {
    if text.trim().is_empty() {
        return Err(AppError::invalid("meta", "This is blank. For no metadata write '{}'."));
    }
    keys::read_meta(text).map_err(|words| AppError::invalid("meta", words))
}

/// Nothing, unless it was said.
fn list(said: Vec<String>, none: bool) -> Option<Vec<String>> {
    (none || !said.is_empty()).then_some(said)
}

/// "30d" from now, a moment, or never. A blank text, such as an empty variable of a script, is no end and not "never".
fn end(text: &str, now: OffsetDateTime) -> Result<Option<OffsetDateTime>, AppError> {
    const RULE: &str = "Write how long it lasts (12h, 30d, 8w, 1y), a moment (2027-01-31T00:00:00Z), or never.";
    if text.trim().is_empty() {
        return Err(AppError::invalid("expires", RULE));
    }
    match keys::lifetime(text) {
        Ok(lifetime) => Ok(lifetime.map(|lifetime| now + lifetime)),
        Err(_) => OffsetDateTime::parse(text.trim(), &Rfc3339).map(Some).map_err(|_| AppError::invalid("expires", RULE)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn an_end_is_a_time_from_now_a_moment_or_never() {
        let now = datetime!(2026-11-20 12:00 UTC);
        assert_eq!(end("30d", now), Ok(Some(datetime!(2026-12-20 12:00 UTC))));
        assert_eq!(end("2027-01-31T00:00:00Z", now), Ok(Some(datetime!(2027-01-31 0:00 UTC))));
        assert_eq!(end("never", now), Ok(None));
        for wrong in ["", " ", "soon", "2027-01-31", "30"] {
            assert!(end(wrong, now).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_list_that_nobody_named_stays() {
        assert_eq!([list(Vec::new(), false), list(Vec::new(), true)], [None, Some(Vec::new())]);
        assert_eq!(list(vec!["a".to_owned()], false), Some(vec!["a".to_owned()]));
    }
}
