//! Who asks, for a page that says why it refuses: it stands in the frame of whoever is signed in, as every page of theirs does.
//!
//! `identify` leaves whom it knew beside the request, because a panic or a time-out leaves nothing else of it. Of what was refused before
//! that, the cookie is looked up here, for a moment only: such a page is about the refusal, and without an answer it is a stranger's.
//! Nothing is allowed by it.

use super::{
    acting::{ActsAs, look},
    caller::entering,
};
use crate::{
    accounts::model::{Caller, Via},
    error::AppError,
    platform::{Ctx, http::reply, session::PgSessions},
    values::NotNow,
};
use axum::http::{Extensions, HeaderMap};
use axum_extra::extract::CookieJar;
use std::{
    net::IpAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

/// So long a refusal waits for the name of who is refused.
const AT_MOST: Duration = Duration::from_millis(500);

/// Whoever a page is made for: who is signed in, and as whom an operator acts. Nobody, where neither is known.
#[derive(Debug, Clone, Default)]
pub struct Known {
    pub caller: Option<Caller>,
    pub acts: Option<ActsAs>,
}

impl Known {
    /// From here on the page of this request is theirs.
    pub fn enter(self, request: &mut Extensions) {
        if let Some(caller) = self.caller {
            request.insert(caller);
        }
        if let Some(acts) = self.acts {
            request.insert(acts);
        }
    }
}

/// Where `identify` leaves whom it knew; an extension of a request whose refusal would be a page.
#[derive(Debug, Clone, Default)]
pub struct Asker(Arc<OnceLock<Known>>);

impl Asker {
    /// None: nobody has looked.
    pub fn known(&self) -> Option<Known> {
        self.0.get().cloned()
    }

    pub(super) fn note(request: &Extensions, known: impl FnOnce() -> Known) {
        if let Some(Self(place)) = request.get() {
            place.get_or_init(known);
        }
    }
}

/// Whose cookie these headers bring. Nobody's, where the database does not say so at once.
pub async fn asker(ctx: &Ctx, headers: &HeaderMap, address: IpAddr) -> Known {
    match tokio::time::timeout(AT_MOST, asker_for_sure(ctx, headers, address)).await {
        Ok(Ok(known)) => known,
        Ok(Err(_)) | Err(_) => Known::default(),
    }
}

/// The same for what can't go on with nobody: it waits for the database as any request does, and says where that has no answer.
pub async fn asker_for_sure(ctx: &Ctx, headers: &HeaderMap, address: IpAddr) -> Result<Known, AppError> {
    let jar = CookieJar::from_headers(headers);
    let Some(cookie) = jar.get(&reply::full_name(ctx, reply::SESSION)) else { return Ok(Known::default()) };
    let sessions = PgSessions::new(ctx.db.clone(), ctx.clock.clone(), &ctx.config.auth);
    let Some((account, session)) = sessions.behind(cookie.value()).await.map_err(|_| AppError::not_now(NotNow::DatabaseAway, 5))? else {
        return Ok(Known::default());
    };
    let Some(entered) = entering(ctx, account, Via::Session(session), Some(address)).await? else { return Ok(Known::default()) };
    Ok(match look(ctx, &entered, address).await? {
        Some(standing) => standing.known(),
        None => Known { caller: Some(entered.caller), acts: None },
    })
}
