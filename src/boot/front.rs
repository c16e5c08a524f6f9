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
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tower::ServiceExt;

/// What answers.
pub struct Front {
    door: Door,
    router: Router,
}

/// What came and went over one connection so far.
#[derive(Default)]
pub struct Line {
    begun: AtomicU64,
    under_way: Arc<AtomicUsize>,
    /// Counts up where the socket takes no more, and where it takes some again: odd while it takes none.
    turns: AtomicU64,
}

/// How a connection stands at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stand {
    begun: u64,
    /// No answer of the router is still on its way.
    rests: bool,
    turns: u64,
}

impl Stand {
    /// Nothing was asked since that moment, and nothing is to be answered but what the client does not take: nobody is there.
    pub fn is_left_since(self, before: Self) -> bool {
        self == before && (self.rests || self.is_full())
    }

    /// The client takes nothing.
    fn is_full(self) -> bool {
        !self.turns.is_multiple_of(2)
    }
}

impl Line {
    pub fn stand(&self) -> Stand {
        Stand { begun: self.begun.load(Ordering::Relaxed), rests: self.under_way.load(Ordering::Relaxed) == 0, turns: self.turns.load(Ordering::Relaxed) }
    }
}

/// The socket of a connection, which notes where its client takes no more of an answer. While it takes all, that costs a comparison.
pub struct Watched<'a> {
    socket: TcpStream,
    line: &'a Line,
    is_full: bool,
}

impl<'a> Watched<'a> {
    pub const fn new(socket: TcpStream, line: &'a Line) -> Self {
        Self { socket, line, is_full: false }
    }

    fn note<T>(&mut self, written: Poll<T>) -> Poll<T> {
        if written.is_pending() != self.is_full {
            self.is_full = !self.is_full;
            self.line.turns.fetch_add(1, Ordering::Relaxed);
        }
        written
    }
}

impl AsyncRead for Watched<'_> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(cx, buf)
    }
}

impl AsyncWrite for Watched<'_> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write(cx, buf);
        self.note(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_left_when_nothing_moves_and_nothing_but_the_client_is_waited_for() {
        let line = Line::default();
        let is_left = |before: Stand| line.stand().is_left_since(before);
        let before = line.stand();
        assert!(is_left(before), "nothing is asked");
        line.begun.fetch_add(1, Ordering::Relaxed);
        assert!(!is_left(before), "something was asked");
        let answer = UnderWay::among(&line.under_way);
        assert!(!is_left(line.stand()), "the answer is being made");
        line.turns.fetch_add(1, Ordering::Relaxed);
        let before = line.stand();
        assert!(is_left(before), "the client takes nothing of it");
        line.turns.fetch_add(2, Ordering::Relaxed);
        assert!(!is_left(before), "it took some, however little");
        line.turns.fetch_add(1, Ordering::Relaxed);
        assert!(!is_left(line.stand()), "it took all, and more is being made");
        drop(answer);
        assert!(is_left(line.stand()));
    }
}
