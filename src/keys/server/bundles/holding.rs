//! Which bundles a key holds. A bundle that is gone can't be given (R66), and a key for Tollgate itself gets none that gives more than its
//! owner, or who gives it, may (K03, R65).

use crate::{
    accounts::Caller,
    error::AppError,
    keys::{
        model::{Act, Api, Key},
        server::{
            change::{self, Done},
            rules,
            store::bundles as store,
        },
    },
    platform::Ctx,
    values::{KeyId, Slug, WorkspaceId},
};
use sqlx::PgConnection;

/// Bundles that the API has, by name, each once.
pub fn chosen(api: &Api, texts: &[String]) -> Result<Vec<Slug>, String> {
    let mut names = Vec::with_capacity(texts.len());
    for text in texts.iter().map(|text| text.trim()) {
        let bundle = api.bundle(text).ok_or_else(|| format!("The API {} has no bundle {}.", api.slug, text.chars().take(40).collect::<String>()))?;
        names.push(bundle.name.clone());
    }
    names.sort_by(|a, b| a.as_str().cmp(b.as_str()));
    names.dedup();
    Ok(names)
}

/// The bundles of a key of this workspace become `wanted`; `added` are those of them that it did not hold.
pub async fn give(
    ctx: &Ctx,
    conn: &mut PgConnection,
    caller: &Caller,
    (key, workspace): (KeyId, WorkspaceId),
    api: &Api,
    wanted: &[Slug],
    added: &[Slug],
) -> Result<(), AppError> {
    let locked = store::lock_bundles(conn, api.id, wanted).await?;
    if locked.len() < wanted.len() {
        return Err(AppError::invalid("bundles", "One of these bundles was deleted a moment ago. Reload the page and choose again."));
    }
    let given = store::list_given(conn, api.id, added).await?;
    rules::must_not_exceed(conn, caller, workspace, api, &given).await?;
    Ok(store::replace_key_bundles(conn, key, &locked, ctx.clock.now()).await?)
}

/// The same for a key that is there, with its line of the history.
pub async fn set_bundles(ctx: &Ctx, conn: &mut PgConnection, caller: &Caller, key: &Key, api: &Api, wanted: &[Slug]) -> Result<(), AppError> {
    let added: Vec<Slug> = wanted.iter().filter(|name| !key.bundles.contains(name)).cloned().collect();
    give(ctx, conn, caller, (key.id, key.workspace), api, wanted, &added).await?;
    let names: Vec<&str> = wanted.iter().map(Slug::as_str).collect();
    let detail = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    let data = serde_json::json!({ "from": key.bundles, "to": wanted });
    change::note(ctx, conn, caller, key, Done { data, ..Done::new(Act::Bundled, detail) }).await
}
