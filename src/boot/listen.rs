//! The listener: accepts connections, reads HTTP/1.1 from each with hyper, and ends them in order.
//!
//! Beside `axum::serve`, which is made for any service, it spares each call what the gate does not need: boxed bodies and futures, a
//! service made anew for each request, an answer written in several pieces. And it ends what `axum::serve` keeps for ever: a connection
//! over which nothing is asked, and at a stop one whose request does not end.

use super::front::{Front, Line};
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use std::{convert::Infallible, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// A connection over which no request has begun for this long, or for up to twice as long, is closed; also one whose request is dribbled.
/// Longer than proxies keep theirs (nginx and most load balancers: 60 s), so that it is they who close it.
const IDLE: Duration = Duration::from_secs(75);
/// What can't be accepted, for want of file descriptors, is tried again after this long.
const AGAIN: Duration = Duration::from_secs(1);

/// When the connections end.
#[derive(Clone, Default)]
struct Ends {
    /// After their running requests.
    soon: CancellationToken,
    /// At once.
    now: CancellationToken,
}

/// Answers until `stop`; then no new connection, no new request, and `grace` for those that run.
pub async fn listen(listener: TcpListener, front: Front, stop: CancellationToken, grace: Duration) {
    let front = Arc::new(front);
    let connections = TaskTracker::new();
    let ends = Ends { soon: stop, ..Ends::default() };
    loop {
        let accepted = tokio::select! {
            biased;
            () = ends.soon.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((socket, peer)) => {
                connections.spawn(converse(socket, peer, Arc::clone(&front), ends.clone()));
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
    if timeout(grace, connections.wait()).await.is_err() {
        tracing::warn!("{} connections are cut off: their requests did not end within {} s", connections.len(), grace.as_secs());
        ends.now.cancel();
        connections.wait().await;
    }
}

/// One connection to its end.
async fn converse(socket: TcpStream, peer: SocketAddr, front: Arc<Front>, ends: Ends) {
    // An answer is written at once: nothing is gained by waiting for more of it. If it can't be set, answers are a little later.
    let _ = socket.set_nodelay(true);
    let line = Line::default();
    let service = service_fn(|request| async { Ok::<_, Infallible>(front.answer(peer, &line, request).await) });
    // One write of head and body costs less than a vector of two.
    let mut connection = pin!(http1::Builder::new().writev(false).serve_connection(TokioIo::new(socket), service));
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
            () = sleep(IDLE) => {
                let rests = line.rests_at();
                if rests.is_some() && rests == seen {
                    return;
                }
                seen = rests;
            }
        }
    }
}

/// A client that went away before it was accepted is nobody else's trouble.
fn is_of_one_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionRefused | ConnectionAborted | ConnectionReset)
}
