//! Logs, and the id of the request that is being answered: in every line, every error body, every `X-Request-Id`.

mod line;

use super::config::{Log, LogFormat};
use line::{JsonLine, PlainFields, PrettyLine};
use std::{io::IsTerminal, sync::Arc};
use tracing_subscriber::{EnvFilter, Layer, fmt, fmt::format::JsonFields, layer::SubscriberExt, util::SubscriberInitExt};

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

/// Sends the log to standard error, where it does not mix with what a command answers. Panics are logged too.
pub fn init(log: &Log) {
    // The migrator's "already exists, skipping" is no news.
    let filter = EnvFilter::builder().parse_lossy(format!("sqlx::postgres::notice=warn,{}", log.filter));
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines = match log.format {
        LogFormat::Pretty => lines.with_ansi(std::io::stderr().is_terminal()).fmt_fields(PlainFields).event_format(PrettyLine).boxed(),
        LogFormat::Json => lines.with_ansi(false).fmt_fields(JsonFields::new()).event_format(JsonLine).boxed(),
    };
    // A second call, as in tests, keeps the first.
    if tracing_subscriber::registry().with(lines.with_filter(filter)).try_init().is_ok() {
        std::panic::set_hook(Box::new(log_panic));
    }
}

fn log_panic(panic: &std::panic::PanicHookInfo<'_>) {
    let payload = panic.payload();
    let words = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(place, "panic: {}", words.unwrap_or("without words"));
}
