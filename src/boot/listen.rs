//! The listener: accepts connections, reads HTTP/1.1 from each with hyper, and ends them in order.
//!
//! Beside `axum::serve`, which is made for any service, it spares each call what the gate does not need: boxed bodies and futures, a
//! service made anew for each request, an answer written in several pieces. And it ends what `axum::serve` keeps for ever: a connection
//! over which nothing is asked, one whose client takes nothing of its answer, and at a stop one whose request does not end. There are only
//! so many at once (`room`).

use super::{
    front::{Front, Line, Watched},
    room::Room,
};
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{convert::Infallible, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

/// What can't be accepted, for want of file descriptors, is tried again after this long.
const AGAIN: Duration = Duration::from_secs(1);

/// How long it waits.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For the next request over a connection, also for one that is dribbled, and for the client to take some of an answer; or up to twice as
    /// long. Proxies keep their connections for a shorter time (nginx and most load balancers: 60 s), so that it is they who close them.
    pub idle: Duration,
    /// For the requests that run at a stop.
    pub grace: Duration,
}

/// When the connections end.
#[derive(Clone, Default)]
struct Ends {
    /// After their running requests.
    soon: CancellationToken,
    /// At once.
    now: CancellationToken,
}

/// Answers until `stop`; then no new connection, no new request, and some patience with those that run.
pub async fn listen(listener: TcpListener, front: Front, stop: CancellationToken, patience: Patience, room: Arc<Room>) {
    let front = Arc::new(front);
    let connections = room.open();
    let ends = Ends { soon: stop, ..Ends::default() };
    loop {
        let accepted = tokio::select! {
            biased;
            () = ends.soon.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            // It is dropped, and so closed.
            Ok(_) if room.is_full() => room.turn_away(),
            Ok((socket, peer)) => {
                connections.spawn(converse(socket, peer, Arc::clone(&front), ends.clone(), patience.idle));
            }
            Err(error) if is_of_one_client(&error) => {}
            Err(error) => {
                tracing::error!("no connection can be accepted: {error}");
                sleep(AGAIN).await;
            }
        }
    }
    drop(listener);
    connections.close();
    if timeout(patience.grace, connections.wait()).await.is_err() {
        tracing::warn!("{} connections are cut off: their requests did not end within {} s", connections.len(), patience.grace.as_secs());
        ends.now.cancel();
        connections.wait().await;
    }
}

/// One connection to its end.
async fn converse(socket: TcpStream, peer: SocketAddr, front: Arc<Front>, ends: Ends, idle: Duration) {
    // An answer is written at once: nothing is gained by waiting for more of it. If it can't be set, answers are a little later.
    let _ = socket.set_nodelay(true);
    let line = Line::default();
    let service = service_fn(|request| async { Ok::<_, Infallible>(front.answer(peer, &line, request).await) });
    // One write of head and body costs less than a vector of two.
    let mut connection = pin!(http1::Builder::new().writev(false).serve_connection(TokioIo::new(Watched::new(socket, &line)), service));
    let mut seen = None;
    let mut is_stopping = false;
    loop {
        tokio::select! {
            biased;
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::trace!("a connection ended: {error}");
                }
                return;
            }
            () = ends.soon.cancelled(), if !is_stopping => {
                is_stopping = true;
                connection.as_mut().graceful_shutdown();
            }
            () = ends.now.cancelled(), if is_stopping => return,
            () = sleep(idle) => {
                let stand = line.stand();
                if seen.is_some_and(|before| stand.is_left_since(before)) {
                    return;
                }
                seen = Some(stand);
            }
        }
    }
}

/// A client that went away before it was accepted is nobody else's trouble.
fn is_of_one_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionRefused | ConnectionAborted | ConnectionReset)
}
