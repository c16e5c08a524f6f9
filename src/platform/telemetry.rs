//! Logs, and the id of the request that is being answered: in every line, every error body, every `X-Request-Id`.

use std::sync::Arc;

tokio::task_local! {
    static REQUEST_ID: Arc<str>;
}

/// The id of the request this task answers, or `-` outside of one.
pub fn request_id() -> String {
    REQUEST_ID.try_with(|id| id.to_string()).unwrap_or_else(|_| "-".to_owned())
}

/// Runs `work` as part of the request `id`.
pub async fn in_request<F: Future>(id: Arc<str>, work: F) -> F::Output {
    REQUEST_ID.scope(id, work).await
}
