//! The body of an answer on its way out: whole, as the gate gives it, or as the router's layers made it.

use axum::body::{Body, Bytes};
use hyper::body::{Frame, SizeHint};
use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

/// What is sent.
pub enum AnswerBody {
    /// In one piece, with nothing around it: most of what the gate says.
    Whole(Option<Bytes>),
    Made(Body, Option<UnderWay>),
}

/// Counts one answer among those of its connection that are not sent to their end.
pub struct UnderWay(Arc<AtomicUsize>);

impl UnderWay {
    pub fn among(answers: &Arc<AtomicUsize>) -> Self {
        answers.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(answers))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl From<Vec<u8>> for AnswerBody {
    fn from(whole: Vec<u8>) -> Self {
        Self::Whole(Some(whole.into()))
    }
}

impl From<Body> for AnswerBody {
    fn from(made: Body) -> Self {
        Self::Made(made, None)
    }
}

impl hyper::body::Body for AnswerBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        match &mut *self {
            Self::Whole(whole) => Poll::Ready(whole.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Made(made, _) => Pin::new(made).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(whole) => whole.as_ref().is_none_or(Bytes::is_empty),
            Self::Made(made, _) => made.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(whole) => SizeHint::with_exact(whole.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Self::Made(made, _) => made.size_hint(),
        }
    }
}
