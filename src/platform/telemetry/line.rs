//! How a line of the log looks: for people, or as one JSON object. Both carry the request id, from the task or from its span.
//!
//! Much of what is logged was sent by somebody: a path, a user agent, a name. Whoever reads the log reads it in a terminal, so nothing of it
//! reaches one that a terminal obeys: no new line, no escape sequence (ESC, or CSI as one character of C1), nothing that turns the direction
//! of writing (R82).

use super::{super::clock::Clock, REQUEST_ID};
use serde_json::{Map, Value};
use std::fmt;
use time::macros::format_description;
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    field::RecordFields,
    fmt::{
        FmtContext, FormatEvent, FormatFields, FormattedFields,
        format::{DefaultFields, JsonFields, Writer},
    },
    registry::LookupSpan,
};

/// Fields as they are usually written, but never in colours: so every control character in them is somebody else's.
pub(super) struct PlainFields;

impl<'out> FormatFields<'out> for PlainFields {
    fn format_fields<R: RecordFields>(&self, mut out: Writer<'out>, fields: R) -> fmt::Result {
        let mut text = String::new();
        DefaultFields::new().format_fields(Writer::new(&mut text), fields)?;
        out.write_str(&text)
    }
}

/// Whether a terminal, or what shows a log, does something at this character instead of showing it: controls of C0, of C1 and DEL, and what
/// ends a line or turns the direction of writing in Unicode. A tab is harmless.
fn acts(c: char) -> bool {
    let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    (c.is_control() && c != '\t') || turns
}

/// The text with such characters written out. A new line stays one, indented: it can't be taken for the beginning of an entry.
fn harmless(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => shown.push_str("\n    "),
            c if acts(c) => shown.extend(c.escape_default()),
            c => shown.push(c),
        }
    }
    shown
}

/// The same of one JSON object, in which they can only stand within texts; JSON itself asks for C0 alone.
fn harmless_json(line: &Value) -> String {
    let mut shown = String::new();
    for c in line.to_string().chars() {
        if acts(c) {
            shown.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            shown.push(c);
        }
    }
    shown
}

/// `2026-11-20T23:12:01.042Z  INFO tollgate::keys: key made key_id=… | request_id=… method=POST path=/keys`
pub(super) struct PrettyLine;

impl<S: Subscriber + for<'a> LookupSpan<'a>> FormatEvent<S, PlainFields> for PrettyLine {
    fn format_event(&self, ctx: &FmtContext<'_, S, PlainFields>, mut out: Writer<'_>, event: &Event<'_>) -> fmt::Result {
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
            if let Some(fields) = span.extensions().get::<FormattedFields<PlainFields>>() {
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
        writeln!(out, "{}", harmless(&text))
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
        writeln!(out, "{}", harmless_json(&Value::Object(line)))
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
        let layer = subscriber::layer().with_writer(move || writer.clone()).with_ansi(false).fmt_fields(PlainFields).event_format(PrettyLine);
        let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
        super::super::in_request("abc12345".into(), async { tracing::warn!("name:\r\n2026-01-01T00:00:00.000Z  INFO forged") }).await;
        let text = kept.text();
        assert!(text.ends_with("| request_id=abc12345\n"), "{text}");
        assert_eq!(text.lines().filter(|line| line.starts_with("20")).count(), 1, "{text}");
        assert!(text.contains("name:\\r\n") && !text.contains('\r'), "{text}");
    }

    /// What a client may send in a path, a user agent or a header to act on the terminal of whoever reads the log: clear the screen, set
    /// the title, begin a sequence with the one character of C1, delete, turn the direction of writing.
    const HOSTILE: &str = "/\x1b[2J\x1b]0;gate\x07\u{9b}31m\u{90}q\u{9c}\u{85}\x08\x7f\0\u{202e}\u{2028}end";

    fn log_hostile_lines() {
        let span = tracing::info_span!("request", path = HOSTILE, agent = %HOSTILE);
        let _entered = span.enter();
        tracing::warn!(header = %HOSTILE, cookie = ?HOSTILE, name = HOSTILE, "asked for {HOSTILE}");
        tracing::warn!(error = &std::io::Error::other(HOSTILE) as &(dyn std::error::Error + 'static), "{}", HOSTILE);
    }

    #[test]
    fn r82_no_sequence_of_a_client_reaches_the_terminal() {
        for is_terminal in [false, true] {
            let kept = Kept::default();
            let writer = kept.clone();
            let layer = subscriber::layer().with_writer(move || writer.clone()).with_ansi(is_terminal).fmt_fields(PlainFields).event_format(PrettyLine);
            let guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
            log_hostile_lines();
            drop(guard);
            // The colours are ours: those of the level, of what is dim, and back.
            let text = ["\x1b[33m", "\x1b[2m", "\x1b[0m"].iter().fold(kept.text(), |text, ours| text.replace(ours, ""));
            assert!(!text.chars().any(|c| acts(c) && c != '\n'), "{text:?}");
            assert_eq!((text.lines().count(), text.matches("end").count()), (2, 10), "{text:?}");
        }
    }

    #[test]
    fn r82_no_sequence_of_a_client_reaches_the_terminal_in_json() {
        let kept = Kept::default();
        let writer = kept.clone();
        let layer = subscriber::layer().with_writer(move || writer.clone()).with_ansi(false).fmt_fields(JsonFields::new()).event_format(JsonLine);
        let guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
        log_hostile_lines();
        drop(guard);
        let text = kept.text();
        assert!(!text.chars().any(|c| acts(c) && c != '\n'), "{text:?}");
        let first: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        assert_eq!((&first["header"], &first["name"]), (&Value::from(HOSTILE), &Value::from(HOSTILE)), "nothing of it is lost");
    }

    #[test]
    fn what_is_written_out_can_be_read() {
        assert_eq!(harmless("a\tb\x1b[2J\u{9b}m\r\nc\u{e9}"), "a\tb\\u{1b}[2J\\u{9b}m\\r\n    c\u{e9}");
    }
}
