//! What whoever runs the server has locked (`tollgate config lock`): its operations ask here, beside the permission.

use crate::{
    accounts::model::{Caller, Via},
    error::AppError,
    platform::Ctx,
    values::Area,
};

/// Refused where the area is locked. The command line of the server passes.
pub fn must_be_open(ctx: &Ctx, caller: &Caller, area: Area) -> Result<(), AppError> {
    if caller.via != Via::Cli && ctx.config.admin.locked.contains(&area) { Err(AppError::Locked { area }) } else { Ok(()) }
}
