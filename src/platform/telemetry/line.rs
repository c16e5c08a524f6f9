//! How a line of the log looks: for people, or as one JSON object. Both carry the request id, from the task or from its span.

use super::{super::clock::Clock, REQUEST_ID};
use serde_json::{Map, Value};
use std::fmt;
use time::macros::format_description;
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    fmt::{
        FmtContext, FormatEvent, FormatFields, FormattedFields,
        format::{DefaultFields, JsonFields, Writer},
    },
    registry::LookupSpan,
};

/// `2026-11-20T23:12:01.042Z  INFO tollgate::keys: key made key_id=… | request_id=… method=POST path=/keys`
pub(super) struct PrettyLine;

impl<S: Subscriber + for<'a> LookupSpan<'a>> FormatEvent<S, DefaultFields> for PrettyLine {
    fn format_event(&self, ctx: &FmtContext<'_, S, DefaultFields>, mut out: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let (colour, dim, plain) = match (out.has_ansi_escapes(), *event.metadata().level()) {
            (false, _) => ("", "", ""),
            (true, Level::ERROR) => ("\x1b[31m", "\x1b[2m", "\x1b[0m"),
            (true, Level::WARN) => ("\x1b[33m", "\x1b[2m", "\x1b[0m"),
            (true, Level::INFO) => ("\x1b[32m", "\x1b[2m", "\x1b[0m"),
            (true, _) => ("\x1b[34m", "\x1b[2m", "\x1b[0m"),
        };
        let level = event.metadata().level();
        write!(out, "{dim}{}{plain} {colour}{level:>5}{plain} {dim}{}:{plain} ", now(), event.metadata().target())?;
        let mut text = String::new();
        ctx.format_fields(Writer::new(&mut text), event)?;
        let mut spans = String::new();
        let mut has_id = false;
        for span in ctx.event_scope().into_iter().flat_map(|scope| scope.from_root()) {
            if let Some(fields) = span.extensions().get::<FormattedFields<DefaultFields>>() {
                has_id |= fields.fields.contains("request_id=");
                spans.push(' ');
                spans.push_str(&fields.fields);
            }
        }
        if !has_id {
            let _ = REQUEST_ID.try_with(|id| spans.push_str(&format!(" request_id={id}")));
        }
        if !spans.is_empty() {
            text.push_str(" |");
            text.push_str(&spans);
        }
        // What somebody sent us must not begin a line of its own, nor write over the beginning of one (R82).
        writeln!(out, "{}", text.replace('\r', "\\r").replace('\n', "\n    "))
    }
}

/// One JSON object: the fields of the event over those of its spans.
pub(super) struct JsonLine;

impl<S: Subscriber + for<'a> LookupSpan<'a>> FormatEvent<S, JsonFields> for JsonLine {
    fn format_event(&self, ctx: &FmtContext<'_, S, JsonFields>, mut out: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut line = Map::new();
        for span in ctx.event_scope().into_iter().flat_map(|scope| scope.from_root()) {
            let extensions = span.extensions();
            let fields = extensions.get::<FormattedFields<JsonFields>>().map(|fields| serde_json::from_str(&fields.fields));
            if let Some(Ok(Value::Object(fields))) = fields {
                line.extend(fields);
            }
        }
        event.record(&mut Fields(&mut line));
        let _ = REQUEST_ID.try_with(|id| line.insert("request_id".to_owned(), (**id).into()));
        line.insert("at".to_owned(), now().into());
        line.insert("level".to_owned(), event.metadata().level().as_str().into());
        line.insert("target".to_owned(), event.metadata().target().into());
        writeln!(out, "{}", Value::Object(line))
    }
}

fn now() -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
    Clock::system().now().format(format).unwrap_or_default()
}

struct Fields<'a>(&'a mut Map<String, Value>);

impl Fields<'_> {
    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}"));
    }
    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value);
    }
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io::Write,
        sync::{Arc, Mutex},
    };
    use tracing_subscriber::{fmt as subscriber, layer::SubscriberExt};

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl Kept {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    #[tokio::test]
    async fn json_lines_carry_the_request_and_keep_types() {
        let kept = Kept::default();
        let writer = kept.clone();
        let layer = subscriber::layer().with_writer(move || writer.clone()).with_ansi(false).fmt_fields(JsonFields::new()).event_format(JsonLine);
        let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
        super::super::in_request("abc12345".into(), async {
            let span = tracing::info_span!("request", method = "POST", path = "/keys");
            let _entered = span.enter();
            tracing::info!(count = 3, ok = true, "two\nlines");
        })
        .await;
        tracing::info!("outside");
        let text = kept.text();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert_eq!(lines[0]["request_id"], "abc12345");
        assert_eq!(lines[0]["method"], "POST");
        assert_eq!(lines[0]["count"], 3);
        assert_eq!(lines[0]["ok"], true);
        assert_eq!(lines[0]["message"], "two\nlines");
        assert_eq!(lines[1].get("request_id"), None);
    }

    #[tokio::test]
    async fn r82_pretty_lines_carry_the_request_and_cannot_be_forged() {
        let kept = Kept::default();
        let writer = kept.clone();
        let layer = subscriber::layer().with_writer(move || writer.clone()).with_ansi(false).fmt_fields(DefaultFields::new()).event_format(PrettyLine);
        let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
        super::super::in_request("abc12345".into(), async { tracing::warn!("name:\r\n2026-01-01T00:00:00.000Z  INFO forged") }).await;
        let text = kept.text();
        assert!(text.ends_with("| request_id=abc12345\n"), "{text}");
        assert_eq!(text.lines().filter(|line| line.starts_with("20")).count(), 1, "{text}");
        assert!(text.contains("name:\\r\n") && !text.contains('\r'), "{text}");
    }
}
