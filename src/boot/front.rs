//! The first look at a request: what is asked of the gate goes to its door, everything else through the router.

use crate::{
    keys::server::Door,
    platform::http::answer::{AnswerBody, UnderWay},
};
use axum::{
    Router,
    body::Body,
    extract::ConnectInfo,
    http::{Request, Response},
};
use hyper::body::Incoming;
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};
use tower::ServiceExt;

/// What answers.
pub struct Front {
    door: Door,
    router: Router,
}

/// What came over one connection so far.
#[derive(Default)]
pub struct Line {
    begun: AtomicU64,
    under_way: Arc<AtomicUsize>,
}

impl Line {
    /// How many requests have begun; none while an answer of the router is still on its way.
    pub fn rests_at(&self) -> Option<u64> {
        (self.under_way.load(Ordering::Relaxed) == 0).then(|| self.begun.load(Ordering::Relaxed))
    }
}

impl Front {
    pub const fn new(door: Door, router: Router) -> Self {
        Self { door, router }
    }

    pub async fn answer(&self, peer: SocketAddr, line: &Line, mut request: Request<Incoming>) -> Response<AnswerBody> {
        line.begun.fetch_add(1, Ordering::Relaxed);
        if Door::is_for(request.uri().path()) {
            return self.door.answer(peer.ip(), request).await;
        }
        let under_way = UnderWay::among(&line.under_way);
        request.extensions_mut().insert(ConnectInfo(peer));
        let Ok(response) = Box::pin(self.router.clone().oneshot(request.map(Body::new))).await;
        response.map(|made| AnswerBody::Made(made, Some(under_way)))
    }
}
