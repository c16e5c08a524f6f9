//! The first look at a request: what is asked of the gate goes to its door, everything else through the router.

use crate::keys::server::Door;
use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request},
    response::Response,
    serve::IncomingStream,
};
use std::{
    convert::Infallible,
    future::{Ready, ready},
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tokio::net::TcpListener;
use tower::{Service, ServiceExt};

/// Makes the service of each connection.
#[derive(Clone)]
pub struct Front {
    door: Arc<Door>,
    router: Router,
}

/// One connection.
#[derive(Clone)]
pub struct Connection {
    front: Front,
    peer: SocketAddr,
}

impl Front {
    pub fn new(door: Door, router: Router) -> Self {
        Self { door: Arc::new(door), router }
    }
}

impl Service<IncomingStream<'_, TcpListener>> for Front {
    type Response = Connection;
    type Error = Infallible;
    type Future = Ready<Result<Connection, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, stream: IncomingStream<'_, TcpListener>) -> Self::Future {
        ready(Ok(Connection { front: self.clone(), peer: *stream.remote_addr() }))
    }
}

impl Service<Request<Body>> for Connection {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let peer = self.peer;
        if Door::is_for(request.uri().path()) {
            let door = Arc::clone(&self.front.door);
            return Box::pin(async move { Ok(door.answer(peer.ip(), request).await) });
        }
        request.extensions_mut().insert(ConnectInfo(peer));
        Box::pin(self.front.router.clone().oneshot(request))
    }
}
