//! Recovery codes that were just made, kept sealed in the browser of who made them until they are saved, ten minutes at most: a stray
//! click or a reload does not lose them, and the server stores only their hashes.

use super::links::NEW_CODES;
use crate::{
    accounts::model::Caller,
    platform::{Ctx, http::reply},
};

const SHOWN_FOR_SECONDS: i64 = 600;

/// Sends the browser to the page that shows them.
pub fn show(ctx: &Ctx, caller: &Caller, codes: &[String]) {
    reply::seal(ctx, NEW_CODES, &format!("{} {}", caller.account, codes.join(" ")), SHOWN_FOR_SECONDS);
    reply::redirect("/settings/security/recovery-codes");
}

/// Those that this browser may still see, and that are the caller's.
pub fn shown(ctx: &Ctx, caller: &Caller) -> Vec<String> {
    let sealed = reply::sealed(ctx, NEW_CODES).unwrap_or_default();
    match sealed.split_once(' ') {
        Some((account, codes)) if account == caller.account.to_string() => codes.split(' ').map(ToOwned::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// The person has them.
pub fn hide(ctx: &Ctx) {
    reply::unseal_and_drop(ctx, NEW_CODES);
}
