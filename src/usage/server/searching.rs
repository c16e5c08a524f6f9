//! What somebody types into the one field of Requests and Refusals: an address, an email, the id of a request, or a key.

use super::{refusals::count_refusals, store::refusals, whose::Whose};
use crate::{accounts::Caller, error::AppError, platform::Ctx, usage::model::RefusalQuery, values::Email};
use std::net::IpAddr;

/// As much as the name of a key may be looked for with.
const LONGEST: usize = 400;

/// Puts it where it belongs. What is neither an address, nor (for operators) the email of somebody who is there, nor the id of a sample, is
/// taken for a key.
pub async fn recognised(ctx: &Ctx, caller: &Caller, whose: Whose, query: RefusalQuery) -> Result<RefusalQuery, AppError> {
    let Some(text) = query.search.clone() else { return Ok(query) };
    let query = RefusalQuery { search: None, ..query };
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(RefusalQuery { address: Some(address.to_canonical().to_string()), ..query });
    }
    let of_key = |text| RefusalQuery { key: None, named: Some(text), ..query.clone() };
    if text.len() > LONGEST || text.contains('\0') {
        return Ok(of_key(text));
    }
    if whose == Whose::All && is_owner(ctx, &text).await? {
        return Ok(RefusalQuery { owner: Some(text), ..query });
    }
    // An id is of one request: only the time and whose it is say where to look.
    let of_request = RefusalQuery {
        request: Some(text.clone()),
        code: query.code.clone().filter(|_| query.is_of_passed()),
        owner: query.owner.clone(),
        range: query.range.clone(),
        from: query.from.clone(),
        to: query.to.clone(),
        ..RefusalQuery::default()
    };
    let is_request = count_refusals(ctx, caller, whose, &of_request, ctx.clock.now()).await? > 0;
    Ok(if is_request { of_request } else { of_key(text) })
}

async fn is_owner(ctx: &Ctx, text: &str) -> Result<bool, AppError> {
    let Ok(email) = text.parse::<Email>() else { return Ok(false) };
    Ok(refusals::find_workspace_of_owner(&ctx.db, &email.key()).await?.is_some())
}
