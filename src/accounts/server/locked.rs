//! What whoever runs the server has locked (`tollgate config lock`): its operations ask here, beside the permission.

use crate::{
    accounts::model::{Caller, Via},
    error::AppError,
    platform::Ctx,
    values::Area,
};

/// Refused where the area is locked. The command line of the server passes. A form passes, locked or not, only if pages know that it is of
/// this area: else they would show it where it is refused.
pub fn must_be_open(ctx: &Ctx, caller: &Caller, area: Area) -> Result<(), AppError> {
    if !caller.reach.covers(area) {
        return Err(AppError::internal(format!("a server function changes {area}, and boot::locked does not list it there")));
    }
    if caller.via != Via::Cli && ctx.config.admin.locked.contains(&area) { Err(AppError::Locked { area }) } else { Ok(()) }
}
