//! Refusals of everybody: samples, and exact counts of the attempts that no key stands behind.

use crate::{
    accounts::Caller,
    admin::model::AllRefusals,
    error::AppError,
    platform::Ctx,
    usage::{model::RefusalQuery, server as usage},
    values::permission_names as may,
};

/// Lines of the attempts by address.
const ADDRESSES: u16 = 20;

/// What `/admin/refusals` shows.
pub async fn list_refusals(ctx: &Ctx, caller: &Caller, query: RefusalQuery) -> Result<AllRefusals, AppError> {
    caller.require(&may::ADMIN_READ)?;
    let (list, attempts) = tokio::try_join!(usage::list_all_refusals(ctx, caller, query), usage::attempts_by_address_today(ctx, caller, ADDRESSES))?;
    Ok(AllRefusals { list, attempts })
}
