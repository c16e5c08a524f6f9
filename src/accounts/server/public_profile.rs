//! What strangers see of an account: nothing but what its owner ticked. A handle that nobody has and one whose owner shows nothing
//! are answered alike, and so is one whose owner may not come in: banned (by mail domain, too), disabled, or gone.

use super::{
    avatars,
    entry::{Entrant, may_come_in},
    handles,
    store::{fields, profiles as store},
};
use crate::{
    accounts::model::{PublicProfile, Published},
    error::AppError,
    platform::Ctx,
    values::AccountId,
};

/// The public profile behind a handle. Nobody needs to be signed in.
pub async fn public_profile(ctx: &Ctx, handle: &str) -> Result<PublicProfile, AppError> {
    // Only as it is kept: one address for one profile.
    let known = handles::checked(handle).ok().flatten().filter(|kept| kept == handle).ok_or(AppError::NotFound)?;
    let row = store::find_public(&ctx.db, &known).await?.ok_or(AppError::NotFound)?;
    let account = AccountId::new(row.id);
    let owner = Entrant { account, email: &row.email, is_verified: true, disabled: None, address: None };
    if may_come_in(ctx, owner).await?.is_err() {
        return Err(AppError::NotFound);
    }
    let values = fields::list_values(&ctx.db, account).await?;
    let shows = |field: Published| row.published.iter().any(|p| p == field.as_str());
    let picture = if shows(Published::Picture) { avatars::find_picture(ctx, account).await? } else { None };
    Ok(PublicProfile {
        handle: known,
        name: shows(Published::Name).then(|| row.name.clone()),
        picture,
        time_zone: shows(Published::TimeZone).then(|| row.time_zone.clone()),
        language: shows(Published::Language).then(|| row.language.clone()),
        fields: values.into_iter().filter(|it| it.is_public).collect(),
        joined: shows(Published::Joined).then(|| row.created_at.date().to_string()),
    })
}
